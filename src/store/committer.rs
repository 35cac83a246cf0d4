//! The committer: one thread that does all writing. It takes what waits, runs each operation on what is in the tables plus what those before it
//! put, and puts all of them into the tables in one batch. A second thread makes that durable, while the next commit is made; wakes who waits
//! for news; and only then answers. Once a commit fails, so do all after it, and nothing more is written.

use super::{
    Error, Topic,
    core::{Applied, Core},
    tables::Table,
    txn::Txn,
};
use crate::model::Clock;
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SendError, SyncSender},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc, oneshot, watch};

/// One commit takes no further operation once it has so many,
const MOST_OPERATIONS: usize = 64;
/// or so many records,
const MOST_RECORDS: usize = 1000;
/// or so many bytes.
const MOST_BYTES: usize = 1024 * 1024;
/// So many commits may wait to be made durable.
const AHEAD: usize = 1;

/// Answers an operation once it is known whether its commit is durable.
type Answer = Box<dyn FnOnce(&Result<(), Error>) + Send>;
/// An operation that waits.
pub(super) struct Operation(Box<dyn FnOnce(&mut Txn<'_>) -> Answer + Send>);
/// Where operations wait. It has no bound of its own: whoever waits in it waits for its answer, and the callers are bounded.
pub(super) type Queue = mpsc::UnboundedSender<Operation>;

/// What the committer tells, and what outlives it.
#[derive(Debug)]
pub(super) struct Progress {
    /// Commits that are in the tables, or about to be.
    begun: AtomicU64,
    /// So many of them, the oldest, are durable.
    settled: watch::Sender<u64>,
    writes: AtomicU64,
    failure: watch::Sender<Option<Error>>,
    /// The sequence of the last event of each topic that somebody waits for; 0 until there is a new one.
    news: Mutex<HashMap<Topic, watch::Sender<u64>>>,
    due: watch::Sender<u64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            begun: AtomicU64::new(0),
            settled: watch::Sender::new(0),
            writes: AtomicU64::new(0),
            failure: watch::Sender::new(None),
            news: Mutex::default(),
            due: watch::Sender::new(0),
        }
    }
}

impl Progress {
    /// How many records were put or deleted.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// How many commits may be in the tables. To be asked after reading: what was read is of these.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// Waits until so many commits are durable.
    ///
    /// # Errors
    /// Why they never will be.
    pub(super) async fn settled(&self, commits: u64) -> Result<(), Error> {
        if *self.settled.borrow() >= commits {
            return Ok(());
        }
        let mut settled = self.settled.subscribe();
        tokio::select! {
            biased;
            // It can't close: we hold the sender.
            _ = settled.wait_for(|settled| *settled >= commits) => Ok(()),
            () = self.failed() => Err(self.failure().unwrap_or_else(Error::closed)),
        }
    }

    /// Why nothing is written any more, if that is so.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.borrow().clone()
    }

    /// Waits until nothing is written any more.
    pub(super) async fn failed(&self) {
        // It can't close: we hold the sender.
        let _ = self.failure.subscribe().wait_for(Option::is_some).await;
    }

    fn fail(&self, error: &Error) {
        tracing::error!(%error, "the store takes no more writes until the daemon is restarted");
        self.failure.send_replace(Some(error.clone()));
    }

    fn news(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<u64>>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe(&self, topic: Topic) -> watch::Receiver<u64> {
        let mut news = self.news();
        news.retain(|_, waiting| waiting.receiver_count() > 0);
        news.entry(topic).or_default().subscribe()
    }

    /// Wakes who waits for these topics, and tells the sequences of their last events.
    fn wake(&self, topics: &HashMap<Topic, u64>) {
        let news = self.news();
        for (topic, last) in topics {
            if let Some(waiting) = news.get(topic) {
                waiting.send_replace(*last);
            }
        }
    }

    pub(super) fn subscribe_due(&self) -> watch::Receiver<u64> {
        self.due.subscribe()
    }
}

/// Starts the committer. It ends when the queue is dropped and empty.
pub(super) fn start(
    core: Arc<Core>,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
) -> Result<(Queue, JoinHandle<()>), Error> {
    let (queue, waiting) = mpsc::unbounded_channel();
    let committer = Committer {
        core,
        clock,
        progress,
        waiting,
    };
    let thread = thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || committer.run())
        .map_err(|error| Error::io("can't start the store's thread", &error))?;
    Ok((queue, thread))
}

