//! Backups as an operator takes and restores them: by the command line, of a daemon that runs or not, and by the daemon itself.

#![allow(clippy::unwrap_used, clippy::panic)]

mod load;

use crate::support::{Daemon, Google, World, company, integration};
use provisiond::{
    config,
    proto::v1::{
        self, directory_service_client::DirectoryServiceClient,
        sync_service_client::SyncServiceClient, watch_runs_request::Position,
    },
    sandbox::Options,
    store::verify_backup,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};
use tempfile::TempDir;
use tonic::Code;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Runs a subcommand over a home as `World` leaves it.
fn provisiond(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provisiond"));
    let foreign = std::env::vars().filter(|(name, _)| name.starts_with("PROVISIOND_"));
    foreign.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.env("PROVISIOND_SEALING__KEY_FILE", home.join("key"));
    command.arg("--data").arg(home.join("data"));
    command.args(args).output().unwrap()
}

/// What a subcommand that succeeded said.
fn good(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    said
}

/// What one that failed said.
fn bad(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn synced(users: usize) -> (Google, TempDir) {
    let options = Options {
        users,
        groups: 20,
        latency: Duration::from_millis(2),
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    world.run().await;
    world.stop().await
}

/// The names of the company's users, all of them.
async fn users(grpc: &str) -> Vec<String> {
    let mut client = DirectoryServiceClient::connect(grpc.to_owned())
        .await
        .unwrap();
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListUsersRequest {
            parent: company(),
            page_size: 1000,
            page_token,
            ..v1::ListUsersRequest::default()
        };
        let page = client.list_users(request).await.unwrap().into_inner();
        names.extend(page.users.into_iter().map(|user| user.user_name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            names.sort();
            return names;
        }
    }
}

async fn start(grpc: &str) {
    let mut sync = SyncServiceClient::connect(grpc.to_owned()).await.unwrap();
    let start = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    sync.start_run(start).await.unwrap();
}

/// The token of the first event that is kept.
async fn resume_token(grpc: &str) -> String {
    let mut news = watch(grpc, Position::AfterSequence(0)).await.unwrap();
    news.message().await.unwrap().unwrap().resume_token
}

async fn watch(
    grpc: &str,
    position: Position,
) -> Result<tonic::Streaming<v1::WatchRunsResponse>, tonic::Status> {
    let mut sync = SyncServiceClient::connect(grpc.to_owned()).await.unwrap();
    let request = v1::WatchRunsRequest {
        parent: company(),
        position: Some(position),
        include_changes: false,
    };
    sync.watch_runs(request)
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_daemon_that_runs_is_restored_elsewhere_and_streams_from_before_are_refused()
{
    let (google, home) = synced(150).await;
    let daemon = Daemon::start(&google, home.path(), "info");
    let token = resume_token(&daemon.grpc).await;
    let before = users(&daemon.grpc).await;
    start(&daemon.grpc).await;
    let file = home.path().join("a.backup");
    // Nothing but the address of one that runs leads to it: this home's store is held by it.
    let refused = bad(&provisiond(
        home.path(),
        &[
            "--grpc-listen",
            "127.0.0.1:1",
            "export",
            "--to",
            text(&file),
        ],
    ));
    assert!(refused.contains("--address"), "{refused}");
    assert!(!file.exists());
    let export = ["export", "--address", &daemon.grpc, "--to", text(&file)];
    let said = good(&provisiond(home.path(), &export));
    assert!(said.contains("sealing key"), "{said}");
    // Never over what is there.
    assert!(bad(&provisiond(home.path(), &export)).contains("exists"));
    assert!(daemon.terminate().success());

    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(home.path().join("key"), elsewhere.path().join("key")).unwrap();
    fs::copy(
        home.path().join("client-secret"),
        elsewhere.path().join("client-secret"),
    )
    .unwrap();
    // Where else it is to be may be said with a slash at its end.
    let copy = elsewhere.path().join("copy/");
    let import = ["import", "--from", text(&file), "--data", text(&copy)];
    good(&provisiond(elsewhere.path(), &import));
    let import = ["import", "--from", text(&file)];
    let said = good(&provisiond(elsewhere.path(), &import));
    assert!(said.contains("records as of"), "{said}");
    // A store that is there stays as it is.
    assert!(bad(&provisiond(elsewhere.path(), &import)).contains("not empty"));
    let restored = Daemon::start(&google, elsewhere.path(), "info");
    assert_eq!(users(&restored.grpc).await, before);
    let refused = watch(&restored.grpc, Position::ResumeToken(token)).await;
    assert_eq!(refused.unwrap_err().code(), Code::OutOfRange);
    // Its secrets can be read, and it goes on where the other was.
    start(&restored.grpc).await;
    let mut news = watch(&restored.grpc, Position::AfterSequence(0))
        .await
        .unwrap();
    loop {
        let message = news.message().await.unwrap().unwrap();
        if let Some(v1::watch_runs_response::Event::RunFinished(run)) = message.event
            && run.trigger() == v1::run::Trigger::Manual
            && run.state() == v1::run::State::Succeeded
        {
            break;
        }
    }
    assert_eq!(users(&restored.grpc).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_nobody_holds_is_exported_and_what_is_wrong_with_a_file_is_said() {
    let (_google, home) = synced(12).await;
    let file = home.path().join("a.backup");
    let nowhere = tempfile::tempdir().unwrap();
    let refused = bad(&provisiond(
        nowhere.path(),
        &["export", "--to", text(&file)],
    ));
    assert!(refused.contains("there is no store"), "{refused}");
    good(&provisiond(home.path(), &["export", "--to", text(&file)]));
    let check = |file: &Path| {
        provisiond(
            home.path(),
            &["import", "--verify-only", "--from", text(file)],
        )
    };
    assert!(good(&check(&file)).contains("is whole"));
    let bytes = fs::read(&file).unwrap();
    let damaged = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = nowhere.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let cases = [
        (damaged("cut", &bytes[..bytes.len() - 7]), "cut off"),
        (damaged("flipped", &flipped), "damaged"),
        (
            damaged("other", b"PK\x03\x04 something else"),
            "not a backup",
        ),
    ];
    let key = home.path().join("key");
    fs::copy(key, nowhere.path().join("key")).unwrap();
    for (path, word) in &cases {
        let said = bad(&check(path));
        assert!(said.contains(word), "{said}");
        let import = ["import", "--from", text(path)];
        let said = bad(&provisiond(nowhere.path(), &import));
        assert!(said.contains(word), "{said}");
        assert!(!nowhere.path().join("data").exists(), "something is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_all_is_needed_and_sent_in_plain_to_this_machine_only() {
    let google = Google::start(Options {
        users: 3,
        groups: 1,
        ..Options::default()
    })
    .await;
    let (token, hash) = config::new_token().unwrap();
    let setting = |key: &str, value: &str| (format!("callers.op.{key}"), value.to_owned());
    let settings = vec![
        setting("role", "admin"),
        setting("companies", "*"),
        setting("token_hash", &hash),
    ];
    let (url, home) = (google.url(), tempfile::tempdir().unwrap());
    let world = World::configured(&url, google, home, settings).await;
    let home = world.home.path();
    let (secret, file) = (home.join("token"), home.join("a.backup"));
    fs::write(&secret, token.expose()).unwrap();
    let export = |address: &str, more: &[&str]| {
        let given = ["export", "--address", address, "--to", text(&file)];
        provisiond(home, &[&given, more].concat())
    };
    let with = ["--token-file", text(&secret)];
    let said = bad(&export(&world.grpc, &[]));
    assert!(said.contains("--token-file"), "{said}");
    assert!(bad(&export("http://192.0.2.1:1", &with)).contains("in plain"));
    assert!(bad(&export("https://127.0.0.1:1", &with)).contains("--ca-file"));
    assert!(!file.exists());
    good(&export(&world.grpc, &with));
    verify_backup(&file).await.unwrap();
}

/// Names of the backups in a directory, in the order of their times.
fn names(place: &Path) -> Vec<String> {
    let read = fs::read_dir(place).into_iter().flatten();
    let mut names: Vec<String> = read
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".backup"))
        .collect();
    names.sort();
    names
}

/// The names, once they are like this.
async fn until(place: &Path, held: impl Fn(&[String]) -> bool) -> Vec<String> {
    let waiting = async {
        while !held(&names(place)) {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, waiting).await.unwrap();
    names(place)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_takes_backups_by_itself_and_keeps_the_newest() {
    let google = Google::start(Options {
        users: 3,
        groups: 1,
        ..Options::default()
    })
    .await;
    let (url, home) = (google.url(), tempfile::tempdir().unwrap());
    let place = home.path().join("backups");
    let settings = [
        ("backup.directory", text(&place)),
        ("backup.keep", "2"),
        ("backup.every", "24h"),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let world = World::configured(&url, google, home, settings.to_vec()).await;
    let mut newest = until(&place, |names| names.len() == 1).await;
    for _ in 0..3 {
        let before = newest.last().unwrap().clone();
        world.clock.advance(DAY);
        let newer =
            |names: &[String]| names.len() <= 2 && names.last().is_some_and(|last| *last > before);
        newest = until(&place, newer).await;
    }
    assert_eq!(newest.len(), 2, "{newest:?}");
    for name in &newest {
        let info = verify_backup(&place.join(name)).await.unwrap();
        assert_eq!(info.epoch, world.store.epoch());
    }
    // One that is not due is not taken, also after a restart.
    let before = names(&place);
    let (google, home) = world.stop().await;
    let again = World::configured(&url, google, home, settings.to_vec()).await;
    again.clock.advance(Duration::from_secs(60));
    assert_eq!(names(&place), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_store_is_not_taken_for_this_ones() {
    let (google, home) = synced(3).await;
    let second = tempfile::tempdir().unwrap();
    let secret = "client-secret";
    fs::copy(home.path().join(secret), second.path().join(secret)).unwrap();
    let daemon = Daemon::start(&google, home.path(), "info");
    let other = Daemon::start(&google, second.path(), "info");
    let file = home.path().join("a.backup");
    let address = other.grpc.trim_start_matches("http://");
    let export = ["--grpc-listen", address, "export", "--to", text(&file)];
    let refused = bad(&provisiond(home.path(), &export));
    assert!(refused.contains("has another store"), "{refused}");
    assert!(!file.exists());
    assert!(daemon.terminate().success() && other.terminate().success());
    // Nor is a key made for a store that has one.
    let key = home.path().join("key");
    fs::rename(&key, home.path().join("elsewhere")).unwrap();
    let serve = [
        "--grpc-listen",
        "127.0.0.1:0",
        "--http-listen",
        "127.0.0.1:0",
        "serve",
    ];
    let refused = bad(&provisiond(home.path(), &serve));
    assert!(refused.contains("there is no sealing key"), "{refused}");
    assert!(!key.exists());
}
