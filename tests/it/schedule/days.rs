//! A few days in the life of one integration, over the whole daemon.

use crate::support::{World, company, integration, sums_hold};
use provisiond::{
    model::{Clock, CompanyId, Time},
    proto::v1::{
        self, SyncInterval,
        run::{State, Trigger},
    },
    sandbox::Options,
    store::Topic,
};
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn small() -> Options {
    Options {
        users: 30,
        groups: 3,
        ..Options::default()
    }
}

fn time(stamp: Option<prost_types::Timestamp>) -> Time {
    Time::from_second(stamp.unwrap().seconds).unwrap()
}

async fn activate(world: &mut World) -> v1::Integration {
    let request = v1::ActivateIntegrationRequest {
        name: integration(),
        ..v1::ActivateIntegrationRequest::default()
    };
    let active = world.integrations.activate_integration(request).await;
    active.unwrap().into_inner()
}

/// All runs, oldest first.
async fn runs(world: &mut World) -> Vec<v1::Run> {
    let request = v1::ListRunsRequest {
        parent: integration(),
        page_size: 1000,
        ..v1::ListRunsRequest::default()
    };
    let listed = world.sync.list_runs(request).await.unwrap().into_inner();
    let mut runs = listed.runs;
    runs.reverse();
    runs
}

/// Waits until there are so many runs, all of them over.
async fn ended(world: &mut World, count: usize) -> Vec<v1::Run> {
    let mut news = world
        .store
        .subscribe(Topic::all(&CompanyId::try_new("acme").unwrap()));
    let all = async {
        loop {
            news.mark_unchanged();
            let runs = runs(world).await;
            assert!(runs.len() <= count, "{runs:?}");
            if runs.len() == count && runs.iter().all(|run| run.end_time.is_some()) {
                return runs;
            }
            news.changed().await.unwrap();
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), all).await;
    all.expect("the runs do not come")
}

/// Waits until the integration is due next at a moment.
async fn planned(world: &mut World, due: Time) {
    planned_of(world, &integration(), due).await;
}

/// The same for the integration of this name.
async fn planned_of(world: &mut World, name: &str, due: Time) {
    let mut changed = world.store.subscribe_due();
    let request = v1::GetIntegrationRequest {
        name: name.to_owned(),
    };
    let planned = async {
        loop {
            changed.mark_unchanged();
            let found = world.integrations.get_integration(request.clone()).await;
            if time(found.unwrap().into_inner().next_sync_time) == due {
                return;
            }
            changed.changed().await.unwrap();
        }
    };
    let planned = tokio::time::timeout(Duration::from_secs(30), planned).await;
    planned.unwrap_or_else(|_| panic!("it is not due at {due}"));
}

/// Sets the clock to a second after the integration is due, or later.
async fn come(world: &mut World, later: Duration) -> Time {
    let due = time(world.integration().await.next_sync_time);
    world.clock.set(due + Duration::from_secs(1) + later);
    due
}

