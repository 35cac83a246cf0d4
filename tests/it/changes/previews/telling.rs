//! Who hears of a preview: whoever watches runs, and nobody who watches the directory.

use super::*;
use provisiond::proto::v1::{
    directory_change::Type, watch_directory_response::Event as Of, watch_runs_response::Event,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_watched_like_a_run_and_the_directory_knows_nothing_of_it() {
    let mut world = World::ready(nobody()).await;
    world.person("ann").await;
    let request = v1::WatchDirectoryRequest {
        parent: company(),
        ..v1::WatchDirectoryRequest::default()
    };
    let mut directory = world.directory.clone();
    let directory = directory.watch_directory(request).await.unwrap();
    let mut directory = directory.into_inner();
    let request = v1::WatchRunsRequest {
        parent: company(),
        include_changes: true,
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(request).await.unwrap().into_inner();
    let run = preview(&mut world).await;
    let (mut heard, mut planned) = (Vec::new(), Vec::new());
    loop {
        match news.message().await.unwrap().unwrap().event.unwrap() {
            Event::RunQueued(run) => heard.push(("queued", run.preview)),
            Event::RunStarted(run) => heard.push(("started", run.preview)),
            Event::Change(change) => planned.push(change),
            Event::RunFinished(finished) => {
                assert_eq!(finished, run);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(heard, [("queued", true), ("started", true)]);
    assert_eq!(planned, world.changes(&run.name).await);
    assert_eq!(planned.len() as i64, SPECIAL + 1);
    let all = planned.iter().map(Change::outcome);
    assert!(all.clone().all(|outcome| outcome == Outcome::Planned));
    // The first that the directory tells of is what the run does.
    let run = world.sync().await;
    loop {
        if let Some(Of::Change(change)) = directory.message().await.unwrap().unwrap().event {
            assert!(change.change.starts_with(&run.name), "{change:?}");
            assert_eq!(change.r#type(), Type::Created);
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_can_not_read_everything_fails_like_the_run_and_says_that_nothing_is_written()
 {
    let mut world = super::super::scene::team().await;
    let renamed = json!({"name": {"givenName": "Anne", "familyName": "Person"}});
    world.edit(&at("ann"), renamed).await;
    world.group("new").await;
    let down =
        json!({"method": "directory.users.list", "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let told = preview(&mut world).await;
    let error = told.error.unwrap();
    assert_eq!(
        (told.state, &*error.reason),
        (State::Failed.into(), "SYSTEM_UNAVAILABLE")
    );
    assert!(error.message.contains("Nothing was written"), "{error:?}");
    let (run, changes) = foretold(&mut world).await;
    assert_eq!(run.counters.unwrap().added, 1, "{changes:?}");
    world.control(Method::DELETE, "faults", Value::Null).await;
    foretold(&mut world).await;
    settled(&mut world).await;
}
