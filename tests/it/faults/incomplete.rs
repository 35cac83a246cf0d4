//! Listings that can't be completed, that start again, and that are throttled.

use super::{GROUPS, USERS, hit, no_more_faults, requests, rows, status, text, three_pages};
use crate::support::{World, sums_hold};
use provisiond::proto::v1::{
    Run, WatchRunsRequest, change::Outcome, run::State, watch_runs_response::Event,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names of a run's changes that say that something is absent.
async fn absent(world: &mut World, run: &Run) -> usize {
    let changes = world.changes(&run.name).await.into_iter();
    let absent = |code: &str| code.contains("ABSENT") || code.contains("REMOVED");
    changes
        .filter(|change| absent(&change.reason.clone().unwrap_or_default().code))
        .count()
}

async fn user_names(world: &mut World) -> BTreeSet<String> {
    world
        .users()
        .await
        .into_iter()
        .map(|user| user.name)
        .collect()
}

/// Gives a group of Google another name.
async fn rename_group(world: &World, name: &str) {
    let state = world.google.state().await;
    let path = format!("groups/{}", text(&state["groups"][1]["id"]));
    world
        .google
        .control(Method::PATCH, &path, json!({"name": name}))
        .await;
}

/// Deletes a user of Google who is in no group.
async fn delete_a_loner(world: &World) {
    let state = world.google.state().await;
    let groups = state["members"].as_object().unwrap().values();
    let members: BTreeSet<&str> = groups
        .flat_map(rows)
        .map(|member| text(&member["id"]))
        .collect();
    let id = |user: &Value| text(&user["id"]).to_owned();
    let mut loners = rows(&state["users"]).iter().filter(|user| {
        user["isAdmin"] != true
            && user["isDelegatedAdmin"] != true
            && !members.contains(text(&user["id"]))
    });
    let path = format!("users/{}", loners.next_back().map(id).unwrap());
    world
        .google
        .control(Method::DELETE, &path, Value::Null)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_listing_that_cannot_be_completed_nothing_is_concluded_and_groups_go_on() {
    let mut world = World::ready(three_pages()).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    let before = user_names(&mut world).await;
    delete_a_loner(&world).await;
    let faults = [
        (status(503), "SYSTEM_UNAVAILABLE"),
        (json!("drop_array_key"), "PROTOCOL"),
        (json!("reset"), "SYSTEM_UNAVAILABLE"),
    ];
    for (number, (fault, reason)) in faults.into_iter().enumerate() {
        let name = format!("Renamed {number}");
        rename_group(&world, &name).await;
        hit(&world, USERS, 1, 1000, fault.clone()).await;
        let run = world.run().await;
        no_more_faults(&world).await;
        assert_eq!(run.state(), State::Failed, "{fault}: {run:?}");
        assert_eq!(run.error.as_ref().unwrap().reason, reason, "{run:?}");
        sums_hold(&run);
        assert_eq!(
            run.counters.unwrap().considered,
            500 + 12,
            "{fault}: {run:?}"
        );
        assert_eq!(run.memberships.unwrap().removed, 0, "{fault}");
        assert_eq!(absent(&mut world, &run).await, 0, "{fault}");
        assert_eq!(user_names(&mut world).await, before, "{fault}");
        let groups = world.groups().await;
        let renamed = groups.iter().any(|group| group.display_name == name);
        assert!(renamed, "{fault}: groups go on");
    }
    // The same absence seen by a whole listing is told, and still removes nobody.
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    assert_eq!(absent(&mut world, &run).await, 1, "{run:?}");
    assert_eq!(user_names(&mut world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_expires_starts_the_listing_again_once() {
    let mut world = World::ready(three_pages()).await;
    hit(&world, USERS, 0, 1, json!("page_token_expired")).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    sums_hold(&run);
    assert_eq!(requests(&run, USERS), 2 + 3, "{run:?}");
    assert_eq!(
        run.counters.unwrap().added,
        1100 + 12,
        "nobody counts twice"
    );
    assert_eq!(world.users().await.len(), 1100);
    no_more_faults(&world).await;
    hit(&world, USERS, 0, 2, json!("page_token_expired")).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Failed, "a second time ends it: {run:?}");
    assert_eq!(run.error.as_ref().unwrap().reason, "LISTING_LOST");
    sums_hold(&run);
    assert_eq!(requests(&run, USERS), 4, "{run:?}");
    assert_eq!(world.users().await.len(), 1100);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_waited_for_as_long_as_google_asks_and_is_counted() {
    let mut world = World::ready(three_pages()).await;
    let slower = json!({"status": {"code": 429, "retry_after": "1"}});
    hit(&world, USERS, 1, 1, slower).await;
    let rate = json!({"status": {"code": 403, "reason": "userRateLimitExceeded"}});
    hit(&world, GROUPS, 0, 1, rate).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    sums_hold(&run);
    assert_eq!(
        (requests(&run, USERS), requests(&run, GROUPS)),
        (4, 2),
        "{run:?}"
    );
    let made = run.requests.as_ref().unwrap();
    assert_eq!(made.retries, 2, "{run:?}");
    assert!(made.throttled_time.unwrap().seconds >= 1, "{made:?}");
    assert_eq!(world.users().await.len(), 1100);
    let changes = world.changes(&run.name).await;
    assert!(
        changes
            .iter()
            .all(|change| change.outcome() != Outcome::Failed)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_a_run_that_waits_because_it_is_throttled_is_told_so() {
    let mut world = World::ready(three_pages()).await;
    let slower = json!({"status": {"code": 429, "retry_after": "1"}});
    hit(&world, USERS, 1, 99, slower).await;
    let run = world.start_run().await;
    let watch = WatchRunsRequest {
        parent: run.name.clone(),
        ..WatchRunsRequest::default()
    };
    let news = world.sync.watch_runs(watch).await.unwrap();
    let mut news = news.into_inner();
    let wait = loop {
        if let Some(Event::RunThrottled(wait)) = news.message().await.unwrap().unwrap().event {
            break wait;
        }
    };
    assert_eq!(wait.run, run.name);
    assert!(wait.until_time.is_some());
    no_more_faults(&world).await;
    let run = world.finished(&run.name).await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
}
