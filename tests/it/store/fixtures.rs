//! A store in a directory of its own, and things to put into it.

use provisiond::{
    model::{
        Action, Attribute, Attributes, Authorization, AuthorizedBy, Change, CompanyId, Consent,
        Direction, Entity, EntityId, EntityLink, Fingerprint, Integration, IntegrationId,
        IntegrationState, Kind, Limits, Link, LinkOrigin, ManualClock, ObjectRef, Outcome,
        PageRequest, PendingAuthorization, RequestCounts, RequestKey, Rule, RuleEvent, RuleId, Run,
        RunId, RunMode, RunState, Schedule, Secret, SourceId, SystemId, Tally, Time, Trigger, Uid,
        Value, WrittenBy,
    },
    store::{Error, Options, SealingKey, Slice, Store},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Where a store lives.
pub struct Home {
    dir: tempfile::TempDir,
    pub clock: ManualClock,
}

impl Home {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: ManualClock::default(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn key_file(&self) -> PathBuf {
        self.dir.path().join("keys/sealing.key")
    }

    pub async fn try_open(&self) -> Result<Store, Error> {
        Store::open(Options {
            path: self.data(),
            key: SealingKey::load_or_create(&self.key_file())?,
            clock: Arc::new(self.clock.clone()),
        })
        .await
    }

    pub async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    /// Every byte of every file of the store.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut dirs = vec![self.data()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    all.extend(std::fs::read(path).unwrap());
                }
            }
        }
        all
    }
}

/// Fails the test if it hangs.
pub async fn within<T>(seconds: u64, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), work)
        .await
        .expect("the store hangs")
}

pub fn company(id: &str) -> CompanyId {
    CompanyId::try_new(id).unwrap()
}

pub fn acme() -> CompanyId {
    company("acme")
}

pub fn entity_id(id: &str) -> EntityId {
    EntityId::try_new(id).unwrap()
}

pub fn source(id: &str) -> SourceId {
    SourceId::try_new(id).unwrap()
}

/// A moment with all digits, so that what rounds times is noticed.
pub fn moment() -> Time {
    Time::new(1_795_000_000, 123_456_789).unwrap()
}

pub fn page(size: usize) -> PageRequest {
    PageRequest { size, token: None }
}

pub fn request(id: &str, body: u8) -> Option<RequestKey> {
    Some(RequestKey {
        id: id.to_owned(),
        body: [body; 32],
    })
}

pub fn integration(company: &CompanyId, id: &str) -> Integration {
    Integration {
        company: company.clone(),
        id: IntegrationId::try_new(id).unwrap(),
        uid: Uid::generate(),
        title: format!("Title of {id}"),
        state: IntegrationState::Ready,
        system: SystemId::try_new("google-workspace").unwrap(),
        direction: Direction::FromSystem,
        active: true,
        schedule: Schedule::default(),
        next_sync: None,
        limits: Limits::default(),
        protected: Vec::new(),
        domains: Vec::new(),
        authorization: Authorization::default(),
        last_run: None,
        interruptions: 0,
        create_time: moment(),
        update_time: moment(),
    }
}

pub fn rule(integration: &Integration, id: &str) -> Rule {
    Rule {
        company: integration.company.clone(),
        integration: integration.id.clone(),
        id: RuleId::try_new(id).unwrap(),
        title: format!("Rule {id}"),
        position: 0,
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        conditions: Vec::new(),
        action: Action::Add,
        target_kind: Kind::User,
        defaults: Attributes::default(),
        mappings: Vec::new(),
        run_mode: RunMode::Automatic,
        active: true,
        create_time: moment(),
        update_time: moment(),
    }
}

pub fn consent(customer: &str) -> Consent {
    Consent {
        by: AuthorizedBy {
            subject: "1234567".to_owned(),
            email: "admin@acme.example".to_owned(),
            display_name: "Ada Admin".to_owned(),
        },
        time: moment(),
        domain: "acme.example".to_owned(),
        customer_id: customer.to_owned(),
        scopes: vec!["openid".to_owned(), "users.readonly".to_owned()],
        service_account: None,
    }
}

