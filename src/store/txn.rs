//! A write under way: reads what was committed overlaid with what was put so far, and keeps what is to be written.

use super::{
    Error, Topic,
    began::{self, Noted},
    grouped::Near,
    tables::{Durable, Read, Row, Rows, Table, is_empty},
};
use crate::model::{CompanyId, Time};
use sled::IVec;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    iter::Peekable,
    ops::Bound,
};

/// Largest value of a row, in bytes, its format byte included: larger ones make the tree's pages overflow into files that are never freed.
pub(super) const MAX_VALUE: usize = 6 * 1024;

/// What an operation put (`Some`) and deleted (`None`) in one table.
pub(super) type Buffer = BTreeMap<IVec, Option<IVec>>;

/// What one commit of the committer gathers.
pub(super) struct Txn<'a> {
    durable: &'a Durable,
    near: RefCell<Near>,
    now: Time,
    buffers: Vec<Buffer>,
    /// How to take back what the operation under way has done.
    undo: Vec<(Table, IVec, Option<Option<IVec>>)>,
    undo_sequences: Vec<(CompanyId, u64)>,
    sequences: &'a mut HashMap<CompanyId, u64>,
    /// The last sequences before this commit, of the companies that have news.
    before: HashMap<CompanyId, u64>,
    news: Vec<(Topic, u64)>,
    news_kept: usize,
    runs: Vec<Noted>,
    runs_kept: usize,
    bytes: usize,
}

impl<'a> Txn<'a> {
    pub(super) fn new(
        durable: &'a Durable,
        now: Time,
        sequences: &'a mut HashMap<CompanyId, u64>,
    ) -> Self {
        Self {
            durable,
            near: RefCell::default(),
            now,
            buffers: Table::ALL.iter().map(|_| Buffer::new()).collect(),
            undo: Vec::new(),
            undo_sequences: Vec::new(),
            sequences,
            before: HashMap::new(),
            news: Vec::new(),
            news_kept: 0,
            runs: Vec::new(),
            runs_kept: 0,
            bytes: 0,
        }
    }

    /// The moment of this commit.
    pub(super) fn now(&self) -> Time {
        self.now
    }

    /// Puts a raw value. Refused if it is larger than [`MAX_VALUE`].
    pub(super) fn put_raw(
        &mut self,
        table: Table,
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        if value.len() > MAX_VALUE {
            return Err(Error::Refused(format!(
                "a row of {} takes {} bytes; at most {MAX_VALUE} fit",
                table.name(),
                value.len()
            )));
        }
        self.bytes += key.len() + value.len();
        self.buffer(table, key.into(), Some(value.into()));
        Ok(())
    }

    /// Deletes a raw row.
    pub(super) fn delete_raw(&mut self, table: Table, key: Vec<u8>) {
        self.bytes += key.len();
        self.buffer(table, key.into(), None);
    }

    fn buffer(&mut self, table: Table, key: IVec, value: Option<IVec>) {
        let before = self.buffers[table as usize].insert(key.clone(), value);
        self.undo.push((table, key, before));
    }

    /// The next `count` sequences of a company; answers the first.
    pub(super) fn take_sequences(&mut self, company: &CompanyId, count: u64) -> Result<u64, Error> {
        let last = match self.sequences.get(company) {
            Some(last) => *last,
            None => super::events::stored_last_sequence(self, company)?,
        };
        self.undo_sequences.push((company.clone(), last));
        self.before.entry(company.clone()).or_insert(last);
        self.sequences.insert(company.clone(), last + count);
        Ok(last + 1)
    }

    /// Notes what is to be told to those who wait for these topics: the sequence of the last event.
    pub(super) fn note_news(&mut self, topics: Vec<Topic>, last: u64) {
        self.news
            .extend(topics.into_iter().map(|topic| (topic, last)));
    }

    /// Notes what became of a run.
    pub(super) fn note_run(&mut self, noted: Noted) {
        self.runs.push(noted);
    }

