//! An integration: one connection of a company with one system, in one direction.

use super::{CompanyId, IntegrationId, RunId, Schedule, Secret, SystemId, Time, Uid};

/// Which end is the source. Fixed at creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Changes made in the system trigger changes in AppsCo.
    FromSystem,
    /// Changes made in AppsCo trigger changes in the system.
    ToSystem,
}

/// What an integration is up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrationState {
    /// It can run.
    Ready,
    /// The daemon stopped running it by itself, for this reason, until a person activates it again.
    Paused(String),
    /// It is being taken away: nothing about it changes any more.
    Deleting,
}

/// How the integration stands with the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AuthorizationState {
    /// Nobody has authorized it yet.
    #[default]
    Required,
    /// A consent page was handed out and not yet answered.
    Pending,
    /// It can read.
    Authorized,
    /// It could read and no longer can: an admin must authorize it again.
    ReauthorizationRequired,
}

/// How an integration is, or can be, authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorizationMethod {
    /// An admin of the system consents in a browser (OAuth 2.0, authorization code).
    Consent,
    /// The key of a service account that may act as an admin (domain-wide delegation, RFC 7523).
    ServiceAccountKey,
}

/// A service account and which of its keys; nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its address.
    pub email: String,
    /// The id under which the system's admins let it act for others.
    pub client_id: String,
    /// Id of the key.
    pub key_id: String,
}

/// The admin who authorized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizedBy {
    /// The system's stable id of the admin (OIDC `sub`).
    pub subject: String,
    /// Address at the time of consent.
    pub email: String,
    /// Name at the time of consent; may be empty.
    pub display_name: String,
}

/// What consent was given: in a browser, or by letting a service account act as an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who gave it; with a service account, as whom it acts.
    pub by: AuthorizedBy,
    /// When.
    pub time: Time,
    /// Domain shown for it (`hd`); never trusted for identity.
    pub domain: String,
    /// The system's id of the customer: what the integration is bound to (semantics 15).
    pub customer_id: String,
    /// Scopes granted, sorted.
    pub scopes: Vec<String>,
    /// The service account that acts; none if an admin consented in a browser.
    pub service_account: Option<ServiceAccount>,
}

impl Consent {
    /// How it was given.
    pub fn method(&self) -> AuthorizationMethod {
        match self.service_account {
            Some(_) => AuthorizationMethod::ServiceAccountKey,
            None => AuthorizationMethod::Consent,
        }
    }
}

/// Authorization of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authorization {
    /// How it stands.
    pub state: AuthorizationState,
    /// The consent it lives by, or lived by last.
    pub consent: Option<Consent>,
    /// Why it is broken, in words; empty while it is not.
    pub reason: String,
}

/// Safety limits; `None` = the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Most members that a group may lose in one run, percent of those that this integration applied. Default 50.
    pub max_member_loss_percent: Option<u32>,
}

impl Limits {
    /// The limit in force: what was set, else 50.
    pub fn member_loss_percent(&self) -> u32 {
        self.max_member_loss_percent.unwrap_or(50)
    }
}

/// One connection of a company with one system, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Whose it is.
    pub company: CompanyId,
    /// Its id within the company.
    pub id: IntegrationId,
    /// The daemon's key of it.
    pub uid: Uid,
    /// What tells it apart for people; unique among the company's integrations with the same system.
    pub title: String,
    /// Whether it can run.
    pub state: IntegrationState,
    /// The system.
    pub system: SystemId,
    /// Which end is the source.
    pub direction: Direction,
    /// Whether people want it to run.
    pub active: bool,
    /// When it runs by itself, while it is active.
    pub schedule: Schedule,
    /// When it is due next; none unless it is active.
    pub next_sync: Option<Time>,
    /// Safety limits.
    pub limits: Limits,
    /// Users that are never touched: addresses, or patterns with `*`; at most 100 (semantics 30).
    pub protected: Vec<String>,
    /// The domains whose objects are in scope; empty = all; at most 100 (semantics 15).
    pub domains: Vec<String>,
    /// How it stands with the system.
    pub authorization: Authorization,
    /// The latest run, if there was one.
    pub last_run: Option<RunId>,
    /// Runs in a row that were interrupted (semantics 18).
    pub interruptions: u32,
    /// When it was made.
    pub create_time: Time,
    /// When a caller last changed it.
    pub update_time: Time,
}

#[cfg(test)]
impl Integration {
    /// One of `acme` with Google Workspace, on, with nothing chosen.
    pub(crate) fn example(id: &str) -> Self {
        Self {
            company: CompanyId::try_new("acme").unwrap(),
            id: IntegrationId::try_new(id).unwrap(),
            uid: Uid::generate(),
            title: id.to_owned(),
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
            create_time: Time::UNIX_EPOCH,
            update_time: Time::UNIX_EPOCH,
        }
    }
}

/// An authorization that was begun: kept until answered, at most 10 minutes, used at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAuthorization {
    /// blake3 hash of the `state` parameter: the state itself is never stored.
    pub state_hash: [u8; 32],
    /// For which integration.
    pub company: CompanyId,
    /// For which integration.
    pub integration: IntegrationId,
    /// PKCE verifier (RFC 7636); sealed in the store.
    pub verifier: Secret,
    /// OIDC nonce expected in the id token; sealed in the store.
    pub nonce: Secret,
    /// Redirect URI told to the system.
    pub redirect_uri: String,
    /// Where to send the browser afterwards.
    pub return_url: Option<String>,
    /// When it ends.
    pub expire_time: Time,
}
