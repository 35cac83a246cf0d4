//! What changes at Google between two runs, and what becomes of it in the directory.

#![allow(clippy::unwrap_used)]

use crate::support::{World, company};
use provisiond::{
    proto::v1::{self, change::Outcome, run::State},
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};

/// A world after its first run, and two ordinary users of it as Google shows them.
async fn synced() -> (World, Value, Value) {
    let options = Options {
        users: 30,
        groups: 4,
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    let state = world.google.state().await;
    let ordinary = |user: &&Value| {
        user["isAdmin"] == false && user["suspended"] == false && user["archived"] == false
    };
    let mut users = state["users"].as_array().unwrap().iter().filter(ordinary);
    let (one, other) = (users.next().unwrap().clone(), users.next().unwrap().clone());
    (world, one, other)
}

fn key(user: &Value) -> &str {
    user["id"].as_str().unwrap()
}

fn email(user: &Value) -> String {
    user["primaryEmail"].as_str().unwrap().to_lowercase()
}

async fn by_email(world: &mut World, email: &str) -> Option<v1::User> {
    let users = world.users().await;
    users.into_iter().find(|user| user.user_name == email)
}

/// The counts of a run add up.
fn counted(run: &v1::Run) -> v1::Counters {
    let c = run.counters.unwrap();
    assert_eq!(c.considered, c.out_of_scope + c.in_scope, "{c:?}");
    let sum = c.unchanged + c.added + c.modified + c.skipped + c.failed + c.deferred;
    assert_eq!(c.in_scope, sum, "{c:?}");
    c
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_user_keeps_his_id_and_a_suspended_one_becomes_inactive_and_active_again() {
    let (mut world, one, _) = synced().await;
    let before = by_email(&mut world, &email(&one)).await.unwrap();
    let values = json!({"name": {"givenName": "New", "familyName": "Name", "fullName": "New Name"}, "suspended": true});
    world.google.patch_user(key(&one), values).await;
    let counters = counted(&world.run().await);
    // The user, and the group of everybody, which he leaves while he is suspended.
    assert_eq!((counters.modified, counters.added), (2, 0), "{counters:?}");
    let after = by_email(&mut world, &email(&one)).await.unwrap();
    assert_eq!(
        (after.name.as_str(), after.active),
        (before.name.as_str(), Some(false))
    );
    assert_eq!(after.given_name, "New");
    world
        .google
        .patch_user(key(&one), json!({"suspended": false}))
        .await;
    counted(&world.run().await);
    let after = by_email(&mut world, &email(&one)).await.unwrap();
    assert_eq!(after.active, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_addresses_are_swapped_in_one_run() {
    let (mut world, one, other) = synced().await;
    let (a, b) = (email(&one), email(&other));
    let (first, second) = (
        by_email(&mut world, &a).await.unwrap(),
        by_email(&mut world, &b).await.unwrap(),
    );
    for (user, address) in [
        (&one, "between@acme.test"),
        (&other, a.as_str()),
        (&one, b.as_str()),
    ] {
        let values = json!({"primaryEmail": address, "aliases": []});
        world.google.patch_user(key(user), values).await;
    }
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    let counters = counted(&run);
    assert_eq!(counters.modified, 2, "{counters:?}");
    assert_eq!(by_email(&mut world, &b).await.unwrap().name, first.name);
    assert_eq!(by_email(&mut world, &a).await.unwrap().name, second.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_made_again_with_the_old_address_is_relinked_only_when_the_old_one_is_gone() {
    let (mut world, one, _) = synced().await;
    let before = by_email(&mut world, &email(&one)).await.unwrap();
    let gone = format!("users/{}?purge=true", key(&one));
    world
        .google
        .control(Method::DELETE, &gone, Value::Null)
        .await;
    let anew =
        json!({"primaryEmail": email(&one), "name": {"givenName": "Again", "familyName": "There"}});
    world.google.control(Method::POST, "users", anew).await;
    let run = world.run().await;
    let changes = world.changes(&run.name).await;
    let relinked =
        |change: &&v1::Change| change.reason.as_ref().is_some_and(|r| r.code == "RELINKED");
    assert_eq!(changes.iter().filter(relinked).count(), 1, "{changes:?}");
    counted(&run);
    let after = by_email(&mut world, &email(&one)).await.unwrap();
    assert_eq!(
        (after.name, after.given_name),
        (before.name, "Again".to_owned())
    );
    assert_eq!(world.users().await.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_deleted_at_the_source_is_kept_and_accounted_for() {
    let (mut world, one, _) = synced().await;
    let gone = format!("users/{}", key(&one));
    world
        .google
        .control(Method::DELETE, &gone, Value::Null)
        .await;
    let run = world.run().await;
    let changes = world.changes(&run.name).await;
    let absent = |change: &&v1::Change| {
        change
            .reason
            .as_ref()
            .is_some_and(|r| r.code == "ABSENT_AT_SOURCE")
    };
    assert_eq!(changes.iter().filter(absent).count(), 1, "{changes:?}");
    let counters = counted(&run);
    assert!(
        counters.considered == 34 && counters.skipped >= 1,
        "{counters:?}"
    );
    assert!(by_email(&mut world, &email(&one)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_user_of_the_same_address_is_adopted_and_not_doubled() {
    let (mut world, _, _) = synced().await;
    let user = v1::User {
        user_name: "newcomer@acme.test".to_owned(),
        title: "Typed by hand".to_owned(),
        ..v1::User::default()
    };
    let request = v1::CreateUserRequest {
        parent: company(),
        user: Some(user),
        user_id: "newcomer".to_owned(),
        request_id: String::new(),
    };
    world.directory.create_user(request).await.unwrap();
    let values = json!({"primaryEmail": "newcomer@acme.test", "name": {"givenName": "New", "familyName": "Comer"}});
    world.google.control(Method::POST, "users", values).await;
    let run = world.run().await;
    let changes = world.changes(&run.name).await;
    let adopted =
        |change: &&v1::Change| change.reason.as_ref().is_some_and(|r| r.code == "ADOPTED");
    assert_eq!(changes.iter().filter(adopted).count(), 1, "{changes:?}");
    counted(&run);
    let user = by_email(&mut world, "newcomer@acme.test").await.unwrap();
    assert_eq!(user.name, "companies/acme/users/newcomer");
    assert_eq!(
        (user.given_name.as_str(), user.title.as_str()),
        ("New", "Typed by hand")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bad_users_and_a_forbidden_group_fail_alone() {
    let (mut world, one, other) = synced().await;
    world
        .google
        .patch_user(key(&one), json!({"primaryEmail": "no address"}))
        .await;
    let long = json!({"name": {"givenName": "x".repeat(400), "familyName": "y", "fullName": "z"}});
    world.google.patch_user(key(&other), long).await;
    let state = world.google.state().await;
    let full = |group: &&Value| group["directMembersCount"] != "0";
    let group = state["groups"]
        .as_array()
        .unwrap()
        .iter()
        .find(full)
        .unwrap();
    let forbidden = json!({"code": 403, "reason": "forbidden", "message": "Not Authorized to access this resource/api"});
    let path = format!("{}/members", key(group));
    let method = "directory.members.list";
    world.google.fault(json!({"method": method, "path_contains": path, "times": 9, "fault": {"status": forbidden}})).await;
    let down = json!({"status": {"code": 503, "reason": "backendError"}});
    world
        .google
        .fault(json!({"method": "directory.users.list", "times": 3, "fault": down}))
        .await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    assert!(run.requests.as_ref().unwrap().retries >= 3, "{run:?}");
    let changes = world.changes(&run.name).await;
    let of = |outcome: Outcome| {
        changes
            .iter()
            .filter(move |change| change.outcome() == outcome)
    };
    let codes = |outcome| {
        of(outcome)
            .map(|c| c.reason.as_ref().unwrap().code.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        codes(Outcome::Failed),
        ["INVALID_DATA", "INVALID_DATA"],
        "{changes:?}"
    );
    assert_eq!(
        codes(Outcome::Skipped),
        ["MEMBERS_FORBIDDEN"],
        "{changes:?}"
    );
    assert_eq!(counted(&run).failed, 2);
    assert_eq!(world.users().await.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_cannot_be_completed_fails_and_concludes_nothing() {
    let (mut world, _, _) = synced().await;
    world
        .google
        .fault(json!({"method": "directory.users.list", "times": 9, "fault": "drop_array_key"}))
        .await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Failed, "{run:?}");
    assert!(run.error.is_some());
    let changes = world.changes(&run.name).await;
    assert!(changes.is_empty(), "{changes:?}");
    counted(&run);
    assert_eq!(
        (world.users().await.len(), world.groups().await.len()),
        (30, 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_revoked_in_mid_run_is_shown_and_healed_without_a_restart() {
    let (mut world, _, _) = synced().await;
    let who = json!({"email": "admin@acme.test"});
    world.google.control(Method::POST, "revoke", who).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Failed, "{run:?}");
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(
        authorization.state(),
        v1::authorization::State::ReauthorizationRequired,
        "{authorization:?}"
    );
    assert!(!authorization.reason.is_empty());
    assert_eq!(world.users().await.len(), 30);
    world.authorize("admin@acme.test").await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
}
