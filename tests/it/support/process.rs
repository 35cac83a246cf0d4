//! The daemon as a process of its own, which can be killed.

use super::Google;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

pub struct Daemon {
    child: Child,
    pub grpc: String,
    /// Everything that it logged.
    pub log: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
}

/// The command that serves a home (as `World` leaves it) over a Google.
pub fn command(google: &Google, home: &Path) -> Command {
    let url = google.url();
    let file = home.join("provisiond.toml");
    let secret = home.join("client-secret");
    let text = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[sealing]\nkey_file = \"{}\"\n[systems.google-workspace]\nclient_id = \"{}\"\n\
         client_secret_file = \"{}\"\nauth_url = \"{url}/o/oauth2/v2/auth\"\ntoken_url = \"{url}/token\"\n\
         revoke_url = \"{url}/revoke\"\nuserinfo_url = \"{url}/v1/userinfo\"\njwks_url = \"{url}/oauth2/v3/certs\"\n\
         api_url = \"{url}/\"\n",
        home.join("key").display(),
        google.options.client_id,
        secret.display()
    );
    std::fs::write(file.as_path(), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provisiond"));
    command.arg("serve").arg("--config").arg(file);
    command.arg("--data").arg(home.join("data"));
    command.args(["--grpc-listen", "127.0.0.1:0", "--log-format", "json"]);
    // What names the tests' own tools is no key of the daemon.
    let foreign = std::env::vars().filter(|(name, _)| name.starts_with("PROVISIOND_"));
    foreign.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// What a daemon says that ends by itself.
pub fn refused(google: &Google, home: &Path) -> Output {
    command(google, home)
        .stderr(Stdio::piped())
        .output()
        .unwrap()
}

impl Daemon {
    /// Starts it and waits until it is ready.
    pub fn start(google: &Google, home: &Path, log: &str) -> Self {
        Self::configured(google, home, log, "")
    }

    /// The same, with more in its configuration file.
    pub fn configured(google: &Google, home: &Path, log: &str, more: &str) -> Self {
        let mut command = command(google, home);
        let file = home.join("provisiond.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{text}{more}")).unwrap();
        let mut child = command
            .args(["--log", log])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        while let Some(Ok(line)) = lines.next() {
            said.push_str(&line);
            let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if line["fields"]["message"] == "ready" {
                let grpc = line["fields"]["grpc"].as_str().unwrap();
                let grpc = format!("http://{grpc}");
                let log = Arc::new(Mutex::new(said));
                let kept = Arc::clone(&log);
                // Somebody has to read on, or the daemon waits.
                let reading = std::thread::spawn(move || {
                    let line = |line: String| kept.lock().unwrap().push_str(&line);
                    lines.map_while(Result::ok).for_each(line);
                });
                let reading = Some(reading);
                return Self {
                    child,
                    grpc,
                    log,
                    reading,
                };
            }
        }
        let ended = child.wait();
        panic!("the daemon ended before it was ready: {ended:?} {said}");
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; how it ended.
    pub fn terminate(mut self) -> ExitStatus {
        self.stop()
    }

    /// SIGTERM; everything that it logged until its end.
    pub fn ended(mut self) -> String {
        assert!(self.stop().success());
        self.reading.take().unwrap().join().unwrap();
        self.log.lock().unwrap().clone()
    }

    fn stop(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
