//! A simulated Google, a daemon in this process, and clients of it.

use super::{Google, browser};
use provisiond::{
    app::{App, Substitutes},
    config::Config,
    connector::Backoff,
    model::ManualClock,
    proto::v1::{
        self, directory_service_client::DirectoryServiceClient,
        integration_service_client::IntegrationServiceClient,
        sync_service_client::SyncServiceClient,
    },
    sandbox::Options,
    store::Store,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub const SYSTEM: &str = "systems/google-workspace";

/// Name of the test's company.
pub fn company() -> String {
    "companies/acme".to_owned()
}

/// Name of the test's integration.
pub fn integration() -> String {
    "companies/acme/integrations/google".to_owned()
}

/// Everything that a test of the whole needs. Ends with it.
pub struct World {
    pub google: Google,
    pub home: TempDir,
    pub clock: ManualClock,
    pub store: Store,
    pub integrations: IntegrationServiceClient<Channel>,
    pub sync: SyncServiceClient<Channel>,
    pub directory: DirectoryServiceClient<Channel>,
    pub grpc: String,
    pub http: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl World {
    /// A world with such a Google and nothing set up.
    pub async fn start(options: Options) -> Self {
        let google = Google::start(options).await;
        Self::with(google, tempfile::tempdir().unwrap()).await
    }

    /// A daemon over a Google and a home that are there already.
    pub async fn with(google: Google, home: TempDir) -> Self {
        let url = google.url();
        Self::at(&url, google, home).await
    }

    /// The same, but the daemon takes what is at another URL for Google.
    pub async fn at(url: &str, google: Google, home: TempDir) -> Self {
        Self::configured(url, google, home, Vec::new()).await
    }

    /// The same, with settings of its own, by dotted key; an empty one is left out.
    pub async fn configured(
        url: &str,
        google: Google,
        home: TempDir,
        settings: Vec<(String, String)>,
    ) -> Self {
        let clock = ManualClock::default();
        let substitutes = Substitutes {
            clock: Arc::new(clock.clone()),
            backoff: Backoff {
                base: Duration::from_millis(2),
                ..Backoff::default()
            },
        };
        let app = App::open(config(url, &google.options, &home, &settings), substitutes)
            .await
            .unwrap();
        let grpc = format!("http://{}", app.grpc_address().unwrap());
        let http = format!("http://{}", app.http_address().unwrap());
        let store = app.store().clone();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let task = tokio::spawn(async move { app.run(until).await.unwrap() });
        // The listener is bound already; what it speaks is the test's to know.
        let channel = Channel::from_shared(grpc.clone()).unwrap().connect_lazy();
        Self {
            google,
            home,
            clock,
            store,
            integrations: IntegrationServiceClient::new(channel.clone()),
            sync: SyncServiceClient::new(channel.clone()),
            directory: DirectoryServiceClient::new(channel).max_decoding_message_size(64 << 20),
            grpc,
            http,
            stop,
            task,
        }
    }

    /// Stops the daemon gracefully; Google and home stay.
    pub async fn stop(self) -> (Google, TempDir) {
        self.stop.cancel();
        self.task.await.unwrap();
        (self.google, self.home)
    }

    /// A world with the integration made, authorized by the admin, and both lookup templates applied.
    pub async fn ready(options: Options) -> Self {
        let mut world = Self::start(options).await;
        world.create("google").await;
        world.authorize("admin@acme.test").await;
        for template in ["lookup-users", "lookup-groups"] {
            world.apply(template).await;
        }
        world
    }

    /// Makes an integration of the test's company.
    pub async fn create(&mut self, id: &str) -> v1::Integration {
        let integration = v1::Integration {
            title: id.to_owned(),
            system: SYSTEM.to_owned(),
            direction: v1::Direction::FromSystem.into(),
            ..v1::Integration::default()
        };
        let request = v1::CreateIntegrationRequest {
            parent: company(),
            integration: Some(integration),
            integration_id: id.to_owned(),
            ..v1::CreateIntegrationRequest::default()
        };
        self.integrations
            .create_integration(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Address of a consent page for the test's integration.
    pub async fn begin(&mut self) -> String {
        self.begin_with(false).await
    }

    /// The same, with the right to read organizational units or without.
    pub async fn begin_with(&mut self, org_units: bool) -> String {
        self.begin_as(v1::BeginAuthorizationRequest {
            org_units,
            ..v1::BeginAuthorizationRequest::default()
        })
        .await
    }

    /// The same, as asked for in all but the name.
    pub async fn begin_as(&mut self, asked: v1::BeginAuthorizationRequest) -> String {
        let request = v1::BeginAuthorizationRequest {
            name: integration(),
            ..asked
        };
        self.integrations
            .begin_authorization(request)
            .await
            .unwrap()
            .into_inner()
            .authorization_url
    }

    /// Consents as this account to everything; gives status and text of the callback page.
    pub async fn consent(&mut self, account: &str) -> (u16, String) {
        let page = self.begin().await;
        let answer = browser::decide(&page, account, "allow", None).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Consents as this account to everything, successfully.
    pub async fn authorize(&mut self, account: &str) {
        let (status, text) = self.consent(account).await;
        assert_eq!(status, 200, "{text}");
        assert_eq!(
            self.integration().await.authorization.unwrap().state(),
            v1::authorization::State::Authorized
        );
    }

    /// The test's integration as it is.
    pub async fn integration(&mut self) -> v1::Integration {
        let request = v1::GetIntegrationRequest {
            name: integration(),
        };
        self.integrations
            .get_integration(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Applies a template.
    pub async fn apply(&mut self, template: &str) -> v1::Rule {
        let request = v1::ApplyRuleTemplateRequest {
            parent: integration(),
            template: template.to_owned(),
            ..v1::ApplyRuleTemplateRequest::default()
        };
        self.integrations
            .apply_rule_template(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Asks for a run of all automatic rules.
    pub async fn start_run(&mut self) -> v1::Run {
        let request = v1::StartRunRequest {
            parent: integration(),
            ..v1::StartRunRequest::default()
        };
        self.sync.start_run(request).await.unwrap().into_inner()
    }

    /// Runs all automatic rules and waits for the end.
    pub async fn run(&mut self) -> v1::Run {
        let run = self.start_run().await;
        self.finished(&run.name).await
    }

    /// Waits for the end of a run.
    pub async fn finished(&mut self, run: &str) -> v1::Run {
        use v1::watch_runs_response::Event;
        let request = v1::WatchRunsRequest {
            parent: run.to_owned(),
            ..v1::WatchRunsRequest::default()
        };
        let mut news = self.sync.watch_runs(request).await.unwrap().into_inner();
        while let Some(message) = news.message().await.unwrap() {
            match message.event {
                Some(Event::RunFinished(run)) => return run,
                Some(Event::RunSnapshot(run)) if run.end_time.is_some() => return run,
                _ => {}
            }
        }
        panic!("the stream ended before the run");
    }

    /// All users of the directory.
    pub async fn users(&mut self) -> Vec<v1::User> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListUsersRequest {
                parent: company(),
                page_size: 1000,
                page_token,
                ..v1::ListUsersRequest::default()
            };
            let page = self
                .directory
                .list_users(request)
                .await
                .unwrap()
                .into_inner();
            all.extend(page.users);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// All groups of the directory.
    pub async fn groups(&mut self) -> Vec<v1::Group> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListGroupsRequest {
                parent: company(),
                page_size: 1000,
                page_token,
                ..v1::ListGroupsRequest::default()
            };
            let page = self
                .directory
                .list_groups(request)
                .await
                .unwrap()
                .into_inner();
            all.extend(page.groups);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// All members of a group, by resource name.
    pub async fn members(&mut self, group: &str) -> Vec<v1::Member> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListMembersRequest {
                parent: group.to_owned(),
                page_size: 1000,
                page_token,
            };
            let page = self
                .directory
                .list_members(request)
                .await
                .unwrap()
                .into_inner();
            all.extend(page.members);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    /// All recorded outcomes of a run.
    pub async fn changes(&mut self, run: &str) -> Vec<v1::Change> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListChangesRequest {
                parent: run.to_owned(),
                page_size: 1000,
                page_token,
                ..v1::ListChangesRequest::default()
            };
            let page = self.sync.list_changes(request).await.unwrap().into_inner();
            all.extend(page.changes);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }
}

/// The daemon's configuration for a home and a Google at a URL.
fn config(url: &str, google: &Options, home: &TempDir, settings: &[(String, String)]) -> Config {
    let secret = home.path().join("client-secret");
    std::fs::write(&secret, &google.client_secret).unwrap();
    let system = |key: &str, value: String| (format!("systems.google-workspace.{key}"), value);
    let overrides = [
        ("grpc.listen".to_owned(), "127.0.0.1:0".to_owned()),
        ("http.listen".to_owned(), "127.0.0.1:0".to_owned()),
        (
            "store.path".to_owned(),
            home.path().join("data").display().to_string(),
        ),
        (
            "sealing.key_file".to_owned(),
            home.path().join("key").display().to_string(),
        ),
        system("client_id", google.client_id.clone()),
        system("client_secret_file", secret.display().to_string()),
        system("auth_url", format!("{url}/o/oauth2/v2/auth")),
        system("token_url", format!("{url}/token")),
        system("revoke_url", format!("{url}/revoke")),
        system("userinfo_url", format!("{url}/v1/userinfo")),
        system("jwks_url", format!("{url}/oauth2/v3/certs")),
        system("api_url", format!("{url}/")),
    ];
    let left_out = |key: &str| settings.iter().any(|(of, to)| of == key && to.is_empty());
    let overrides = overrides.into_iter().filter(|(key, _)| !left_out(key));
    let settings = settings.iter().filter(|(_, to)| !to.is_empty()).cloned();
    Config::load(None, [], overrides.chain(settings)).unwrap()
}
