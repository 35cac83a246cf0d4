//! A backup that is taken while callers and runs write: what it holds is what was at one moment.

use super::{good, provisiond, text};
use crate::support::{Google, World, company, integration};
use futures_util::future::join_all;
use provisiond::{
    model::{
        Attribute, Change, CompanyId, Edit, EntityId, Event, EventBody, Kind, ManualClock, Outcome,
        Value,
    },
    proto::v1::{
        self, directory_service_client::DirectoryServiceClient,
        sync_service_client::SyncServiceClient, watch_runs_request::Position,
        watch_runs_response::Event as Told,
    },
    sandbox::Options,
    store::{self, SealingKey, Store},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

fn acme() -> CompanyId {
    CompanyId::try_new("acme").unwrap()
}

/// A caller who adds one user after the other until it is enough.
async fn caller(grpc: &str, who: usize, enough: &CancellationToken) {
    let directory = DirectoryServiceClient::connect(grpc.to_owned()).await;
    let mut directory = directory.unwrap();
    for n in 0.. {
        if enough.is_cancelled() {
            return;
        }
        let user = v1::User {
            user_name: format!("c-{who}-{n}@clients.test"),
            ..v1::User::default()
        };
        let request = v1::CreateUserRequest {
            parent: company(),
            user: Some(user),
            ..v1::CreateUserRequest::default()
        };
        directory.create_user(request).await.unwrap();
    }
}

/// Runs one after the other, before each of which everybody got another name at the source, until it is enough.
async fn runs(google: &Google, grpc: &str, enough: &CancellationToken) {
    let sync = SyncServiceClient::connect(grpc.to_owned()).await;
    let mut sync = sync.unwrap();
    let people = google.state().await["users"].as_array().unwrap().clone();
    for round in 0.. {
        let name = json!({"name": {"givenName": format!("R{round}"), "familyName": "Person"}});
        let renamed = people.iter().map(|person| {
            let id = person["id"].as_str().unwrap();
            google.patch_user(id, name.clone())
        });
        join_all(renamed).await;
        if enough.is_cancelled() {
            return;
        }
        let start = v1::StartRunRequest {
            parent: integration(),
            ..v1::StartRunRequest::default()
        };
        let run = sync.start_run(start).await.unwrap().into_inner();
        let watch = v1::WatchRunsRequest {
            parent: run.name,
            position: Some(Position::AfterSequence(0)),
            include_changes: false,
        };
        let mut news = sync.watch_runs(watch).await.unwrap().into_inner();
        while !matches!(
            news.message().await.unwrap().unwrap().event,
            Some(Told::RunFinished(_))
        ) {}
    }
}

/// All events of a store after a sequence, up to another.
async fn events(store: &Store, first: u64, last: u64) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    loop {
        let after = all.last().map_or(first, |event| event.sequence);
        let more = store.events(&acme(), after, 500).await.unwrap();
        let there = more.len();
        all.extend(more.into_iter().filter(|event| event.sequence <= last));
        if there == 0 || all.last().is_some_and(|event| event.sequence == last) {
            return all;
        }
    }
}

/// What users are after some events: of those whom runs wrote, their given name.
fn users(events: &[Event]) -> BTreeMap<EntityId, Option<Value>> {
    let mut users = BTreeMap::new();
    let written = |change: &Change| {
        let target = change.target.as_ref().filter(|end| end.kind == Kind::User);
        let applied = change.outcome == Outcome::Applied;
        target
            .filter(|_| applied)
            .map(|end| EntityId::try_new(&end.id).unwrap())
    };
    for event in events {
        match &event.body {
            EventBody::Directory(edit) if edit.what == Edit::Created => {
                users.insert(edit.id.clone(), None);
            }
            EventBody::Change { change, .. } => {
                let Some(id) = written(change) else {
                    continue;
                };
                let name = users.entry(id).or_default();
                let mut diffs = change.diffs.iter();
                if let Some(diff) = diffs.find(|diff| diff.attribute == Attribute::GIVEN_NAME) {
                    name.clone_from(&diff.new);
                }
            }
            _ => {}
        }
    }
    users
}

async fn restored(file: &Path, home: &Path) -> (tempfile::TempDir, Store) {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(home.join("key"), elsewhere.path().join("key")).unwrap();
    let import = ["import", "--from", text(file)];
    good(&provisiond(elsewhere.path(), &import));
    let options = store::Options {
        path: elsewhere.path().join("data"),
        key: SealingKey::load(&elsewhere.path().join("key")).unwrap(),
        clock: Arc::new(ManualClock::default()),
    };
    let store = Store::open(options).await.unwrap();
    (elsewhere, store)
}

/// Exports until a run wrote while that was done; the file, and the last sequences before and after.
async fn export(world: &World) -> (PathBuf, u64, u64) {
    let is_change = |event: &Event| matches!(event.body, EventBody::Change { .. });
    for n in 0..50 {
        let home = world.home.path().to_owned();
        let file = home.join(format!("{n}.backup"));
        let (grpc, to) = (world.grpc.clone(), file.clone());
        let export = move || {
            let export = ["export", "--address", &grpc, "--to", text(&to)];
            good(&provisiond(&home, &export))
        };
        let before = world.store.last_sequence(&acme()).await.unwrap();
        tokio::task::spawn_blocking(export).await.unwrap();
        let since = events(&world.store, before, u64::MAX).await;
        if since.iter().any(is_change) {
            return (file, before, since.last().unwrap().sequence);
        }
    }
    panic!("no run wrote anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_export_holds_that_was_taken_while_all_write_is_what_was_at_one_moment() {
    let options = Options {
        users: 400,
        groups: 5,
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    world.run().await;
    let enough = CancellationToken::new();
    let exporting = async {
        let exported = export(&world).await;
        enough.cancel();
        exported
    };
    let ((file, before, after), ..) = tokio::join!(
        exporting,
        caller(&world.grpc, 0, &enough),
        caller(&world.grpc, 1, &enough),
        runs(&world.google, &world.grpc, &enough)
    );
    let (_elsewhere, restored) = restored(&file, world.home.path()).await;
    let last = restored.last_sequence(&acme()).await.unwrap();
    assert!(before < last && last < after, "{before} {last} {after}");
    let told = events(&world.store, 0, last).await;
    assert_eq!(events(&restored, 0, u64::MAX).await, told);
    let there = users(&told);
    for (id, name) in &there {
        let user = restored.entity(&acme(), Kind::User, id).await;
        let user = user.unwrap().unwrap();
        assert_eq!(user.attributes.get(&Attribute::GIVEN_NAME), name.as_ref());
    }
    // Who came later is not there.
    for id in users(&events(&world.store, 0, u64::MAX).await).keys() {
        let user = restored.entity(&acme(), Kind::User, id).await.unwrap();
        assert_eq!(user.is_some(), there.contains_key(id));
    }
    restored.close().await.unwrap();
}
