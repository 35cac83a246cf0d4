//! What an open store is, and writing to its files.

use super::{
    Error, Topic,
    backup::Capture,
    began::Noted,
    sentinel::Sentinel,
    tables::{Durable, Table},
    txn::Finished,
};
use crate::model::CompanyId;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fs::File,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Less free space than this, and nothing is written: a full disk would end all writing until a restart.
const LEAST_FREE: u64 = 128 * 1024 * 1024;
/// After so many commits the sentinel is brought up to date.
const SENTINEL_EVERY: u64 = 1024;

/// A commit that is in the tables, and maybe not durable.
pub(super) struct Applied {
    /// How many records it is.
    pub(super) records: u64,
    /// The runs whose rows were written.
    runs: Vec<Noted>,
    events: u64,
    /// The topics that have news, and the sequences of their last events.
    pub(super) news: HashMap<Topic, u64>,
}

/// An open store. Fields are dropped in their order: the lock goes last.
pub(super) struct Core {
    pub(super) durable: Durable,
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
    /// Of each commit that is on its way to the disk, the oldest first: the last sequence before it of each company that has news in it.
    undurable: Mutex<VecDeque<HashMap<CompanyId, u64>>>,
    #[cfg(test)]
    broken: std::sync::atomic::AtomicBool,
    /// What the next wait for the disk waits for before.
    #[cfg(test)]
    stalled: Mutex<Option<std::sync::mpsc::Receiver<()>>>,
    _lock: File,
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(super) fn new(
        durable: Durable,
        db: sled::Db,
        file: File,
        dir: PathBuf,
        lock: File,
        sentinel: Sentinel,
        unfinished: BTreeSet<Vec<u8>>,
    ) -> Self {
        Self {
            durable,
            capture: Mutex::new(None),
            db,
            file,
            dir,
            sentinel: Mutex::new(sentinel),
            commits: AtomicU64::new(0),
            least_free: AtomicU64::new(LEAST_FREE),
            unfinished: Mutex::new(unfinished),
            undurable: Mutex::default(),
            #[cfg(test)]
            broken: false.into(),
            #[cfg(test)]
            stalled: Mutex::default(),
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
        let undurable = held(&self.undurable);
        undurable
            .iter()
            .find_map(|before| before.get(company).copied())
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

    /// The next commit becomes durable only when what is answered is dropped, as on a disk that hangs.
    #[cfg(test)]
    pub(super) fn stall_disk(&self) -> std::sync::mpsc::Sender<()> {
        let (go, wait) = std::sync::mpsc::channel();
        *held(&self.stalled) = Some(wait);
        go
    }

    /// Until what is answered is dropped nobody learns which runs are going on.
    #[cfg(test)]
    pub(super) fn hold_unfinished(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        held(&self.unfinished)
    }

    #[cfg(test)]
    pub(super) fn set_least_free(&self, bytes: u64) {
        self.least_free.store(bytes, Ordering::Relaxed);
    }

    /// Puts all of a commit into the tables or nothing; it is not durable yet.
    pub(super) fn apply(&self, finished: Finished) -> Result<Applied, Error> {
        let Finished {
            buffers,
            runs,
            before,
            events,
            news,
        } = finished;
        let records = buffers.iter().map(|buffer| buffer.len() as u64).sum();
        let applied = Applied {
            records,
            runs,
            events,
            news,
        };
        if records == 0 {
            return Ok(applied);
        }
        // Held until the commit is in the tables, so that a backup never reads half of it.
        let mut capture = held(&self.capture);
        if let Some(capture) = &mut *capture {
            capture.keep(&self.durable, &buffers);
        }
        held(&self.undurable).push_back(before);
        self.durable
            .apply(Table::ALL.iter().copied().zip(buffers))?;
        self.durable.note_runs(&applied.runs)?;
        let_go();
        Ok(applied)
    }

    /// Makes commits durable that were put into the tables, the oldest first, and notes what follows from it; counts their records
    /// in `writes` before anybody can be shown them.
    pub(super) fn settle<'a>(
        &self,
        applied: impl Iterator<Item = &'a mut Applied>,
        writes: &AtomicU64,
    ) -> Result<(), Error> {
        let applied: Vec<_> = applied.filter(|applied| applied.records > 0).collect();
        if applied.is_empty() {
            return Ok(());
        }
        self.sync()?;
        let_go();
        let records = applied.iter().map(|applied| applied.records).sum();
        writes.fetch_add(records, Ordering::SeqCst);
        let settled = applied.len();
        let mut events = Vec::with_capacity(settled);
        {
            let mut going_on = held(&self.unfinished);
            for applied in applied {
                for noted in applied.runs.drain(..) {
                    if noted.going_on {
                        going_on.insert(noted.key);
                    } else {
                        going_on.remove(&noted.key);
                    }
                }
                events.push(applied.events);
            }
        }
        // Only now: who begins to watch is told of a run either that it is going on or, later, that it began.
        held(&self.undurable).drain(..settled);
        for more in events {
            held(&self.sentinel).events += more;
            if self.commits.fetch_add(1, Ordering::Relaxed) % SENTINEL_EVERY == SENTINEL_EVERY - 1 {
                self.write_sentinel()?;
            }
        }
        Ok(())
    }

    /// Makes everything written so far survive a loss of power. The tree's own flush does not wait for the disk, hence the second step.
    pub(super) fn sync(&self) -> Result<(), Error> {
        #[cfg(test)]
        if let Some(wait) = { held(&self.stalled).take() } {
            let _ = wait.recv();
        }
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

/// Lets go of memory that this thread has written through: sled keeps a thread's last 64 buffers and pages otherwise, of up to half a megabyte
/// each.
fn let_go() {
    crossbeam_epoch::pin().flush();
}
