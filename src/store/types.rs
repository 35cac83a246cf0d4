//! What goes in and out of the store beside the model's own types.

use super::{Error, SealingKey};
use crate::model::{
    AppliedMember, Change, Clock, CompanyId, Entity, EntityId, IntegrationId, Kind, Link,
    MemberWrite, Outcome, PendingAuthorization, RuleId, Run, RunId, SourceId,
};
use std::{path::PathBuf, sync::Arc};

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

/// What somebody wants to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// Events of this company.
    pub company: CompanyId,
    /// Only those of this integration.
    pub integration: Option<IntegrationId>,
    /// Recorded changes too, which are most of them.
    pub changes: bool,
}

impl Topic {
    /// Everything in a company.
    pub fn all(company: &CompanyId) -> Self {
        Self {
            company: company.clone(),
            integration: None,
            changes: true,
        }
    }

    /// All topics of which something is: a recorded change or not, about an integration or else about the directory itself.
    pub fn of(
        company: &CompanyId,
        integration: Option<&IntegrationId>,
        is_change: bool,
    ) -> Vec<Self> {
        let mut topics = vec![Self::all(company)];
        if let Some(integration) = integration {
            topics.push(Self {
                integration: Some(integration.clone()),
                ..Self::all(company)
            });
        }
        if !is_change {
            let without = topics.clone().into_iter().map(|topic| Self {
                changes: false,
                ..topic
            });
            topics.extend(without);
        }
        topics
    }
}

/// A new thing, or the one that the same request made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// The thing.
    pub value: T,
    /// Whether the same request (id and body) had made it before.
    pub replayed: bool,
}

/// For a group (by source id): remembered members to put (by source id) and to forget.
pub type Remembered = (SourceId, Vec<AppliedMember>, Vec<SourceId>);

/// A slice of a run: everything in it becomes durable together, or nothing does (semantics 19).
#[derive(Debug, Clone)]
pub struct Slice {
    /// The run with its counters as of this slice; its row is written too.
    pub run: Run,
    /// What it was decided on, and does not write. If it is no longer so, the slice conflicts.
    pub seen: Vec<Seen>,
    /// New directory objects (revision 0) and changed ones (revision = the one read; the write increments it).
    /// The address index is updated jointly: first every old address of all of these is released, then the new ones are claimed; a claim that
    /// collides fails the slice with `SliceError::Conflicts`.
    pub entities: Vec<Entity>,
    /// Links to write (whole rows).
    pub links: Vec<(Kind, Link)>,
    /// Links that are there, of which a part is to be written; the rest of each stays as it is stored.
    pub parts: Vec<(Kind, Link, LinkPart)>,
    /// Memberships to add or take away, in the directory (origins are merged; a membership without origin left is deleted). Idempotent. Those of
    /// what was deleted and can be had back are kept for when it is.
    pub members: Vec<MemberWrite>,
    /// What is remembered of groups' members.
    pub remembered: Vec<Remembered>,
    /// Recorded outcomes; each also becomes one durable event (sequence) without being stored twice. A change that takes more
    /// than about 5 KiB is kept with its values shortened.
    pub changes: Vec<Change>,
}

/// What a link of the slice's integration led to when the slice was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// From which source object it is provisioned.
    pub source: SourceId,
    /// Which it is.
    pub target: EntityId,
    /// Its revision; 0 = it is not there.
    pub revision: u64,
}

/// A part of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPart {
    /// Whether the source lists the object still.
    Absence,
    /// What was applied of a group's memberships, and what is on record of them.
    Members,
}

/// Why a slice was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// These entities (by index; what was seen counts on behind them) were changed by somebody else meanwhile, or their address
    /// is taken: look again, plan again.
    #[error("changed meanwhile")]
    Conflicts(Vec<usize>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Which changes to list. All conditions must be met; pages are in order of time, oldest first within a run, newest run first.
/// A page may hold fewer items than asked for, even none, and still have a `next`: a search that finds little stops now and then.
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

/// A recorded outcome, and where it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Of which integration.
    pub integration: IntegrationId,
    /// In which run.
    pub run: RunId,
    /// Sequence of its event: its id within the run, which sorts by time.
    pub sequence: u64,
    /// What became of the object.
    pub change: Change,
}
