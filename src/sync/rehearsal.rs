//! What a preview has planned so far, as far as later decisions of the same run would read it back from the store: links,
//! and who holds which address. A preview decides over the store and this, writes nothing of it, and so comes to what a
//! run would. Nothing is kept of what is unchanged.

use super::job::Job;
use crate::{
    model::{
        Attribute, Attributes, Change, CompanyId, Entity, EntityId, EntityLink, Found, Integration,
        IntegrationId, Kind, Link, ObjectRef, Outcome, SourceId, Time, Uid, Value, Wanted,
        WrittenBy, fold_email,
    },
    store::{Slice, SliceError},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What one preview has planned.
pub(super) struct Rehearsal {
    company: CompanyId,
    integration: IntegrationId,
    uid: Uid,
    planned: Mutex<Planned>,
    /// What a preview of a single object would record.
    records: Mutex<Vec<Change>>,
}

#[derive(Default)]
struct Planned {
    users: BTreeMap<SourceId, Row>,
    groups: BTreeMap<SourceId, Row>,
    /// Folded addresses that change hands, and the source object of whoever holds each then; none = nobody so far.
    addresses: HashMap<Arc<str>, Option<(Kind, SourceId)>>,
}

/// What is planned for one source object.
#[derive(Default)]
struct Row {
    link: Option<Link>,
    object: Option<Object>,
}

/// A directory object that is made, or whose address or link changes.
struct Object {
    id: EntityId,
    address: Arc<str>,
    /// It is made.
    new: bool,
}

impl Planned {
    fn rows(&self, kind: Kind) -> &BTreeMap<SourceId, Row> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    fn row(&mut self, kind: Kind, source: SourceId) -> &mut Row {
        let rows = match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        };
        rows.entry(source).or_default()
    }

    fn object(&self, kind: Kind, source: &SourceId) -> Option<&Object> {
        self.rows(kind).get(source)?.object.as_ref()
    }

    /// Who is to hold a folded address; `None` = it does not change hands.
    fn holder(&self, folded: &str) -> Option<Option<(Kind, &SourceId, &Object)>> {
        let holder = self.addresses.get(folded)?.as_ref();
        Some(holder.and_then(|(kind, source)| Some((*kind, source, self.object(*kind, source)?))))
    }
}

/// What a slice does to addresses: all that its objects give up is free before any is claimed, as the store has it.
#[derive(Default)]
struct Claims {
    released: Vec<String>,
    /// Folded addresses, each with the index of the object that gets it, or that holds it and gets another link.
    claimed: HashMap<String, usize>,
    conflicts: BTreeSet<usize>,
}

impl Rehearsal {
    /// Of a preview of this integration.
    pub(super) fn new(integration: &Integration) -> Self {
        Self {
            company: integration.company.clone(),
            integration: integration.id.clone(),
            uid: integration.uid,
            planned: Mutex::default(),
            records: Mutex::default(),
        }
    }

    /// No panic happens while it is held, so a poisoned lock says nothing about it.
    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slice in; `stored` are its objects as they are in the store. If some changed meanwhile, or the address of some
    /// goes to another in this run already, their indexes are answered and nothing is taken in.
    fn take(&self, slice: &Slice, stored: &[Option<Entity>]) -> Vec<usize> {
        let mut planned = self.planned();
        let claims = self.claims(&planned, &slice.entities, stored);
        if !claims.conflicts.is_empty() {
            return claims.conflicts.into_iter().collect();
        }
        for address in claims.released {
            planned.addresses.insert(address.into(), None);
        }
        for (folded, index) in claims.claimed {
            let entity = slice.entities.get(index);
            let source = entity.and_then(|entity| entity.linked_to(self.uid));
            let (Some(entity), Some(source)) = (entity, source) else {
                continue;
            };
            let folded: Arc<str> = folded.into();
            // Most are given as they are compared.
            let address = match entity.email() {
                given if *given == *folded => Arc::clone(&folded),
                given => given.into(),
            };
            planned.row(entity.kind, source.clone()).object = Some(Object {
                id: entity.id.clone(),
                address,
                new: entity.revision == 0,
            });
            let holder = Some((entity.kind, source.clone()));
            planned.addresses.insert(folded, holder);
        }
        let whole = slice.links.iter().map(|(kind, link)| (kind, link));
        let parts = slice.parts.iter().map(|(kind, link, _)| (kind, link));
        for (kind, link) in whole.chain(parts) {
            planned.row(*kind, link.source.clone()).link = Some(link.clone());
        }
        Vec::new()
    }

    fn claims(&self, planned: &Planned, entities: &[Entity], stored: &[Option<Entity>]) -> Claims {
        let uid = self.uid;
        let mut claims = Claims::default();
        for (index, (entity, stored)) in entities.iter().zip(stored).enumerate() {
            let (stored, source) = (stored.as_ref(), entity.linked_to(uid));
            let revision = stored.map_or(0, |stored| stored.revision);
            let new = fold_email(entity.email());
            let another = |(kind, holder, _): (Kind, &SourceId, &Object)| {
                (kind, Some(holder)) != (entity.kind, source)
            };
            let conflicts = revision != entity.revision
                || planned.holder(&new).flatten().is_some_and(another)
                || claims.claimed.contains_key(&new);
            if conflicts {
                claims.conflicts.insert(index);
                continue;
            }
            let same = |stored: &Entity| {
                stored.email() == entity.email() && stored.linked_to(uid) == source
            };
            if stored.is_some_and(same) {
                continue;
            }
            let old = stored.map(|stored| fold_email(stored.email()));
            claims.released.extend(old.filter(|old| *old != new));
            claims.claimed.insert(new, index);
        }
        claims
    }

