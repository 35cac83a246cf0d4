//! Packed sets: a set of small items kept in few rows, each of them in order and holding what lies between its own lower bound and
//! the next row's. The first row's bound is empty, so the row of an item is always the last one whose key is not above it.

use super::{
    Error,
    large::{self, MAX_ROW},
    rows::{PackedItem, PackedRow},
    tables::{Read, Table},
    txn::Txn,
};
use prost::Message;
use std::{collections::BTreeMap, ops::Bound};

/// A row is split above so many items.
pub(super) const MOST: usize = 100;
/// A row is joined with its neighbour under so many.
pub(super) const FEWEST: usize = 25;

/// Items to put (`Some`) or to take away (`None`), by key.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A set: its table and the beginning of its rows' keys, which is no other set's.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) table: Table,
    pub(super) prefix: Vec<u8>,
}

impl Set {
    fn key(&self, bound: &[u8]) -> Vec<u8> {
        let mut key = self.prefix.clone();
        key.extend_from_slice(bound);
        key
    }

    /// The row in which an item is, or would be: its key and items.
    fn row_of(&self, read: &impl Read, item: &[u8]) -> Result<(Vec<u8>, Vec<PackedItem>), Error> {
        match read.at_or_before(self.table, &self.prefix, &self.key(item)) {
            Some(row) => {
                let (key, raw) = row?;
                Ok((key.to_vec(), self.items_of(read, &key, &raw)?))
            }
            None => Ok((self.prefix.clone(), Vec::new())),
        }
    }

    /// One item, if it is in the set.
    pub(super) fn get(&self, read: &impl Read, item: &[u8]) -> Result<Option<PackedItem>, Error> {
        let (_, items) = self.row_of(read, item)?;
        Ok(items.into_iter().find(|found| found.key == item))
    }

    fn items_of(
        &self,
        read: &impl Read,
        key: &[u8],
        raw: &sled::IVec,
    ) -> Result<Vec<PackedItem>, Error> {
        Ok(large::decode::<PackedRow>(read, self.table, key, raw)?
            .unwrap_or_default()
            .items)
    }

