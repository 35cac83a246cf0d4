//! Users and groups that a caller deleted: kept aside with the groups that they were in, so that they can be had back, and let
//! go when their time is over. What they were a member of forgets them meanwhile; a group keeps its members, unseen.

use super::{
    Error, Store, aside, entities, large, links, members,
    page::{self, List},
    rows::{self, DeletedRow, PackedItem},
    tables::{Durable, Read, Table},
    txn::Txn,
};
use crate::model::{
    CompanyId, Deleted, Edit, Entity, EntityId, EntityLink, Kind, Listed, Member, MemberOrigin,
    MemberState, MemberWrite, PageRequest, Time, fold_email,
};
use sled::IVec;
use std::ops::Bound;

/// Memberships of a group that are let go in one transaction.
const SLICE: usize = 400;
/// Deleted objects that are looked at in one read.
const LOOK: usize = 500;

fn key(company: &CompanyId, kind: Kind, id: &EntityId) -> Vec<u8> {
    entities::key(company, kind, id)
}

/// What was deleted under an id, and is not gone for good.
pub(super) fn get(
    read: &impl Read,
    company: &CompanyId,
    kind: Kind,
    id: &EntityId,
) -> Result<Option<Deleted>, Error> {
    let row: Option<DeletedRow> = large::get(read, Table::Deleted, &key(company, kind, id))?;
    row.map(|row| row.model(company.clone(), kind, id.clone()))
        .transpose()
}

/// Whether an object of this id was deleted, and is not gone for good.
pub(super) fn is_kept(
    read: &impl Read,
    company: &CompanyId,
    kind: Kind,
    id: &EntityId,
) -> Result<bool, Error> {
    Ok(read.raw(Table::Deleted, &key(company, kind, id))?.is_some())
}

fn decode(
    read: &impl Read,
    company: &CompanyId,
    kind: Kind,
    rest: &[u8],
    raw: &IVec,
) -> Result<Option<Deleted>, Error> {
    let id = EntityId::try_new(&super::keys::Parse(rest).id()?)
        .map_err(|_| Error::unreadable("the key of what was deleted"))?;
    let key = key(company, kind, &id);
    let row: Option<DeletedRow> = large::decode(read, Table::Deleted, &key, raw)?;
    row.map(|row| row.model(company.clone(), kind, id))
        .transpose()
}

/// The memberships of an object in one group, one write for each of those who made it a member.
fn writes(group: &EntityId, member: &Member, add: bool) -> Vec<MemberWrite> {
    let origins = member.origins.iter();
    let write = |origin: &MemberOrigin| MemberWrite {
        group: group.clone(),
        kind: member.kind,
        member: member.id.clone(),
        origin: origin.clone(),
        add,
    };
    origins.map(write).collect()
}

/// Takes an object out of all its groups, each of which is told of; they are kept aside.
fn leave(txn: &mut Txn<'_>, entity: &Entity, caller: &str) -> Result<(), Error> {
    let (company, kind, id) = (&entity.company, entity.kind, &entity.id);
    let groups = members::groups_of(company, kind, id).list(txn, None, usize::MAX)?;
    let mut left = super::packed::Changes::new();
    for item in groups {
        let group = members::group(&item.key)?;
        let Some(member) = members::get(txn, company, &group, (kind, id))? else {
            continue;
        };
        left.insert(item.key, Some(members::value(&member.origins)));
        members::put_all(txn, company, writes(&group, &member, false))?;
        // A deleted one is not told of.
        if let Some(of) = entities::get(txn, company, Kind::Group, &group)? {
            let left = Edit::Left(entity.email().to_owned());
            entities::tell(txn, &of, left, caller)?;
        }
    }
    aside::was_in(company, kind, id).apply(txn, left)
}

fn delete(
    txn: &mut Txn<'_>,
    (company, kind, id): (&CompanyId, Kind, &EntityId),
    seen: Option<u64>,
    until: Time,
    caller: &str,
) -> Result<Deleted, Error> {
    let name = || entities::name(company, kind, id);
    let entity = entities::get(txn, company, kind, id)?.ok_or_else(|| Error::Missing(name()))?;
    if seen.is_some_and(|seen| entity.revision != seen) {
        return Err(Error::Changed(name()));
    }
    leave(txn, &entity, caller)?;
    entities::remove(txn, &entity)?;
    entities::tell(txn, &entity, Edit::Deleted, caller)?;
    // What provisions it looks at it again, and finds that it is gone.
    for link in &entity.links {
        links::reconsider(txn, link.integration, kind, &link.source)?;
    }
    let deleted = Deleted {
        entity,
        delete_time: txn.now(),
        expire_time: until,
    };
    let row = DeletedRow::row(deleted.clone());
    txn.put(Table::Deleted, key(company, kind, id), &row)?;
    Ok(deleted)
}