/// Makes an operation, and where its answer will be. What it does is taken back if it fails, or is not to be kept.
pub(super) fn operation<R, E, F>(keep: bool, run: F) -> (Operation, oneshot::Receiver<Result<R, E>>)
where
    R: Send + 'static,
    E: From<Error> + Send + 'static,
    F: FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static,
{
    let (tell, answer) = oneshot::channel();
    let operation = move |txn: &mut Txn<'_>| {
        let result = catch_unwind(AssertUnwindSafe(|| run(txn))).unwrap_or_else(|_| {
            tracing::error!("a write to the store panicked; nothing of it was written");
            Err(Error::Io("a write failed for an inner reason".to_owned()).into())
        });
        txn.end_operation(keep && result.is_ok());
        let answer: Answer = Box::new(move |durable| {
            // Also what went wrong may have come of what never became durable.
            let result = match durable {
                Ok(()) => result,
                Err(error) => Err(error.clone().into()),
            };
            // Whoever asked may be gone.
            let _ = tell.send(result);
        });
        answer
    };
    (Operation(Box::new(operation)), answer)
}

struct Committer {
    core: Arc<Core>,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    waiting: mpsc::UnboundedReceiver<Operation>,
}

/// A commit on its way to the disk.
struct Commit {
    applied: Applied,
    /// Whether due times changed.
    due: bool,
    answers: Vec<Answer>,
}

impl Committer {
    fn run(mut self) {
        let (settle, applied) = std::sync::mpsc::sync_channel(AHEAD);
        let settler = Settler {
            core: Arc::clone(&self.core),
            progress: Arc::clone(&self.progress),
            applied,
        };
        let settler = thread::Builder::new()
            .name("store-sync".to_owned())
            .spawn(move || settler.run());
        let settler = match settler {
            Ok(settler) => settler,
            Err(error) => {
                let error = Error::io("can't start the store's second thread", &error);
                return self.progress.fail(&error);
            }
        };
        self.commit_all(&settle);
        drop(settle);
        let settled = settler.join().is_ok();
        if let Err(error) = self.end(settled) {
            tracing::error!(%error, "the store was not closed properly");
        }
    }

    fn commit_all(&mut self, settle: &SyncSender<Commit>) {
        let mut sequences = HashMap::new();
        while let Some(first) = self.waiting.blocking_recv() {
            let refused = self.progress.failure().map_or(self.core.check_space(), Err);
            let mut txn = Txn::new(&self.core.durable, self.clock.now(), &mut sequences);
            if refused.is_err() {
                // Run all the same, since only the operation can make its answer; what it put is dropped.
                (first.0)(&mut txn)(&refused);
                drop(txn);
                sequences.clear();
                continue;
            }
            let mut answers = vec![(first.0)(&mut txn)];
            while answers.len() < MOST_OPERATIONS
                && txn.records() < MOST_RECORDS
                && txn.bytes() < MOST_BYTES
                && let Ok(next) = self.waiting.try_recv()
            {
                answers.push((next.0)(&mut txn));
            }
            let finished = txn.finish();
            let due = finished.touches(Table::Schedule);
            self.progress.begun.fetch_add(1, Ordering::SeqCst);
            match unless_it_panics(|| self.core.apply(finished)) {
                Ok(applied) => {
                    let commit = Commit {
                        applied,
                        due,
                        answers,
                    };
                    if let Err(SendError(commit)) = settle.send(commit) {
                        self.progress.fail(&Error::closed());
                        commit.answer(&Err(Error::closed()));
                    }
                }
                Err(error) => {
                    self.progress.fail(&error);
                    answers
                        .into_iter()
                        .for_each(|answer| answer(&Err(error.clone())));
                }
            }
        }
    }

    fn end(&self, settled: bool) -> Result<(), Error> {
        if settled && self.progress.failure().is_none() {
            self.core.sync()?;
            self.core.write_sentinel()?;
        }
        Ok(())
    }
}

impl Commit {
    fn answer(self, durable: &Result<(), Error>) {
        self.answers.into_iter().for_each(|answer| answer(durable));
    }
}

/// Makes commits durable while the next one is made.
struct Settler {
    core: Arc<Core>,
    progress: Arc<Progress>,
    applied: Receiver<Commit>,
}

impl Settler {
    fn run(self) {
        while let Ok(first) = self.applied.recv() {
            let mut commits = vec![first];
            commits.extend(self.applied.try_iter().take(AHEAD));
            let durable = self.settle(&mut commits);
            if durable.is_ok() {
                let more = commits.len() as u64;
                self.progress
                    .settled
                    .send_modify(|settled| *settled += more);
            }
            for commit in commits {
                if durable.is_ok() {
                    self.progress.wake(&commit.applied.news);
                    if commit.due {
                        self.progress.due.send_modify(|count| *count += 1);
                    }
                }
                commit.answer(&durable);
            }
        }
    }

    fn settle(&self, commits: &mut [Commit]) -> Result<(), Error> {
        if let Some(error) = self.progress.failure() {
            return Err(error);
        }
        let applied = commits.iter_mut().map(|commit| &mut commit.applied);
        unless_it_panics(|| self.core.settle(applied, &self.progress.writes))
            .inspect_err(|error| self.progress.fail(error))
    }
}

fn unless_it_panics<R>(run: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::Io("writing failed for an inner reason".to_owned())))
}
