//! Google's own Python client, unchanged, against the sandbox.

use std::process::Stdio;

use provisiond::sandbox::Options;

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
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/google_client/judge.py");
    let python = std::env::var("PROVISIOND_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let judge = tokio::process::Command::new(python)
        .args([script, &client.base, &access])
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