/// Whether an integration still provisions this object from this source object.
fn provisions(txn: &Txn<'_>, link: &EntityLink, kind: Kind, id: &EntityId) -> Result<bool, Error> {
    let now = links::get(txn, link.integration, kind, link.source.clone())?;
    Ok(now.is_some_and(|now| links::leads_to(&now, id)))
}

/// Whether an integration would still have it in a group.
fn remembers(
    txn: &Txn<'_>,
    of: &Entity,
    group: &Entity,
    origin: &MemberOrigin,
) -> Result<bool, Error> {
    let MemberOrigin::Integration(uid) = origin else {
        return Ok(true);
    };
    let (Some(source), Some(member)) = (group.linked_to(*uid), of.linked_to(*uid)) else {
        return Ok(false);
    };
    let set = links::remembered_of(*uid, source);
    let item = set.get(txn, member.as_str().as_bytes())?;
    let known = item.as_ref().map(rows::remembered).transpose()?;
    let applied = MemberState::Applied(of.id.clone());
    Ok(known.is_some_and(|known| known.state == applied))
}

fn undelete(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    kind: Kind,
    id: &EntityId,
    caller: &str,
) -> Result<Entity, Error> {
    let name = || entities::name(company, kind, id);
    if entities::get(txn, company, kind, id)?.is_some() {
        return Err(Error::taken("id", name()));
    }
    let deleted = get(txn, company, kind, id)?.filter(|deleted| deleted.expire_time > txn.now());
    let deleted = deleted.ok_or_else(|| Error::Missing(name()))?;
    let (mut entity, since) = (deleted.entity, deleted.delete_time);
    let email = fold_email(entity.email());
    if let Some((kind, holder)) = entities::holder(txn, company, &email)? {
        return Err(Error::taken(
            "email",
            entities::name(company, kind, &holder),
        ));
    }
    let mut links = Vec::new();
    let mut owners = std::collections::BTreeSet::new();
    for link in std::mem::take(&mut entity.links) {
        if provisions(txn, &link, kind, id)? {
            owners.extend(super::integrations::id_of(txn, company, link.integration)?);
            links::reconsider(txn, link.integration, kind, &link.source)?;
            links.push(link);
        }
    }
    entity.links = links;
    entity.owners.retain(|_, owner| owners.contains(owner));
    let entity = entities::restore(txn, entity)?;
    entities::tell(txn, &entity, Edit::Undeleted, caller)?;
    let groups = aside::was_in(company, kind, id).list(txn, None, usize::MAX)?;
    // First: what is kept of it keeps it out of groups.
    forget(txn, company, kind, id)?;
    for item in groups {
        rejoin(txn, (&entity, since), &item, caller)?;
    }
    Ok(entity)
}

/// Makes an object that was had back a member again of a group in which it was, or would be by now, if that still stands.
fn rejoin(
    txn: &mut Txn<'_>,
    (entity, since): (&Entity, Time),
    item: &PackedItem,
    caller: &str,
) -> Result<(), Error> {
    let (company, kind, id) = (&entity.company, entity.kind, &entity.id);
    let group = members::group(&item.key)?;
    let there = entities::get(txn, company, Kind::Group, &group)?;
    let holder = match &there {
        Some(holder) => holder.clone(),
        // It may be had back too, later.
        None => match get(txn, company, Kind::Group, &group)? {
            Some(deleted) => deleted.entity,
            None => return Ok(()),
        },
    };
    let mut origins = Vec::new();
    for origin in rows::origins(&item.value)? {
        // What was made since is another group under the same id: no caller has made it a member of that.
        let other = origin == MemberOrigin::Caller && holder.create_time > since;
        if origin == aside::RELEASED {
            origins.push(MemberOrigin::Caller);
        } else if !other && remembers(txn, entity, &holder, &origin)? {
            origins.push(origin);
        }
    }
    let was = members::get(txn, company, &group, (kind, id))?.is_some();
    let joins = !was && !origins.is_empty();
    let member = Member {
        kind,
        id: id.clone(),
        origins,
    };
    members::put_all(txn, company, writes(&group, &member, true))?;
    match there {
        Some(of) if joins => {
            let joined = Edit::Joined(entity.email().to_owned());
            entities::tell(txn, &of, joined, caller)
        }
        _ => Ok(()),
    }
}

/// Takes away what is kept of a deleted object.
fn forget(txn: &mut Txn<'_>, company: &CompanyId, kind: Kind, id: &EntityId) -> Result<(), Error> {
    let set = aside::was_in(company, kind, id);
    let groups = set.list(txn, None, usize::MAX)?.into_iter();
    set.apply(txn, groups.map(|item| (item.key, None)).collect())?;
    let key = key(company, kind, id);
    txn.delete(Table::Deleted, key)
}

