//! The stream of news: where it begins, and that it ends.

use super::{quiet, reason, small};
use crate::support::{World, company};
use provisiond::proto::v1::{
    WatchRunsRequest, WatchRunsResponse, watch_runs_request::Position, watch_runs_response::Event,
};
use tonic::Code;

/// Everything that a stream of one run tells; it must end by itself.
async fn told(world: &mut World, run: &str, position: Option<Position>) -> Vec<WatchRunsResponse> {
    let request = WatchRunsRequest {
        parent: run.to_owned(),
        position,
        include_changes: true,
    };
    let mut news = world.sync.watch_runs(request).await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(message) = news.message().await.unwrap() {
        told.push(message);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_a_run_that_is_over_ends_wherever_it_begins() {
    let mut world = World::ready(small()).await;
    let run = world.run().await;
    let now = told(&mut world, &run.name, None).await;
    assert_eq!(now.len(), 1, "{now:?}");
    assert_eq!(now[0].event, Some(Event::RunSnapshot(run.clone())));
    let all = told(&mut world, &run.name, Some(Position::AfterSequence(0))).await;
    assert!(matches!(all[0].event, Some(Event::RunQueued(_))), "{all:?}");
    let last = all.last().unwrap();
    assert_eq!(last.event, Some(Event::RunFinished(run.clone())));
    let changes = all
        .iter()
        .filter(|news| matches!(news.event, Some(Event::Change(_))));
    assert_eq!(changes.count(), world.changes(&run.name).await.len());
    let steps = all.windows(2);
    assert!(
        steps
            .into_iter()
            .all(|two| two[0].sequence < two[1].sequence)
    );
    // On from the middle: the rest, no less and no more. On from the end: what became of it.
    let (before, rest) = all.split_at(all.len() / 2);
    let token = before.last().unwrap().resume_token.clone();
    let resumed = told(&mut world, &run.name, Some(Position::ResumeToken(token))).await;
    assert_eq!(resumed.len(), rest.len());
    assert!(resumed.iter().zip(rest).all(|(a, b)| a.event == b.event));
    let token = last.resume_token.clone();
    let after = told(&mut world, &run.name, Some(Position::ResumeToken(token))).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!(after[0].event, Some(Event::RunSnapshot(run)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_of_another_store_or_of_the_future_is_out_of_range() {
    let mut world = quiet().await;
    for position in [
        Position::ResumeToken("another.1".to_owned()),
        Position::AfterSequence(i64::MAX),
    ] {
        let request = WatchRunsRequest {
            parent: company(),
            position: Some(position),
            include_changes: false,
        };
        let status = world.sync.watch_runs(request).await.unwrap_err();
        assert_eq!(reason(&status, Code::OutOfRange), "POSITION_OUT_OF_RANGE");
    }
    for absent in ["integrations/none", "integrations/google/runs/none"] {
        let request = WatchRunsRequest {
            parent: format!("{}/{absent}", company()),
            ..WatchRunsRequest::default()
        };
        let status = world.sync.watch_runs(request).await.unwrap_err();
        assert_eq!(reason(&status, Code::NotFound), "RESOURCE_NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_unavailable_when_the_daemon_stops() {
    let mut world = quiet().await;
    let request = WatchRunsRequest {
        parent: company(),
        ..WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(request).await.unwrap().into_inner();
    let first = news.message().await.unwrap().unwrap();
    assert!(
        matches!(first.event, Some(Event::Heartbeat(_))),
        "{first:?}"
    );
    let stopped = tokio::spawn(world.stop());
    let status = news.message().await.unwrap_err();
    assert_eq!(
        reason(&status, Code::Unavailable),
        "TEMPORARILY_UNAVAILABLE"
    );
    stopped.await.unwrap();
}
