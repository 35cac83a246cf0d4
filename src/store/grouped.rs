//! Grouped tables: rows that lie side by side share a record of the tree, since a record costs about the same whatever it holds. Whoever
//! reads a table or writes it sees rows alone.
//!
//! The key of a record is that of its first row. Its value is that row's own, if it has no other; else `04` and, of each row in order, the
//! length of its key (2 bytes, low first), its key, and its value in the same way. A record holds what lies between its own key and the
//! next record's, so the record of a row is always the last one whose key is not above it. Records are cut and never joined: rows that lay
//! alone stay so until others are put beside them, or a backup is imported.

use super::{
    Error,
    tables::{Row, Table, placed, placed_end},
    txn::Buffer,
};
use sled::IVec;
use std::{
    ops::{Bound, RangeBounds},
    vec,
};

/// The first byte of a record of several rows. A row whose own value begins with it never lies alone.
const GROUP: u8 = 4;
/// Most rows of a record.
const MOST: usize = 16;
/// Most bytes of a record of several rows: so many are written anew when one of its rows changes.
const MOST_BYTES: usize = 2048;
/// Bytes that the length of a key or value takes.
const LENGTH: usize = 2;

/// A row: its key, without its table's place, and its value.
type Pair = (IVec, IVec);

/// Whether rows of the table share records: those that are mostly put side by side, and of which there are many.
pub(super) fn is_grouped(table: Table) -> bool {
    matches!(table, Table::Entities | Table::Emails)
}

/// The rows of a record, in order.
fn rows(table: Table, (key, value): &Pair) -> Result<Vec<Pair>, Error> {
    if value.first() != Some(&GROUP) {
        return Ok(vec![(key.subslice(1, key.len() - 1), value.clone())]);
    }
    let bad = || Error::unreadable(&format!("a record of {}", table.name()));
    let (mut rows, mut at) = (Vec::with_capacity(MOST), 1);
    let mut part = || {
        let length = value.get(at..at + LENGTH)?;
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let start = at + LENGTH;
        at = start + length;
        (at <= value.len()).then(|| value.subslice(start, length))
    };
    loop {
        let Some(key) = part() else { break };
        rows.push((key, part().ok_or_else(bad)?));
    }
    (at == value.len() && !rows.is_empty())
        .then_some(rows)
        .ok_or_else(bad)
}

/// The value of a record of these rows.
fn value(rows: &[Pair]) -> Result<IVec, Error> {
    if let [(_, value)] = rows
        && value.first() != Some(&GROUP)
    {
        return Ok(value.clone());
    }
    let mut group = Vec::with_capacity(1 + rows.iter().map(size).sum::<usize>());
    group.push(GROUP);
    for part in rows.iter().flat_map(|(key, value)| [key, value]) {
        let length = u16::try_from(part.len())
            .map_err(|_| Error::Refused("a row is too long to be stored".to_owned()))?;
        group.extend_from_slice(&length.to_le_bytes());
        group.extend_from_slice(part);
    }
    Ok(group.into())
}

/// Bytes that a row takes in a record of several.
fn size((key, value): &Pair) -> usize {
    2 * LENGTH + key.len() + value.len()
}

fn fits(rows: &[Pair]) -> bool {
    rows.len() == 1 || (rows.len() <= MOST && rows.iter().map(size).sum::<usize>() <= MOST_BYTES)
}

/// Cuts rows into records. Behind the last row of a record others are likely to follow: these fill it up. Any others go anywhere:
/// halves of halves have room for more.
fn cut(mut rows: Vec<Pair>, appended: bool) -> Vec<Vec<Pair>> {
    let mut records = Vec::new();
    while appended && !fits(&rows) {
        let (mut count, mut bytes) = (0, 0);
        for row in rows.iter().take(MOST) {
            bytes += size(row);
            if bytes > MOST_BYTES {
                break;
            }
            count += 1;
        }
        let rest = rows.split_off(count.max(1));
        records.push(std::mem::replace(&mut rows, rest));
    }
    halve(rows, &mut records);
    records
}

fn halve(mut rows: Vec<Pair>, to: &mut Vec<Vec<Pair>>) {
    if fits(&rows) {
        to.push(rows);
        return;
    }
    let upper = rows.split_off(rows.len() / 2);
    halve(rows, to);
    halve(upper, to);
}

