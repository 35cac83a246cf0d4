//! Rows of users and groups, and the index of their addresses, which are unique in a company over both.

use super::{
    Error,
    keys::{self, Key, Parse},
    large::{self, MAX_ROW},
    rows::{EmailRow, EntityRow},
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{
    CompanyId, DirectoryEdit, Edit, Entity, EntityId, EventBody, Kind, WrittenBy, fold_email,
};
use prost::Message;
use sled::IVec;
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

/// Longest address, in bytes, folded.
const MAX_EMAIL: usize = 1000;
/// Largest row. Of two with the same attributes one may take a few bytes more: times and the revision vary.
const MOST_BYTES: usize = MAX_ROW - 32;

/// Checks that an object fits: all of it, as it is stored, within 6 KiB; its address there and within 1,000 bytes.
///
/// # Errors
/// `Refused`, saying what is too long.
pub fn check_size(entity: &Entity) -> Result<(), Error> {
    let (kind, id) = (entity.kind, &entity.id);
    if at_most(entity) <= MOST_BYTES {
        return check_email(kind, id, entity.email()).map(drop);
    }
    check_row(kind, id, &EntityRow::row(entity.clone()))
}

/// No more than this takes the row of an object, whatever it holds: a field takes some bytes beside its texts.
fn at_most(entity: &Entity) -> usize {
    let attributes = entity.attributes.iter();
    let attributes = attributes
        .map(|(name, value)| name.as_str().len() + value.text_len() + 8 * value.texts() + 32);
    let owners = entity.owners.iter();
    let owners = owners.map(|(name, owner)| name.as_str().len() + owner.as_str().len() + 32);
    let links = entity.links.iter();
    let links = links.map(|link| link.source.as_str().len() + 48);
    let writer = match &entity.written_by {
        WrittenBy::Caller(name) => name.len(),
        WrittenBy::Integration(id) => id.as_str().len(),
    };
    128 + writer + attributes.chain(owners).chain(links).sum::<usize>()
}

/// The folded address.
fn check_email(kind: Kind, id: &EntityId, email: &str) -> Result<String, Error> {
    let email = fold_email(email);
    if email.is_empty() {
        return Err(Error::Refused(format!("{kind} {id} has no userName")));
    }
    if email.len() > MAX_EMAIL {
        return Err(Error::Refused(format!(
            "the userName of {kind} {id} takes {} bytes; at most {MAX_EMAIL} are allowed",
            email.len()
        )));
    }
    Ok(email)
}

fn check_row(kind: Kind, id: &EntityId, row: &EntityRow) -> Result<(), Error> {
    let email = check_email(kind, id, row.email())?;
    let size = row.encoded_len();
    if size > MOST_BYTES {
        return Err(Error::Refused(format!(
            "the attributes of {kind} {id} ({email}) are too long: together they take {size} bytes, and at most {MOST_BYTES} fit"
        )));
    }
    Ok(())
}

pub(super) fn prefix(company: &CompanyId, kind: Kind) -> Vec<u8> {
    Key::company(company).kind(kind).done()
}

pub(super) fn key(company: &CompanyId, kind: Kind, id: &EntityId) -> Vec<u8> {
    Key::company(company).kind(kind).id(id.as_str()).done()
}

fn email_key(company: &CompanyId, folded: &str) -> Vec<u8> {
    Key::company(company).raw(folded.as_bytes()).done()
}

/// The resource name.
pub(super) fn name(company: &CompanyId, kind: Kind, id: &EntityId) -> String {
    format!("companies/{company}/{kind}s/{id}")
}

/// An object, if there is one.
pub(super) fn get(
    read: &impl Read,
    company: &CompanyId,
    kind: Kind,
    id: &EntityId,
) -> Result<Option<Entity>, Error> {
    let row: Option<EntityRow> = large::get(read, Table::Entities, &key(company, kind, id))?;
    row.map(|row| row.model(company.clone(), kind, id.clone()))
        .transpose()
}

/// The object of a row found by a scan.
pub(super) fn decode(
    read: &impl Read,
    company: &CompanyId,
    kind: Kind,
    rest: &[u8],
    raw: &IVec,
) -> Result<Option<Entity>, Error> {
    let id = EntityId::try_new(&Parse(rest).id()?)
        .map_err(|_| Error::unreadable("the key of an object"))?;
    let row: Option<EntityRow> =
        large::decode(read, Table::Entities, &key(company, kind, &id), raw)?;
    row.map(|row| row.model(company.clone(), kind, id))
        .transpose()
}

/// Who holds a folded address.
pub(super) fn holder(
    read: &impl Read,
    company: &CompanyId,
    folded: &str,
) -> Result<Option<(Kind, EntityId)>, Error> {
    if folded.is_empty() {
        return Ok(None);
    }
    let row: Option<EmailRow> = large::get(read, Table::Emails, &email_key(company, folded))?;
    row.map(|row| row.model()).transpose()
}

/// The object that holds a folded address.
pub(super) fn by_email(
    read: &impl Read,
    company: &CompanyId,
    folded: &str,
) -> Result<Option<Entity>, Error> {
    // A write may come between the two reads: the object then no longer has the address, and the index says who does.
    for _ in 0..100 {
        let Some((kind, id)) = holder(read, company, folded)? else {
            return Ok(None);
        };
        if let Some(entity) = get(read, company, kind, &id)?
            && fold_email(entity.email()) == folded
        {
            return Ok(Some(entity));
        }
    }
    Err(Error::unreadable("the index of addresses"))
}

/// Who wrote an object last.
pub(super) fn writer(entity: &Entity) -> &str {
    match &entity.written_by {
        WrittenBy::Caller(name) => name,
        WrittenBy::Integration(id) => id.as_str(),
    }
}

/// Tells what a caller did to an object.
pub(super) fn tell(
    txn: &mut Txn<'_>,
    entity: &Entity,
    what: Edit,
    caller: &str,
) -> Result<(), Error> {
    let edit = DirectoryEdit {
        kind: entity.kind,
        id: entity.id.clone(),
        label: entity.email().to_owned(),
        what,
        caller: caller.to_owned(),
    };
    txn.publish(&entity.company, &EventBody::Directory(edit))
}

/// Takes an object and its address away.
pub(super) fn remove(txn: &mut Txn<'_>, entity: &Entity) -> Result<(), Error> {
    let company = &entity.company;
    let email = fold_email(entity.email());
    txn.delete(Table::Emails, email_key(company, &email))?;
    txn.delete(Table::Entities, key(company, entity.kind, &entity.id))
}

/// Puts an object back whose id and address are free.
pub(super) fn restore(txn: &mut Txn<'_>, mut entity: Entity) -> Result<Entity, Error> {
    let (company, kind, id) = (entity.company.clone(), entity.kind, entity.id.clone());
    entity.revision += 1;
    let email = fold_email(entity.email());
    let holder = EmailRow::row(kind, &id);
    txn.put(Table::Emails, email_key(&company, &email), &holder)?;
    let row = EntityRow::row(entity.clone());
    txn.put(Table::Entities, key(&company, kind, &id), &row)?;
    Ok(entity)
}

/// What writing some objects together does to the addresses.
struct Claims<'a> {
    released: BTreeSet<String>,
    claimed: BTreeMap<&'a str, usize>,
}

