//! Lists of the directory's users and groups: along an index, page by page, or past all of them.

use super::{
    Error, Store, entities,
    keys::Key,
    large,
    page::{self, List, Walk},
    rows::EmailRow,
    tables::{Durable, Table, after_prefix},
};
use crate::model::{CompanyId, Entity, Kind, Listed, PageRequest, fold_email};
use std::ops::Bound;

/// After so many addresses a page along them ends, whoever has them.
const ADDRESSES: usize = 10_000;
/// Most objects that one read goes past.
const MOST: usize = 1000;

/// What objects are listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Index {
    /// The id, UUIDs first.
    #[default]
    Id,
    /// The primary address, folded.
    Email,
}

/// Along which index objects are listed, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Along {
    /// Which index.
    pub index: Index,
    /// From the last to the first.
    pub down: bool,
}

fn by_id(
    durable: &Durable,
    company: &CompanyId,
    kind: Kind,
    (page, down): (&PageRequest, bool),
) -> Result<Listed<Entity>, Error> {
    let prefix = entities::prefix(company, kind);
    let walk = Walk {
        down,
        ..Walk::whole(List::Entities, page)
    };
    page::walk(durable, Table::Entities, &prefix, walk, |rest, raw| {
        entities::decode(durable, company, kind, rest, raw)
    })
}

fn by_email(
    durable: &Durable,
    company: &CompanyId,
    kind: Kind,
    (page, down): (&PageRequest, bool),
) -> Result<Listed<Entity>, Error> {
    let prefix = Key::company(company).done();
    let walk = Walk {
        down,
        most: ADDRESSES,
        ..Walk::whole(List::Emails, page)
    };
    page::walk(durable, Table::Emails, &prefix, walk, |address, raw| {
        let key = [prefix.as_slice(), address].concat();
        let row: Option<EmailRow> = large::decode(durable, Table::Emails, &key, raw)?;
        let holder = row.map(|row| row.model()).transpose()?;
        let Some((_, id)) = holder.filter(|(of, _)| *of == kind) else {
            return Ok(None);
        };
        // A write may have come between: who has another address by now is listed by that.
        let entity = entities::get(durable, company, kind, &id)?;
        Ok(entity.filter(|entity| fold_email(entity.email()).as_bytes() == address))
    })
}

impl Store {
    /// Objects of a kind in order of id (UUIDs first).
    pub async fn entities(
        &self,
        company: &CompanyId,
        kind: Kind,
        page: &PageRequest,
    ) -> Result<Listed<Entity>, Error> {
        self.entities_along(company, kind, Along::default(), page)
            .await
    }

    /// Objects of a kind along an index. By address a page may hold fewer than asked for, even none, and still have a `next`:
    /// it ends after 10,000 addresses, of users and groups alike.
    pub async fn entities_along(
        &self,
        company: &CompanyId,
        kind: Kind,
        along: Along,
        page: &PageRequest,
    ) -> Result<Listed<Entity>, Error> {
        let (company, page) = (company.clone(), page.clone());
        let list = match along.index {
            Index::Id => by_id,
            Index::Email => by_email,
        };
        self.read(move |durable| list(durable, &company, kind, (&page, along.down)))
            .await
    }

    /// Has all objects of a kind looked at, in order of id: at most a thousand of them at once, after a position or from the
    /// first, each with its own position. Answers who looked, and where to go on; none at the end.
    pub async fn look_at_entities<L: Send + 'static>(
        &self,
        company: &CompanyId,
        kind: Kind,
        after: Option<Vec<u8>>,
        mut looks: L,
        look: fn(&mut L, &[u8], Entity),
    ) -> Result<(L, Option<Vec<u8>>), Error> {
        let company = company.clone();
        self.read(move |durable| {
            use super::tables::Read as _;
            let prefix = entities::prefix(&company, kind);
            let from = match &after {
                Some(after) => Bound::Excluded([prefix.as_slice(), after].concat()),
                None => Bound::Included(prefix.clone()),
            };
            let rows = durable.range(Table::Entities, from, after_prefix(&prefix), false);
            let (mut count, mut last) = (0, None);
            for row in rows.take(MOST) {
                let (key, raw) = row?;
                let place = &key[prefix.len()..];
                if let Some(entity) = entities::decode(durable, &company, kind, place, &raw)? {
                    look(&mut looks, place, entity);
                }
                count += 1;
                last = Some(place.to_vec());
            }
            Ok((looks, last.filter(|_| count == MOST)))
        })
        .await
    }
}
