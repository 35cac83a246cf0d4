//! TEMPORARY SKELETON of the store's API: the store room replaces it. Signatures are the contract.
#![allow(clippy::unimplemented, unused_variables, clippy::unused_async, clippy::needless_pass_by_value, dead_code)]

use crate::model::*;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::watch;

/// What can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The id, title, request id or address is taken; by whom or what, for people.
    #[error("{what} is taken: {holder}")]
    Taken {
        /// `id`, `title`, `email`, `request_id`, `customer`, `position`.
        what: &'static str,
        /// The resource name of the holder where it may be told, else a description.
        holder: String,
    },
    /// There is no such thing.
    #[error("{0} does not exist")]
    Missing(String),
    /// What the write was based on has changed: read again. Nothing was written.
    #[error("changed meanwhile: {0}")]
    Changed(String),
    /// A page token or sequence that can't be used (any more).
    #[error("{0}")]
    BadPosition(String),
    /// A change refused by the closure given (see `update_integration`).
    #[error("{0}")]
    Refused(String),
    /// The store is damaged: the text says what to do.
    #[error("{0}")]
    Damaged(String),
    /// The disk is full, or I/O fails. The store takes no more writes until the daemon is restarted.
    #[error("the store can't write: {0}")]
    Io(String),
    /// Another process holds the store.
    #[error("{0}")]
    Locked(String),
}

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; made if absent.
    pub path: PathBuf,
    /// The sealing key: 32 random bytes; made by `SealingKey::load_or_create(file)` beside, never inside, the data directory.
    pub key: SealingKey,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The key that seals secrets (AES-256-GCM-SIV, key derived per purpose by HKDF, row key as additional data).
#[derive(Clone, Debug)]
pub struct SealingKey(Secret);
impl SealingKey {
    /// Reads the key file (hex), or makes one with mode 0600.
    pub fn load_or_create(file: &std::path::Path) -> Result<Self, Error> { unimplemented!() }
}

/// A new thing, or the one that the same request made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// The thing.
    pub value: T,
    /// Whether the same request (id and body) had made it before.
    pub replayed: bool,
}

/// The store: a cheap handle; all durable state is behind it.
#[derive(Clone, Debug)]
pub struct Store(Arc<()>);

/// A slice of a run: everything in it becomes durable together, or nothing does (semantics 19).
#[derive(Debug, Clone)]
pub struct Slice {
    /// The run with its counters as of this slice; its row is written too.
    pub run: Run,
    /// New directory objects (revision 0) and changed ones (revision = the one read; the write increments it).
    /// The address index is updated jointly: first every old address of all of these is released, then the new ones are claimed; a claim that
    /// collides fails the slice with `SliceError::Conflicts`.
    pub entities: Vec<Entity>,
    /// Links to write (whole rows).
    pub links: Vec<(Kind, Link)>,
    /// Memberships to add or take away, in the directory (origins are merged; a membership without origin left is deleted). Idempotent.
    pub members: Vec<MemberWrite>,
    /// For groups (by source id): remembered members to put (by source id) and to forget.
    pub remembered: Vec<(SourceId, Vec<AppliedMember>, Vec<SourceId>)>,
    /// Recorded outcomes; each also becomes one durable event (sequence) without being stored twice.
    pub changes: Vec<Change>,
    /// A further event about the run (e.g. `RunPhase`).
    pub event: Option<EventBody>,
}

