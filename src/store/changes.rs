//! Recorded outcomes: packed into chunks as they come, listed by run.

use super::{
    ChangeFilter, Error, Recorded, Store, keys,
    large::{self, MAX_ROW},
    page::{self, List},
    rows::{ChangeRow, ChangesRow},
    runs,
    tables::{Read, Table, after_prefix},
    txn::MAX_VALUE,
};
use crate::model::{
    Change, CompanyId, Diff, IntegrationId, Listed, PageRequest, RunId, Value, fold_email,
};
use prost::Message;
use std::ops::Bound;

/// Largest change; a larger one is shortened. Leaves room for the chunk around it.
const MAX_CHANGE: usize = MAX_ROW - 64;
/// So many bytes of changes are packed together: mostly they then fit into one record.
const CHUNK: usize = 14 * 1024;
/// A search looks at so many rows, then answers what it has found and where to go on.
const ROWS_PER_PAGE: usize = 2000;

/// Some changes as they are stored.
pub(super) struct Chunk {
    /// How many they are.
    pub(super) count: u32,
    /// The value of their row.
    pub(super) value: Vec<u8>,
}

/// Packs changes into chunks, in their order.
pub(super) fn pack(changes: Vec<Change>) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let (mut some, mut size) = (Vec::new(), 0);
    for change in changes {
        let row = fitting(change);
        let own = row.encoded_len();
        if size + own > CHUNK {
            squeeze(std::mem::take(&mut some), &mut chunks);
            size = 0;
        }
        size += own;
        some.push(row);
    }
    squeeze(some, &mut chunks);
    chunks
}

/// Adds a chunk of those changes; if they do not fit into one, however packed, two of half of them.
fn squeeze(mut changes: Vec<ChangeRow>, to: &mut Vec<Chunk>) {
    if changes.is_empty() {
        return;
    }
    let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    let rest = changes.len() / 2;
    let row = ChangesRow { changes };
    let value = large::packed(&row);
    if value.len() <= MAX_VALUE || rest == 0 {
        to.push(Chunk { count, value });
        return;
    }
    changes = row.changes;
    let rest = changes.split_off(rest);
    squeeze(changes, to);
    squeeze(rest, to);
}

/// No more than this takes the row of a change, whatever it holds: a field takes some bytes beside its texts.
fn at_most(change: &Change) -> usize {
    let ends = std::iter::once(&change.source).chain(&change.target);
    let ends: usize = ends.map(|end| end.id.len() + end.label.len()).sum();
    let reason = &change.reason;
    let reason = reason.as_ref().map_or(0, |r| r.code.len() + r.text.len());
    let value = |value: &Value| value.text_len() + 8 * value.texts() + 24;
    let diff = |diff: &Diff| {
        let values: usize = diff.old.iter().chain(&diff.new).map(value).sum();
        diff.attribute.as_str().len() + values + 24
    };
    256 + ends + reason + change.diffs.iter().map(diff).sum::<usize>()
}

/// The row of a change, its texts shortened as far as it takes.
fn fitting(mut change: Change) -> ChangeRow {
    if at_most(&change) <= MAX_CHANGE {
        return ChangeRow::row(change);
    }
    let mut row = ChangeRow::row(change.clone());
    for most in [1000, 200, 40] {
        if row.encoded_len() <= MAX_CHANGE {
            return row;
        }
        for Diff { old, new, .. } in &mut change.diffs {
            for value in [old, new].into_iter().flatten() {
                shorten_value(value, most);
            }
        }
        if let Some(reason) = &mut change.reason {
            shorten(&mut reason.text, most);
        }
        row = ChangeRow::row(change.clone());
    }
    while row.encoded_len() > MAX_CHANGE && change.diffs.pop().is_some() {
        row = ChangeRow::row(change.clone());
    }
    if row.encoded_len() > MAX_CHANGE {
        for object in std::iter::once(&mut change.source).chain(&mut change.target) {
            shorten(&mut object.id, 255);
            shorten(&mut object.label, 255);
        }
        if let Some(reason) = &mut change.reason {
            shorten(&mut reason.code, 40);
        }
        row = ChangeRow::row(change.clone());
    }
    row
}

/// Cuts a text to so many bytes and a mark.
fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
}

fn shorten_value(value: &mut Value, most: usize) {
    match value {
        Value::Text(text) => shorten(text, most),
        Value::Bool(_) => {}
        Value::List(items) => {
            if items.len() > 10 {
                items.truncate(10);
                items.push("…".to_owned());
            }
            items.iter_mut().for_each(|item| shorten(item, most / 10));
        }
    }
}

/// A position in the list: in which run, in which chunk (by its first sequence), at which place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Position {
    chunk: u64,
    place: u32,
    run: Vec<u8>,
}

impl Position {
    fn bytes(&self) -> Vec<u8> {
        [
            self.chunk.to_be_bytes().as_slice(),
            &self.place.to_be_bytes(),
            &self.run,
        ]
        .concat()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (chunk, rest) = bytes.split_first_chunk::<8>()?;
        let (place, run) = rest.split_first_chunk::<4>()?;
        Some(Self {
            chunk: u64::from_be_bytes(*chunk),
            place: u32::from_be_bytes(*place),
            run: run.to_vec(),
        })
    }
}

