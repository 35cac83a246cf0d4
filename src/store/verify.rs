//! Looking whether what belongs together agrees: rows that are kept twice, in two orders, and rows that take several records.

use super::{
    Error, entities,
    keys::{self, Key, Parse},
    large,
    rows::{EntityRow, PackedRow},
    tables::{Durable, Read, Table},
};
use crate::model::{CompanyId, fold_email};

/// What does not agree is named by its tables only: keys hold addresses.
fn disagree(what: &str) -> Error {
    Error::Damaged(format!(
        "the store is damaged ({what}): stop the daemon and restore a backup"
    ))
}

/// Checks every index of the store, both ways. Reads all of it.
pub(super) fn indexes(durable: &Durable) -> Result<(), Error> {
    addresses(durable)?;
    memberships(durable)?;
    large::check_parts(durable)
}

fn company(key: &mut Parse<'_>) -> Result<CompanyId, Error> {
    CompanyId::try_new(&key.text()?).map_err(|_| Error::unreadable("a key"))
}

/// Every object has its address in the index, and nothing else is there.
fn addresses(durable: &Durable) -> Result<(), Error> {
    let mut objects = 0u64;
    for row in durable.prefix(Table::Entities, &[]) {
        let (key, raw) = row?;
        let Some(row) = large::decode::<EntityRow>(durable, Table::Entities, &key, &raw)? else {
            continue;
        };
        let mut rest = Parse(&key);
        let company = company(&mut rest)?;
        let (kind, id) = (rest.kind()?, rest.id()?);
        let holder = entities::holder(durable, &company, &fold_email(row.email()))?;
        if holder.is_none_or(|(of, holder)| of != kind || holder.as_str() != id) {
            return Err(disagree("an object is not in the index of addresses"));
        }
        objects += 1;
    }
    let mut indexed = 0u64;
    for row in durable.prefix(Table::Emails, &[]) {
        row?;
        indexed += 1;
    }
    if objects == indexed {
        Ok(())
    } else {
        Err(disagree(
            "the index of addresses names objects that are gone",
        ))
    }
}

/// What is known of a set without its order: how many, and all of them folded together.
#[derive(Default, PartialEq)]
struct Sum {
    count: u64,
    folded: u128,
}

impl Sum {
    fn add(&mut self, company: &CompanyId, group: &[u8], member: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        for part in [company.as_str().as_bytes(), group, member] {
            hasher
                .update(&(part.len() as u64).to_be_bytes())
                .update(part);
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        self.count += 1;
        self.folded = self.folded.wrapping_add(u128::from_be_bytes(bytes));
    }
}

/// Who is a member of a group has the group among his own, and the other way round.
fn memberships(durable: &Durable) -> Result<(), Error> {
    let (mut members, mut groups) = (Sum::default(), Sum::default());
    for row in durable.prefix(Table::Members, &[]) {
        let (key, raw) = row?;
        let mut rest = Parse(&key);
        let company = company(&mut rest)?;
        let group = keys::pack(&rest.id()?);
        let row: PackedRow =
            large::decode(durable, Table::Members, &key, &raw)?.unwrap_or_default();
        for item in &row.items {
            members.add(&company, &group, &item.key);
        }
    }
    for row in durable.prefix(Table::MemberOf, &[]) {
        let (key, raw) = row?;
        let mut rest = Parse(&key);
        let company = company(&mut rest)?;
        let member = Key::default().kind(rest.kind()?).id(&rest.id()?).done();
        let row: PackedRow =
            large::decode(durable, Table::MemberOf, &key, &raw)?.unwrap_or_default();
        for item in &row.items {
            groups.add(&company, &item.key, &member);
        }
    }
    if members == groups {
        Ok(())
    } else {
        Err(disagree("members and groups do not agree"))
    }
}
