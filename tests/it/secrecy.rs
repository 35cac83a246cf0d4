//! Tokens, codes, the client secret and keys occur nowhere in clear: not in logs, answers, pages or the data directory.

#![allow(clippy::unwrap_used)]

use crate::support::{Daemon, World, browser, integration};
use provisiond::{
    proto::v1::{
        self, integration_service_client::IntegrationServiceClient,
        set_credentials_request::Credentials, sync_service_client::SyncServiceClient,
    },
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const GROUPS: &str = "https://www.googleapis.com/auth/admin.directory.group.readonly";

/// All bytes of all files below a directory.
fn bytes(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    all
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

/// Every text in a JSON value that is long enough to be a secret.
fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 8 => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, into)),
        _ => {}
    }
}

/// Walks refusals and a consent; what pages showed, and every state.
async fn consents(daemon: &Daemon) -> (String, Vec<String>) {
    let mut seen = String::new();
    let mut integrations = IntegrationServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let mut states = Vec::new();
    for (account, action) in [
        ("admin@acme.test", "deny"),
        ("nonadmin@acme.test", "allow"),
        ("admin@other.test", "allow"),
        ("admin@acme.test", "allow"),
    ] {
        let request = v1::BeginAuthorizationRequest {
            name: integration(),
            ..v1::BeginAuthorizationRequest::default()
        };
        let page = integrations
            .begin_authorization(request)
            .await
            .unwrap()
            .into_inner()
            .authorization_url;
        let url = url::Url::parse(&page).unwrap();
        states.extend(
            url.query_pairs()
                .find(|(name, _)| name == "state")
                .map(|(_, value)| value.into_owned()),
        );
        seen += &browser::decide(&page, account, action, None)
            .await
            .text()
            .await
            .unwrap();
    }
    (seen, states)
}

/// Sets credentials, of which the last are taken; everything that was answered.
async fn credentials(daemon: &Daemon, keys: [&Value; 2]) -> String {
    let mut seen = String::new();
    let mut integrations = IntegrationServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let torn = keys[0].to_string().replacen("\"type\"", "\"typ", 1);
    let old = keys[0].to_string().replacen("PRIVATE", "OLD", 1);
    let whole = keys.map(Value::to_string);
    for json in [&torn, &old, &whole[0], &whole[1]] {
        let key = v1::ServiceAccountKey {
            json: json.clone(),
            subject: "admin@acme.test".to_owned(),
        };
        let request = v1::SetCredentialsRequest {
            name: integration(),
            credentials: Some(Credentials::ServiceAccountKey(key)),
            ..v1::SetCredentialsRequest::default()
        };
        seen += &format!("{request:?}");
        let answer = integrations.set_credentials(request).await;
        assert_eq!(answer.is_ok(), json == &whole[1], "{answer:?}");
        seen += &format!("{answer:?}");
    }
    seen
}

/// Runs, watches and reads; everything that was answered.
async fn journey(daemon: &Daemon) -> String {
    let mut seen = String::new();
    let mut integrations = IntegrationServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let mut sync = SyncServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let start = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    let run = sync.start_run(start).await.unwrap().into_inner();
    let watch = v1::WatchRunsRequest {
        parent: run.name,
        include_changes: true,
        ..v1::WatchRunsRequest::default()
    };
    let mut news = sync.watch_runs(watch).await.unwrap().into_inner();
    while let Some(message) = news.message().await.unwrap() {
        seen += &format!("{message:?}");
    }
    let get = v1::GetIntegrationRequest {
        name: integration(),
    };
    seen += &format!(
        "{:?}",
        integrations
            .get_integration(get)
            .await
            .unwrap()
            .into_inner()
    );
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_answered_or_stored_in_clear() {
    let options = Options {
        users: 20,
        groups: 3,
        ..Options::default()
    };
    let (google, home) = World::ready(options).await.stop().await;
    let daemon = Daemon::start(&google, home.path(), "trace");
    let (mut seen, states) = consents(&daemon).await;
    let read = [USERS, GROUPS];
    let make = |domain: &str| json!({"delegated": {domain: read}});
    let good = google.control(Method::POST, "service-accounts", make("acme.test"));
    let good = good.await;
    let refused = google.control(Method::POST, "service-accounts", make("other.test"));
    let refused = refused.await;
    seen += &credentials(&daemon, [&refused, &good]).await;
    google
        .control(Method::POST, "expire-access-tokens", Value::Null)
        .await;
    seen += &journey(&daemon).await;
    let key = std::fs::read_to_string(home.path().join("key")).unwrap();
    let mut secrets = vec![key.trim().to_owned()];
    for file in [&good, &refused] {
        let pem = file["private_key"].as_str().unwrap();
        // Also without its line breaks, which the list of secrets has, and each line.
        secrets.extend(
            pem.lines()
                .filter(|line| line.len() == 64)
                .map(str::to_owned),
        );
    }
    texts(
        &google.control(Method::GET, "secrets", Value::Null).await,
        &mut secrets,
    );
    assert!(
        secrets.len() > 8,
        "too few secrets to look for: {}",
        secrets.len()
    );
    let log = daemon.log.lock().unwrap().clone();
    assert!(log.contains("the run is over"), "nothing was logged");
    assert!(daemon.terminate().success());
    let stored = bytes(&home.path().join("data"));
    assert!(
        holds(&stored, "google"),
        "nothing was stored in clear at all: the search can't work"
    );
    // The state is in the address of a consent page, which is handed out; nowhere else.
    for secret in secrets.iter().chain(&states) {
        assert!(!holds(&stored, secret), "a secret is stored in clear");
        assert!(!log.contains(secret), "a secret is logged");
        assert!(!seen.contains(secret), "a secret is answered");
    }
}