#[tokio::test(flavor = "multi_thread")]
async fn an_active_integration_runs_at_midnight_and_once_after_days_in_which_it_could_not() {
    let mut world = World::ready(small()).await;
    let idle = world.integration().await;
    assert_eq!(
        (idle.sync_interval(), idle.time_zone.as_str()),
        (SyncInterval::Daily, "UTC")
    );
    assert!(idle.next_sync_time.is_none() && idle.upcoming_sync_times.is_empty());
    let active = activate(&mut world).await;
    let first = time(active.next_sync_time);
    assert!(first > world.clock.now() && first <= world.clock.now() + DAY);
    let upcoming: Vec<Time> = active
        .upcoming_sync_times
        .into_iter()
        .map(|due| time(Some(due)))
        .collect();
    let days: Vec<Time> = (0..5).map(|days| first + DAY * days).collect();
    assert_eq!(upcoming, days);
    assert!(
        runs(&mut world).await.is_empty(),
        "activating starts nothing"
    );
    // By hand: that moves nothing.
    world.run().await;
    assert_eq!(time(world.integration().await.next_sync_time), first);

    come(&mut world, Duration::ZERO).await;
    let all = ended(&mut world, 2).await;
    let run = &all[1];
    assert_eq!(
        (run.trigger(), run.state()),
        (Trigger::Schedule, State::Succeeded)
    );
    assert_eq!((time(run.scheduled_time), run.made_up), (first, false));
    assert_eq!(run.requested_by, "");
    sums_hold(run);
    let now = world.integration().await;
    assert_eq!(
        (time(now.next_sync_time), now.last_run),
        (first + DAY, run.name.clone())
    );
    assert!(all[0].scheduled_time.is_none());

    let (google, home) = world.stop().await;
    let mut world = World::with(google, home).await;
    // Its clock is back where it was before midnight, which is to come again.
    planned(&mut world, first).await;
    world.clock.set(first + DAY * 4 + DAY / 2);
    let all = ended(&mut world, 3).await;
    let run = &all[2];
    assert_eq!(
        (run.trigger(), run.state()),
        (Trigger::Schedule, State::Succeeded)
    );
    assert_eq!(
        (time(run.scheduled_time), run.made_up),
        (first + DAY * 4, true)
    );
    assert_eq!(
        time(world.integration().await.next_sync_time),
        first + DAY * 5
    );
    assert_eq!(world.users().await.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_that_is_due_but_cannot_run_says_why() {
    let mut world = World::start(small()).await;
    world.create("google").await;
    activate(&mut world).await;
    let due = come(&mut world, Duration::ZERO).await;
    let all = ended(&mut world, 1).await;
    let run = &all[0];
    assert_eq!(
        (run.trigger(), run.state()),
        (Trigger::Schedule, State::Failed)
    );
    assert!(run.start_time.is_none() && time(run.scheduled_time) == due);
    let error = run.error.as_ref().unwrap();
    assert_eq!(error.reason, "NOT_AUTHORIZED");
    assert!(error.message.contains("BeginAuthorization"), "{error:?}");
    assert_eq!(world.integration().await.last_run, "", "it never began");

    // What Google signs is signed now.
    world.clock.set(Time::now());
    world.authorize("admin@acme.test").await;
    come(&mut world, Duration::ZERO).await;
    let all = ended(&mut world, 2).await;
    assert_eq!(all[1].error.as_ref().unwrap().reason, "NO_ACTIVE_RULES");

    world.apply("lookup-users").await;
    come(&mut world, Duration::ZERO).await;
    let all = ended(&mut world, 3).await;
    assert_eq!(all[2].state(), State::Succeeded, "{:?}", all[2]);

    let request = v1::DeactivateIntegrationRequest {
        name: integration(),
        ..v1::DeactivateIntegrationRequest::default()
    };
    let idle = world.integrations.deactivate_integration(request).await;
    let idle = idle.unwrap().into_inner();
    assert!(idle.next_sync_time.is_none() && idle.upcoming_sync_times.is_empty());
    world.clock.advance(DAY * 3);
    let next = activate(&mut world).await.next_sync_time;
    assert!(time(next) > world.clock.now(), "seen from now on");
    assert_eq!(runs(&mut world).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_while_a_run_is_going_on_is_done_once_afterwards() {
    let mut world = World::ready(small()).await;
    activate(&mut world).await;
    // One listing of members hangs until it is let go.
    let slow = json!({"method": "directory.members.list", "times": 1, "fault": {"delay_ms": 4000}});
    world.google.fault(slow).await;
    let first = world.start_run().await;
    let mut due = Time::UNIX_EPOCH;
    for queued in [2, 2] {
        due = come(&mut world, Duration::ZERO).await;
        let mut changed = world.store.subscribe_due();
        while time(world.integration().await.next_sync_time) == due {
            changed.changed().await.unwrap();
        }
        assert_eq!(runs(&mut world).await.len(), queued);
    }
    let all = ended(&mut world, 2).await;
    assert_eq!(all[0].name, first.name);
    assert_eq!(
        (all[1].trigger(), all[1].state()),
        (Trigger::Schedule, State::Succeeded)
    );
    assert_eq!(time(all[1].scheduled_time), due, "the later of the two");
    assert!(time(all[1].start_time) >= time(all[0].end_time));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_stops_no_integration_once_it_is_right_again() {
    let mut world = World::ready(small()).await;
    let due = time(activate(&mut world).await.next_sync_time);
    let right = world.clock.now();
    for (before, days) in [3000, 40, 1].into_iter().enumerate() {
        world.clock.set(due + DAY * days + DAY / 2);
        let all = ended(&mut world, before + 1).await;
        assert!(all[before].made_up);
        assert_eq!(time(all[before].scheduled_time), due + DAY * days);
        world.clock.set(right);
        planned(&mut world, due).await;
    }
    come(&mut world, Duration::ZERO).await;
    let all = ended(&mut world, 4).await;
    assert_eq!((time(all[3].scheduled_time), all[3].made_up), (due, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_until_a_restart_stops_no_integration_afterwards() {
    let mut world = World::ready(small()).await;
    let due = time(activate(&mut world).await.next_sync_time);
    world.clock.set(due + DAY * 40);
    ended(&mut world, 1).await;
    let (google, home) = world.stop().await;
    let mut world = World::with(google, home).await;
    planned(&mut world, due).await;
    come(&mut world, Duration::ZERO).await;
    let all = ended(&mut world, 2).await;
    assert_eq!((time(all[1].scheduled_time), all[1].made_up), (due, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_by_a_little_just_after_midnight_brings_no_second_run() {
    let mut world = World::ready(small()).await;
    let due = time(activate(&mut world).await.next_sync_time);
    come(&mut world, Duration::ZERO).await;
    ended(&mut world, 1).await;
    world.clock.set(due - Duration::from_secs(60));
    let other = world.create("other").await.name;
    let request = v1::ActivateIntegrationRequest {
        name: other.clone(),
        ..v1::ActivateIntegrationRequest::default()
    };
    let other_due = world.integrations.activate_integration(request).await;
    let other_due = time(other_due.unwrap().into_inner().next_sync_time);
    assert_eq!(other_due, due);
    world.clock.set(due + Duration::from_secs(1));
    // What is due is asked for in the order of the names, so the first would have come before the other.
    planned_of(&mut world, &other, due + DAY).await;
    assert_eq!(runs(&mut world).await.len(), 1);
    assert_eq!(time(world.integration().await.next_sync_time), due + DAY);
}

#[tokio::test(flavor = "multi_thread")]
async fn interval_and_zone_are_chosen_when_an_integration_is_made() {
    let mut world = World::start(small()).await;
    world.clock.set("2026-11-24T12:00:00Z".parse().unwrap());
    let request = v1::CreateIntegrationRequest {
        parent: company(),
        integration_id: "tokyo".to_owned(),
        integration: Some(v1::Integration {
            title: "Tokyo".to_owned(),
            system: "systems/google-workspace".to_owned(),
            direction: v1::Direction::FromSystem.into(),
            active: true,
            sync_interval: SyncInterval::Monthly.into(),
            time_zone: "asia/tokyo".to_owned(),
            ..v1::Integration::default()
        }),
        ..v1::CreateIntegrationRequest::default()
    };
    let made = world.integrations.create_integration(request).await;
    let made = made.unwrap().into_inner();
    assert_eq!(
        (made.sync_interval(), made.time_zone.as_str()),
        (SyncInterval::Monthly, "Asia/Tokyo")
    );
    assert_eq!(
        time(made.next_sync_time).to_string(),
        "2026-11-30T15:00:00Z"
    );
    let last = made.upcoming_sync_times.last().copied();
    assert_eq!(time(last).to_string(), "2027-03-31T15:00:00Z");
}
