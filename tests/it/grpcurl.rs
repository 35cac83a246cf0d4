//! The journey with the real grpcurl and plain JSON.

#![allow(clippy::unwrap_used)]

use crate::support::{World, browser};
use provisiond::sandbox::Options;
use serde_json::{Value, json};
use std::process::Command;

/// What grpcurl says; it must succeed.
fn grpcurl(arguments: &[&str]) -> String {
    let mut command = Command::new("grpcurl");
    command
        .args(["-plaintext", "-max-time", "30"])
        .args(arguments);
    // The daemon under test runs on the same threads.
    let output = tokio::task::block_in_place(|| command.output()).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

fn call(address: &str, method: &str, request: &Value) -> Value {
    let method = format!("appsco.provisioning.v1.{method}");
    serde_json::from_str(&grpcurl(&["-d", &request.to_string(), address, &method])).unwrap()
}

/// Sets the key of a service account.
async fn by_key(world: &World, address: &str, name: &str) {
    let scopes = ["user", "group"]
        .map(|of| format!("https://www.googleapis.com/auth/admin.directory.{of}.readonly"));
    let delegated = json!({"delegated": {"acme.test": scopes}});
    let key = world
        .google
        .control(reqwest::Method::POST, "service-accounts", delegated)
        .await;
    let set = call(
        address,
        "IntegrationService/SetCredentials",
        &json!({"name": name, "service_account_key": {"json": key.to_string(), "subject": "admin@acme.test"}}),
    );
    assert_eq!(
        set["authorization"]["method"],
        "AUTHORIZATION_METHOD_SERVICE_ACCOUNT_KEY"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs grpcurl; .ci/run installs it and runs ignored tests"]
async fn the_journey_works_by_grpcurl_with_plain_json() {
    let world = World::start(Options {
        users: 20,
        groups: 3,
        ..Options::default()
    })
    .await;
    let address = world.grpc.trim_start_matches("http://").to_owned();
    let listed = grpcurl(&[&address, "list"]);
    for service in ["IntegrationService", "SyncService", "DirectoryService"] {
        assert!(listed.contains(service), "{listed}");
    }
    let described = grpcurl(&[&address, "describe", "appsco.provisioning.v1.SyncService"]);
    assert!(described.contains("// "), "no comments: {described}");
    let detail = grpcurl(&[&address, "describe", "google.rpc.BadRequest"]);
    assert!(detail.contains("field_violations"), "{detail}");
    let name = "companies/acme/integrations/google";
    let create = json!({"parent": "companies/acme", "integration_id": "google", "integration":
        {"title": "Google", "system": "systems/google-workspace", "direction": "DIRECTION_FROM_SYSTEM"}});
    assert_eq!(
        call(&address, "IntegrationService/CreateIntegration", &create)["name"],
        name
    );
    let begun = call(
        &address,
        "IntegrationService/BeginAuthorization",
        &json!({"name": name}),
    );
    let page = begun["authorizationUrl"].as_str().unwrap();
    assert_eq!(
        browser::decide(page, "admin@acme.test", "allow", None)
            .await
            .status(),
        200
    );
    by_key(&world, &address, name).await;
    for template in ["lookup-users", "lookup-groups"] {
        call(
            &address,
            "IntegrationService/ApplyRuleTemplate",
            &json!({"parent": name, "template": template}),
        );
    }
    let active = call(
        &address,
        "IntegrationService/ActivateIntegration",
        &json!({"name": name}),
    );
    assert_eq!(active["authorization"]["state"], "STATE_AUTHORIZED");
    let run = call(&address, "SyncService/StartRun", &json!({"parent": name}));
    // The stream of one run ends with it.
    grpcurl(&[
        "-d",
        &json!({"parent": run["name"]}).to_string(),
        &address,
        "appsco.provisioning.v1.SyncService/WatchRuns",
    ]);
    let run = call(
        &address,
        "SyncService/GetRun",
        &json!({"name": run["name"]}),
    );
    assert_eq!(run["state"], "STATE_SUCCEEDED", "{run}");
    let users = call(
        &address,
        "DirectoryService/ListUsers",
        &json!({"parent": "companies/acme", "page_size": 1000}),
    );
    assert_eq!(users["users"].as_array().unwrap().len(), 20);
}