/// One search.
struct Search<'a> {
    filter: &'a ChangeFilter,
    object: Option<(&'a str, String)>,
    size: usize,
    found: Vec<Recorded>,
    rows_left: usize,
    next: Option<Position>,
}

impl Search<'_> {
    fn matches(&self, change: &Change) -> bool {
        let filter = self.filter;
        let object = |(id, folded): &(&str, String)| {
            std::iter::once(&change.source)
                .chain(&change.target)
                .any(|end| end.id == *id || fold_email(&end.label) == *folded)
        };
        filter
            .rule
            .as_ref()
            .is_none_or(|rule| change.rule.as_ref() == Some(rule))
            && (filter.outcomes.is_empty() || filter.outcomes.contains(&change.outcome))
            && self.object.as_ref().is_none_or(object)
    }

    /// Goes through the changes of a run from a position in it.
    fn run(
        &mut self,
        read: &impl Read,
        prefix: &[u8],
        run: Vec<u8>,
        from: (u64, u32),
    ) -> Result<(), Error> {
        let mut position = Position {
            chunk: from.0,
            place: from.1,
            run,
        };
        let mut named = keys::Parse(prefix);
        named.text()?;
        let integration = named_id(&named.id()?, IntegrationId::try_new)?;
        let of_run = named_id(&named.id()?, RunId::try_new)?;
        let start = [prefix, &from.0.to_be_bytes()].concat();
        let rows = read.range(
            Table::Changes,
            Bound::Included(start),
            after_prefix(prefix),
            false,
        );
        for row in rows {
            let (key, raw) = row?;
            let first = keys::Parse(&key[prefix.len()..]).number()?;
            let skip = if first == from.0 { from.1 } else { 0 };
            (position.chunk, position.place) = (first, skip);
            if self.rows_left == 0 {
                self.next = Some(position);
                return Ok(());
            }
            self.rows_left -= 1;
            let chunk: ChangesRow =
                large::decode(read, Table::Changes, &key, &raw)?.unwrap_or_default();
            for (place, row) in (0u32..).zip(chunk.changes).skip(skip as usize) {
                let change = row.model()?;
                if !self.matches(&change) {
                    continue;
                }
                if self.found.len() == self.size {
                    position.place = place;
                    self.next = Some(position);
                    return Ok(());
                }
                self.found.push(Recorded {
                    integration: integration.clone(),
                    run: of_run.clone(),
                    sequence: first + u64::from(place),
                    change,
                });
            }
        }
        Ok(())
    }
}

fn named_id<T, E>(text: &str, make: fn(&str) -> Result<T, E>) -> Result<T, Error> {
    make(text).map_err(|_| Error::unreadable("the key of a change"))
}

fn list(
    read: &impl Read,
    company: &CompanyId,
    filter: &ChangeFilter,
    page: &PageRequest,
) -> Result<Listed<Recorded>, Error> {
    let start = match page::position(List::Changes, page)? {
        Some(bytes) => Some(Position::of(&bytes).ok_or_else(page::bad)?),
        None => None,
    };
    let mut search = Search {
        filter,
        object: filter
            .object
            .as_ref()
            .map(|object| (object.as_str(), fold_email(object))),
        size: page::size(page),
        found: Vec::new(),
        rows_left: ROWS_PER_PAGE,
        next: None,
    };
    let only = filter.run.as_ref().map(|run| keys::pack(run.as_str()));
    let from = match (&start, &only) {
        (Some(start), _) => Bound::Included(start.run.clone()),
        (None, Some(only)) => Bound::Included(only.clone()),
        (None, None) => Bound::Unbounded,
    };
    let integrations = runs::scope(read, company, filter.integration.as_ref())?;
    for found in runs::Newest::of(read, company, &integrations, &from) {
        let (key, run, _) = found?;
        if only.as_ref().is_some_and(|only| *only != run) {
            break;
        }
        let from = match &start {
            Some(start) if start.run == run => (start.chunk, start.place),
            _ => (0, 0),
        };
        if search.rows_left == 0 {
            let (chunk, place) = from;
            search.next = Some(Position { chunk, place, run });
            break;
        }
        search.rows_left -= 1;
        search.run(read, &key, run, from)?;
        if search.next.is_some() {
            break;
        }
    }
    Ok(Listed {
        items: search.found,
        next: search
            .next
            .map(|next| page::token(List::Changes, &next.bytes())),
    })
}

impl Store {
    /// Recorded outcomes, in pages: see [`ChangeFilter`].
    pub async fn changes(
        &self,
        company: &CompanyId,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Listed<Recorded>, Error> {
        let (company, filter, page) = (company.clone(), filter.clone(), page.clone());
        self.read(move |durable| list(durable, &company, &filter, &page))
            .await
    }
}
