//! Memberships of users and groups that were deleted and can be had back: kept aside, so that meanwhile they are in no group, and are in
//! theirs when they are there again. What runs find out about them is kept here too.

use super::{
    Error, Store, deleted, entities,
    keys::{self, Key},
    links, members,
    packed::Set,
    rows,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{
    CompanyId, Entity, EntityId, EntityLink, Fingerprint, Kind, Link, MemberOrigin, MemberState,
    MemberWrite, SourceId, Uid,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Who made something a member, after it was deleted, of a group that came only then: an integration that is gone for good itself.
/// It stands for a caller, who could not have done that.
pub(super) const RELEASED: MemberOrigin = MemberOrigin::Integration(Uid(Uuid::nil()));

/// The groups in which something that was deleted would be.
pub(super) fn was_in(company: &CompanyId, kind: Kind, id: &EntityId) -> Set {
    Set {
        table: Table::DeletedIn,
        prefix: Key::company(company).kind(kind).id(id.as_str()).done(),
    }
}

/// Whether anything of a company was deleted and can be had back.
fn any(read: &impl Read, company: &CompanyId) -> Result<bool, Error> {
    let mut rows = read.prefix(Table::Deleted, &Key::company(company).done());
    Ok(rows.next().transpose()?.is_some())
}

/// Writes memberships as [`members::put_all`] does; those of what was deleted are kept aside.
pub(super) fn put_members(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    writes: Vec<MemberWrite>,
) -> Result<(), Error> {
    if writes.is_empty() || !any(txn, company)? {
        return members::put_all(txn, company, writes);
    }
    let mut known: HashMap<(Kind, EntityId), bool> = HashMap::new();
    let mut aside: BTreeMap<(Kind, EntityId), BTreeMap<Vec<u8>, Vec<MemberWrite>>> =
        BTreeMap::new();
    let mut there = Vec::with_capacity(writes.len());
    for write in writes {
        let member = (write.kind, write.member.clone());
        let gone = match known.get(&member) {
            Some(gone) => *gone,
            None => {
                let gone = deleted::is_kept(txn, company, write.kind, &write.member)?;
                known.insert(member.clone(), gone);
                gone
            }
        };
        if gone {
            let groups = aside.entry(member).or_default();
            let group = keys::pack(write.group.as_str());
            groups.entry(group).or_default().push(write);
        } else {
            there.push(write);
        }
    }
    members::put_all(txn, company, there)?;
    for ((kind, id), writes) in aside {
        was_in(company, kind, &id).update(txn, writes, |writes, old| {
            let old = old.map(rows::origins).transpose()?.unwrap_or_default();
            let origins = members::merged(old, &writes);
            Ok((!origins.is_empty()).then(|| members::value(&origins)))
        })?;
    }
    Ok(())
}

/// Has members of a group, those of them that were deleted, be in it when they are had back, and no longer for the sake of an integration;
/// as [`members::release`] does for those who are there.
pub(super) fn release(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    group: &EntityId,
    integration: Uid,
    members: &[(Kind, EntityId)],
) -> Result<(), Error> {
    if !any(txn, company)? {
        return Ok(());
    }
    let holder = match entities::get(txn, company, Kind::Group, group)? {
        Some(there) => there,
        None => match deleted::get(txn, company, Kind::Group, group)? {
            Some(kept) => kept.entity,
            None => return Ok(()),
        },
    };
    for (kind, id) in members {
        let Some(member) = deleted::get(txn, company, *kind, id)? else {
            continue;
        };
        let other = match holder.create_time > member.delete_time {
            true => RELEASED,
            false => MemberOrigin::Caller,
        };
        let group = (keys::pack(group.as_str()), other);
        was_in(company, *kind, id).update(txn, [group].into(), |other, old| {
            old.map(|old| members::released(old, integration, other))
                .transpose()
        })?;
    }
    Ok(())
}

/// Has nothing lead any more to what is gone for good, since its id may be given to another: its links lead to what never was, so
/// that they go on saying that it was deleted, and that it was a member of its groups is remembered no longer.
pub(super) fn lead_nowhere(txn: &mut Txn<'_>, gone: &Entity) -> Result<(), Error> {
    let (company, kind, id) = (&gone.company, gone.kind, &gone.id);
    let groups = was_in(company, kind, id).list(txn, None, usize::MAX)?;
    for EntityLink {
        integration,
        source,
    } in &gone.links
    {
        let link = links::get(txn, *integration, kind, source.clone())?;
        if let Some(mut link) = link.filter(|link| links::leads_to(link, id)) {
            link.target = link
                .target
                .map(|(_, origin)| (EntityId::generate(), origin));
            links::put_all(txn, *integration, &[(kind, link)])?;
        }
        for item in &groups {
            let group = members::group(&item.key)?;
            let group = entities::get(txn, company, Kind::Group, &group)?;
            if let Some(group) = group.as_ref().and_then(|of| of.linked_to(*integration)) {
                forget(txn, *integration, group, source, id)?;
            }
        }
    }
    Ok(())
}

/// Forgets that this was a member of a group for the sake of that source object; the next run looks at the group's members.
fn forget(
    txn: &mut Txn<'_>,
    integration: Uid,
    group: &SourceId,
    source: &SourceId,
    id: &EntityId,
) -> Result<(), Error> {
    let set = links::remembered_of(integration, group);
    let known = set.get(txn, source.as_str().as_bytes())?;
    let known = known.as_ref().map(rows::remembered).transpose()?;
    if !known.is_some_and(|known| known.state == MemberState::Applied(id.clone())) {
        return Ok(());
    }
    links::remember(txn, integration, group, &[], vec![source.clone()])?;
    let link = links::get(txn, integration, Kind::Group, group.clone())?;
    let link = link.map(|link| Link {
        members_fingerprint: Fingerprint::NONE,
        ..link
    });
    let link: Vec<_> = link.map(|link| (Kind::Group, link)).into_iter().collect();
    links::put_all(txn, integration, &link)
}

impl Store {
    /// Those of these users and groups that are not there, and whether they were deleted and can be had back.
    pub async fn absent_among(
        &self,
        company: &CompanyId,
        of: HashSet<(Kind, EntityId)>,
    ) -> Result<HashMap<(Kind, EntityId), bool>, Error> {
        let company = company.clone();
        self.read(move |durable| {
            let mut absent = HashMap::new();
            for (kind, id) in of {
                let key = entities::key(&company, kind, &id);
                if durable.raw(Table::Entities, &key)?.is_none() {
                    let kept = deleted::is_kept(durable, &company, kind, &id)?;
                    absent.insert((kind, id), kept);
                }
            }
            Ok(absent)
        })
        .await
    }
}
