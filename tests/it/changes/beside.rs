//! One object by itself, where something is in its way.

use super::{
    one_object::{Lane as _, reason, request},
    scene::{SPECIAL, Scene as _, all, at, code, nobody, team},
};
use crate::support::{World, company, sums_hold};
use provisiond::proto::v1::{
    self, Kind, provision_object_response::State, rule::RunMode, run, watch_runs_response::Event,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tonic::Code;

pub(super) async fn no_faults(world: &World) {
    let control = world.google.control(Method::DELETE, "faults", Value::Null);
    control.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_rules_are_enough() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    world
        .rule(v1::Rule {
            run_mode: RunMode::Manual.into(),
            ..v1::Rule::default()
        })
        .await;
    world.person("ann").await;
    let done = world.provision(Kind::User, "ann").await;
    assert_eq!(done.state(), State::Added, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_could_not_be_read_by_himself_is_left_to_the_run_over_all() {
    let mut world = team().await;
    let eve = world.person("eve").await;
    world.google.forget_requests().await;
    let hold = json!({"method": "directory.users.list", "fault": "hold"});
    world.google.fault(hold).await;
    let bulk = world.start_run().await;
    world.asked("directory.users.list", 1).await;
    let down =
        json!({"method": "directory.users.get", "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let refused = world.ask(request(Kind::User, &eve, false)).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    no_faults(&world).await;
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    let changes = world.changes(&bulk.name).await;
    assert!(
        changes
            .iter()
            .all(|change| code(change) != "PROVISIONED_MEANWHILE"),
        "{changes:?}"
    );
    world.user("eve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_of_members_that_can_not_be_read_as_the_run_would() {
    let world = team().await;
    let forbidden = json!({"method": "directory.members.list", "times": 99,
        "fault": {"status": {"code": 403, "reason": "forbidden"}}});
    world.google.fault(forbidden).await;
    let sees = |answer: &v1::ProvisionObjectResponse| (answer.state(), reason(answer).to_owned());
    let told = world.preview(Kind::Group, "team").await;
    let expected = (State::Skipped, "MEMBERS_FORBIDDEN".to_owned());
    assert_eq!(sees(&told), expected, "{told:?}");
    let done = world.provision(Kind::Group, "team").await;
    assert_eq!(sees(&done), expected, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_the_progress_of_a_preview() {
    let mut world = team().await;
    let late = json!({"method": "directory.users.get", "times": 2, "fault": {"delay_ms": 1500}});
    world.google.fault(late).await;
    world.preview(Kind::User, "ann").await;
    let request = v1::WatchRunsRequest {
        parent: company(),
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(request).await.unwrap().into_inner();
    let first = news.message().await.unwrap().unwrap();
    assert!(
        matches!(first.event, Some(Event::Heartbeat(_))),
        "{first:?}"
    );
    world.provision(Kind::User, "ann").await;
    let second = news.message().await.unwrap().unwrap();
    assert!(
        matches!(second.event, Some(Event::RunStarted(_))),
        "{second:?}"
    );
}

/// Waits until a run has read so many objects.
pub(super) async fn considered(world: &mut World, run: &str, objects: i64) {
    let read = async {
        loop {
            let request = v1::GetRunRequest {
                name: run.to_owned(),
            };
            let run = world.sync.get_run(request).await.unwrap().into_inner();
            if run.counters.unwrap_or_default().considered >= objects {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, read).await.unwrap();
}

/// From now on Google is down for requests of a method, and those that are held find that out.
async fn goes_down(world: &World, method: &str, times: u64) {
    let down = json!({"method": method, "times": times, "fault": {"status": {"code": 503}}});
    world.control(Method::PUT, "faults", down).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_all_waits_for_who_is_about_an_object_and_does_it_if_that_one_fails() {
    let mut world = team().await;
    let eve = world.person("eve").await;
    world.google.forget_requests().await;
    let hold = json!({"method": "directory.users.get", "fault": "hold_then503"});
    world.google.fault(hold).await;
    let mut other = world.sync.clone();
    let asked = request(Kind::User, &eve, false);
    let single = tokio::spawn(async move { other.provision_object(asked).await });
    world.asked("directory.users.get", 1).await;
    let bulk = world.start_run().await;
    considered(&mut world, &bulk.name, SPECIAL + 5).await;
    goes_down(&world, "directory.users.get", 99).await;
    let refused = single.await.unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    assert_eq!(bulk.counters.unwrap().added, 1, "{bulk:?}");
    assert_eq!(code(&world.changes(&bulk.name).await[0]), "CREATED");
    world.user("eve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memberships_that_could_not_be_read_by_themselves_are_left_to_the_run_over_all() {
    let mut world = team().await;
    world.person("eve").await;
    world.join("team", "eve").await;
    world.google.forget_requests().await;
    let hold = json!({"method": "directory.members.list", "fault": "hold_then503"});
    world.google.fault(hold).await;
    let mut other = world.sync.clone();
    let asked = request(Kind::Group, &at("team"), false);
    let single = tokio::spawn(async move { other.provision_object(asked).await });
    world.asked("directory.members.list", 1).await;
    let bulk = world.start_run().await;
    world.asked("directory.members.list", 2).await;
    // So often it is tried again.
    goes_down(&world, "directory.members.list", 5).await;
    let failed = single.await.unwrap().unwrap().into_inner();
    assert_eq!(failed.state(), State::Failed, "{failed:?}");
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    assert_eq!(bulk.memberships.unwrap().added, 1, "{bulk:?}");
    let members = world.team_members().await;
    assert_eq!(members, all(&["ann", "bob", "cid", "dan", "eve"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_refused_by_himself_is_done_by_the_run_over_all_that_has_read_him() {
    let mut world = team().await;
    // Eve is to have the address that Ann gives up, which only a run over all can tell.
    let moved = json!({"primaryEmail": at("anna")});
    world.edit(&at("ann"), moved).await;
    let body = json!({"primaryEmail": "eve@acme.test", "name": {"givenName": "eve", "familyName": "Person"}});
    let eve = world.control(Method::POST, "users", body).await;
    let eve = eve["id"].as_str().unwrap().to_owned();
    world
        .google
        .patch_user(&eve, json!({"primaryEmail": at("ann")}))
        .await;
    world.google.forget_requests().await;
    let hold = json!({"method": "directory.users.list", "fault": "hold"});
    world.google.fault(hold).await;
    let bulk = world.start_run().await;
    world.asked("directory.users.list", 1).await;
    let waits = world.ask(request(Kind::User, &eve, false)).await.unwrap();
    assert_eq!(
        (waits.state(), reason(&waits)),
        (State::Deferred, "NOT_SETTLED")
    );
    no_faults(&world).await;
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    let counters = bulk.counters.unwrap();
    assert_eq!((counters.added, counters.modified), (1, 1), "{bulk:?}");
    assert_eq!(world.user("ann").await.given_name, "eve");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_group_that_was_done_by_itself_but_for_its_memberships_those_are_left_to_the_run_over_all()
 {
    let mut world = team().await;
    world.person("eve").await;
    world.provision(Kind::User, "eve").await;
    world.join("team", "eve").await;
    let renamed = json!({"name": "The team"});
    world
        .control(Method::PATCH, &format!("groups/{}", at("team")), renamed)
        .await;
    world.google.forget_requests().await;
    let hold = json!({"method": "directory.groups.list", "fault": "hold"});
    world.google.fault(hold).await;
    let bulk = world.start_run().await;
    world.asked("directory.groups.list", 1).await;
    let down =
        json!({"method": "directory.members.list", "times": 6, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let failed = world.provision(Kind::Group, "team").await;
    assert_eq!(failed.state(), State::Failed, "{failed:?}");
    no_faults(&world).await;
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    assert_eq!(bulk.memberships.unwrap().added, 1, "{bulk:?}");
    let counters = bulk.counters.unwrap();
    assert_eq!((counters.considered, counters.modified), (SPECIAL + 6, 1));
    let changes = world.changes(&bulk.name).await;
    let codes: Vec<&str> = changes.iter().map(code).collect();
    assert_eq!(codes, ["PROVISIONED_MEANWHILE", ""]);
    let members = world.team_members().await;
    assert_eq!(members, all(&["ann", "bob", "cid", "dan", "eve"]));
    assert_eq!(world.groups().await[0].display_name, "The team");
}
