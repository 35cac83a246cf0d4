//! The daemon's store, runs and schedule, with nothing around them, so that years pass in seconds.

use futures_util::future::BoxFuture;
use provisiond::{
    integrations::{
        self, ActsAs, Background, Connectors, Integrations, NewIntegration, SystemSetup,
    },
    model::{
        Action, Attributes, AuthorizationState, AuthorizedBy, Clock, CompanyId, Consent, Direction,
        IntegrationId, Kind, ManualClock, PageRequest, Rule, RuleEvent, RuleId, Run, RunMode,
        ServiceAccount, SyncInterval, SystemId, Time,
    },
    store::{self, SealingKey, Store, Topic},
    sync::{self, Runs},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// As Google grants them.
const SCOPES: [&str; 4] = [
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
];

/// There is no system: every run begins and fails, which is quick and all that is asked here.
#[derive(Debug)]
struct NoSystem;

impl Connectors for NoSystem {
    fn open(
        &self,
        system: &SystemId,
        _: Option<&str>,
        _: ActsAs<'_>,
        _: Arc<dyn provisiond::connector::AccessTokens>,
    ) -> Result<Arc<dyn provisiond::connector::Connector>, provisiond::connector::Error> {
        Err(provisiond::connector::Error::Rejected(system.to_string()))
    }
}

/// The daemon's store, runs and schedule, with nothing around them.
pub struct Daemon {
    pub store: Store,
    pub runs: Runs,
    integrations: Integrations,
}

/// Nobody consents here.
#[derive(Debug)]
struct Nothing;

impl Background for Nothing {
    fn carry(&self, _work: BoxFuture<'static, ()>) {}
}

impl Daemon {
    pub async fn start(home: &Home) -> Self {
        Self::open(home, 4, Vec::new(), Arc::new(NoSystem)).await
    }

    /// The same over these systems, with so many runs at once.
    pub async fn open(
        home: &Home,
        at_once: usize,
        systems: Vec<SystemSetup>,
        connectors: Arc<dyn Connectors>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(home.clock.clone());
        let store = Store::open(store::Options {
            path: home.path().join("data"),
            key: SealingKey::load_or_create(&home.path().join("key")).unwrap(),
            clock: Arc::clone(&clock),
        });
        let store = store.await.unwrap();
        let integrations = Integrations::new(integrations::Options {
            store: store.clone(),
            clock: Arc::clone(&clock),
            systems,
            connectors,
            public_url: url::Url::parse("http://127.0.0.1:1").unwrap(),
            return_origins: Vec::new(),
            background: Arc::new(Nothing),
        });
        let options = sync::Options {
            at_once,
            catch_up: home
                .catch_up
                .map(|seconds| Duration::from_secs(seconds.unsigned_abs())),
        };
        let runs = Runs::open(
            store.clone(),
            integrations.clone(),
            Arc::clone(&clock),
            options,
        );
        runs.recover(&store, clock.as_ref()).await.unwrap();
        runs.keep_schedule(store.clone(), clock);
        Self {
            store,
            runs,
            integrations,
        }
    }

    pub async fn stop(self) {
        self.runs.stop(Duration::from_secs(60)).await;
        drop(self.integrations);
        self.store.close().await.unwrap();
    }

    /// Waits until nothing is due and nothing runs.
    pub async fn settle(&self, home: &Home) {
        let mut changed = (
            self.store.subscribe_due(),
            self.store.subscribe(Topic::all(&company())),
        );
        let settled = async {
            loop {
                changed.0.mark_unchanged();
                changed.1.mark_unchanged();
                let due = self.store.due(None, home.clock.now(), 1).await.unwrap();
                // What is read may be on its way to the disk still: after a write of nothing it is there, with its runs.
                let (company, id) = (company(), IntegrationId::try_new("daily").unwrap());
                let nothing = self.store.update_integration(&company, &id, |_| Ok(None));
                let _ = nothing.await;
                let runs = self.store.unfinished_runs().await.unwrap();
                if due.is_empty() && runs.is_empty() {
                    return;
                }
                tokio::select! {
                    woken = changed.0.changed() => woken.unwrap(),
                    woken = changed.1.changed() => woken.unwrap(),
                }
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), settled).await;
        waited.expect("the schedule hangs");
    }

    /// Waits until each of these integrations is due next when it should be, and says which is not.
    pub async fn planned(&self, expected: &[(&str, i64)]) {
        let mut changed = self.store.subscribe_due();
        let mut wrong = Vec::new();
        let planned = async {
            loop {
                changed.mark_unchanged();
                wrong.clear();
                for (name, due) in expected {
                    let id = IntegrationId::try_new(name).unwrap();
                    let found = self.store.integration(&company(), &id).await.unwrap();
                    let next = found.unwrap().next_sync.map(Time::as_second);
                    if next != Some(*due) {
                        wrong.push((*name, *due, next));
                    }
                }
                if wrong.is_empty() {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), planned).await;
        assert!(waited.is_ok(), "due, expected and had: {wrong:?}");
    }

    /// All runs for due times of an integration, in the order in which they were asked for.
    pub async fn scheduled(&self, integration: &str) -> Vec<Run> {
        let id = IntegrationId::try_new(integration).unwrap();
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let page = PageRequest { size: 1000, token };
            let listed = self.store.runs(&company(), Some(&id), &page).await.unwrap();
            all.extend(listed.items);
            token = listed.next;
            if token.is_none() {
                break;
            }
        }
        all.reverse();
        all.retain(|run| run.scheduled_time.is_some());
        all
    }
}

pub fn company() -> CompanyId {
    CompanyId::try_new("acme").unwrap()
}

/// What outlives the daemon.
pub struct Home {
    pub dir: tempfile::TempDir,
    pub clock: ManualClock,
    pub catch_up: Option<i64>,
}

impl Home {
    fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    pub fn set(&self, second: i64) {
        self.clock.set(Time::from_second(second).unwrap());
    }
}

/// Makes an active integration that could run.
pub async fn add(daemon: &Daemon, zone: &str, interval: SyncInterval, name: &str) {
    add_to(daemon, &company(), (zone, interval), name).await;
}

/// The same for any company.
pub async fn add_to(
    daemon: &Daemon,
    company: &CompanyId,
    (zone, interval): (&str, SyncInterval),
    name: &str,
) {
    let id = IntegrationId::try_new(name).unwrap();
    let customer = format!("customer of {company}");
    let new = NewIntegration {
        id: Some(id.clone()),
        title: name.to_owned(),
        system: SystemId::try_new("google-workspace").ok(),
        direction: Some(Direction::FromSystem),
        active: true,
        interval: Some(interval),
        time_zone: zone.to_owned(),
        ..NewIntegration::default()
    };
    let made = daemon
        .integrations
        .create(company, new, None, false)
        .await
        .unwrap();
    let time = made.value.create_time;
    let rule = Rule {
        company: company.clone(),
        integration: id.clone(),
        id: RuleId::try_new("users").unwrap(),
        title: "Users".to_owned(),
        position: 1,
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        conditions: Vec::new(),
        action: Action::Add,
        target_kind: Kind::User,
        defaults: Attributes::default(),
        mappings: Vec::new(),
        run_mode: RunMode::Automatic,
        active: true,
        create_time: time,
        update_time: time,
    };
    daemon.store.create_rule(rule, None).await.unwrap();
    let authorize = move |integration: &mut provisiond::model::Integration| {
        integration.authorization.state = AuthorizationState::Authorized;
        integration.authorization.consent = Some(Consent {
            by: AuthorizedBy {
                subject: "1".to_owned(),
                email: "admin@acme.test".to_owned(),
                display_name: String::new(),
            },
            time,
            domain: "acme.test".to_owned(),
            customer_id: customer,
            scopes: SCOPES.map(str::to_owned).into(),
            service_account: Some(ServiceAccount {
                email: "sync@project.iam.gserviceaccount.com".to_owned(),
                client_id: "1".to_owned(),
                key_id: "k".to_owned(),
            }),
        });
        Ok(None)
    };
    let authorized = daemon.store.update_integration(company, &id, authorize);
    authorized.await.unwrap();
}
