//! Changes of attributes and of scope.

use super::scene::{SPECIAL, Scene, all, at, code, nobody, team};
use crate::support::{World, browser, company, sums_hold};
use provisiond::proto::v1::{self, change::Outcome, run::State};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_user_is_renamed_and_stays_the_same() {
    let mut world = team().await;
    let before = world.user("ann").await;
    let name = json!({"name": {"givenName": "Änne", "familyName": "New"}});
    world.edit(&at("ann"), name).await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 1, "{run:?}");
    assert_eq!(run.counters.unwrap().unchanged, SPECIAL + 4, "{run:?}");
    let after = world.user("ann").await;
    assert_eq!((&after.name, &after.uid), (&before.name, &before.uid));
    assert_eq!((&*after.given_name, &*after.family_name), ("Änne", "New"));
    assert_eq!(after.display_name, "Änne New");
    let change = world.only_change(&run).await;
    let changed: Vec<&str> = change.diffs.iter().map(|diff| &*diff.attribute).collect();
    for attribute in ["name.givenName", "name.familyName", "displayName"] {
        assert!(changed.contains(&attribute), "{change:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_user_is_deactivated_and_activated_again_and_stays_a_member() {
    let mut world = team().await;
    for (suspended, active) in [(true, false), (false, true)] {
        world
            .edit(&at("bob"), json!({"suspended": suspended}))
            .await;
        let run = world.sync().await;
        assert_eq!(run.counters.unwrap().modified, 1, "{run:?}");
        assert_eq!(world.user("bob").await.active, Some(active));
        let members = world.team_members().await;
        assert_eq!(members, all(&["ann", "bob", "cid", "dan"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_moves_into_the_unit_of_the_rule_arrives_and_who_moves_out_is_left_alone() {
    let mut world = in_staff().await;
    world.person("ann").await;
    world.person("bob").await;
    world
        .edit(&at("ann"), json!({"orgUnitPath": "/Staff"}))
        .await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().out_of_scope, SPECIAL + 1, "{run:?}");
    assert_eq!(world.users().await.len(), 1);
    let before = world.user("ann").await;
    let moved = json!({"orgUnitPath": "/Contractors", "name": {"givenName": "Other"}});
    world.edit(&at("ann"), moved).await;
    world
        .edit(&at("bob"), json!({"orgUnitPath": "/Staff"}))
        .await;
    let run = world.sync().await;
    let counters = run.counters.unwrap();
    assert_eq!((counters.added, counters.in_scope), (1, 1), "{run:?}");
    assert_eq!(counters.out_of_scope, SPECIAL + 1, "{run:?}");
    assert_eq!(world.users().await.len(), 2);
    assert_eq!(world.user("ann").await, before);
    assert!(world.user("bob").await.active.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_held_by_somebody_still_at_the_source_is_not_taken_from_him() {
    let mut world = in_staff().await;
    let ann = world.person("ann").await;
    world.edit(&ann, json!({"orgUnitPath": "/Staff"})).await;
    world.sync().await;
    let before = world.user("ann").await;
    // Ann moves out of scope with another address: in the directory she keeps the old one.
    let moved = json!({"orgUnitPath": "/", "primaryEmail": at("anna")});
    world.edit(&ann, moved).await;
    let bob = world.person("bob").await;
    let staff = json!({"orgUnitPath": "/Staff", "primaryEmail": at("ann")});
    world.google.patch_user(&bob, staff).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures);
    sums_hold(&run);
    assert_eq!(run.counters.unwrap().failed, 1, "{run:?}");
    let change = world.only_change(&run).await;
    assert_eq!(change.outcome(), Outcome::Failed);
    assert_eq!(code(&change), "EMAIL_TAKEN");
    assert_eq!(change.source.unwrap().id, bob);
    assert_eq!(world.user("ann").await, before);
    assert_eq!(world.users().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_group_is_renamed_and_keeps_its_members() {
    let mut world = team().await;
    let before = world.groups().await.remove(0);
    let path = format!("groups/{}", at("team"));
    let body = json!({"name": "The Team", "description": "All of it"});
    world.control(Method::PATCH, &path, body).await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 1, "{run:?}");
    let after = world.groups().await.remove(0);
    assert_eq!((&after.name, &after.uid), (&before.name, &before.uid));
    let shown = (&*after.display_name, &*after.description);
    assert_eq!(shown, ("The Team", "All of it"));
    assert_eq!(after.member_count, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_user_of_the_address_is_adopted_and_defaults_fill_only_what_is_empty() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    let text = |text: &str| prost_types::Value::from(text.to_owned());
    let defaults = [("title", "Default"), ("department", "Default")];
    world
        .rule(v1::Rule {
            defaults: defaults
                .map(|(name, value)| (name.to_owned(), text(value)))
                .into(),
            ..v1::Rule::default()
        })
        .await;
    let user = v1::User {
        user_name: at("ann"),
        given_name: "By hand".to_owned(),
        title: "Chief".to_owned(),
        ..v1::User::default()
    };
    let request = v1::CreateUserRequest {
        parent: company(),
        user: Some(user),
        ..v1::CreateUserRequest::default()
    };
    let made = world.directory.create_user(request).await.unwrap();
    let made = made.into_inner();
    world.person("ann").await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, SPECIAL + 1, "{run:?}");
    let after = world.user("ann").await;
    assert_eq!((&after.name, &after.uid), (&made.name, &made.uid));
    assert_eq!(after.given_name, "ann");
    let filled = (&*after.title, &*after.department);
    assert_eq!(filled, ("Chief", "Default"));
    let changes = world.changes(&run.name).await;
    let adopted: Vec<_> = changes.iter().filter(|c| code(c) == "ADOPTED").collect();
    assert_eq!(adopted.len(), 1, "{changes:?}");
    assert_eq!(adopted[0].source.as_ref().unwrap().label, at("ann"));
    let again = world.sync().await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 1, "{again:?}");
    assert_eq!(world.user("ann").await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_not_be_understood_fails_whatever_the_conditions_say() {
    let mut world = in_staff().await;
    world.person("ann").await;
    let unit = json!({"orgUnitPath": "/Staff"});
    world.edit(&at("ann"), unit).await;
    world.sync().await;
    let before = world.user("ann").await;
    let long = json!({"name": {"givenName": "x".repeat(400), "familyName": "y"}});
    world.google.patch_user(&at("ann"), long).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    sums_hold(&run);
    assert_eq!(run.counters.unwrap().failed, 1, "{run:?}");
    assert_eq!(code(&world.only_change(&run).await), "INVALID_DATA");
    assert_eq!(world.user("ann").await, before);
}

/// A company where only who is in the unit "/Staff" is provisioned.
async fn in_staff() -> World {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    let page = world.begin_with(true).await;
    browser::decide(&page, "admin@acme.test", "allow", None).await;
    let staff = world.choice(v1::Kind::User, "orgUnit", "/Staff").await;
    world
        .rule_of("orgUnit", v1::Operator::MemberOf, &staff)
        .await;
    world
}