    /// Ends an operation: keeps what it did, or takes it back.
    pub(super) fn end_operation(&mut self, keep: bool) {
        if keep {
            self.runs_kept = self.runs.len();
            self.news_kept = self.news.len();
        } else {
            for (table, key, before) in self.undo.drain(..).rev() {
                let buffer = &mut self.buffers[table as usize];
                match before {
                    Some(value) => buffer.insert(key, value),
                    None => buffer.remove(&key),
                };
            }
            for (company, last) in self.undo_sequences.drain(..).rev() {
                self.sequences.insert(company, last);
            }
            self.runs.truncate(self.runs_kept);
            self.news.truncate(self.news_kept);
        }
        self.undo.clear();
        self.undo_sequences.clear();
    }

    /// How many records are to be put or deleted.
    pub(super) fn records(&self) -> usize {
        self.buffers.iter().map(Buffer::len).sum()
    }

    /// How many bytes were put, as an upper bound.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is to be written, and what is to be told once it is.
    pub(super) fn finish(self) -> Finished {
        let events = self
            .before
            .iter()
            .map(|(company, before)| self.sequences.get(company).unwrap_or(before) - before)
            .sum();
        Finished {
            buffers: self.buffers,
            runs: self.runs,
            before: self.before,
            events,
            news: self.news.into_iter().collect(),
        }
    }
}

/// The outcome of a commit's operations.
pub(super) struct Finished {
    pub(super) buffers: Vec<Buffer>,
    /// The runs whose rows are written.
    pub(super) runs: Vec<Noted>,
    /// The last sequences that are durable already, of the companies that have news.
    pub(super) before: HashMap<CompanyId, u64>,
    /// How many events there are.
    pub(super) events: u64,
    /// The topics that have news, and the sequences of their last events.
    pub(super) news: HashMap<Topic, u64>,
}

impl Finished {
    /// Whether anything of this table is to be written.
    pub(super) fn touches(&self, table: Table) -> bool {
        !self.buffers[table as usize].is_empty()
    }
}

impl Read for Txn<'_> {
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<IVec>, Error> {
        match self.buffers[table as usize].get(key) {
            Some(value) => Ok(value.clone()),
            None => self.durable.near(&mut self.near.borrow_mut(), table, key),
        }
    }

    fn last_began(&self, integration: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let before = self.durable.last_began(integration)?;
        began::overlaid(self, &self.runs, integration, before)
    }

    fn range(
        &self,
        table: Table,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
        down: bool,
    ) -> Rows<'_> {
        overlaid(
            self.durable,
            &self.buffers[table as usize],
            table,
            (from, to),
            down,
        )
    }
}

/// Rows of a table as they are with what a buffer puts and deletes.
pub(super) fn overlaid<'r>(
    durable: &'r Durable,
    buffer: &'r Buffer,
    table: Table,
    (from, to): (Bound<Vec<u8>>, Bound<Vec<u8>>),
    down: bool,
) -> Rows<'r> {
    if buffer.is_empty() || is_empty(&from, &to) {
        return durable.range(table, from, to, down);
    }
    let put = buffer.range::<[u8], _>((
        from.as_ref().map(Vec::as_slice),
        to.as_ref().map(Vec::as_slice),
    ));
    let put: Box<dyn Iterator<Item = (&IVec, &Option<IVec>)> + '_> = if down {
        Box::new(put.rev())
    } else {
        Box::new(put)
    };
    Box::new(Overlaid {
        durable: durable.range(table, from, to, down).peekable(),
        put: put.peekable(),
        down,
    })
}

/// Two ordered sequences of rows as one; what was put hides what was committed.
struct Overlaid<'a, P: Iterator<Item = (&'a IVec, &'a Option<IVec>)>> {
    durable: Peekable<Rows<'a>>,
    put: Peekable<P>,
    down: bool,
}

impl<'a, P: Iterator<Item = (&'a IVec, &'a Option<IVec>)>> Iterator for Overlaid<'a, P> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            let order = match (self.durable.peek(), self.put.peek()) {
                (Some(Ok((old, _))), Some((new, _))) => {
                    let order = old.cmp(new);
                    if self.down { order.reverse() } else { order }
                }
                (Some(_), _) => std::cmp::Ordering::Less,
                (None, _) => std::cmp::Ordering::Greater,
            };
            if order.is_lt() {
                return self.durable.next();
            }
            if order.is_eq() {
                self.durable.next();
            }
            let (key, value) = self.put.next()?;
            if let Some(value) = value {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}
