//! The OAuth client against a strict server that others wrote: oidc-provider, certified for OpenID Connect, in Google's
//! place.

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::{Google, World};
use provisiond::{proto::v1::run::State, sandbox::Options};
use reqwest::{Response, redirect::Policy};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The server, which ends with this.
struct Provider {
    process: Child,
    input: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Provider {
    fn start() -> Self {
        let modules = std::env::var("CI_NODE_MODULES").unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc/provider.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .env("NODE_MODULES", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = said.next().unwrap().unwrap();
        Self {
            process,
            input,
            said,
            url,
        }
    }

    /// Makes us known to it.
    fn register(&mut self, client: &Options, redirect_uri: &str) {
        let client = json!({"client_id": client.client_id, "client_secret": client.client_secret,
            "redirect_uri": redirect_uri});
        writeln!(self.input, "{client}").unwrap();
        // It warns of what it is not to be used for before.
        assert!(self.said.any(|line| line.unwrap() == "ready"));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Follows redirects as a browser does, with cookies, until one leads to `end`, whose answer is given.
async fn browse(page: &str, end: &str) -> Response {
    let http = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let mut cookies = BTreeMap::new();
    let mut at = url::Url::parse(page).unwrap();
    for _ in 0..10 {
        let pairs: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = http.get(at.clone()).header("cookie", pairs.join("; "));
        let answer = request.send().await.unwrap();
        if at.as_str().starts_with(end) {
            return answer;
        }
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let next = answer.headers().get("location").cloned();
        let Some(next) = next else {
            panic!(
                "{at}: {}: {}",
                answer.status(),
                answer.text().await.unwrap()
            );
        };
        at = at.join(next.to_str().unwrap()).unwrap();
    }
    panic!("{at}: redirected too often");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; .ci/run installs them and runs ignored tests"]
async fn a_certified_server_accepts_our_client() {
    let mut provider = Provider::start();
    let google = Google::start(Options::default()).await;
    let mut world = World::at(&provider.url, google, tempfile::tempdir().unwrap()).await;
    let callback = format!("{}/oauth/callback", world.http);
    provider.register(&world.google.options, &callback);
    world.create("google").await;
    let page = world.begin().await;
    let answer = browse(&page, &world.http).await;
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(
        authorization.authorized_by.unwrap().email,
        "admin@acme.test"
    );
    // What a run asks for needs an access token, which the refresh token is exchanged for.
    world.apply("lookup-users").await;
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    assert_eq!(world.users().await.len(), 1);
}