/// The rows with what is put and deleted among them; whether that was only behind the last of them.
fn merged(
    rows: Vec<Pair>,
    changes: impl Iterator<Item = (IVec, Option<IVec>)>,
) -> (Vec<Pair>, bool) {
    let mut rows = rows.into_iter().peekable();
    let mut merged = Vec::with_capacity(2 * MOST);
    let mut appended = true;
    for (key, value) in changes {
        while let Some(before) = rows.next_if(|(before, _)| *before < key) {
            merged.push(before);
        }
        rows.next_if(|(before, _)| *before == key);
        appended &= rows.peek().is_none();
        merged.extend(value.map(|value| (key, value)));
    }
    merged.extend(rows);
    (merged, appended)
}

/// The record in which a row is, or would be.
fn record(tree: &sled::Tree, table: Table, key: &[u8]) -> Result<Option<Pair>, Error> {
    let from = placed(table, &[]);
    Ok(tree
        .range(from..=placed(table, key))
        .next_back()
        .transpose()?)
}

/// The key of the record after one, or of the first one.
fn next(tree: &sled::Tree, table: Table, record: Option<&IVec>) -> Result<Option<IVec>, Error> {
    let start = match record {
        Some(key) => Bound::Excluded(key.to_vec()),
        None => Bound::Included(placed(table, &[])),
    };
    let next = tree
        .range((start, placed_end(table, Bound::Unbounded)))
        .next();
    Ok(next.transpose()?.map(|(key, _)| key))
}

/// A row's value.
pub(super) fn get(tree: &sled::Tree, table: Table, key: &[u8]) -> Result<Option<IVec>, Error> {
    Near::default().get(tree, table, key)
}

/// Reads row after row while nothing is written, and looks into the tree less often where one lies near the one before.
#[derive(Default)]
pub(super) struct Near(Option<Looked>);

/// The record that was looked into last.
struct Looked {
    table: Table,
    /// Its key; none = before the first record.
    record: Option<IVec>,
    rows: Vec<Pair>,
    /// The next record's key, once it was needed.
    next: Option<Option<IVec>>,
}

impl Looked {
    /// Whether a row is in this record, or nowhere.
    fn covers(&self, table: Table, key: &[u8]) -> bool {
        let above = |record: &IVec| &record[1..] <= key;
        let inside = || self.rows.last().is_some_and(|(last, _)| *key <= **last);
        let below = |next: &Option<IVec>| next.as_ref().is_none_or(|next| key < &next[1..]);
        self.table == table
            && self.record.as_ref().is_none_or(above)
            && (inside() || self.next.as_ref().is_some_and(below))
    }
}

impl Near {
    /// A row's value.
    pub(super) fn get(
        &mut self,
        tree: &sled::Tree,
        table: Table,
        key: &[u8],
    ) -> Result<Option<IVec>, Error> {
        let before = self.0.take();
        let looked = match before {
            Some(looked) if looked.covers(table, key) => looked,
            before => Self::look(tree, table, key, before)?,
        };
        let looked = self.0.insert(looked);
        let mut rows = looked.rows.iter();
        let found = rows.find(|(found, _)| found == key);
        Ok(found.map(|(_, value)| value.clone()))
    }

    fn look(
        tree: &sled::Tree,
        table: Table,
        key: &[u8],
        before: Option<Looked>,
    ) -> Result<Looked, Error> {
        let found = record(tree, table, key)?;
        let record = found.as_ref().map(|(key, _)| key.clone());
        match before {
            // The second time in a row, so there may be more: from now on it is known how far this one reaches.
            Some(looked) if looked.table == table && looked.record == record => Ok(Looked {
                next: Some(next(tree, table, record.as_ref())?),
                ..looked
            }),
            _ => Ok(Looked {
                table,
                record,
                rows: match found {
                    Some(found) => rows(table, &found)?,
                    None => Vec::new(),
                },
                next: None,
            }),
        }
    }
}