pub fn pending(integration: &Integration, state: u8, expire_time: Time) -> PendingAuthorization {
    PendingAuthorization {
        state_hash: [state; 32],
        company: integration.company.clone(),
        integration: integration.id.clone(),
        verifier: Secret::new("verifier-in-clear".to_owned()),
        nonce: Secret::new("nonce-in-clear".to_owned()),
        redirect_uri: "http://127.0.0.1:8480/oauth/callback".to_owned(),
        return_url: Some("https://dash.example/done".to_owned()),
        expire_time,
    }
}

pub fn entity(company: &CompanyId, kind: Kind, id: &str, email: &str) -> Entity {
    let attributes = [
        (Attribute::USER_NAME, Value::Text(email.to_owned())),
        (Attribute::ACTIVE, Value::Bool(true)),
        (
            Attribute::ALIASES,
            Value::List(vec!["a@x.example".to_owned(), "b@x.example".to_owned()]),
        ),
        (
            Attribute::new("customSchema.colour"),
            Value::Text("blå".to_owned()),
        ),
    ];
    Entity {
        company: company.clone(),
        kind,
        id: entity_id(id),
        uid: uuid::Uuid::try_parse(id).map_or_else(|_| Uid::generate(), Uid),
        attributes: attributes.into_iter().collect(),
        owners: Default::default(),
        links: Vec::new(),
        deactivated_by_hand: false,
        written_by: WrittenBy::Caller("backend".to_owned()),
        revision: 0,
        create_time: moment(),
        update_time: moment(),
    }
}

pub fn set_email(entity: &mut Entity, email: &str) {
    entity
        .attributes
        .set(Attribute::USER_NAME, Value::Text(email.to_owned()));
}

pub fn run(integration: &Integration) -> Run {
    Run {
        company: integration.company.clone(),
        integration: integration.id.clone(),
        integration_uid: integration.uid,
        id: RunId::generate(),
        rules: Vec::new(),
        object: None,
        trigger: Trigger::Manual,
        state: RunState::Queued,
        phase: None,
        tally: Tally::default(),
        requests: RequestCounts::default(),
        requested_by: "backend".to_owned(),
        create_time: Time::now(),
        start_time: None,
        end_time: None,
        error: None,
        scheduled_time: None,
        made_up: false,
        preview: false,
    }
}

/// A slice that holds nothing but its run.
pub fn slice(run: &Run) -> Slice {
    Slice {
        run: run.clone(),
        seen: Vec::new(),
        entities: Vec::new(),
        links: Vec::new(),
        parts: Vec::new(),
        members: Vec::new(),
        remembered: Vec::new(),
        changes: Vec::new(),
    }
}

pub fn change(source: &str, label: &str, outcome: Outcome) -> Change {
    Change {
        rule: Some(RuleId::try_new("users").unwrap()),
        action: Some(Action::Add),
        source: ObjectRef {
            kind: Kind::User,
            id: source.to_owned(),
            label: label.to_owned(),
        },
        target: None,
        outcome,
        reason: None,
        diffs: Vec::new(),
        time: moment(),
    }
}

/// What a run adds for one new user: object, link, change.
pub fn provisioned(integration: &Integration, number: usize) -> (Entity, Link, Change) {
    let id = EntityId::generate();
    let email = format!("user{number}@acme.example");
    let mut user = entity(&integration.company, Kind::User, id.as_str(), &email);
    let source = source(&format!("10{number:019}"));
    user.links.push(EntityLink {
        integration: integration.uid,
        source: source.clone(),
    });
    let names: Vec<_> = user.attributes.iter().map(|(n, _)| n.clone()).collect();
    user.owners = names
        .into_iter()
        .map(|name| (name, integration.id.clone()))
        .collect();
    user.written_by = WrittenBy::Integration(integration.id.clone());
    let change = change(source.as_str(), &email, Outcome::Applied);
    let link = Link {
        source,
        target: Some((id, LinkOrigin::Created)),
        fingerprint: Fingerprint(7),
        members_fingerprint: Fingerprint::NONE,
        active: true,
        has_members: false,
        absent: false,
        told: Fingerprint::NONE,
    };
    (user, link, change)
}

/// A store with one integration and one run that is going on.
pub async fn with_run(home: &Home) -> (Store, Integration, Run) {
    let store = home.open().await;
    let integration = store
        .create_integration(integration(&acme(), "main"), None)
        .await
        .unwrap()
        .value;
    let run = store.create_run(run(&integration), None).await.unwrap();
    (store, integration, run)
}
