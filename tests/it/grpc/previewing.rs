//! Asking for previews: each is a run of its own that waits for its turn, and few of them may wait.

use super::{reason, small};
use crate::support::{World, company, integration};
use provisiond::{
    model::{CompanyId, EventBody, Integration, IntegrationId, IntegrationState},
    proto::v1::{
        self, Run, StartRunRequest,
        run::{State, Trigger},
        watch_runs_response::Event,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

async fn ask(world: &mut World, preview: bool, id: &str) -> Result<Run, Status> {
    let request = StartRunRequest {
        parent: integration(),
        request_id: id.to_owned(),
        preview,
        ..StartRunRequest::default()
    };
    let asked = world.sync.start_run(request).await?.into_inner();
    assert_eq!(asked.preview, preview);
    Ok(asked)
}

async fn preview(world: &mut World) -> Run {
    ask(world, true, "").await.unwrap()
}

async fn run(world: &mut World) -> Run {
    ask(world, false, "").await.unwrap()
}

async fn cancel(world: &mut World, run: &Run) {
    let name = run.name.clone();
    let request = v1::CancelRunRequest { name };
    world.sync.cancel_run(request).await.unwrap();
    let ended = world.finished(&run.name).await;
    assert_eq!(ended.state(), State::Cancelled, "{ended:?}");
}

/// A world in which no listing of users ends.
async fn held() -> World {
    let world = World::ready(small()).await;
    let never =
        json!({"method": "directory.users.list", "times": 99, "fault": {"delay_ms": 600_000}});
    world.google.fault(never).await;
    world
}

async fn let_go(world: &World) {
    let faults = world.google.control(Method::DELETE, "faults", Value::Null);
    faults.await;
}

async fn news(world: &mut World) -> Streaming<v1::WatchRunsResponse> {
    let request = v1::WatchRunsRequest {
        parent: company(),
        ..v1::WatchRunsRequest::default()
    };
    world.sync.watch_runs(request).await.unwrap().into_inner()
}

/// The next run that is queued, begins or ends.
async fn next(news: &mut Streaming<v1::WatchRunsResponse>) -> Event {
    let next = async {
        loop {
            let event = news.message().await.unwrap().unwrap().event.unwrap();
            if let Event::RunQueued(_) | Event::RunStarted(_) | Event::RunFinished(_) = event {
                return event;
            }
        }
    };
    let next = tokio::time::timeout(Duration::from_secs(30), next).await;
    next.unwrap()
}

/// The names of so many runs, in the order in which they begin; one must end before the next.
async fn turns(news: &mut Streaming<v1::WatchRunsResponse>, count: usize) -> Vec<String> {
    let (mut begun, mut ended) = (Vec::new(), 0);
    while ended < count {
        match next(news).await {
            Event::RunStarted(run) => {
                assert_eq!(begun.len(), ended, "two at once");
                begun.push(run.name);
            }
            Event::RunFinished(run) if begun.contains(&run.name) => ended += 1,
            _ => {}
        }
    }
    begun
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_keep_their_turns_and_nothing_merges_with_them() {
    let mut world = held().await;
    let first = run(&mut world).await;
    let before = ask(&mut world, true, "before").await.unwrap();
    let waiting = run(&mut world).await;
    let after = preview(&mut world).await;
    assert_ne!(before.name, after.name);
    for merged in [run(&mut world).await, run(&mut world).await] {
        assert_eq!(merged.name, waiting.name);
    }
    let again = ask(&mut world, true, "before").await.unwrap();
    assert_eq!(again.name, before.name);
    let other = ask(&mut world, false, "before").await.unwrap_err();
    assert_eq!(reason(&other, Code::AlreadyExists), "RESOURCE_EXISTS");
    let last = preview(&mut world).await;
    let mut news = news(&mut world).await;
    let_go(&world).await;
    cancel(&mut world, &first).await;
    // The first had begun before.
    let order = [&before, &waiting, &after, &last].map(|run| run.name.clone());
    assert_eq!(turns(&mut news, 4).await, order);
    for preview in [&before, &after, &last] {
        let ended = world.finished(&preview.name).await;
        assert_eq!(ended.state(), State::Succeeded, "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_previews_wait_and_the_ninth_is_told_what_to_do() {
    let mut world = held().await;
    let running = preview(&mut world).await;
    let mut waiting = Vec::new();
    for n in 0..8 {
        waiting.push(ask(&mut world, true, &format!("p{n}")).await.unwrap());
    }
    let written = world.store.writes();
    let refused = ask(&mut world, true, "p8").await.unwrap_err();
    assert_eq!(reason(&refused, Code::ResourceExhausted), "LIMIT_REACHED");
    let details = refused.get_error_details();
    let violations = &details.quota_failure().unwrap().violations;
    assert_eq!(violations[0].subject, "previews");
    assert!(violations[0].description.contains("CancelRun"), "{refused}");
    assert_eq!(world.store.writes(), written, "a refusal wrote");
    // Those that are let in already are answered, and runs are another matter.
    let again = ask(&mut world, true, "p7").await.unwrap();
    assert_eq!(again.name, waiting[7].name);
    run(&mut world).await;
    cancel(&mut world, &waiting[3]).await;
    let ninth = ask(&mut world, true, "p8").await.unwrap();
    assert_eq!(ninth.state(), State::Queued);
    ask(&mut world, true, "p9").await.unwrap_err();
    // One begins when the one before it ends, and then another may wait.
    let mut news = news(&mut world).await;
    cancel(&mut world, &running).await;
    loop {
        if let Event::RunStarted(run) = next(&mut news).await {
            assert_eq!(run.name, waiting[0].name);
            break;
        }
    }
    ask(&mut world, true, "p9").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_does_not_merge_with_a_preview() {
    let mut world = held().await;
    let name = integration();
    let activate = v1::ActivateIntegrationRequest {
        name,
        ..v1::ActivateIntegrationRequest::default()
    };
    let active = world.integrations.activate_integration(activate).await;
    let due = active.unwrap().into_inner().next_sync_time.unwrap();
    preview(&mut world).await;
    let waiting = preview(&mut world).await;
    let mut news = news(&mut world).await;
    let due = provisiond::model::Time::from_second(due.seconds).unwrap();
    world.clock.set(due + Duration::from_secs(1));
    let scheduled = loop {
        if let Event::RunQueued(run) = next(&mut news).await {
            break run;
        }
    };
    assert_eq!(scheduled.trigger(), Trigger::Schedule);
    assert!(!scheduled.preview && scheduled.name != waiting.name);
    assert_eq!(run(&mut world).await.name, scheduled.name);
}

async fn set_state(world: &World, state: IntegrationState) {
    let company = CompanyId::try_new("acme").unwrap();
    let id = IntegrationId::try_new("google").unwrap();
    let set = move |integration: &mut Integration| {
        integration.state = state;
        Ok(None::<fn(Integration) -> EventBody>)
    };
    let set = world.store.update_integration(&company, &id, set);
    set.await.unwrap();
}

fn gaps(refused: Result<Run, Status>) -> Vec<String> {
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    let details = refused.get_error_details();
    let violations = &details.precondition_failure().unwrap().violations;
    violations.iter().map(|one| one.r#type.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_can_be_previewed_and_what_is_not_authorized_or_deleted_can_not() {
    let mut world = World::start(small()).await;
    world.create("google").await;
    let missing = ["NOT_AUTHORIZED", "NO_ACTIVE_RULES"];
    assert_eq!(gaps(ask(&mut world, true, "").await), missing);
    world.authorize("admin@acme.test").await;
    assert_eq!(gaps(ask(&mut world, true, "").await), ["NO_ACTIVE_RULES"]);
    world.apply("lookup-users").await;
    set_state(&world, IntegrationState::Paused("tried".to_owned())).await;
    assert_eq!(gaps(ask(&mut world, false, "").await), ["PAUSED"]);
    let told = preview(&mut world).await;
    let told = world.finished(&told.name).await;
    assert_eq!(told.state(), State::Succeeded, "{told:?}");
    assert_eq!(told.counters.unwrap().added, 12);
    set_state(&world, IntegrationState::Deleting).await;
    assert_eq!(gaps(ask(&mut world, true, "").await), ["DELETING"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_end_when_they_are_cancelled_or_their_integration_is_deleted() {
    let mut world = held().await;
    let (running, waiting) = (preview(&mut world).await, preview(&mut world).await);
    cancel(&mut world, &waiting).await;
    cancel(&mut world, &running).await;
    assert!(world.changes(&running.name).await.is_empty());
    let left = [preview(&mut world).await, preview(&mut world).await];
    let mut news = news(&mut world).await;
    let name = integration();
    let delete = v1::DeleteIntegrationRequest {
        name,
        ..v1::DeleteIntegrationRequest::default()
    };
    world.integrations.delete_integration(delete).await.unwrap();
    let mut ended = Vec::new();
    while ended.len() < left.len() {
        if let Event::RunFinished(run) = next(&mut news).await {
            assert_eq!(run.state(), State::Cancelled, "{run:?}");
            ended.push(run.name);
        }
    }
    ended.sort();
    assert_eq!(ended, left.map(|run| run.name));
    assert!(world.users().await.is_empty());
}
