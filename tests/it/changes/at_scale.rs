//! One object by itself, in the middle of a run over thousands.

use super::{
    beside::{considered, no_faults},
    one_object::{Lane as _, request},
    scene::{Scene as _, code},
};
use crate::support::{World, sums_hold};
use provisiond::{
    proto::v1::{self, Kind, provision_object_response::State, run},
    sandbox::Options,
};
use serde_json::json;
use std::time::Duration;

const USERS: usize = 3000;
/// Users on a page of Google's.
const PAGE: usize = 500;

/// Provisions a user while a run goes on, which it does not wait for.
async fn beside(world: &mut World, bulk: &str, id: &str) -> v1::ProvisionObjectResponse {
    let generous = Duration::from_secs(60);
    let asked = world.ask(request(Kind::User, id, false));
    let done = tokio::time::timeout(generous, asked).await;
    let Ok(done) = done else {
        panic!("it waits for the run");
    };
    let done = done.unwrap();
    let name = bulk.to_owned();
    let bulk = world.sync.get_run(v1::GetRunRequest { name }).await;
    let state = bulk.unwrap().into_inner().state();
    assert_eq!(state, run::State::Running, "it was over before");
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_is_done_in_the_middle_of_a_run_over_thousands_and_not_undone_by_what_that_read_before()
 {
    let mut world = World::ready(Options {
        users: USERS,
        groups: 0,
        memberships: Some(0),
        latency: Duration::from_millis(20),
        ..Options::default()
    })
    .await;
    let people = world.google.state().await;
    let id = |place: usize| people["users"][place]["id"].as_str().unwrap().to_owned();
    // So the run goes on until this test says otherwise, and has read the last page as it is before.
    let last = USERS / PAGE;
    let hold = json!({"method": "directory.users.list", "after": last - 1, "fault": "hold"});
    world.google.fault(hold).await;
    world.google.forget_requests().await;
    let bulk = world.start_run().await;
    // It has much to write by now, and more to read.
    considered(&mut world, &bulk.name, PAGE as i64 + 1).await;
    let middle = beside(&mut world, &bulk.name, &id(USERS / 2)).await;
    let there = [State::Added, State::Unchanged];
    assert!(there.contains(&middle.state()), "{middle:?}");
    world.asked("directory.users.list", last as u64).await;
    let newer = json!({"name": {"givenName": "Newer", "familyName": "Person"}});
    world.edit(&id(USERS - 1), newer).await;
    let done = beside(&mut world, &bulk.name, &id(USERS - 1)).await;
    assert_eq!(done.state(), State::Added, "{done:?}");
    no_faults(&world).await;
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    assert_eq!(bulk.counters.unwrap().considered, USERS as i64);
    let users = world.users().await;
    assert_eq!(users.len(), USERS);
    assert!(users.iter().any(|user| user.given_name == "Newer"));
    let changes = world.changes(&bulk.name).await;
    let left = changes
        .iter()
        .filter(|change| code(change) == "PROVISIONED_MEANWHILE");
    let left: Vec<_> = left
        .map(|change| &change.source.as_ref().unwrap().id)
        .collect();
    assert!(left.contains(&&id(USERS - 1)), "{left:?}");
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().unchanged, USERS as i64, "{run:?}");
}
