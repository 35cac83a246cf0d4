//! The simulated Google Workspace, in a process of its own: the daemon shares nothing with it but HTTP.

use super::{Args, Error};
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long it may take to invent a company.
const START: Duration = Duration::from_secs(60);
const CLIENT_ID: &str = "provisiond-dev.apps.googleusercontent.test";
const CLIENT_SECRET: &str = "GOCSPX-provisiond-dev";

/// The process; it is killed when this is dropped.
pub(super) struct Google {
    process: Child,
    // Held open: a closed one would end the process at its next line.
    _output: BufReader<ChildStdout>,
    url: String,
}

impl Google {
    /// Starts `provisiond sandbox google` and waits until it listens.
    pub(super) async fn start(args: &Args) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Google(format!("did not start: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let mut process = Command::new(program)
            .args(["sandbox", "google", "--listen", "127.0.0.1:0"])
            .args(["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET])
            .args(["--users", &args.users.to_string()])
            .args(["--groups", &args.groups.to_string()])
            .args(["--latency", &args.latency.to_string()])
            .args(["--seed", &args.seed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Ctrl-C on the terminal is for us: the daemon ends before what it talks to.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let output = process.stdout.take();
        let output = output.ok_or_else(|| Error::Google("has no output to read".to_owned()))?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let read = timeout(START, output.read_line(&mut line)).await;
        read.map_err(|_| Error::Google("took too long to start".to_owned()))?
            .map_err(failed)?;
        let url = listening(&line).ok_or_else(|| {
            Error::Google(format!(
                "said something else than where it listens: '{}'",
                line.trim()
            ))
        })?;
        Ok(Self {
            process,
            _output: output,
            url,
        })
    }

    /// Under which all of it is reached.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The secret of the client that [`Google::settings`] names.
    pub(super) fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// Configuration keys and values that put it in Google's place.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let urls = [
            ("auth_url", "/o/oauth2/v2/auth"),
            ("token_url", "/token"),
            ("revoke_url", "/revoke"),
            ("userinfo_url", "/v1/userinfo"),
            ("jwks_url", "/oauth2/v3/certs"),
            ("api_url", "/"),
        ];
        urls.iter()
            .map(|(key, path)| (*key, format!("{}{path}", self.url)))
            .chain([("client_id", CLIENT_ID.to_owned())])
            .map(|(key, value)| (format!("systems.google-workspace.{key}"), value))
            .collect()
    }

    /// Returns when the process ends by itself.
    pub(super) async fn ended(&mut self) -> Error {
        match self.process.wait().await {
            Ok(status) => Error::Google(format!("ended ({status})")),
            Err(error) => Error::Google(format!("is lost: {error}")),
        }
    }

    /// Ends the process.
    pub(super) async fn stop(mut self) {
        let _ = self.process.kill().await;
    }
}

/// The URL in `{"listening": "http://..."}`, without a slash at its end.
fn listening(line: &str) -> Option<String> {
    let line = serde_json::from_str::<serde_json::Value>(line).ok()?;
    let url = line.get("listening")?.as_str()?;
    Some(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_where_it_listens_is_understood_and_no_other() {
        let line = "{\"listening\":\"http://127.0.0.1:81/\",\"users\":3}\n";
        assert_eq!(listening(line).as_deref(), Some("http://127.0.0.1:81"));
        for other in ["", "panicked", "{}", "{\"listening\":7}"] {
            assert_eq!(listening(other), None);
        }
    }
}