    /// Items in order, after one or from the first, at most so many. Whoever is in the set all the while is told, once, whatever is
    /// written meanwhile.
    pub(super) fn list(
        &self,
        read: &impl Read,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<PackedItem>, Error> {
        let mut found = Vec::new();
        self.walk(read, after.unwrap_or_default(), |items| {
            let wanted = items
                .into_iter()
                .filter(|item| after.is_none_or(|after| item.key.as_slice() > after));
            found.extend(wanted.take(limit - found.len()));
            found.len() < limit
        })?;
        Ok(found)
    }

    /// How many items there are.
    pub(super) fn count(&self, read: &impl Read) -> Result<u64, Error> {
        let mut count = 0;
        self.walk(read, &[], |items| {
            count += items.len() as u64;
            true
        })?;
        Ok(count)
    }

    /// Hands items on in order, from a key, some at a time, until no more are wanted. Where rows begin only says how far to read in one go:
    /// writes may cut them and join them meanwhile.
    fn walk(
        &self,
        read: &impl Read,
        from: &[u8],
        mut each: impl FnMut(Vec<PackedItem>) -> bool,
    ) -> Result<(), Error> {
        let start = Bound::Excluded(self.key(from));
        let mut from = from.to_vec();
        for row in read.range(self.table, start, self.end(None), false) {
            let bound = row?.0[self.prefix.len()..].to_vec();
            if !each(self.between(read, &from, Some(bound.clone()))?) {
                return Ok(());
            }
            from = bound;
        }
        each(self.between(read, &from, None)?);
        Ok(())
    }

    /// Items between two keys, in order. Rows are read downwards, each looked for afresh: what is below a key is in the rows that begin
    /// below it, whatever is written meanwhile. What is above one that was read may by then be in that one.
    fn between(
        &self,
        read: &impl Read,
        from: &[u8],
        mut to: Option<Vec<u8>>,
    ) -> Result<Vec<PackedItem>, Error> {
        let mut found = Vec::new();
        loop {
            let first = Bound::Included(self.prefix.clone());
            let mut rows = read.range(self.table, first, self.end(to.as_deref()), true);
            let Some((key, raw)) = rows.next().transpose()? else {
                break;
            };
            let mut items = self.items_of(read, &key, &raw)?;
            items.retain(|item| {
                item.key.as_slice() >= from && to.as_ref().is_none_or(|to| item.key < *to)
            });
            items.append(&mut found);
            found = items;
            let bound = &key[self.prefix.len()..];
            if bound <= from {
                break;
            }
            to = Some(bound.to_vec());
        }
        Ok(found)
    }

    /// Where rows end that begin below an item's key, or the whole set.
    fn end(&self, item: Option<&[u8]>) -> Bound<Vec<u8>> {
        match item {
            Some(item) => Bound::Excluded(self.key(item)),
            None => super::tables::after_prefix(&self.prefix),
        }
    }

    /// Puts (`Some`) and takes away (`None`) items; touches each row once. What is there already is not written again.
    pub(super) fn apply(&self, txn: &mut Txn<'_>, changes: Changes) -> Result<(), Error> {
        self.update(txn, changes, |value, _| Ok(value))
    }

    /// Like [`Set::apply`], but `decide` makes the new value of each item from what is given for it and what it was.
    pub(super) fn update<C>(
        &self,
        txn: &mut Txn<'_>,
        changes: BTreeMap<Vec<u8>, C>,
        mut decide: impl FnMut(C, Option<&[u8]>) -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<(), Error> {
        let mut changes = changes.into_iter().peekable();
        while let Some((first, _)) = changes.peek() {
            let (key, mut items) = self.row_of(txn, first)?;
            let next = self.next_key(txn, &key)?;
            let before = items.clone();
            while let Some((item, given)) =
                changes.next_if(|(item, _)| next.as_ref().is_none_or(|n| self.key(item) < *n))
            {
                let place = items.binary_search_by(|i| i.key.cmp(&item));
                let old = place.ok().map(|place| items[place].value.as_slice());
                let value = decide(given, old)?;
                change(&mut items, place, item, value);
            }
            if items != before {
                self.store(txn, key, items)?;
            }
        }
        Ok(())
    }

    fn next_key(&self, read: &impl Read, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let start = Bound::Excluded(key.to_vec());
        let mut rows = read.range(self.table, start, self.end(None), false);
        Ok(rows.next().transpose()?.map(|(key, _)| key.to_vec()))
    }

    /// Writes a row's new items: in one row, in several, or joined with a neighbour.
    fn store(
        &self,
        txn: &mut Txn<'_>,
        mut key: Vec<u8>,
        mut items: Vec<PackedItem>,
    ) -> Result<(), Error> {
        if items.len() < FEWEST {
            self.join(txn, &mut key, &mut items)?;
        }
        if items.is_empty() {
            txn.delete_raw(self.table, key);
            return Ok(());
        }
        for (place, items) in split(items).into_iter().enumerate() {
            if place > 0 {
                key = self.key(items.first().map_or(&[], |first| &first.key));
            }
            txn.put(self.table, key.clone(), &PackedRow { items })?;
        }
        Ok(())
    }

    /// Takes a neighbour's items in, if they fit together; the lower key stays.
    fn join(
        &self,
        txn: &mut Txn<'_>,
        key: &mut Vec<u8>,
        items: &mut Vec<PackedItem>,
    ) -> Result<(), Error> {
        if let Some(next) = self.next_key(txn, key)? {
            let row: Option<PackedRow> = large::get(txn, self.table, &next)?;
            let mut theirs = row.unwrap_or_default().items;
            if fits(items.iter().chain(&theirs)) {
                txn.delete_raw(self.table, next);
                items.append(&mut theirs);
                return Ok(());
            }
        }
        let first = Bound::Included(self.prefix.clone());
        let below = txn
            .range(self.table, first, Bound::Excluded(key.clone()), true)
            .next();
        if let Some((before, raw)) = below.transpose()? {
            let mut theirs = self.items_of(txn, &before, &raw)?;
            if fits(theirs.iter().chain(items.iter())) {
                txn.delete_raw(self.table, std::mem::replace(key, before.to_vec()));
                theirs.append(items);
                *items = theirs;
            }
        }
        Ok(())
    }
}

fn change(
    items: &mut Vec<PackedItem>,
    place: Result<usize, usize>,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
) {
    match (place, value) {
        (Ok(place), Some(value)) => items[place].value = value,
        (Ok(place), None) => {
            items.remove(place);
        }
        (Err(place), Some(value)) => items.insert(place, PackedItem { key, value }),
        (Err(_), None) => {}
    }
}

/// Bytes that an item takes within its row.
fn size(item: &PackedItem) -> usize {
    let own = item.encoded_len();
    1 + prost::length_delimiter_len(own) + own
}

fn fits<'i>(items: impl Iterator<Item = &'i PackedItem>) -> bool {
    let (count, bytes) = items.fold((0, 0), |(count, bytes), i| (count + 1, bytes + size(i)));
    count <= MOST && bytes <= MAX_ROW
}

/// Cuts items into rows: one if they fit, else halves of halves, so that each has room to grow.
fn split(items: Vec<PackedItem>) -> Vec<Vec<PackedItem>> {
    if items.len() < 2 || fits(items.iter()) {
        return vec![items];
    }
    let mut lower = items;
    let upper = lower.split_off(lower.len() / 2);
    let mut rows = split(lower);
    rows.append(&mut split(upper));
    rows
}
