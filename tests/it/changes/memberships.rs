//! Members that join and leave.

use super::{
    one_object::{Lane as _, reason},
    scene::{OF_A_RUN, SPECIAL, Scene, all, at, code, team},
};
use provisiond::proto::v1::{Change, Kind, change::Outcome};

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
    let mut at_all = 0;
    for name in ["ann", "bob", "cid"] {
        let path = format!("groups/{}/members/{}", at("team"), at(name));
        world.delete(&path).await;
    }
    // Held back once, it is held back in every run; told once, unless it becomes more.
    for told in [1, 0, 0, 1, 0] {
        if told == 1 && at_all > 0 {
            world
                .delete(&format!("groups/{}/members/{}", at("team"), at("dan")))
                .await;
        }
        let before = world.store.writes();
        let run = world.sync().await;
        let members = world.team_members().await;
        assert_eq!(members, all(&["ann", "bob", "cid", "dan"]));
        let counters = run.counters.unwrap();
        assert_eq!(counters.skipped, 1, "{run:?}");
        assert_eq!(counters.unchanged, SPECIAL + 4, "{run:?}");
        assert_eq!(run.memberships.unwrap().removed, 0, "{run:?}");
        let changes = world.changes(&run.name).await;
        let codes: Vec<_> = changes.iter().map(code).collect();
        assert_eq!(codes, vec!["MEMBER_LOSS_LIMIT"; told]);
        let skipped = |change: &Change| change.outcome() == Outcome::Skipped;
        assert!(changes.iter().all(skipped));
        assert!(told == 1 || world.store.writes() - before <= OF_A_RUN);
        at_all += told;
    }
    // Who asks for the group itself is told each time.
    for _ in 0..2 {
        let held = world.provision(Kind::Group, "team").await;
        assert_eq!(reason(&held), "MEMBER_LOSS_LIMIT");
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
