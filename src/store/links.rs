//! Links, and what integrations remember of groups' members.

use super::{
    Error, LinkPart, Store, entities,
    keys::Key,
    large, members,
    packed::Set,
    rows::{self, LinkRow, RememberedRow},
    tables::{Read, Table, after_prefix},
    txn::Txn,
};
use crate::model::{
    AppliedMember, CompanyId, EntityId, Fingerprint, Found, Kind, Link, Member, MemberOrigin,
    MemberState, SourceId, Uid, Wanted, fold_email,
};
use prost::Message;
use std::{collections::BTreeMap, ops::Bound};

/// Most links of one call.
const MOST: usize = 1000;

fn prefix(integration: Uid, kind: Kind) -> Vec<u8> {
    Key::integration(integration).kind(kind).done()
}

fn key(integration: Uid, kind: Kind, source: &SourceId) -> Vec<u8> {
    Key::integration(integration)
        .kind(kind)
        .raw(source.as_str().as_bytes())
        .done()
}

pub(super) fn get(
    read: &impl Read,
    integration: Uid,
    kind: Kind,
    source: SourceId,
) -> Result<Option<Link>, Error> {
    let row: Option<LinkRow> = large::get(read, Table::Links, &key(integration, kind, &source))?;
    row.map(|row| row.model(source)).transpose()
}

/// Writes links.
pub(super) fn put_all(
    txn: &mut Txn<'_>,
    integration: Uid,
    links: &[(Kind, Link)],
) -> Result<(), Error> {
    links.iter().try_for_each(|(kind, link)| {
        let key = key(integration, *kind, &link.source);
        txn.put(Table::Links, key, &LinkRow::row(link))
    })
}

/// Writes parts of links that are there; what somebody else has said in the rest of them meanwhile stands.
pub(super) fn put_parts(
    txn: &mut Txn<'_>,
    integration: Uid,
    parts: Vec<(Kind, Link, LinkPart)>,
) -> Result<(), Error> {
    for (kind, link, part) in parts {
        let Some(mut stored) = get(txn, integration, kind, link.source)? else {
            continue;
        };
        match part {
            LinkPart::Absence => stored.absent = link.absent,
            LinkPart::Members => {
                stored.members_fingerprint = link.members_fingerprint;
                stored.has_members = link.has_members;
                stored.told = link.told;
            }
        }
        put_all(txn, integration, &[(kind, stored)])?;
    }
    Ok(())
}

/// Makes the next run look at the target of a link, whether or not the source has changed, and say what it finds.
pub(super) fn reconsider(
    txn: &mut Txn<'_>,
    integration: Uid,
    kind: Kind,
    source: &SourceId,
) -> Result<(), Error> {
    match get(txn, integration, kind, source.clone())? {
        Some(link) if (link.fingerprint, link.told) != (Fingerprint::NONE, Fingerprint::NONE) => {
            let link = Link {
                fingerprint: Fingerprint::NONE,
                told: Fingerprint::NONE,
                ..link
            };
            put_all(txn, integration, &[(kind, link)])
        }
        _ => Ok(()),
    }
}

/// Whether this object is the target of a link.
pub(super) fn leads_to(link: &Link, id: &EntityId) -> bool {
    let target = link.target.as_ref();
    target.is_some_and(|(target, _)| target == id)
}

pub(super) fn remembered_of(integration: Uid, group: &SourceId) -> Set {
    Set {
        table: Table::Remembered,
        prefix: Key::integration(integration).text(group.as_str()).done(),
    }
}

/// Puts and forgets remembered members of a group.
pub(super) fn remember(
    txn: &mut Txn<'_>,
    integration: Uid,
    group: &SourceId,
    put: &[AppliedMember],
    forget: Vec<SourceId>,
) -> Result<(), Error> {
    let forgotten = forget
        .into_iter()
        .map(|source| (source.as_str().as_bytes().to_vec(), None));
    let mut changes: BTreeMap<_, _> = forgotten.collect();
    changes.extend(put.iter().map(|member| {
        let row = RememberedRow::row(member).encode_to_vec();
        (member.source.as_str().as_bytes().to_vec(), Some(row))
    }));
    remembered_of(integration, group).apply(txn, changes)
}

