//! The daemon as a process: how it stops, and what it refuses to start on.

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::{Daemon, World, integration, refused};
use provisiond::{
    model::{CompanyId, PageRequest, RuleId, RunId, RunState},
    proto::v1::{
        ListRunsRequest, Run, StartRunRequest, WatchRunsRequest, WatchRunsResponse, run::State,
        run::Trigger, sync_service_client::SyncServiceClient, watch_runs_response::Event,
    },
    sandbox::Options,
};
use serde_json::json;

fn small() -> Options {
    Options {
        users: 60,
        groups: 8,
        ..Options::default()
    }
}

fn words(output: &std::process::Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_data_is_refused_in_words() {
    let (google, home) = World::ready(small()).await.stop().await;
    let first = Daemon::start(&google, home.path(), "info");
    let said = words(&refused(&google, home.path()));
    assert!(said.contains("another provisiond is using"), "{said}");
    assert!(first.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_store_is_refused_in_words_that_say_what_to_do() {
    let (google, home) = World::ready(small()).await.stop().await;
    let db = home.path().join("data/db");
    let file = std::fs::OpenOptions::new().write(true).open(db).unwrap();
    file.set_len(0).unwrap();
    let said = words(&refused(&google, home.path()));
    assert!(said.contains("is damaged"), "{said}");
    assert!(said.contains("restore a backup"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_stop_interrupts_is_done_again_after_the_start() {
    let (mut world, again) = interrupted(false, false).await;
    assert!(!again.preview);
    assert_eq!(world.finished(&again.name).await.state(), State::Succeeded);
    assert_eq!(world.users().await.len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_is_interrupted_is_done_again_as_a_preview_and_those_that_wait_go_on() {
    for killed in [false, true] {
        let (mut world, again) = interrupted(true, killed).await;
        assert!(again.preview);
        let again = world.finished(&again.name).await;
        assert_eq!(again.state(), State::Succeeded, "{again:?}");
        assert_eq!(again.counters.unwrap().added, 68, "{again:?}");
        let runs = runs(&mut world).await;
        let waited = runs.iter().filter(|run| run.requested_by == "caller");
        let mut waited: Vec<_> = waited.map(|run| run.name.clone()).collect();
        assert_eq!(waited.len(), 3, "{runs:?}");
        // Two that waited, newest first, behind the one that was interrupted.
        waited.pop();
        for name in waited {
            let waited = world.finished(&name).await;
            assert!(waited.preview && waited.state() == State::Succeeded);
        }
        assert_eq!(world.users().await.len(), 0);
    }
}

async fn runs(world: &mut World) -> Vec<Run> {
    let request = ListRunsRequest {
        parent: integration(),
        ..ListRunsRequest::default()
    };
    world
        .sync
        .list_runs(request)
        .await
        .unwrap()
        .into_inner()
        .runs
}

/// A world after a daemon was stopped or killed while its run, or its preview with two others behind it, was reading
/// members; and the run that is made up for that one.
async fn interrupted(preview: bool, killed: bool) -> (World, Run) {
    let (google, home) = World::ready(small()).await.stop().await;
    // Members are answered when nobody waits for them any more.
    google
        .fault(
            json!({"method": "directory.members.list", "times": 1000, "fault": {"delay_ms": 3000}}),
        )
        .await;
    let daemon = Daemon::start(&google, home.path(), "info");
    let mut sync = SyncServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let request = StartRunRequest {
        parent: integration(),
        preview,
        ..StartRunRequest::default()
    };
    let first = sync.start_run(request.clone()).await.unwrap().into_inner();
    let watch = WatchRunsRequest {
        parent: first.name.clone(),
        ..WatchRunsRequest::default()
    };
    let mut news = sync.watch_runs(watch).await.unwrap().into_inner();
    let applying =
        |message: &WatchRunsResponse| matches!(message.event, Some(Event::RunPhaseChanged(_)));
    while !applying(&news.message().await.unwrap().unwrap()) {}
    for _ in 0..if preview { 2 } else { 0 } {
        sync.start_run(request.clone()).await.unwrap();
    }
    if killed {
        daemon.kill();
    } else {
        assert!(daemon.terminate().success());
    }
    google
        .control(reqwest::Method::DELETE, "faults", serde_json::Value::Null)
        .await;
    let mut world = World::with(google, home).await;
    let runs = runs(&mut world).await;
    let old = runs.iter().find(|run| run.name == first.name).unwrap();
    assert_eq!(old.state(), State::Interrupted, "{old:?}");
    let new = runs.iter().find(|run| run.trigger() == Trigger::Recovery);
    let new = new.unwrap_or_else(|| panic!("{runs:?}")).clone();
    assert_eq!(new.requested_by, "");
    (world, new)
}

/// The runs of the test's integration that are not of these.
async fn other_runs(world: &mut World, known: &[String]) -> Vec<Run> {
    let request = ListRunsRequest {
        parent: integration(),
        ..ListRunsRequest::default()
    };
    let runs = world.sync.list_runs(request).await.unwrap().into_inner();
    let mut runs = runs.runs;
    runs.retain(|run| !known.contains(&run.name));
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_interrupted_is_done_again_without_the_rules_that_are_gone_since() {
    let mut world = World::ready(small()).await;
    let whole = world.run().await;
    let page = PageRequest {
        size: 1,
        token: None,
    };
    let company = CompanyId::try_new("acme").unwrap();
    let listed = world.store.runs(&company, None, &page).await.unwrap();
    let row = &listed.items[0];
    let rules = world.store.rules(&company, &row.integration).await.unwrap();
    let there = rules[0].id.clone();
    let gone = RuleId::try_new("gone").unwrap();
    // The first names a rule that is there and one that is not; the second only such a one.
    let mut known = vec![whole.name];
    for named in [vec![there.clone(), gone.clone()], vec![gone]] {
        let run = provisiond::model::Run {
            id: RunId::generate(),
            rules: named,
            state: RunState::Running,
            end_time: None,
            ..row.clone()
        };
        known.push(format!("{}/runs/{}", integration(), run.id));
        world.store.create_run(run, None).await.unwrap();
    }
    let (google, home) = world.stop().await;
    let mut world = World::with(google, home).await;
    let again = other_runs(&mut world, &known).await;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0].trigger(), Trigger::Recovery);
    let name = format!("{}/rules/{there}", integration());
    assert_eq!(again[0].rules, [name]);
    let done = world.finished(&again[0].name).await;
    assert_eq!(done.state(), State::Succeeded, "{done:?}");
}
