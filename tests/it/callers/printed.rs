//! What the binary prints about callers, and what the daemon says of them when it starts.

use crate::support::{Daemon, Google};
use provisiond::{
    proto::v1::{
        CreateIntegrationRequest, DeleteIntegrationRequest, Direction, Integration,
        ListIntegrationsRequest, integration_service_client::IntegrationServiceClient,
    },
    sandbox::Options,
};
use std::process::Command;
use tempfile::TempDir;
use tonic::{Code, Request, transport::Channel};

/// A Google, and a home with all that a daemon needs beside its configuration.
async fn home() -> (Google, TempDir) {
    let google = Google::start(Options {
        users: 3,
        groups: 0,
        ..Options::default()
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let secret = &google.options.client_secret;
    std::fs::write(home.path().join("client-secret"), secret).unwrap();
    (google, home)
}

/// The token that `provisiond token new` prints, and the lines for the configuration.
fn new_token() -> (String, String) {
    let binary = env!("CARGO_BIN_EXE_provisiond");
    let printed = Command::new(binary)
        .args(["token", "new"])
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let said = String::from_utf8(printed.stdout).unwrap();
    let (caller, daemon) = said
        .split_once("The configuration, for the daemon:")
        .unwrap();
    let token = caller.lines().map(str::trim).rfind(|line| !line.is_empty());
    (token.unwrap().to_owned(), daemon.to_owned())
}

fn by<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn list(company: &str) -> ListIntegrationsRequest {
    ListIntegrationsRequest {
        parent: format!("companies/{company}"),
        ..ListIntegrationsRequest::default()
    }
}

async fn client(daemon: &Daemon) -> IntegrationServiceClient<Channel> {
    let client = IntegrationServiceClient::connect(daemon.grpc.clone());
    client.await.unwrap()
}

/// What a daemon without callers says of itself.
const OPEN: &str = "no callers are configured";

#[tokio::test(flavor = "multi_thread")]
async fn the_token_that_is_printed_opens_a_daemon_that_is_configured_as_is_printed_with_it() {
    let (google, home) = home().await;
    let (token, lines) = new_token();
    let daemon = Daemon::configured(&google, home.path(), "info", &lines);
    let mut client = client(&daemon).await;
    let listed = client.list_integrations(by(&token, list("acme"))).await;
    assert!(listed.unwrap().into_inner().integrations.is_empty());
    let foreign = client.list_integrations(by(&token, list("beta"))).await;
    assert_eq!(foreign.unwrap_err().code(), Code::NotFound);
    let (other, _) = new_token();
    for request in [Request::new(list("acme")), by(&other, list("acme"))] {
        let unknown = client.list_integrations(request).await;
        assert_eq!(unknown.unwrap_err().code(), Code::Unauthenticated);
    }
    drop(client);
    let log = daemon.ended();
    assert!(!log.contains(OPEN), "{log}");
    assert!(!log.contains(&token), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_without_callers_says_that_everybody_on_this_machine_may_do_everything() {
    let (google, home) = home().await;
    let daemon = Daemon::start(&google, home.path(), "info");
    // Before it was ready.
    let log = daemon.log.lock().unwrap().clone();
    assert!(log.contains(OPEN) && log.contains("loopback"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_keeps_who_deleted_an_integration_and_what_became_of_its_token() {
    let (google, home) = home().await;
    let (token, lines) = new_token();
    let lines = lines
        .replace("name-of-the-caller", "backend")
        .replace("\"viewer\"", "\"admin\"");
    let daemon = Daemon::configured(&google, home.path(), "info", &lines);
    let mut client = client(&daemon).await;
    let create = CreateIntegrationRequest {
        parent: "companies/acme".to_owned(),
        integration: Some(Integration {
            title: "Main Workspace".to_owned(),
            system: "systems/google-workspace".to_owned(),
            direction: Direction::FromSystem.into(),
            ..Integration::default()
        }),
        integration_id: "google".to_owned(),
        ..CreateIntegrationRequest::default()
    };
    let made = client.create_integration(by(&token, create)).await;
    let made = made.unwrap().into_inner();
    let delete = DeleteIntegrationRequest {
        name: made.name,
        etag: String::new(),
    };
    client.delete_integration(by(&token, delete)).await.unwrap();
    drop(client);
    let log = daemon.ended();
    let lines = serde_json::Deserializer::from_str(&log).into_iter::<serde_json::Value>();
    let audit = lines.map(Result::unwrap);
    let audit: Vec<_> = audit.filter(|line| line["target"] == "audit").collect();
    let told: Vec<&str> = audit
        .iter()
        .filter_map(|line| line["fields"]["message"].as_str())
        .collect();
    let messages = [
        "an integration is to be deleted",
        "an integration was deleted",
    ];
    assert_eq!(told, messages, "{log}");
    for line in &audit {
        let told = ["caller", "company", "integration", "uid", "title"];
        let told = told.map(|name| line["fields"][name].as_str().unwrap_or_default());
        let expected = ["backend", "acme", "google", &made.uid, "Main Workspace"];
        assert_eq!(told, expected, "{line}");
    }
    assert_eq!(audit[1]["fields"]["token"], "NONE");
}