/// Adds to a batch what puts (`Some`) and deletes (`None`) rows of a table.
pub(super) fn apply(
    tree: &sled::Tree,
    table: Table,
    changes: Buffer,
    batch: &mut sled::Batch,
) -> Result<(), Error> {
    let mut changes = changes.into_iter().peekable();
    while let Some((first, _)) = changes.peek() {
        let found = record(tree, table, first)?;
        let before = found.as_ref().map(|found| rows(table, found)).transpose()?;
        let next = next(tree, table, found.as_ref().map(|(key, _)| key))?;
        let among = |(key, _): &(IVec, Option<IVec>)| {
            next.as_ref().is_none_or(|next| key.as_ref() < &next[1..])
        };
        let these = std::iter::from_fn(|| changes.next_if(among));
        let (after, appended) = merged(before.unwrap_or_default(), these);
        put(table, found.map(|(key, _)| key), after, appended, batch)?;
    }
    Ok(())
}

/// Puts rows in place of a record, if there was one.
fn put(
    table: Table,
    before: Option<IVec>,
    rows: Vec<Pair>,
    appended: bool,
    batch: &mut sled::Batch,
) -> Result<(), Error> {
    if let Some(before) = before
        && rows.first().is_none_or(|(key, _)| **key != before[1..])
    {
        batch.remove(before);
    }
    if rows.is_empty() {
        return Ok(());
    }
    for rows in cut(rows, appended) {
        if let Some((key, _)) = rows.first() {
            batch.insert(placed(table, key), value(&rows)?);
        }
    }
    Ok(())
}

/// The rows of a table between two keys, upwards or downwards.
pub(super) fn range(
    tree: &sled::Tree,
    table: Table,
    bounds: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    down: bool,
) -> Result<Range<'_>, Error> {
    let (from, to) = &bounds;
    let first = match from {
        Bound::Included(key) | Bound::Excluded(key) => record(tree, table, key)?,
        Bound::Unbounded => None,
    };
    let first = first.map_or_else(|| placed(table, &[]), |(key, _)| key.to_vec());
    let last = placed_end(table, to.as_ref());
    Ok(Range {
        way: match down {
            true => Way::Down { tree, first, last },
            false => Way::Up(Box::new(tree.range((Bound::Included(first), last)))),
        },
        table,
        bounds,
        rows: Vec::new().into_iter(),
        passed: None,
    })
}

/// See [`range`].
pub(super) struct Range<'t> {
    way: Way<'t>,
    table: Table,
    bounds: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    /// What is left of the record that was read last.
    rows: vec::IntoIter<Pair>,
    /// The last key of that record. A write may come between two records and put some of its rows into the next: they are not told twice.
    passed: Option<IVec>,
}

/// The records that are still to be read.
enum Way<'t> {
    Up(Box<sled::Iter>),
    /// Each is looked for afresh. The tree goes on below a copy of a page; rows of the record there may have been moved up into the page itself.
    Down {
        tree: &'t sled::Tree,
        first: Vec<u8>,
        last: Bound<Vec<u8>>,
    },
}

impl Way<'_> {
    fn is_down(&self) -> bool {
        matches!(self, Self::Down { .. })
    }

    fn next(&mut self) -> Option<sled::Result<Pair>> {
        match self {
            Self::Up(records) => records.next(),
            Self::Down { tree, first, last } => {
                let bounds = (Bound::Included(first.clone()), last.clone());
                let record = tree.range(bounds).next_back()?;
                if let Ok((key, _)) = &record {
                    *last = Bound::Excluded(key.to_vec());
                }
                Some(record)
            }
        }
    }
}

impl Range<'_> {
    /// Rows of the next record that are still to be told; none at the end.
    fn record(&mut self) -> Option<Result<Vec<Pair>, Error>> {
        let down = self.way.is_down();
        let record = self.way.next()?.map_err(Error::from);
        let rows = record.and_then(|record| rows(self.table, &record));
        Some(rows.map(|mut rows| {
            if down {
                rows.reverse();
            }
            let last = rows.last().map(|(key, _)| key.clone());
            if let Some(passed) = std::mem::replace(&mut self.passed, last) {
                rows.retain(|(key, _)| (*key < passed) == down && *key != passed);
            }
            rows
        }))
    }
}

impl Iterator for Range<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            for (key, value) in self.rows.by_ref() {
                let within = (
                    self.bounds.0.as_ref().map(Vec::as_slice),
                    self.bounds.1.as_ref().map(Vec::as_slice),
                );
                if RangeBounds::<[u8]>::contains(&within, &*key) {
                    return Some(Ok((key, value)));
                }
            }
            match self.record()? {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
