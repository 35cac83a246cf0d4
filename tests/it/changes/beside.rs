//! One object by itself, where something is in its way.

use super::{
    one_object::{Lane as _, reason, request},
    scene::{Scene as _, code, nobody, team},
};
use crate::support::{World, company, sums_hold};
use provisiond::proto::v1::{
    self, Kind, provision_object_response::State, rule::RunMode, run, watch_runs_response::Event,
};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;

async fn no_faults(world: &World) {
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
