//! What an open store is, and writing to its files.

use super::{
    Error,
    backup::Capture,
    sentinel::Sentinel,
    tables::{Table, Trees},
    txn::{Buffer, Finished},
};
use crate::model::CompanyId;
use sled::{IVec, Transactional, transaction::TransactionError};
use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What is put into (`Some`) and deleted from (`None`) one tree.
type Writes = Vec<(IVec, Option<IVec>)>;

/// Less free space than this, and nothing is written: a full disk would end all writing until a restart.
const LEAST_FREE: u64 = 128 * 1024 * 1024;
/// After so many commits the sentinel is brought up to date.
const SENTINEL_EVERY: u64 = 1024;

/// An open store. Fields are dropped in their order: the lock goes last.
pub(super) struct Core {
    pub(super) trees: Trees,
    /// What a backup that is being taken needs to know of the commits meanwhile.
    pub(super) capture: Mutex<Option<Capture>>,
    db: sled::Db,
    file: File,
    pub(super) dir: PathBuf,
    sentinel: Mutex<Sentinel>,
    commits: AtomicU64,
    least_free: AtomicU64,
    /// Keys of the runs that are going on.
    unfinished: Mutex<BTreeSet<Vec<u8>>>,
    /// While a commit is on its way to the disk: the last durable sequence of each company that has news in it.
    undurable: Mutex<HashMap<CompanyId, u64>>,
    #[cfg(test)]
    broken: std::sync::atomic::AtomicBool,
    _lock: File,
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(super) fn new(
        trees: Trees,
        db: sled::Db,
        file: File,
        dir: PathBuf,
        lock: File,
        sentinel: Sentinel,
        unfinished: BTreeSet<Vec<u8>>,
    ) -> Self {
        Self {
            trees,
            capture: Mutex::new(None),
            db,
            file,
            dir,
            sentinel: Mutex::new(sentinel),
            commits: AtomicU64::new(0),
            least_free: AtomicU64::new(LEAST_FREE),
            unfinished: Mutex::new(unfinished),
            undurable: Mutex::new(HashMap::new()),
            #[cfg(test)]
            broken: false.into(),
            _lock: lock,
        }
    }

    pub(super) fn epoch(&self) -> String {
        held(&self.sentinel).epoch.to_string()
    }

    /// The bytes of the epoch.
    pub(super) fn epoch_bytes(&self) -> Vec<u8> {
        held(&self.sentinel).epoch.as_bytes().to_vec()
    }

    /// Keys of the runs that are going on.
    pub(super) fn unfinished(&self) -> Vec<Vec<u8>> {
        held(&self.unfinished).iter().cloned().collect()
    }

    /// The last sequence of a company that may be shown, if one that was read may not be durable yet. To be asked after reading: what was
    /// read and is not named here is durable.
    pub(super) fn shown_sequence(&self, company: &CompanyId) -> Option<u64> {
        held(&self.undurable).get(company).copied()
    }

    /// Fails if the disk is nearly full.
    pub(super) fn check_space(&self) -> Result<(), Error> {
        let least = self.least_free.load(Ordering::Relaxed);
        match fs4::available_space(&self.dir) {
            Ok(free) if free < least => Err(Error::Full(format!(
                "only {free} bytes are free on the disk of {}; nothing is written while there are less than {least}: make room",
                self.dir.display()
            ))),
            _ => Ok(()),
        }
    }

    /// How many commits there were.
    #[cfg(test)]
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// From now on nothing becomes durable, as on a broken disk.
    #[cfg(test)]
    pub(super) fn break_disk(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn set_least_free(&self, bytes: u64) {
        self.least_free.store(bytes, Ordering::Relaxed);
    }

    /// Writes all of it or nothing, durably; answers how many records it was.
    pub(super) fn write(&self, finished: Finished) -> Result<u64, Error> {
        let Finished {
            buffers,
            unfinished,
            before,
            events,
        } = finished;
        // Held until the commit is in the trees, so that a backup never reads half of it.
        let mut capture = held(&self.capture);
        if let Some(capture) = &mut *capture {
            capture.keep(&self.trees, &buffers);
        }
        let (trees, writes) = self.of_tables(buffers);
        if trees.is_empty() {
            return Ok(0);
        }
        *held(&self.undurable) = before;
        transact(&trees, &writes)?;
        drop(capture);
        self.sync()?;
        held(&self.undurable).clear();
        let mut going_on = held(&self.unfinished);
        for (key, yes) in unfinished {
            if yes {
                going_on.insert(key);
            } else {
                going_on.remove(&key);
            }
        }
        drop(going_on);
        held(&self.sentinel).events += events;
        if self.commits.fetch_add(1, Ordering::Relaxed) % SENTINEL_EVERY == SENTINEL_EVERY - 1 {
            self.write_sentinel()?;
        }
        Ok(writes.iter().map(|writes| writes.len() as u64).sum())
    }

    /// The trees that are written to, and for each what.
    fn of_tables(&self, buffers: Vec<Buffer>) -> (Vec<sled::Tree>, Vec<Writes>) {
        Table::ALL
            .iter()
            .zip(buffers)
            .filter(|(_, buffer)| !buffer.is_empty())
            .map(|(table, buffer)| {
                (
                    self.trees.tree(*table).clone(),
                    buffer.into_iter().collect(),
                )
            })
            .unzip()
    }

    /// Makes everything written so far survive a loss of power. The trees' own flush does not wait for the disk, hence the second step.
    pub(super) fn sync(&self) -> Result<(), Error> {
        #[cfg(test)]
        if self.broken.load(Ordering::Relaxed) {
            return Err(Error::Io("the disk is broken".to_owned()));
        }
        self.db.flush()?;
        self.file
            .sync_data()
            .map_err(|error| Error::io("can't write to the disk", &error))
    }

    pub(super) fn write_sentinel(&self) -> Result<(), Error> {
        let sentinel = *held(&self.sentinel);
        sentinel.write(&self.dir)
    }
}

/// Writes all or nothing.
fn transact(trees: &[sled::Tree], writes: &[Writes]) -> Result<(), Error> {
    // Writes only: any other call on a tree would deadlock in here. It may be run more than once.
    let written = trees.transaction(|trees| {
        for (tree, writes) in trees.iter().zip(writes) {
            for (key, value) in writes {
                match value {
                    Some(value) => tree.insert(key, value)?,
                    None => tree.remove(key)?,
                };
            }
        }
        Ok(())
    });
    written.map_err(|error: TransactionError<()>| match error {
        TransactionError::Storage(error) => Error::from(error),
        TransactionError::Abort(()) => Error::Io("a commit was given up".to_owned()),
    })
}
