//! Memberships of users and groups that were deleted and can be had back: kept aside, so that meanwhile they are in no group, and are in
//! theirs when they are there again. What runs find out about them is kept here too.

use super::{
    Error, Store, deleted, entities,
    keys::{self, Key},
    members,
    packed::Set,
    rows,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{CompanyId, EntityId, Kind, MemberWrite};
use std::collections::{BTreeMap, HashMap, HashSet};

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
