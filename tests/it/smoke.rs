//! The main job, once: what Google has arrives in the directory.

#![allow(clippy::unwrap_used)]

use crate::support::World;
use provisiond::{proto::v1::run::State, sandbox::Options};

#[tokio::test(flavor = "multi_thread")]
async fn users_groups_and_memberships_arrive_and_a_second_run_changes_nothing() {
    let options = Options {
        users: 60,
        groups: 8,
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    assert_eq!(world.users().await.len(), 60);
    assert_eq!(world.groups().await.len(), 8);
    let before = world.store.writes();
    let again = world.run().await;
    assert_eq!(again.state(), State::Succeeded, "{again:?}");
    assert_eq!(again.counters.unwrap().unchanged, 68, "{again:?}");
    assert!(
        world.store.writes() - before <= 8,
        "{} writes",
        world.store.writes() - before
    );
}
