//! Members that join and leave.

use super::scene::{SPECIAL, Scene, all, at, code, team};
use provisiond::proto::v1::change::Outcome;

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_a_group_becomes_a_member_and_who_leaves_it_is_none_any_more() {
    let mut world = team().await;
    world.person("eve").await;
    world.join("team", "eve").await;
    let path = format!("groups/{}/members/{}", at("team"), at("ann"));
    world.delete(&path).await;
    let run = world.sync().await;
    let members = world.team_members().await;
    assert_eq!(members, all(&["bob", "cid", "dan", "eve"]));
    let counted = run.memberships.unwrap();
    assert_eq!((counted.added, counted.removed), (1, 1), "{run:?}");
    assert_eq!(counted.unchanged, 3, "{run:?}");
    let objects = run.counters.unwrap();
    assert_eq!((objects.added, objects.modified), (1, 1), "{run:?}");
    assert_eq!(
        world.users().await.len(),
        8,
        "who left a group stays a user"
    );
    let told = world.changes(&run.name).await;
    let mut diffs = told.iter().flat_map(|change| &change.diffs);
    let members = diffs.find(|diff| diff.attribute == "members").unwrap();
    assert_eq!(
        (&members.old_values, &members.new_values),
        (&all(&["ann"]), &all(&["eve"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_would_lose_more_than_half_of_its_members_keeps_them() {
    let mut world = team().await;
    for name in ["ann", "bob", "cid"] {
        let path = format!("groups/{}/members/{}", at("team"), at(name));
        world.delete(&path).await;
    }
    // Held back once, it is held back in every run.
    for _ in 0..2 {
        let run = world.sync().await;
        let members = world.team_members().await;
        assert_eq!(members, all(&["ann", "bob", "cid", "dan"]));
        let counters = run.counters.unwrap();
        assert_eq!(counters.skipped, 1, "{run:?}");
        assert_eq!(counters.unchanged, SPECIAL + 4, "{run:?}");
        assert_eq!(run.memberships.unwrap().removed, 0, "{run:?}");
        let change = world.only_change(&run).await;
        assert_eq!(change.outcome(), Outcome::Skipped);
        assert_eq!(code(&change), "MEMBER_LOSS_LIMIT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_loses_just_half_of_its_members_loses_them() {
    let mut world = team().await;
    for name in ["ann", "bob"] {
        let path = format!("groups/{}/members/{}", at("team"), at(name));
        world.delete(&path).await;
    }
    let run = world.sync().await;
    assert_eq!(world.team_members().await, all(&["cid", "dan"]));
    assert_eq!(run.memberships.unwrap().removed, 2, "{run:?}");
    let change = world.only_change(&run).await;
    let diffs = change.diffs.iter();
    let told: Vec<_> = diffs
        .map(|diff| (&diff.old_values, &diff.new_values))
        .collect();
    assert_eq!(told, [(&all(&["ann", "bob"]), &Vec::new())]);
}
