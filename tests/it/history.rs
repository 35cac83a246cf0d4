//! The daemon lets old history go by itself, and says so to who asks for it.

#![allow(clippy::unwrap_used)]

use crate::support::{World, company};
use provisiond::{
    model::CompanyId,
    proto::v1::{WatchRunsRequest, watch_runs_request::Position},
    sandbox::Options,
};
use std::time::Duration;
use tonic::Code;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Waits until the earliest event is after this one.
async fn gone(world: &World, sequence: u64) {
    let acme = CompanyId::try_new("acme").unwrap();
    let gone = async {
        while world.store.events(&acme, sequence, 1).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_overtaken_by_retention_is_refused_with_the_earliest_and_runs_stay_longer() {
    let mut world = World::ready(Options {
        users: 12,
        groups: 3,
        ..Options::default()
    })
    .await;
    let old = world.run().await;
    let told = world.changes(&old.name).await;
    world.clock.advance(8 * DAY);
    gone(&world, 1).await;
    let after = |sequence| WatchRunsRequest {
        parent: company(),
        position: Some(Position::AfterSequence(sequence)),
        include_changes: true,
    };
    let refused = world.sync.watch_runs(after(1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(
        refused.message().contains("the earliest kept is"),
        "{}",
        refused.message()
    );
    // A token never begins with what is kept: whoever has it would not know what he missed.
    let from_now = WatchRunsRequest {
        position: None,
        ..after(0)
    };
    let now = world.sync.watch_runs(from_now);
    let mut now = now.await.unwrap().into_inner();
    let token = now.message().await.unwrap().unwrap().resume_token;
    let (epoch, _) = token.rsplit_once('.').unwrap();
    for sequence in [0, 1] {
        let token = WatchRunsRequest {
            position: Some(Position::ResumeToken(format!("{epoch}.{sequence}"))),
            ..after(0)
        };
        let refused = world.sync.watch_runs(token).await.unwrap_err();
        assert_eq!(refused.code(), Code::OutOfRange, "{sequence}");
    }
    let mut kept = world.sync.watch_runs(after(0)).await.unwrap().into_inner();
    assert!(kept.message().await.unwrap().unwrap().sequence > 1);
    assert_eq!(world.changes(&old.name).await, told);
}
