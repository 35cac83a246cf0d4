//! A run: one execution of rules over objects, with a recorded outcome for each.

use super::{CompanyId, IntegrationId, ObjectRef, RuleId, RunId, Time, Uid};
use std::{collections::BTreeMap, time::Duration};

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Somebody called `StartRun` or `ProvisionObject`.
    Manual,
    /// The daemon repeats a run that was interrupted.
    Recovery,
    /// The integration was due.
    Schedule,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It waits.
    Queued,
    /// It is going on.
    Running,
    /// Over; nothing failed.
    Succeeded,
    /// Over; some objects failed or were deferred.
    SucceededWithFailures,
    /// Over; a listing or the run itself could not be completed. What was applied stands.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// The daemon died meanwhile; it is done again by a run with trigger `RECOVERY`.
    Interrupted,
}

impl RunState {
    /// Whether it is over.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What a running run is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Listing the source; what is read is applied meanwhile.
    Reading,
    /// The listings are complete; what had to wait for that is applied: swapped addresses, memberships.
    Applying,
}

/// Counts of objects (semantics 21). `considered = out_of_scope + in_scope()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Objects read, and linked objects that are absent.
    pub considered: u64,
    /// Met no rule's conditions.
    pub out_of_scope: u64,
    /// Were as they should be.
    pub unchanged: u64,
    /// Created or adopted.
    pub added: u64,
    /// Brought up to date.
    pub modified: u64,
    /// Left alone, each for a reason.
    pub skipped: u64,
    /// Could not be done.
    pub failed: u64,
    /// Not tried now.
    pub deferred: u64,
}

impl Counters {
    /// All that some rule, or the absence of the object, decided.
    pub fn in_scope(&self) -> u64 {
        self.unchanged + self.added + self.modified + self.skipped + self.failed + self.deferred
    }

    /// Whether every object is accounted for exactly once.
    pub fn add_up(&self) -> bool {
        self.considered == self.out_of_scope + self.in_scope()
    }
}

/// Counts of memberships. `considered = unchanged + added + removed + pending + skipped + failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberCounters {
    /// Memberships read, and remembered ones that are no longer there.
    pub considered: u64,
    /// Were there already.
    pub unchanged: u64,
    /// Added.
    pub added: u64,
    /// Removed: no longer in the source's complete listing of that group.
    pub removed: u64,
    /// Wait for a member that is not provisioned; complete by themselves.
    pub pending: u64,
    /// Left alone: external members, forbidden listings, losses above the limit.
    pub skipped: u64,
    /// Could not be done.
    pub failed: u64,
}

/// Counts of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCounters {
    /// The rule.
    pub rule: RuleId,
    /// What it decided; `out_of_scope` counts nothing here.
    pub counters: Counters,
}

/// Everything that a run counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Objects.
    pub objects: Counters,
    /// Memberships.
    pub members: MemberCounters,
    /// Objects, rule by rule.
    pub rules: Vec<RuleCounters>,
    /// Skipped objects by reason code.
    pub skips: BTreeMap<String, u64>,
}

/// Requests made to the system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestCounts {
    /// By the system's name of the method, such as `directory.users.list`; repetitions count.
    pub by_method: BTreeMap<String, u64>,
    /// How many were repetitions of a failed one.
    pub retries: u64,
    /// Time spent waiting because the system throttled, or would have.
    pub throttled: Duration,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// Stable code, in capitals.
    pub code: String,
    /// For people: what happened and what to do.
    pub text: String,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whose it is.
    pub company: CompanyId,
    /// Of which integration.
    pub integration: IntegrationId,
    /// The daemon's key of the integration.
    pub integration_uid: Uid,
    /// Its id.
    pub id: RunId,
    /// The rules named; empty = all automatic ones.
    pub rules: Vec<RuleId>,
    /// The one source object that it is about; none = all of them.
    pub object: Option<ObjectRef>,
    /// What started it.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: RunState,
    /// What it is busy with, while it runs.
    pub phase: Option<Phase>,
    /// What it has counted so far.
    pub tally: Tally,
    /// Requests made to the system so far.
    pub requests: RequestCounts,
    /// Who asked for it; empty for the daemon itself.
    pub requested_by: String,
    /// When it was asked for.
    pub create_time: Time,
    /// When it began.
    pub start_time: Option<Time>,
    /// When it ended.
    pub end_time: Option<Time>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// The due time that it is for, if it is for one; the latest if it is for several.
    pub scheduled_time: Option<Time>,
    /// Whether it makes up for due times that were missed.
    pub made_up: bool,
    /// Whether it only decides: nothing but its own records is written, and its counts say what a run would come to.
    pub preview: bool,
}

impl Run {
    /// Whether it brings all objects of its integration up to date, and so is what `last_run` of that may name once it began.
    pub fn is_bulk(&self) -> bool {
        self.object.is_none() && !self.preview
    }
}