/// An object that is to be written, as far as that can be told without looking at what is stored.
pub(super) struct Prepared {
    kind: Kind,
    id: EntityId,
    /// The revision that it was made from; 0 = a new object.
    revision: u64,
    /// It is new, under an id that was made for it and that nothing else can have.
    fresh: bool,
    /// The folded address.
    email: String,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Prepares new (revision 0) and changed objects of a company; each gets the next revision.
pub(super) fn prepare(company: &CompanyId, entities: Vec<Entity>) -> Result<Vec<Prepared>, Error> {
    let prepare = |mut entity: Entity| {
        if entity.company != *company {
            let text = "an object of another company in a slice".to_owned();
            return Err(Error::Refused(text));
        }
        let (kind, id, revision) = (entity.kind, entity.id.clone(), entity.revision);
        let fresh = revision == 0 && keys::canonical(id.as_str()) == Some(entity.uid.0);
        let email = fold_email(entity.email());
        entity.revision += 1;
        let row = EntityRow::row(entity);
        check_row(kind, &id, &row)?;
        Ok(Prepared {
            kind,
            revision,
            fresh,
            email,
            key: key(company, kind, &id),
            value: large::whole(&row),
            id,
        })
    };
    entities.into_iter().map(prepare).collect()
}

/// [`prepare`], then [`put_all`].
pub(super) fn put(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    entities: Vec<Entity>,
) -> Result<Vec<usize>, Error> {
    put_all(txn, company, prepare(company, entities)?)
}

/// Writes objects of a company together. First all their old addresses are released, then the new ones claimed. Answers the indexes of those
/// that changed meanwhile, or whose address is taken: nothing is written then.
pub(super) fn put_all(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    entities: Vec<Prepared>,
) -> Result<Vec<usize>, Error> {
    let mut conflicts = BTreeSet::new();
    let claims = claims(txn, &entities, &mut conflicts)?;
    for (email, index) in &claims.claimed {
        let entity = &entities[*index];
        let other = match holder(txn, company, email)? {
            Some((kind, id)) => (kind, &id) != (entity.kind, &entity.id),
            None => false,
        };
        if other && !claims.released.contains(*email) {
            conflicts.insert(*index);
        }
    }
    if !conflicts.is_empty() {
        return Ok(conflicts.into_iter().collect());
    }
    for email in &claims.released {
        if !claims.claimed.contains_key(email.as_str()) {
            txn.delete(Table::Emails, email_key(company, email))?;
        }
    }
    for (email, index) in &claims.claimed {
        let Prepared { kind, id, .. } = &entities[*index];
        let row = EmailRow::row(*kind, id);
        txn.put(Table::Emails, email_key(company, email), &row)?;
    }
    for Prepared { key, value, .. } in entities {
        txn.put_raw(Table::Entities, key, value)?;
    }
    Ok(Vec::new())
}

/// Compares the objects with those stored. An address that an object keeps is neither released nor claimed.
fn claims<'a>(
    txn: &Txn<'_>,
    entities: &'a [Prepared],
    conflicts: &mut BTreeSet<usize>,
) -> Result<Claims<'a>, Error> {
    let mut claims = Claims {
        released: BTreeSet::new(),
        claimed: BTreeMap::new(),
    };
    let mut seen = BTreeSet::new();
    let mut kept = BTreeMap::new();
    for (index, entity) in entities.iter().enumerate() {
        let stored: Option<EntityRow> = match entity.fresh {
            true => None,
            false => large::get(txn, Table::Entities, &entity.key)?,
        };
        let revision = stored.as_ref().map_or(0, |row| row.revision);
        if revision != entity.revision || !seen.insert(&entity.key) {
            conflicts.insert(index);
            continue;
        }
        let old = stored
            .map(|row| fold_email(row.email()))
            .unwrap_or_default();
        let new = entity.email.as_str();
        if old == new {
            kept.insert(new, index);
            continue;
        }
        if !old.is_empty() {
            claims.released.insert(old);
        }
        // Of two that want the same address in one slice the later one conflicts.
        match claims.claimed.entry(new) {
            Entry::Vacant(free) => {
                free.insert(index);
            }
            Entry::Occupied(_) => {
                conflicts.insert(index);
            }
        }
    }
    for (email, index) in &claims.claimed {
        if kept.contains_key(email) {
            conflicts.insert(*index);
        }
    }
    Ok(claims)
}
