//! Events.

use super::{Error, IntegrationRow, Moment, RunRow, integration_id, run_id};
use crate::{
    model::{CompanyId, EventBody, IntegrationId, RunId},
    store::keys,
};

/// Where some changes of a run are.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ChunkRef {
    /// Sequence of the first, which ends the key of their row.
    #[prost(uint64, tag = "1")]
    pub(in crate::store) first: u64,
    #[prost(uint32, tag = "2")]
    pub(in crate::store) count: u32,
}

/// Where the changes of a slice are.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ChangesRef {
    #[prost(bytes = "vec", tag = "1")]
    integration: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    run: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::store) chunks: Vec<ChunkRef>,
}

impl ChangesRef {
    pub(in crate::store) fn row(
        integration: &IntegrationId,
        run: &RunId,
        chunks: Vec<ChunkRef>,
    ) -> Self {
        Self {
            integration: keys::pack(integration.as_str()),
            run: keys::pack(run.as_str()),
            chunks,
        }
    }

    pub(in crate::store) fn ids(&self) -> Result<(IntegrationId, RunId), Error> {
        Ok((integration_id(&self.integration)?, run_id(&self.run)?))
    }
}

/// What an event tells of.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(in crate::store) enum Subject {
    #[prost(message, tag = "4")]
    Run(RunRow),
    #[prost(message, tag = "5")]
    Integration(IntegrationRow),
    #[prost(message, tag = "6")]
    Changes(ChangesRef),
}

/// An event, or a run of events with consecutive sequences; company and first sequence are in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct EventRow {
    #[prost(message, optional, tag = "1")]
    pub(in crate::store) time: Option<Moment>,
    /// How many sequences it covers.
    #[prost(uint64, tag = "2")]
    pub(in crate::store) count: u64,
    #[prost(uint32, tag = "3")]
    what: u32,
    #[prost(oneof = "Subject", tags = "4, 5, 6")]
    pub(in crate::store) subject: Option<Subject>,
}

const QUEUED: u32 = 1;
const STARTED: u32 = 2;
const PHASE: u32 = 3;
const FINISHED: u32 = 4;
const CHANGES: u32 = 5;
const INTEGRATION_CHANGED: u32 = 6;
const AUTHORIZATION_LOST: u32 = 7;

impl EventRow {
    /// A single event. Changes come as [`EventRow::changes`] only.
    pub(in crate::store) fn row(time: Moment, body: &EventBody) -> Result<Self, Error> {
        let (what, subject) = match body {
            EventBody::RunQueued(run) => (QUEUED, Subject::Run(RunRow::row(run))),
            EventBody::RunStarted(run) => (STARTED, Subject::Run(RunRow::row(run))),
            EventBody::RunPhase(run) => (PHASE, Subject::Run(RunRow::row(run))),
            EventBody::RunFinished(run) => (FINISHED, Subject::Run(RunRow::row(run))),
            EventBody::IntegrationChanged(integration) => (
                INTEGRATION_CHANGED,
                Subject::Integration(IntegrationRow::row(integration)),
            ),
            EventBody::AuthorizationLost(integration) => (
                AUTHORIZATION_LOST,
                Subject::Integration(IntegrationRow::row(integration)),
            ),
            EventBody::Change { .. } => {
                return Err(Error::Refused(
                    "a change is recorded with its slice, not as an event".to_owned(),
                ));
            }
        };
        Ok(Self {
            time: Some(time),
            count: 1,
            what,
            subject: Some(subject),
        })
    }

    /// The changes of a slice.
    pub(in crate::store) fn changes(time: Moment, count: u64, changes: ChangesRef) -> Self {
        Self {
            time: Some(time),
            count,
            what: CHANGES,
            subject: Some(Subject::Changes(changes)),
        }
    }

    /// The single event that this row is.
    pub(in crate::store) fn body(self, company: CompanyId) -> Result<EventBody, Error> {
        let make = match (self.what, self.subject) {
            (QUEUED, Some(Subject::Run(run))) => EventBody::RunQueued(run.model(company)?),
            (STARTED, Some(Subject::Run(run))) => EventBody::RunStarted(run.model(company)?),
            (PHASE, Some(Subject::Run(run))) => EventBody::RunPhase(run.model(company)?),
            (FINISHED, Some(Subject::Run(run))) => EventBody::RunFinished(run.model(company)?),
            (INTEGRATION_CHANGED, Some(Subject::Integration(row))) => {
                EventBody::IntegrationChanged(row.model(company)?)
            }
            (AUTHORIZATION_LOST, Some(Subject::Integration(row))) => {
                EventBody::AuthorizationLost(row.model(company)?)
            }
            _ => return Err(Error::unreadable("an event")),
        };
        Ok(make)
    }
}