/// Lets an object go for good if its time is over still, or so much of its memberships as one transaction takes; whether nothing is left.
fn purge(
    txn: &mut Txn<'_>,
    now: Time,
    (company, kind, id): &(CompanyId, Kind, EntityId),
) -> Result<bool, Error> {
    let deleted = get(txn, company, *kind, id)?;
    let Some(deleted) = deleted.filter(|deleted| deleted.expire_time <= now) else {
        return Ok(true);
    };
    // Runs of earlier versions may have made it a member meanwhile, of what they found under its link.
    let groups = members::groups_of(company, *kind, id).list(txn, None, SLICE)?;
    for item in &groups {
        let group = members::group(&item.key)?;
        if let Some(member) = members::get(txn, company, &group, (*kind, id))? {
            members::put_all(txn, company, writes(&group, &member, false))?;
        }
    }
    let mut held = 0;
    if *kind == Kind::Group {
        let members = members::members_of(company, id).list(txn, None, SLICE)?;
        held = members.len();
        for item in &members {
            let member = rows::member(item)?;
            members::put_all(txn, company, writes(id, &member, false))?;
        }
    }
    if groups.len() == SLICE || held == SLICE {
        return Ok(false);
    }
    aside::lead_nowhere(txn, &deleted.entity)?;
    forget(txn, company, *kind, id)?;
    Ok(true)
}

impl Store {
    /// Deletes an object, as it was seen (its revision) if that matters; it can be had back until then.
    ///
    /// # Errors
    /// `Missing`; `Changed` if its revision is another one.
    pub async fn delete_entity(
        &self,
        (company, kind, id): (&CompanyId, Kind, &EntityId),
        seen: Option<u64>,
        until: Time,
        caller: &str,
    ) -> Result<Deleted, Error> {
        let (company, id, caller) = (company.clone(), id.clone(), caller.to_owned());
        self.write(move |txn| delete(txn, (&company, kind, &id), seen, until, &caller))
            .await
    }

    /// Has a deleted object back, with the memberships that still stand.
    ///
    /// # Errors
    /// `Missing` if it was not deleted, or too long ago; `Taken` (`id` if it is there, `email`).
    pub async fn undelete_entity(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
        caller: &str,
    ) -> Result<Entity, Error> {
        let (company, id) = (company.clone(), id.clone());
        let caller = caller.to_owned();
        self.write(move |txn| undelete(txn, &company, kind, &id, &caller))
            .await
    }

    /// A deleted object.
    pub async fn deleted(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
    ) -> Result<Option<Deleted>, Error> {
        let (company, id) = (company.clone(), id.clone());
        self.read(move |durable| get(durable, &company, kind, &id))
            .await
    }

    /// Deleted objects of a kind in order of id.
    pub async fn all_deleted(
        &self,
        company: &CompanyId,
        kind: Kind,
        page: &PageRequest,
    ) -> Result<Listed<Deleted>, Error> {
        let (company, page) = (company.clone(), page.clone());
        self.read(move |durable| {
            let prefix = entities::prefix(&company, kind);
            let list = (List::Deleted, &page);
            page::list(durable, Table::Deleted, &prefix, list, |rest, raw| {
                decode(durable, &company, kind, rest, raw)
            })
        })
        .await
    }

    /// Lets those deleted objects go whose time is over, of the 500 after a position or the first ones. Answers where to go on;
    /// none at the end.
    pub async fn purge_deleted(
        &self,
        now: Time,
        after: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let look = move |durable: &Durable| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rows = durable.range(Table::Deleted, from, Bound::Unbounded, false);
            let (mut over, mut count, mut last) = (Vec::new(), 0, None);
            for row in rows.take(LOOK) {
                let (key, raw) = row?;
                let mut rest = super::keys::Parse(&key);
                let company = CompanyId::try_new(&rest.text()?)
                    .map_err(|_| Error::unreadable("the key of what was deleted"))?;
                let kind = rest.kind()?;
                let deleted = decode(durable, &company, kind, rest.0, &raw)?;
                over.extend(deleted.filter(|deleted| deleted.expire_time <= now));
                count += 1;
                last = Some(key.to_vec());
            }
            Ok((over, last.filter(|_| count == LOOK)))
        };
        let (over, next) = self.read(look).await?;
        for Deleted { entity, .. } in over {
            let of = (entity.company, entity.kind, entity.id);
            let mut gone = false;
            while !gone {
                let of = of.clone();
                gone = self.write(move |txn| purge(txn, now, &of)).await?;
            }
        }
        Ok(next)
    }
}
