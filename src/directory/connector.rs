//! The directory as the other end of an integration.

use crate::{
    connector::{Answer, Connector, Error, Prepared, Standing, Write, Writer},
    model::{
        Attribute, Attributes, Clock, CompanyId, Entity, EntityId, EntityLink, Found, Integration,
        IntegrationId, Kind, SystemId, Time, Uid, Wanted, WrittenBy,
    },
    store::{self, Store},
};
use futures_util::FutureExt;
use std::{future::ready, sync::Arc};

/// The directory of a company as the target of an integration. Its writes are prepared: whoever asked for them commits
/// them, together with links and records (semantics 19).
#[derive(Debug, Clone)]
pub struct DirectoryConnector {
    store: Store,
    clock: Arc<dyn Clock>,
    author: Author,
}

/// For whom the directory is written.
#[derive(Debug, Clone)]
struct Author {
    company: CompanyId,
    integration: IntegrationId,
    uid: Uid,
}

impl DirectoryConnector {
    /// The directory of the integration's company, as that integration sees and writes it.
    pub fn new(store: Store, clock: Arc<dyn Clock>, integration: &Integration) -> Self {
        let author = Author {
            company: integration.company.clone(),
            integration: integration.id.clone(),
            uid: integration.uid,
        };
        Self {
            store,
            clock,
            author,
        }
    }
}

impl Connector for DirectoryConnector {
    fn system(&self) -> SystemId {
        SystemId::directory()
    }

    fn check(&self) -> Answer<'_, Standing> {
        let standing = Standing {
            customer_id: self.author.company.to_string(),
            account: self.author.integration.to_string(),
            admin: true,
        };
        ready(Ok(standing)).boxed()
    }

    fn writer(&self) -> Option<&dyn Writer> {
        Some(self)
    }
}

impl Writer for DirectoryConnector {
    fn find<'a>(&'a self, kind: Kind, wanted: &'a [Wanted]) -> Answer<'a, Vec<Found>> {
        let Author { company, uid, .. } = &self.author;
        let found = self.store.find(company, *uid, kind, wanted.to_vec());
        found
            .map(|found| found.map_err(|error| failure(&error)))
            .boxed()
    }

    fn apply(&self, batch: Vec<Write>) -> Answer<'_, Vec<Prepared>> {
        let now = self.clock.now();
        let prepared = batch
            .into_iter()
            .map(|write| Prepared::Entity(self.author.prepare(write, now)));
        ready(Ok(prepared.collect())).boxed()
    }
}

impl Author {
    /// The row that a write comes to.
    fn prepare(&self, write: Write, now: Time) -> Entity {
        match write {
            Write::Create {
                kind,
                link,
                attributes,
                integration,
                owned,
            } => self.create(kind, link, attributes, &integration, owned, now),
            Write::Update(entity) => entity,
        }
    }

    fn create(
        &self,
        kind: Kind,
        link: EntityLink,
        attributes: Attributes,
        integration: &IntegrationId,
        owned: Vec<Attribute>,
        now: Time,
    ) -> Entity {
        let owners = owned
            .into_iter()
            .map(|attribute| (attribute, integration.clone()));
        let uid = Uid::generate();
        Entity {
            company: self.company.clone(),
            kind,
            id: EntityId::of(uid),
            uid,
            attributes,
            owners: owners.collect(),
            links: vec![link],
            // Inactive at the source is not by hand: the source may make it active again (semantics 12).
            deactivated_by_hand: false,
            written_by: WrittenBy::Integration(integration.clone()),
            revision: 0,
            create_time: now,
            update_time: now,
        }
    }
}

/// What a failure of the store means to a run.
fn failure(error: &store::Error) -> Error {
    let text = error.to_string();
    match error {
        store::Error::Missing(_) => Error::NotFound(text),
        store::Error::Taken { .. } | store::Error::Changed(_) => Error::Conflict(text),
        store::Error::BadPosition(_) | store::Error::Refused(_) => Error::Rejected(text),
        store::Error::Damaged(_) => Error::Protocol(text),
        _ => Error::Unavailable(text),
    }
}
