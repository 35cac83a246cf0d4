//! The simulated Google and the daemon, each in a process of its own.

use provisiond::proto::v1::{
    self, integration_service_client::IntegrationServiceClient, run::State,
    sync_service_client::SyncServiceClient, watch_runs_response::Event,
};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tonic::transport::Channel;

const PROGRAM: &str = env!("CARGO_BIN_EXE_provisiond");
pub const INTEGRATION: &str = "companies/acme/integrations/google";
const ADMIN: &str = "admin@acme.test";

/// Ends with this.
struct Process(Child);

impl Process {
    /// Seconds of processor time that it has spent, its own and the system's for it (ticks of 10 ms of Linux).
    fn processor(&self) -> f64 {
        let stat = format!("/proc/{}/stat", self.0.id());
        let stat = std::fs::read_to_string(stat).unwrap();
        // The second field is a name in brackets; user and system time are the 14th and 15th.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks = fields.skip(11).take(2).map(|n| n.parse::<f64>().unwrap());
        ticks.sum::<f64>() / 100.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The simulated Google of a company without groups.
pub struct Google {
    process: Process,
    pub url: String,
    pub http: reqwest::Client,
    client: (String, String),
}

impl Google {
    pub async fn start(users: usize, latency: u64) -> Self {
        let mut child = Command::new(PROGRAM)
            .args([
                "sandbox",
                "google",
                "--listen",
                "127.0.0.1:0",
                "--groups",
                "0",
                "--memberships",
                "0",
            ])
            .args([
                "--users",
                &users.to_string(),
                "--latency",
                &latency.to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        Self {
            process: Process(child),
            url: text("listening"),
            http: reqwest::Client::builder()
                .user_agent("bench (gzip)")
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            client: (text("client_id"), text("client_secret")),
        }
    }

    /// Seconds of processor time that it has spent.
    pub fn processor(&self) -> f64 {
        self.process.processor()
    }

    /// What is only told to tests, at a path below `/sandbox/`.
    async fn told(&self, path: &str) -> Value {
        let url = format!("{}/sandbox/{path}", self.url);
        let answer = self.http.get(url).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// An access token that was issued to the daemon.
    pub async fn access(&self) -> String {
        let secrets = self.told("secrets").await;
        let issued = secrets["access_tokens"].as_array().unwrap();
        issued.last().unwrap().as_str().unwrap().to_owned()
    }
}

/// A run that has ended.
pub struct Ran {
    /// From the request to the end.
    pub time: Duration,
    pub added: i64,
    pub unchanged: i64,
}

/// The daemon over a home directory.
pub struct Daemon {
    process: Process,
    pub grpc: String,
    pub integrations: IntegrationServiceClient<Channel>,
    pub sync: SyncServiceClient<Channel>,
    http: reqwest::Client,
}

impl Daemon {
    pub async fn start(google: &Google, home: &Path) -> Self {
        let (file, secret) = (home.join("provisiond.toml"), home.join("client-secret"));
        std::fs::write(&secret, &google.client.1).unwrap();
        let url = &google.url;
        let text = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n[sealing]\nkey_file = {:?}\n[systems.google-workspace]\nclient_id = {:?}\n\
             client_secret_file = {secret:?}\nauth_url = \"{url}/o/oauth2/v2/auth\"\ntoken_url = \"{url}/token\"\n\
             revoke_url = \"{url}/revoke\"\nuserinfo_url = \"{url}/v1/userinfo\"\n\
             jwks_url = \"{url}/oauth2/v3/certs\"\napi_url = \"{url}/\"\n",
            home.join("key"),
            google.client.0,
        );
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(PROGRAM)
            .args([
                "serve",
                "--log-format",
                "json",
                "--log",
                "info,provisiond::connector=off",
            ])
            .args(["--grpc-listen", "127.0.0.1:0", "--config"])
            .arg(file)
            .arg("--data")
            .arg(home.join("data"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let grpc = loop {
            let line = lines.next().unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["fields"]["message"] == "ready" {
                break format!("http://{}", line["fields"]["grpc"].as_str().unwrap());
            }
        };
        // Somebody has to read on, or the daemon waits.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let channel = Channel::from_shared(grpc.clone())
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            process: Process(child),
            grpc,
            integrations: IntegrationServiceClient::new(channel.clone()),
            sync: SyncServiceClient::new(channel),
            http: google.http.clone(),
        }
    }

    /// An integration with Google Workspace, not authorized.
    pub async fn create(&mut self, id: &str) {
        let integration = v1::Integration {
            title: id.to_owned(),
            system: "systems/google-workspace".to_owned(),
            direction: v1::Direction::FromSystem.into(),
            ..v1::Integration::default()
        };
        let create = v1::CreateIntegrationRequest {
            parent: "companies/acme".to_owned(),
            integration: Some(integration),
            integration_id: id.to_owned(),
            ..v1::CreateIntegrationRequest::default()
        };
        self.integrations.create_integration(create).await.unwrap();
    }

    /// An integration, authorized, with the rule that looks up all users.
    pub async fn set_up(&mut self) {
        self.create("google").await;
        let begin = v1::BeginAuthorizationRequest {
            name: INTEGRATION.to_owned(),
            ..v1::BeginAuthorizationRequest::default()
        };
        let begun = self.integrations.begin_authorization(begin).await.unwrap();
        self.consent(&begun.into_inner().authorization_url).await;
        let apply = v1::ApplyRuleTemplateRequest {
            parent: INTEGRATION.to_owned(),
            template: "lookup-users".to_owned(),
            ..v1::ApplyRuleTemplateRequest::default()
        };
        self.integrations.apply_rule_template(apply).await.unwrap();
    }

    async fn consent(&self, page: &str) {
        let page = url::Url::parse(page).unwrap();
        let asked = page
            .query_pairs()
            .find(|(name, _)| name == "scope")
            .unwrap()
            .1;
        let mut form = vec![("account", ADMIN), ("action", "allow")];
        form.extend(asked.split(' ').map(|scope| ("scope", scope)));
        let answer = self
            .http
            .post(page.clone())
            .form(&form)
            .send()
            .await
            .unwrap();
        let back = answer.headers()["location"].to_str().unwrap();
        let answer = self.http.get(back).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// Runs all rules to the end.
    pub async fn run(&mut self) -> Ran {
        let start = v1::StartRunRequest {
            parent: INTEGRATION.to_owned(),
            ..v1::StartRunRequest::default()
        };
        let run = self.sync.start_run(start).await.unwrap().into_inner();
        let watch = v1::WatchRunsRequest {
            parent: run.name,
            ..v1::WatchRunsRequest::default()
        };
        let mut news = self.sync.watch_runs(watch).await.unwrap().into_inner();
        let run = loop {
            match news.message().await.unwrap().unwrap().event {
                Some(Event::RunFinished(run)) => break run,
                Some(Event::RunSnapshot(run)) if run.end_time.is_some() => break run,
                _ => {}
            }
        };
        assert_eq!(run.state(), State::Succeeded, "{run:?}");
        let at = |time: Option<prost_types::Timestamp>| {
            let time = time.unwrap();
            Duration::new(time.seconds.unsigned_abs(), time.nanos.unsigned_abs())
        };
        let counters = run.counters.unwrap();
        Ran {
            time: at(run.end_time) - at(run.create_time),
            added: counters.added,
            unchanged: counters.unchanged,
        }
    }

    /// The most memory that it ever held, in bytes (`VmHWM` of Linux).
    pub fn peak_memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process.0.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap();
        let kilobytes = line.split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() * 1024
    }

    /// Seconds of processor time that it has spent, its own and the system's for it.
    pub fn processor(&self) -> f64 {
        self.process.processor()
    }

    /// Stops it gracefully, so that its data directory is free.
    pub fn stop(mut self) {
        let id = self.process.0.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(self.process.0.wait().unwrap().success());
    }
}

/// Bytes of all files below a directory.
pub fn size(directory: &Path) -> u64 {
    let of = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => size(&entry.path()),
            false => entry.metadata().unwrap().len(),
        }
    };
    std::fs::read_dir(directory).unwrap().map(of).sum()
}

/// Ids of the users, as the simulated Google knows them.
pub async fn user_ids(google: &Google) -> Vec<String> {
    let state = google.told("state").await;
    let users = state["users"].as_array().unwrap().iter();
    users
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}
