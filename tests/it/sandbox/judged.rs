//! Google's own Python client, unchanged, against the sandbox.

use std::process::Stdio;

use provisiond::sandbox::Options;
use reqwest::Method;
use serde_json::json;

use super::client::{ADMIN, Client};

#[tokio::test]
#[ignore = "needs google-api-python-client; .ci/run installs it and runs ignored tests"]
async fn googles_real_client_finds_nothing_strange() {
    let client = Client::start(Options {
        users: 620,
        groups: 30,
        ..Options::default()
    })
    .await;
    let access = client.access(ADMIN).await;
    let scope = "https://www.googleapis.com/auth/admin.directory.user.readonly";
    let delegated = json!({"delegated": {"acme.test": [scope]}});
    let key = client.control(Method::POST, "service-accounts", delegated);
    let home = tempfile::tempdir().unwrap();
    let key_file = home.path().join("key.json");
    std::fs::write(&key_file, key.await.to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/google_client/judge.py");
    let python = std::env::var("CI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let judge = tokio::process::Command::new(python)
        .args([script, &client.base, &access])
        .arg(&key_file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .await
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&judge.stdout),
        String::from_utf8_lossy(&judge.stderr),
    );
    assert!(judge.status.success(), "{out}\n{err}");
    assert!(out.trim_end().ends_with("judged"), "{out}\n{err}");
}
