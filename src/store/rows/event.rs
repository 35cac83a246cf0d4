//! Events.

use super::{
    Error, IntegrationRow, Moment, RunRow, attribute, entity_id, integration_id, kind_code,
    kind_of, name_row, run_id,
};
use crate::{
    model::{CompanyId, DirectoryEdit, Edit, EventBody, IntegrationId, RunId},
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

/// What a caller did to the directory.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct EditRow {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(string, tag = "3")]
    label: String,
    #[prost(uint32, tag = "4")]
    what: u32,
    #[prost(uint32, repeated, tag = "5")]
    codes: Vec<u32>,
    #[prost(string, repeated, tag = "6")]
    names: Vec<String>,
    #[prost(string, tag = "7")]
    member: String,
    #[prost(string, tag = "8")]
    caller: String,
}

const CREATED: u32 = 1;
const UPDATED: u32 = 2;
const JOINED: u32 = 3;
const LEFT: u32 = 4;
const DELETED: u32 = 5;
const UNDELETED: u32 = 6;

impl EditRow {
    fn row(edit: &DirectoryEdit) -> Self {
        let DirectoryEdit {
            kind,
            id,
            label,
            what,
            caller,
        } = edit;
        let mut row = Self {
            kind: kind_code(*kind),
            id: keys::pack(id.as_str()),
            label: label.clone(),
            caller: caller.clone(),
            ..Self::default()
        };
        row.what = match what {
            Edit::Created => CREATED,
            Edit::Updated(attributes) => {
                for attribute in attributes {
                    match name_row(attribute) {
                        (0, name) => row.names.push(name),
                        (code, _) => row.codes.push(code),
                    }
                }
                UPDATED
            }
            Edit::Joined(member) => {
                row.member.clone_from(member);
                JOINED
            }
            Edit::Left(member) => {
                row.member.clone_from(member);
                LEFT
            }
            Edit::Deleted => DELETED,
            Edit::Undeleted => UNDELETED,
        };
        row
    }

    fn model(self) -> Result<DirectoryEdit, Error> {
        let codes = self.codes.iter().map(|code| attribute(*code, ""));
        let names = self.names.iter().map(|name| attribute(0, name));
        Ok(DirectoryEdit {
            kind: kind_of(self.kind)?,
            id: entity_id(&self.id)?,
            what: match self.what {
                CREATED => Edit::Created,
                UPDATED => Edit::Updated(codes.chain(names).collect::<Result<_, _>>()?),
                JOINED => Edit::Joined(self.member),
                LEFT => Edit::Left(self.member),
                DELETED => Edit::Deleted,
                UNDELETED => Edit::Undeleted,
                _ => return Err(Error::unreadable("a change of the directory")),
            },
            label: self.label,
            caller: self.caller,
        })
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
    #[prost(message, tag = "7")]
    Edit(EditRow),
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
    #[prost(oneof = "Subject", tags = "4, 5, 6, 7")]
    pub(in crate::store) subject: Option<Subject>,
}

const QUEUED: u32 = 1;
const STARTED: u32 = 2;
const PHASE: u32 = 3;
const FINISHED: u32 = 4;
const CHANGES: u32 = 5;
const INTEGRATION_CHANGED: u32 = 6;
const AUTHORIZATION_LOST: u32 = 7;
const DIRECTORY: u32 = 8;

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
            EventBody::Directory(edit) => (DIRECTORY, Subject::Edit(EditRow::row(edit))),
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
            (DIRECTORY, Some(Subject::Edit(row))) => EventBody::Directory(row.model()?),
            _ => return Err(Error::unreadable("an event")),
        };
        Ok(make)
    }
}
