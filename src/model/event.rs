//! News: what happened in a company, in order.

use super::{
    Attribute, Change, Counters, EntityId, Integration, IntegrationId, Kind, MemberCounters, Phase,
    Run, RunId, Time,
};
use std::time::Duration;

/// What happened. Every kind but [`Progress`] is durable and has a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// A run was asked for.
    RunQueued(Run),
    /// A run began.
    RunStarted(Run),
    /// A run goes on to another phase.
    RunPhase(Run),
    /// A run recorded what became of an object.
    Change {
        /// Of which integration.
        integration: IntegrationId,
        /// In which run.
        run: RunId,
        /// What became of it.
        change: Change,
    },
    /// A run is over.
    RunFinished(Run),
    /// An integration was made or changed.
    IntegrationChanged(Integration),
    /// An integration lost its authorization.
    AuthorizationLost(Integration),
    /// A caller changed the directory.
    Directory(DirectoryEdit),
}

impl EventBody {
    /// The integration that it is about; none if it is about the directory itself.
    pub fn integration(&self) -> Option<&IntegrationId> {
        match self {
            Self::RunQueued(run)
            | Self::RunStarted(run)
            | Self::RunPhase(run)
            | Self::RunFinished(run) => Some(&run.integration),
            Self::Change { integration, .. } => Some(integration),
            Self::IntegrationChanged(integration) | Self::AuthorizationLost(integration) => {
                Some(&integration.id)
            }
            Self::Directory(_) => None,
        }
    }

    /// The run that it is about, if it is about one.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::RunQueued(run)
            | Self::RunStarted(run)
            | Self::RunPhase(run)
            | Self::RunFinished(run) => Some(&run.id),
            Self::Change { run, .. } => Some(run),
            Self::IntegrationChanged(_) | Self::AuthorizationLost(_) | Self::Directory(_) => None,
        }
    }
}

/// What a caller did to a user or group of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEdit {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: EntityId,
    /// Its primary address, as it is now.
    pub label: String,
    /// What was done.
    pub what: Edit,
    /// Who did it.
    pub caller: String,
}

/// What was done to a user or group of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// It was made.
    Created,
    /// These attributes of it changed.
    Updated(Vec<Attribute>),
    /// This address became a direct member of it.
    Joined(String),
    /// This address is no direct member of it any more.
    Left(String),
    /// It was deleted.
    Deleted,
    /// It was had back.
    Undeleted,
}

/// A durable event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Strictly increasing within the company.
    pub sequence: u64,
    /// When.
    pub time: Time,
    /// What.
    pub body: EventBody,
}

/// How far a run has come; never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Of which integration.
    pub integration: IntegrationId,
    /// Which run.
    pub run: RunId,
    /// What it is busy with.
    pub phase: Phase,
    /// Counted so far.
    pub counters: Counters,
    /// Memberships counted so far.
    pub members: MemberCounters,
    /// Objects that there will be, as far as known (those of the last complete run).
    pub total: Option<u64>,
    /// Objects per second, over the whole run.
    pub per_second: u64,
    /// Time left at that rate, if the total is known.
    pub remaining: Option<Duration>,
    /// While the system throttles: how long this run waits before its next request.
    pub throttled_for: Option<Duration>,
}
