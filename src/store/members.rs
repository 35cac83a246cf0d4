//! Memberships: from the group to its members and from the member to its groups, both packed, always written together.

use super::{
    Error, Store,
    keys::{self, Key},
    packed::{Changes, Set},
    page::{self, List},
    rows::{self, MemberRow, PackedItem},
    tables::Table,
    txn::Txn,
};
use crate::model::{
    CompanyId, EntityId, Kind, Listed, Member, MemberOrigin, MemberWrite, PageRequest, Uid,
};
use prost::Message;
use std::collections::BTreeMap;

pub(super) fn members_of(company: &CompanyId, group: &EntityId) -> Set {
    Set {
        table: Table::Members,
        prefix: Key::company(company).id(group.as_str()).done(),
    }
}

pub(super) fn groups_of(company: &CompanyId, kind: Kind, member: &EntityId) -> Set {
    Set {
        table: Table::MemberOf,
        prefix: Key::company(company).kind(kind).id(member.as_str()).done(),
    }
}

/// Who has made somebody a member after these writes, who had before.
pub(super) fn merged(mut origins: Vec<MemberOrigin>, writes: &[MemberWrite]) -> Vec<MemberOrigin> {
    for write in writes {
        origins.retain(|origin| *origin != write.origin);
        if write.add {
            origins.push(write.origin.clone());
        }
    }
    origins.sort();
    origins
}

/// Writes memberships; those that change nothing cost nothing.
pub(super) fn put_all(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    writes: Vec<MemberWrite>,
) -> Result<(), Error> {
    let mut by_group: BTreeMap<EntityId, BTreeMap<Vec<u8>, Vec<MemberWrite>>> = BTreeMap::new();
    for write in writes {
        let group = by_group.entry(write.group.clone()).or_default();
        let key = rows::member_key(write.kind, &write.member);
        group.entry(key).or_default().push(write);
    }
    let mut groups: BTreeMap<(Kind, EntityId), Changes> = BTreeMap::new();
    for (group, writes) in by_group {
        let packed = keys::pack(group.as_str());
        members_of(company, &group).update(txn, writes, |writes, old| {
            let before = old.map(rows::origins).transpose()?.unwrap_or_default();
            let origins = merged(before, &writes);
            let is = !origins.is_empty();
            if is != old.is_some()
                && let Some(MemberWrite { kind, member, .. }) = writes.into_iter().next()
            {
                let of = groups.entry((kind, member)).or_default();
                of.insert(packed.clone(), is.then(Vec::new));
            }
            Ok(is.then(|| value(&origins)))
        })?;
    }
    for ((kind, member), changes) in groups {
        groups_of(company, kind, &member).apply(txn, changes)?;
    }
    Ok(())
}

/// Members of a group stay, and no longer for the sake of an integration: whom nobody else made a member is one as if a caller
/// had.
pub(super) fn release(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    group: &EntityId,
    integration: Uid,
    members: &[(Kind, EntityId)],
) -> Result<(), Error> {
    let keys = members.iter().map(|(kind, id)| rows::member_key(*kind, id));
    let changes: BTreeMap<_, ()> = keys.map(|key| (key, ())).collect();
    members_of(company, group).update(txn, changes, |(), old| {
        old.map(|old| released(old, integration, MemberOrigin::Caller))
            .transpose()
    })
}

/// A membership that an integration made no longer, but another did: at least this one.
pub(super) fn released(
    membership: &[u8],
    integration: Uid,
    other: MemberOrigin,
) -> Result<Vec<u8>, Error> {
    let mut origins = rows::origins(membership)?;
    origins.retain(|origin| *origin != MemberOrigin::Integration(integration));
    if origins.is_empty() {
        origins.push(other);
    }
    Ok(value(&origins))
}

/// A membership, if there is one.
pub(super) fn get(
    txn: &Txn<'_>,
    company: &CompanyId,
    group: &EntityId,
    (kind, id): (Kind, &EntityId),
) -> Result<Option<Member>, Error> {
    let item = members_of(company, group).get(txn, &rows::member_key(kind, id))?;
    item.as_ref().map(rows::member).transpose()
}

/// A group of which something is a member, as it is packed.
pub(super) fn group(packed: &[u8]) -> Result<EntityId, Error> {
    EntityId::try_new(&keys::unpack(packed)?).map_err(|_| Error::unreadable("a group of a member"))
}

pub(super) fn value(origins: &[MemberOrigin]) -> Vec<u8> {
    MemberRow::row(origins).encode_to_vec()
}

/// Cuts what was read of a set, one more than fits, into a page.
fn cut<T>(
    list: List,
    page: &PageRequest,
    mut items: Vec<PackedItem>,
    make: impl Fn(&PackedItem) -> Result<T, Error>,
) -> Result<Listed<T>, Error> {
    let more = items.len() > page::size(page);
    items.truncate(page::size(page));
    let next = match items.last() {
        Some(last) if more => Some(page::token(list, &last.key)),
        _ => None,
    };
    Ok(Listed {
        items: items.iter().map(make).collect::<Result<_, _>>()?,
        next,
    })
}

impl Store {
    /// Members of a group in order of (kind, id).
    pub async fn members(
        &self,
        company: &CompanyId,
        group: &EntityId,
        page: &PageRequest,
    ) -> Result<Listed<Member>, Error> {
        let (set, page) = (members_of(company, group), page.clone());
        self.read(move |durable| {
            let after = page::position(List::Members, &page)?;
            let items = set.list(durable, after.as_deref(), page::size(&page) + 1)?;
            cut(List::Members, &page, items, rows::member)
        })
        .await
    }

    /// How many members a group has.
    pub async fn member_count(&self, company: &CompanyId, group: &EntityId) -> Result<u64, Error> {
        let set = members_of(company, group);
        self.read(move |durable| set.count(durable)).await
    }

    /// Groups of which this user or group is a direct member, in order of id.
    pub async fn groups_of(
        &self,
        company: &CompanyId,
        kind: Kind,
        member: &EntityId,
        page: &PageRequest,
    ) -> Result<Listed<EntityId>, Error> {
        let (set, page) = (groups_of(company, kind, member), page.clone());
        self.read(move |durable| {
            let after = page::position(List::GroupsOf, &page)?;
            let items = set.list(durable, after.as_deref(), page::size(&page) + 1)?;
            cut(List::GroupsOf, &page, items, |item| group(&item.key))
        })
        .await
    }
}