/// Why a slice was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SliceError {
    /// These entities (by index) were changed by somebody else meanwhile, or their address is taken: look again, plan again.
    #[error("changed meanwhile")]
    Conflicts(Vec<usize>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Which changes to list. All conditions must be met; pages are in order of time, oldest first within a run, newest run first.
#[derive(Debug, Clone, Default)]
pub struct ChangeFilter {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this rule.
    pub rule: Option<RuleId>,
    /// Only with one of these outcomes; empty = any.
    pub outcomes: Vec<Outcome>,
    /// Only of this object: source id, target id, or label (address, folded) at either end.
    pub object: Option<String>,
}

impl Store {
    /// Opens (or makes) a store with all guards of storage.md. Blocking work is done off the runtime.
    pub async fn open(options: Options) -> Result<Self, Error> { unimplemented!() }
    /// Flushes everything and ends the committer thread; later calls fail.
    pub async fn close(&self) -> Result<(), Error> { unimplemented!() }
    /// How many records were put or deleted since it was opened.
    pub fn writes(&self) -> u64 { unimplemented!() }

    // ---- integrations (one file) ----
    /// Fails with Taken (id / title per company and system / request_id with another body). Writes event IntegrationChanged.
    pub async fn create_integration(&self, integration: Integration, request: Option<RequestKey>) -> Result<Created<Integration>, Error> { unimplemented!() }
    pub async fn integration(&self, company: &CompanyId, id: &IntegrationId) -> Result<Option<Integration>, Error> { unimplemented!() }
    /// In order of id.
    pub async fn integrations(&self, company: &CompanyId, page: &PageRequest) -> Result<Listed<Integration>, Error> { unimplemented!() }
    /// Reads, lets `change` change it, writes; all on the committer, so nothing comes between. `change` returns the event to publish (None = daemon-internal change without news),
    /// or Err = refuse, nothing written. If the row comes out unchanged nothing is written and no event published.
    pub async fn update_integration<F>(&self, company: &CompanyId, id: &IntegrationId, change: F) -> Result<Integration, Error>
    where F: FnOnce(&mut Integration) -> Result<Option<fn(Integration) -> EventBody>, Error> + Send + 'static { unimplemented!() }

    // ---- rules ----
    /// Position 0 in the argument = after the last. Fails with Taken, Missing (integration). Event IntegrationChanged.
    pub async fn create_rule(&self, rule: Rule, request: Option<RequestKey>) -> Result<Created<Rule>, Error> { unimplemented!() }
    pub async fn rule(&self, company: &CompanyId, integration: &IntegrationId, id: &RuleId) -> Result<Option<Rule>, Error> { unimplemented!() }
    /// All rules of an integration by position (at most 100 are allowed: creating more is Refused).
    pub async fn rules(&self, company: &CompanyId, integration: &IntegrationId) -> Result<Vec<Rule>, Error> { unimplemented!() }
    /// `unless_changed`: the update_time that the caller saw, if he gave an etag -> Changed.
    pub async fn delete_rule(&self, company: &CompanyId, integration: &IntegrationId, id: &RuleId, unless_changed: Option<Time>) -> Result<(), Error> { unimplemented!() }

    // ---- authorizations ----
    /// Keeps a pending authorization (secrets sealed); sets the integration PENDING if it was REQUIRED. Drops those of this integration that expired.
    pub async fn begin_authorization(&self, pending: PendingAuthorization) -> Result<Integration, Error> { unimplemented!() }
    /// Takes it, atomically: a second call finds nothing. Expired ones are deleted and returned as None too -> caller tells "unknown or used" from "expired" by `Taken state`.
    pub async fn take_authorization(&self, state_hash: [u8; 32]) -> Result<TakenAuthorization, Error> { unimplemented!() }
    /// The authorization was refused or failed: a PENDING integration goes back to REQUIRED; any other state stays.
    pub async fn abandon_authorization(&self, company: &CompanyId, id: &IntegrationId, reason: String) -> Result<Integration, Error> { unimplemented!() }
    /// Binds company and integration to the customer and keeps the refresh token sealed, in one transaction: state AUTHORIZED. Refused with Taken{what:"customer"} if the customer belongs to another company
    /// (semantics 15) or the integration is bound to another customer. Event IntegrationChanged.
    pub async fn authorize(&self, company: &CompanyId, id: &IntegrationId, consent: Consent, refresh_token: Secret) -> Result<Integration, Error> { unimplemented!() }
    /// The refresh token in clear, if there is one.
    pub async fn refresh_token(&self, company: &CompanyId, id: &IntegrationId) -> Result<Option<Secret>, Error> { unimplemented!() }
    /// Keeps a refresh token that the system exchanged for the old one.
    pub async fn replace_refresh_token(&self, company: &CompanyId, id: &IntegrationId, token: Secret) -> Result<(), Error> { unimplemented!() }

    // ---- directory ----
    /// A new object by a caller. Taken{what: "id" | "email" | "request_id"}.
    pub async fn create_entity(&self, entity: Entity, request: Option<RequestKey>) -> Result<Created<Entity>, Error> { unimplemented!() }
    pub async fn entity(&self, company: &CompanyId, kind: Kind, id: &EntityId) -> Result<Option<Entity>, Error> { unimplemented!() }
    /// In order of id.
    pub async fn entities(&self, company: &CompanyId, kind: Kind, page: &PageRequest) -> Result<Listed<Entity>, Error> { unimplemented!() }
    /// The object of any kind that holds an address (folded inside).
    pub async fn entity_by_email(&self, company: &CompanyId, email: &str) -> Result<Option<Entity>, Error> { unimplemented!() }
    /// Members of a group in order of (kind, id).
    pub async fn members(&self, company: &CompanyId, group: &EntityId, page: &PageRequest) -> Result<Listed<Member>, Error> { unimplemented!() }
    /// How many members a group has.
    pub async fn member_count(&self, company: &CompanyId, group: &EntityId) -> Result<u64, Error> { unimplemented!() }
    /// Groups of which this user or group is a direct member, in order of id.
    pub async fn groups_of(&self, company: &CompanyId, kind: Kind, member: &EntityId, page: &PageRequest) -> Result<Listed<EntityId>, Error> { unimplemented!() }

    // ---- links and runs ----
    /// Links of an integration in order of source id, after `after`, at most `limit` (<= 1000): for the table at the start of a run.
    pub async fn links(&self, integration: Uid, kind: Kind, after: Option<SourceId>, limit: usize) -> Result<Vec<Link>, Error> { unimplemented!() }
    /// Link rows by source id, in their order.
    pub async fn links_of(&self, integration: Uid, kind: Kind, sources: Vec<SourceId>) -> Result<Vec<Option<Link>>, Error> { unimplemented!() }
    /// For each wanted: link, linked target, holder of the address if another than the target.
    pub async fn find(&self, company: &CompanyId, integration: Uid, kind: Kind, wanted: Vec<Wanted>) -> Result<Vec<Found>, Error> { unimplemented!() }
    /// All remembered members of a group.
    pub async fn remembered(&self, integration: Uid, group: &SourceId) -> Result<Vec<AppliedMember>, Error> { unimplemented!() }
    /// Writes a slice; all or nothing. Several slices may be under way at once; they commit in the order of the calls.
    pub async fn commit(&self, slice: Slice) -> Result<(), SliceError> { unimplemented!() }
    /// A new run (QUEUED) with event RunQueued, or the one the same request made.
    pub async fn create_run(&self, run: Run, request: Option<RequestKey>) -> Result<Created<Run>, Error> { unimplemented!() }
    /// Writes the run's row with an event; also sets `last_run` of the integration (in the run's own transaction; internal, no event, update_time kept) when the event is RunStarted.
    pub async fn save_run(&self, run: Run, event: Option<fn(Run) -> EventBody>) -> Result<(), Error> { unimplemented!() }
    pub async fn run(&self, company: &CompanyId, integration: &IntegrationId, id: &RunId) -> Result<Option<Run>, Error> { unimplemented!() }
    /// Newest first; of one integration, or of all.
    pub async fn runs(&self, company: &CompanyId, integration: Option<&IntegrationId>, page: &PageRequest) -> Result<Listed<Run>, Error> { unimplemented!() }
    /// Runs QUEUED or RUNNING, of all companies, oldest first: at start, and for snapshots (filter by company).
    pub async fn unfinished_runs(&self) -> Result<Vec<Run>, Error> { unimplemented!() }
    /// Recorded outcomes.
    pub async fn changes(&self, company: &CompanyId, filter: &ChangeFilter, page: &PageRequest) -> Result<Listed<Change>, Error> { unimplemented!() }

    // ---- events ----
    /// Of this store; changes when a backup is restored.
    pub fn epoch(&self) -> String { unimplemented!() }
    /// Durable events after a sequence, at most `limit`, in order. BadPosition if `after` is older than what is kept (text names the earliest) or newer than the last.
    pub async fn events(&self, company: &CompanyId, after: u64, limit: usize) -> Result<Vec<Event>, Error> { unimplemented!() }
    /// The company's last sequence; 0 if there is none.
    pub async fn last_sequence(&self, company: &CompanyId) -> Result<u64, Error> { unimplemented!() }
    /// Wakes (any value) whenever any company has new durable events, after they are durable.
    pub fn subscribe(&self) -> watch::Receiver<u64> { unimplemented!() }
}

/// What became of the attempt to take a pending authorization.
#[derive(Debug, Clone)]
pub enum TakenAuthorization {
    /// It was pending and is now taken.
    Taken(PendingAuthorization),
    /// It was pending too long (it is gone now).
    Expired(PendingAuthorization),
    /// Unknown, or taken before.
    Unknown,
}