    /// Makes of what would be recorded as done what is recorded as planned.
    fn describe(&self, changes: &mut [Change]) {
        let planned = self.planned();
        for change in changes {
            if change.outcome == Outcome::Applied {
                change.outcome = Outcome::Planned;
            }
            let ObjectRef { kind, id, .. } = &change.source;
            let source = SourceId::try_new(id);
            let object = source.and_then(|source| planned.object(*kind, &source));
            if object.is_some_and(|object| object.new) {
                change.target = None;
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Change>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the preview of a single object would record.
    pub(super) fn records(&self) -> Vec<Change> {
        std::mem::take(&mut *self.kept())
    }

    /// Puts right who holds the addresses that are wanted.
    pub(super) fn correct(&self, wanted: &[Wanted], found: &mut [Found]) {
        let planned = self.planned();
        for (wanted, found) in wanted.iter().zip(found) {
            if let Some(holder) = planned.holder(&fold_email(&wanted.email)) {
                let entity = |(kind, source, object)| self.entity(kind, source, object);
                found.holder = holder.map(entity);
            }
        }
    }

    /// A directory object as far as it matters to others that want its address. One that is made has no revision yet.
    fn entity(&self, kind: Kind, source: &SourceId, object: &Object) -> Entity {
        let address = Value::Text(object.address.to_string());
        Entity {
            company: self.company.clone(),
            kind,
            id: object.id.clone(),
            uid: Uid::generate(),
            attributes: Attributes::from_iter([(Attribute::USER_NAME, address)]),
            owners: BTreeMap::new(),
            links: vec![EntityLink {
                integration: self.uid,
                source: source.clone(),
            }],
            deactivated_by_hand: false,
            written_by: WrittenBy::Integration(self.integration.clone()),
            revision: u64::from(!object.new),
            create_time: Time::UNIX_EPOCH,
            update_time: Time::UNIX_EPOCH,
        }
    }

    /// Whether this directory object is made for that source object.
    pub(super) fn makes(&self, kind: Kind, source: &SourceId, id: &EntityId) -> bool {
        let planned = self.planned();
        let object = planned.object(kind, source);
        object.is_some_and(|object| object.new && object.id == *id)
    }

    /// The link that is planned for a source object.
    pub(super) fn link(&self, kind: Kind, source: &SourceId) -> Option<Link> {
        self.planned().rows(kind).get(source)?.link.clone()
    }

    /// The first links, at most `limit`, of those stored and planned; `stored` are the first of those stored.
    pub(super) fn merge(
        &self,
        kind: Kind,
        after: Option<&SourceId>,
        limit: usize,
        stored: Vec<Link>,
    ) -> Vec<Link> {
        let stored = stored.into_iter().map(|link| (link.source.clone(), link));
        let mut all: BTreeMap<SourceId, Link> = stored.collect();
        let planned = self.planned();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = planned.rows(kind).range((from, Bound::Unbounded));
        let links = rows.filter_map(|(_, row)| row.link.clone()).take(limit);
        all.extend(links.map(|link| (link.source.clone(), link)));
        all.into_values().take(limit).collect()
    }

    /// The address that is planned for an object. It is known by what it is in the store, or, if it is not there yet, by its
    /// source object.
    pub(super) fn address(
        &self,
        kind: Kind,
        id: &EntityId,
        stored: Option<&Entity>,
        source: Option<&SourceId>,
    ) -> Option<String> {
        let planned = self.planned();
        let by_address = stored.and_then(|stored| {
            let (_, _, object) = planned.holder(&fold_email(stored.email()))??;
            Some(object)
        });
        let source = match stored {
            Some(stored) => stored.linked_to(self.uid),
            None => source,
        };
        let by_source = source.and_then(|source| planned.object(kind, source));
        let mut objects = by_address.into_iter().chain(by_source);
        let object = objects.find(|object| object.id == *id)?;
        Some(object.address.to_string())
    }
}

impl Job {
    /// Does as if it wrote a slice. Of it only the records are kept, as planned.
    pub(super) async fn rehearse(
        &self,
        rehearsal: &Rehearsal,
        mut slice: Slice,
    ) -> Result<(), SliceError> {
        let mut stored = Vec::with_capacity(slice.entities.len());
        for entity in &slice.entities {
            let read = self.store.entity(&entity.company, entity.kind, &entity.id);
            stored.push(match entity.revision {
                0 => None,
                _ => read.await?,
            });
        }
        let conflicts = rehearsal.take(&slice, &stored);
        if !conflicts.is_empty() {
            return Err(SliceError::Conflicts(conflicts));
        }
        rehearsal.describe(&mut slice.changes);
        if self.lane.is_none() {
            rehearsal.kept().append(&mut slice.changes);
        }
        (slice.seen, slice.entities) = (Vec::new(), Vec::new());
        (slice.links, slice.parts) = (Vec::new(), Vec::new());
        (slice.members, slice.remembered) = (Vec::new(), Vec::new());
        self.keep(slice).await
    }
}

#[cfg(test)]
mod tests;
