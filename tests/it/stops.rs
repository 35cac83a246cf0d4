//! The daemon as a process: how it stops, and what it refuses to start on.

#![allow(clippy::unwrap_used)]

use crate::support::{Daemon, World, integration, refused};
use provisiond::{
    proto::v1::{
        ListRunsRequest, StartRunRequest, WatchRunsRequest, WatchRunsResponse, run::State,
        run::Trigger, sync_service_client::SyncServiceClient, watch_runs_response::Event,
    },
    sandbox::Options,
};
use serde_json::json;

fn small() -> Options {
    Options {
        users: 60,
        groups: 8,
        ..Options::default()
    }
}

fn words(output: &std::process::Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_data_is_refused_in_words() {
    let (google, home) = World::ready(small()).await.stop().await;
    let first = Daemon::start(&google, home.path(), "info");
    let said = words(&refused(&google, home.path()));
    assert!(said.contains("another provisiond is using"), "{said}");
    assert!(first.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_store_is_refused_in_words_that_say_what_to_do() {
    let (google, home) = World::ready(small()).await.stop().await;
    let db = home.path().join("data/db");
    let file = std::fs::OpenOptions::new().write(true).open(db).unwrap();
    file.set_len(0).unwrap();
    let said = words(&refused(&google, home.path()));
    assert!(said.contains("is damaged"), "{said}");
    assert!(said.contains("restore a backup"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_stop_interrupts_is_done_again_after_the_start() {
    let (google, home) = World::ready(small()).await.stop().await;
    // Members are answered when nobody waits for them any more.
    google
        .fault(
            json!({"method": "directory.members.list", "times": 1000, "fault": {"delay_ms": 3000}}),
        )
        .await;
    let daemon = Daemon::start(&google, home.path(), "info");
    let mut sync = SyncServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let request = StartRunRequest {
        parent: integration(),
        ..StartRunRequest::default()
    };
    let first = sync.start_run(request).await.unwrap().into_inner();
    let request = WatchRunsRequest {
        parent: first.name.clone(),
        ..WatchRunsRequest::default()
    };
    let mut news = sync.watch_runs(request).await.unwrap().into_inner();
    let applying =
        |message: &WatchRunsResponse| matches!(message.event, Some(Event::RunPhaseChanged(_)));
    while !applying(&news.message().await.unwrap().unwrap()) {}
    assert!(daemon.terminate().success());
    google
        .control(reqwest::Method::DELETE, "faults", serde_json::Value::Null)
        .await;
    let mut world = World::with(google, home).await;
    let request = ListRunsRequest {
        parent: integration(),
        ..ListRunsRequest::default()
    };
    let runs = world.sync.list_runs(request).await.unwrap().into_inner();
    let old = runs.runs.iter().find(|run| run.name == first.name).unwrap();
    assert_eq!(old.state(), State::Interrupted, "{old:?}");
    let new = runs.runs.iter().find(|run| run.name != first.name).unwrap();
    assert_eq!(new.trigger(), Trigger::Recovery);
    let name = new.name.clone();
    assert_eq!(world.finished(&name).await.state(), State::Succeeded);
    assert_eq!(world.users().await.len(), 60);
}