fn scan(
    read: &impl Read,
    integration: Uid,
    kind: Kind,
    after: Option<&SourceId>,
    limit: usize,
) -> Result<Vec<Link>, Error> {
    let prefix = prefix(integration, kind);
    let from = match after {
        Some(after) => Bound::Excluded(key(integration, kind, after)),
        None => Bound::Included(prefix.clone()),
    };
    let mut links = Vec::new();
    for row in read
        .range(Table::Links, from, after_prefix(&prefix), false)
        .take(limit.min(MOST))
    {
        let (key, raw) = row?;
        let source = std::str::from_utf8(&key[prefix.len()..])
            .ok()
            .and_then(SourceId::try_new)
            .ok_or_else(|| Error::unreadable("the key of a link"))?;
        if let Some(row) = large::decode::<LinkRow>(read, Table::Links, &key, &raw)? {
            links.push(row.model(source)?);
        }
    }
    Ok(links)
}

fn find(
    read: &impl Read,
    company: &CompanyId,
    integration: Uid,
    kind: Kind,
    wanted: Wanted,
) -> Result<Found, Error> {
    let source = wanted.source;
    let link = get(read, integration, kind, source.clone())?;
    let target = match &link {
        Some(Link {
            target: Some((id, _)),
            ..
        }) => entities::get(read, company, kind, id)?
            // Another may have been given its id.
            .filter(|target| target.linked_to(integration) == Some(&source)),
        _ => None,
    };
    let email = fold_email(&wanted.email);
    let own = target
        .as_ref()
        .is_some_and(|target| fold_email(target.email()) == email);
    let holder = if own {
        None
    } else {
        entities::by_email(read, company, &email)?
    };
    Ok(Found {
        link,
        target,
        holder,
    })
}

impl Store {
    /// Links of an integration in order of source id, after `after`, at most `limit` (<= 1000): for the table at the start of a run.
    pub async fn links(
        &self,
        integration: Uid,
        kind: Kind,
        after: Option<SourceId>,
        limit: usize,
    ) -> Result<Vec<Link>, Error> {
        self.read(move |durable| scan(durable, integration, kind, after.as_ref(), limit))
            .await
    }

    /// Link rows by source id, in their order.
    pub async fn links_of(
        &self,
        integration: Uid,
        kind: Kind,
        sources: Vec<SourceId>,
    ) -> Result<Vec<Option<Link>>, Error> {
        self.read(move |durable| {
            sources
                .into_iter()
                .map(|source| get(durable, integration, kind, source))
                .collect()
        })
        .await
    }

    /// For each wanted: link, linked target, holder of the address if another than the target.
    pub async fn find(
        &self,
        company: &CompanyId,
        integration: Uid,
        kind: Kind,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Found>, Error> {
        let company = company.clone();
        self.read(move |durable| {
            wanted
                .into_iter()
                .map(|wanted| find(durable, &company, integration, kind, wanted))
                .collect()
        })
        .await
    }

    /// The members of a group that an integration made so, as it would remember them.
    pub async fn made_members(
        &self,
        company: &CompanyId,
        integration: Uid,
        group: &EntityId,
    ) -> Result<Vec<AppliedMember>, Error> {
        let (company, group) = (company.clone(), group.clone());
        self.read(move |durable| {
            let mut made = Vec::new();
            for item in members::members_of(&company, &group).list(durable, None, usize::MAX)? {
                let Member { kind, id, origins } = rows::member(&item)?;
                if !origins.contains(&MemberOrigin::Integration(integration)) {
                    continue;
                }
                let member = entities::get(durable, &company, kind, &id)?;
                let source = member.as_ref().and_then(|of| of.linked_to(integration));
                made.extend(source.cloned().map(|source| AppliedMember {
                    kind,
                    source,
                    state: MemberState::Applied(id),
                }));
            }
            Ok(made)
        })
        .await
    }

    /// All remembered members of a group, in order of source id.
    pub async fn remembered(
        &self,
        integration: Uid,
        group: &SourceId,
    ) -> Result<Vec<AppliedMember>, Error> {
        let set = remembered_of(integration, group);
        self.read(move |durable| {
            set.list(durable, None, usize::MAX)?
                .iter()
                .map(rows::remembered)
                .collect()
        })
        .await
    }
}
