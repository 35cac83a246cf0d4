//! Addresses that change, change hands, or come back.

use super::scene::{OF_A_RUN, SPECIAL, Scene, all, at, code, nobody, team};
use crate::support::{World, sums_hold};
use provisiond::proto::v1::{change::Outcome, run::State};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_address_changes_and_the_user_stays_the_same() {
    let mut world = team().await;
    let before = world.user("ann").await;
    world
        .edit(&at("ann"), json!({"primaryEmail": at("zoe")}))
        .await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 1, "{run:?}");
    let after = world.user("zoe").await;
    assert_eq!((&after.name, &after.uid), (&before.name, &before.uid));
    // Google keeps the former address as an alias.
    assert_eq!(after.aliases, [at("ann")]);
    assert_eq!(world.users().await.len(), 7);
    let members = world.team_members().await;
    assert_eq!(members, all(&["bob", "cid", "dan", "zoe"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_swap_their_addresses() {
    exchange(&["ann", "bob"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_users_pass_their_addresses_around() {
    exchange(&["ann", "bob", "cid"]).await;
}

/// Gives each of these people the address of the next.
async fn exchange(names: &[&str]) {
    let mut world = team().await;
    let ids = google_ids(&world, names).await;
    let mut before = Vec::new();
    for name in names {
        before.push(world.user(name).await);
    }
    let next = |i: usize| names[(i + 1) % names.len()];
    for (i, id) in ids.iter().enumerate() {
        let values = json!({"primaryEmail": at(next(i))});
        world.google.patch_user(id, values).await;
    }
    let run = world.sync().await;
    let moved = i64::try_from(names.len()).unwrap();
    assert_eq!(run.counters.unwrap().modified, moved, "{run:?}");
    for (i, before) in before.iter().enumerate() {
        let after = world.user(next(i)).await;
        assert_eq!((&after.name, &after.uid), (&before.name, &before.uid));
        assert_eq!(after.given_name, names[i]);
    }
    let members = world.team_members().await;
    assert_eq!(members, all(&["ann", "bob", "cid", "dan"]));
    let again = world.sync().await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 5, "{again:?}");
}

async fn google_ids(world: &World, names: &[&str]) -> Vec<String> {
    let state = world.google.state().await;
    let users = state["users"].as_array().unwrap();
    let id = |name: &&str| {
        let user = users.iter().find(|user| user["primaryEmail"] == at(name));
        user.unwrap()["id"].as_str().unwrap().to_owned()
    };
    names.iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_recreated_with_the_old_address_is_linked_again_and_keeps_his_memberships() {
    let mut world = team().await;
    let before = world.user("ann").await;
    world
        .delete(&format!("users/{}?purge=true", at("ann")))
        .await;
    let id = world.person("ann").await;
    world.join("team", "ann").await;
    let run = world.sync().await;
    let changes = world.changes(&run.name).await;
    let again = changes.iter().find(|change| code(change) == "RELINKED");
    let again = again.unwrap_or_else(|| panic!("{changes:?}"));
    assert_eq!(again.source.as_ref().unwrap().id, id);
    let after = world.user("ann").await;
    assert_eq!((&after.name, &after.uid), (&before.name, &before.uid));
    assert_eq!(world.users().await.len(), 7);
    let members = world.team_members().await;
    assert_eq!(members, all(&["ann", "bob", "cid", "dan"]));
    let third = world.sync().await;
    assert_eq!(third.counters.unwrap().unchanged, SPECIAL + 5, "{third:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_recreated_with_the_old_address_goes_on_and_who_is_no_longer_in_it_leaves() {
    let mut world = team().await;
    world.delete(&format!("groups/{}", at("team"))).await;
    world.group("team").await;
    for name in ["ann", "bob", "cid"] {
        world.join("team", name).await;
    }
    let before = world.groups().await[0].name.clone();
    let run = world.sync().await;
    let changes = world.changes(&run.name).await;
    assert_eq!(code(&changes[0]), "RELINKED", "{changes:?}");
    assert_eq!(world.groups().await[0].name, before);
    assert_eq!(world.team_members().await, all(&["ann", "bob", "cid"]));
    assert_eq!(run.memberships.unwrap().removed, 1, "{run:?}");
    let run = world.sync().await;
    assert!(world.changes(&run.name).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_recreated_at_once_are_all_linked_again_but_who_is_in_doubt() {
    let mut world = World::ready(nobody()).await;
    let names: Vec<String> = (0..250).map(|n| format!("p{n}")).collect();
    for name in &names {
        world.person(name).await;
    }
    world.sync().await;
    let old = google_ids(&world, &["p7"]).await.remove(0);
    for name in &names {
        world.delete(&format!("users/{}", at(name))).await;
        world.person(name).await;
    }
    // Whether this one is gone can't be asked.
    let down = json!({"method": "directory.users.get", "path_contains": old, "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    sums_hold(&run);
    assert_eq!(run.counters.unwrap().added, 249, "{run:?}");
    let changes = world.changes(&run.name).await;
    let failed: Vec<_> = changes
        .iter()
        .filter(|c| c.outcome() == Outcome::Failed)
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(code(failed[0]), "NOT_PROVED");
    assert_eq!(world.users().await.len(), 253);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_deleted_at_the_source_is_kept_and_counted_as_absent() {
    let mut world = team().await;
    let before = world.user("ann").await;
    let id = google_ids(&world, &["ann"]).await.remove(0);
    world.delete(&format!("users/{}", at("ann"))).await;
    let run = world.sync().await;
    let counters = run.counters.unwrap();
    assert_eq!(counters.considered, SPECIAL + 5, "{run:?}");
    assert_eq!(counters.skipped, 1, "{run:?}");
    let reason = &run.skipped_by_reason[0];
    assert_eq!((&*reason.reason, reason.count), ("ABSENT_AT_SOURCE", 1));
    assert_eq!(world.user("ann").await, before);
    let changes = world.changes(&run.name).await;
    assert_eq!(code(&changes[0]), "ABSENT_AT_SOURCE", "{changes:?}");
    let (source, target) = (&changes[0].source, &changes[0].target);
    assert_eq!(source.as_ref().unwrap().label, at("ann"));
    assert_eq!(target.as_ref().unwrap().label, at("ann"));
    // Told once, counted always, told again if she comes back and goes again.
    let written = world.store.writes();
    let again = world.sync().await;
    assert!(world.store.writes() - written <= OF_A_RUN);
    assert_eq!(again.skipped_by_reason, run.skipped_by_reason);
    assert!(world.changes(&again.name).await.is_empty());
    let undelete = format!("users/{id}/undelete");
    world.control(Method::POST, &undelete, Value::Null).await;
    assert_eq!(world.sync().await.counters.unwrap().skipped, 0);
    world.delete(&format!("users/{}", at("ann"))).await;
    let run = world.sync().await;
    let changes = world.changes(&run.name).await;
    assert_eq!(code(&changes[0]), "ABSENT_AT_SOURCE", "{changes:?}");
}
