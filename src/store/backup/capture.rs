//! One commit's state of all tables, read while later commits are made.

use super::{
    super::{
        Error,
        core::{Core, held},
        open::FORMAT,
        rows::{BackupHeadRow, Moment},
        tables::{Durable, Read, Table},
        txn::{Buffer, overlaid},
    },
    format::Record,
};
use crate::model::Time;
use std::{ops::Bound, path::Path, sync::Arc};

/// How much of a store a backup holds at once.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Bounds {
    /// A block takes no further record once it has so many,
    pub(in crate::store) records: usize,
    /// or so many bytes.
    pub(in crate::store) bytes: usize,
    /// So many bytes of what commits change are put aside.
    pub(in crate::store) aside: usize,
}

/// What a commit may have to wait for, and what is kept in memory.
pub(super) const BOUNDS: Bounds = Bounds {
    records: 512,
    bytes: 1024 * 1024,
    aside: 64 * 1024 * 1024,
};
/// What one record takes beside its bytes, about.
const OVERHEAD: usize = 128;

/// What a backup that is being taken shares with the committer.
pub(in crate::store) struct Capture {
    /// The table that is being read; those before it have been.
    table: usize,
    /// The last key that was read of it.
    last: Option<Vec<u8>>,
    /// Of each table, as they were when the backup began: records that were changed since, ahead of where it is.
    aside: Vec<Buffer>,
    bytes: usize,
    bounds: Bounds,
    /// Why the backup is given up.
    lost: Option<Error>,
}

impl Capture {
    fn new(bounds: Bounds) -> Self {
        Self {
            table: 0,
            last: None,
            aside: Table::ALL.iter().map(|_| Buffer::new()).collect(),
            bytes: 0,
            bounds,
            lost: None,
        }
    }

    /// Puts aside what a commit is about to change. Never fails: rather the backup does.
    pub(in crate::store) fn keep(&mut self, durable: &Durable, buffers: &[Buffer]) {
        for (table, buffer) in Table::ALL.iter().zip(buffers) {
            for key in buffer.keys() {
                if self.lost.is_some() {
                    return;
                }
                let place = *table as usize;
                if self.is_past(place, key) || self.aside[place].contains_key(key) {
                    continue;
                }
                match durable.raw(*table, key) {
                    Ok(before) => {
                        self.bytes += size(key, before.as_deref());
                        self.aside[place].insert(key.clone(), before);
                    }
                    Err(error) => self.give_up(error),
                }
                if self.bytes > self.bounds.aside {
                    self.give_up(Error::Busy(format!(
                        "the backup was given up: more than {} MiB were changed while it was taken; take it again when less is going on",
                        self.bounds.aside / (1024 * 1024)
                    )));
                }
            }
        }
    }

    fn give_up(&mut self, error: Error) {
        self.aside.iter_mut().for_each(Buffer::clear);
        self.lost = Some(error);
    }

    fn is_past(&self, table: usize, key: &[u8]) -> bool {
        let behind = self
            .last
            .as_ref()
            .is_some_and(|last| key <= last.as_slice());
        table < self.table || (table == self.table && behind)
    }

    /// The next records, in the order of tables and keys; none at the end.
    fn block(&mut self, durable: &Durable) -> Result<Option<Vec<Record>>, Error> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let Bounds {
            records: most,
            bytes: largest,
            ..
        } = self.bounds;
        let (mut block, mut bytes) = (Vec::new(), 0);
        while let Some(table) = Table::ALL.get(self.table) {
            let from = match &self.last {
                Some(last) => Bound::Excluded(last.clone()),
                None => Bound::Unbounded,
            };
            let aside = &self.aside[self.table];
            for row in overlaid(durable, aside, *table, (from, Bound::Unbounded), false) {
                let (key, value) = row?;
                bytes += key.len() + value.len();
                block.push((*table, key, value));
                if block.len() == most || bytes >= largest {
                    break;
                }
            }
            match block.last() {
                Some((_, key, _)) if block.len() == most || bytes >= largest => {
                    self.last = Some(key.to_vec());
                    self.forget_past();
                    break;
                }
                _ => {
                    (self.table, self.last) = (self.table + 1, None);
                    self.forget_past();
                }
            }
        }
        Ok((!block.is_empty()).then_some(block))
    }

    /// What was put aside and has been read is needed no more.
    fn forget_past(&mut self) {
        let mut bytes = 0;
        for (place, buffer) in self.aside.iter_mut().enumerate() {
            let past = match &self.last {
                _ if place < self.table => std::mem::take(buffer),
                Some(last) if place == self.table => {
                    let mut ahead = buffer.split_off(last.as_slice());
                    let own = ahead.remove_entry(last.as_slice());
                    let mut past = std::mem::replace(buffer, ahead);
                    past.extend(own);
                    past
                }
                _ => continue,
            };
            let sizes = past.iter();
            bytes += sizes
                .map(|(key, value)| size(key, value.as_deref()))
                .sum::<usize>();
        }
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

fn size(key: &[u8], value: Option<&[u8]>) -> usize {
    OVERHEAD + key.len() + value.map_or(0, <[u8]>::len)
}

/// A backup that is being taken; ends with it.
pub(in crate::store) struct Capturing {
    core: Arc<Core>,
    time: Time,
}

impl Capturing {
    /// Begins. To be called by the committer, between two commits.
    pub(in crate::store) fn begin(
        core: Arc<Core>,
        time: Time,
        bounds: Bounds,
    ) -> Result<Self, Error> {
        let mut capture = held(&core.capture);
        if capture.is_some() {
            return Err(Error::Busy(
                "another backup is being taken: wait until it is done".to_owned(),
            ));
        }
        *capture = Some(Capture::new(bounds));
        drop(capture);
        Ok(Self { core, time })
    }

    /// The directory of the store.
    pub(super) fn dir(&self) -> &Path {
        &self.core.dir
    }

    /// What the backup begins with.
    pub(super) fn head(&self) -> BackupHeadRow {
        BackupHeadRow {
            store_format: FORMAT,
            epoch: self.core.epoch_bytes(),
            take_time: Some(Moment::row(self.time)),
            tables: Table::ALL.iter().map(|t| t.name().to_owned()).collect(),
        }
    }

    /// The next records; none at the end. Fails when the disk is nearly full, as the backup may be written to it.
    pub(in crate::store) fn block(&self) -> Result<Option<Vec<Record>>, Error> {
        self.core.check_space()?;
        match &mut *held(&self.core.capture) {
            Some(capture) => capture.block(&self.core.durable),
            None => Err(Error::closed()),
        }
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        *held(&self.core.capture) = None;
    }
}

impl Core {
    /// The store is being closed: a backup that is being taken ends.
    pub(in crate::store) fn give_up_backup(&self) {
        if let Some(capture) = &mut *held(&self.capture) {
            capture.give_up(Error::closed());
        }
    }
}
