//! `kill -9` at random moments of a running sync while clients write and one watches: nothing acknowledged is lost,
//! nothing doubled, and who goes on watching has seen every event once.

#![allow(clippy::unwrap_used)]

mod watching;

use crate::support::{Daemon, Google, World, company, integration};
use provisiond::{
    model::CompanyId,
    proto::v1::{
        self, directory_service_client::DirectoryServiceClient,
        integration_service_client::IntegrationServiceClient, run::State, run::Trigger,
        sync_service_client::SyncServiceClient,
    },
    sandbox::Options,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::collections::HashSet;
use tempfile::TempDir;
use watching::Watching;

/// Rounds of killing: 20, or as many as the environment asks for.
fn rounds() -> usize {
    let asked = std::env::var("PROVISIOND_CRASH_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Writes users one after the other until the daemon is gone; the ids of those that were acknowledged.
async fn write(grpc: String, round: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut directory) = DirectoryServiceClient::connect(grpc).await else {
        return acknowledged;
    };
    for n in 0.. {
        let id = format!("c-{round}-{n}");
        let user = v1::User {
            user_name: format!("{id}@clients.test"),
            ..v1::User::default()
        };
        let request = v1::CreateUserRequest {
            parent: company(),
            user: Some(user),
            user_id: id.clone(),
            request_id: String::new(),
        };
        if directory.create_user(request).await.is_err() {
            break;
        }
        acknowledged.push(id);
    }
    acknowledged
}

/// One round: start, run, kill after so many messages of the stream.
async fn round(
    google: &Google,
    home: &TempDir,
    n: usize,
    messages: u32,
    watching: Watching,
) -> (Vec<String>, Watching) {
    let daemon = Daemon::start(google, home.path(), "info");
    let mut integrations = IntegrationServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    // Three interruptions in a row pause an integration by design.
    let activate = v1::ActivateIntegrationRequest {
        name: integration(),
        etag: String::new(),
    };
    integrations.activate_integration(activate).await.unwrap();
    let mut sync = SyncServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let start = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    sync.start_run(start).await.unwrap();
    let watch = v1::WatchRunsRequest {
        parent: company(),
        include_changes: true,
        ..v1::WatchRunsRequest::default()
    };
    let mut news = sync.watch_runs(watch).await.unwrap().into_inner();
    let writer = tokio::spawn(write(daemon.grpc.clone(), n));
    let watching = tokio::spawn(watching.follow(daemon.grpc.clone(), i64::MAX));
    for _ in 0..messages {
        let message = news.message().await.unwrap().unwrap();
        if matches!(
            message.event,
            Some(v1::watch_runs_response::Event::RunFinished(_))
        ) {
            break;
        }
    }
    daemon.kill();
    (writer.await.unwrap(), watching.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let seed: u64 = rand::rng().random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let options = Options {
        users: 300,
        groups: 20,
        latency: std::time::Duration::from_millis(3),
        ..Options::default()
    };
    let (google, home) = World::ready(options).await.stop().await;
    let state = google.state().await;
    let ids: Vec<String> = state["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["id"].as_str().unwrap().to_owned())
        .collect();
    let (mut acknowledged, mut watching) = (Vec::new(), Watching::default());
    for n in 0..rounds() {
        for id in ids.iter().skip(n).step_by(7) {
            let name = json!({"givenName": format!("Round{n}"), "familyName": "X", "fullName": format!("Round{n} X")});
            google.patch_user(id, json!({"name": name})).await;
        }
        let messages = random.random_range(1..120);
        let (written, watched) = round(&google, &home, n, messages, watching).await;
        acknowledged.extend(written);
        watching = watched;
    }
    let mut world = World::with(google, home).await;
    ends_right(&mut world, &acknowledged).await;
    saw_everything_once(&world, watching).await;
}

/// Who went on watching with their tokens have seen every durable event of theirs, in order, and none twice.
async fn saw_everything_once(world: &World, watching: Watching) {
    let acme = CompanyId::try_new("acme").unwrap();
    let before = watching.counts();
    let last = i64::try_from(world.store.last_sequence(&acme).await.unwrap()).unwrap();
    let watching = watching.follow(world.grpc.clone(), last).await;
    let all = world.store.events(&acme, 0, usize::MAX).await.unwrap();
    watching.saw_all(&all, before);
}

/// After the last restart: interrupted runs are shown and done again, and the end state is Google's.
async fn ends_right(world: &mut World, acknowledged: &[String]) {
    let activate = v1::ActivateIntegrationRequest {
        name: integration(),
        etag: String::new(),
    };
    world
        .integrations
        .activate_integration(activate)
        .await
        .unwrap();
    let run = world.run().await;
    assert!(matches!(run.state(), State::Succeeded), "{run:?}");
    let request = v1::ListRunsRequest {
        parent: integration(),
        page_size: 1000,
        page_token: String::new(),
    };
    let runs = world
        .sync
        .list_runs(request)
        .await
        .unwrap()
        .into_inner()
        .runs;
    let unfinished = |run: &&v1::Run| matches!(run.state(), State::Running);
    assert_eq!(runs.iter().filter(unfinished).count(), 0, "{runs:?}");
    assert!(
        runs.iter().any(|run| run.state() == State::Interrupted),
        "no kill hit a run"
    );
    assert!(
        runs.iter().any(|run| run.trigger() == Trigger::Recovery),
        "nothing was done again"
    );
    let users = world.users().await;
    let addresses: HashSet<&str> = users.iter().map(|user| user.user_name.as_str()).collect();
    assert_eq!(addresses.len(), users.len(), "an address is there twice");
    let id = |user: &'_ v1::User| user.name.rsplit('/').next().unwrap().to_owned();
    let present: HashSet<String> = users.iter().map(id).collect();
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|id| !present.contains(id.as_str()))
        .collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
    let state = world.google.state().await;
    let expected: HashSet<(String, String)> = state["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            let given = user["name"]["givenName"].as_str().unwrap_or_default();
            let given = given.trim_matches(|c: char| c.is_whitespace() || c == '\u{200b}');
            (
                user["primaryEmail"].as_str().unwrap().to_lowercase(),
                given.to_owned(),
            )
        })
        .collect();
    let synced: HashSet<(String, String)> = users
        .iter()
        .filter(|user| !user.user_name.ends_with("@clients.test"))
        .map(|user| (user.user_name.clone(), user.given_name.clone()))
        .collect();
    assert_eq!(synced, expected);
    assert_eq!(
        world.groups().await.len(),
        state["groups"].as_array().unwrap().len()
    );
}
