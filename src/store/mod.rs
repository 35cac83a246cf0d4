//! The store: all durable state, in embedded sled, behind async methods grouped by aggregate.
//!
//! Owns the files of the data directory, the stored form of everything, the sequences of events, the memory of request ids and the sealing
//! of secrets. May use the model, and sled, which nobody else may. Deliberately hands out no iterator, transaction or sled type, decides
//! nothing about runs, rules or rights, and never waits for anything but the disk.
//!
//! One thread, the committer, does all writing (`committer.rs`): operations that wait are run one after the other, written in one
//! transaction, made durable, and then answered. Reading is done off the runtime, of what is in the tables; what is told of it waits until
//! it is durable (`reading.rs`), which costs nothing while nothing is written. So what is acknowledged, by a write or by finding that there
//! is nothing to write, survives `kill -9`; after a loss of power it is there, or the store does not open and says what to do (`open.rs`).

mod aside;
mod authorizations;
mod backup;
mod began;
mod by_hand;
mod changes;
mod committer;
mod core;
mod deleted;
mod deletion;
mod directory;
mod entities;
mod error;
mod events;
mod grouped;
mod integrations;
mod keys;
mod large;
mod links;
mod listing;
mod members;
mod open;
mod packed;
mod page;
mod reading;
mod requests;
mod retention;
mod rows;
mod rules;
mod runs;
mod schedule;
mod sealing;
mod sentinel;
mod slices;
mod tables;
#[cfg(test)]
mod tests;
mod txn;
mod types;
mod verify;

pub use backup::{
    BackupInfo, BackupSchedule, Incoming, Spooled, import, newest_backup, verify_backup,
};
pub use entities::check_size;
pub use error::Error;
pub use listing::{Along, Index};
pub use retention::Kept;
pub use schedule::Due;
pub use sealing::SealingKey;
pub use sentinel::epoch_of;
pub use types::{
    ChangeFilter, Created, LinkPart, Options, Recorded, Remembered, Seen, Slice, SliceError,
    TakenAuthorization, Topic,
};

use self::{
    committer::{Progress, Queue},
    core::Core,
    txn::Txn,
};
use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::watch;

/// The store: a cheap handle; all durable state is behind it.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>, Keeps);

/// Whether what a handle writes is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    Yes,
    No,
}

struct Inner {
    epoch: String,
    key: SealingKey,
    progress: Arc<Progress>,
    open: Mutex<Option<Open>>,
}

/// What there is only while the store is open.
struct Open {
    core: Arc<Core>,
    queue: Queue,
    thread: JoinHandle<()>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn open(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let open = self.open().take();
        if let Some(open) = open {
            finish(open);
        }
    }
}

/// Lets the committer do what waits, then closes the files. Blocks.
fn finish(open: Open) {
    let Open {
        core,
        queue,
        thread,
    } = open;
    drop(queue);
    core.give_up_backup();
    if thread.join().is_err() {
        tracing::error!("the store's thread panicked");
    }
    // Reads under way end soon; the files are closed when the last has.
    while Arc::strong_count(&core) > 1 {
        std::thread::yield_now();
    }
}

impl Store {
    /// Opens (or makes) a store, with every guard that sled needs. Blocking work is done off the runtime.
    ///
    /// # Errors
    /// `Locked` if another process has it open, `Damaged` or `Unusable` if it must not be opened (the text says what to do), `Io`.
    pub async fn open(options: Options) -> Result<Self, Error> {
        blocking(move || {
            let core = Arc::new(open::open(&options)?);
            let progress = Arc::new(Progress::default());
            let epoch = core.epoch();
            let (queue, thread) = committer::start(core.clone(), options.clock, progress.clone())?;
            let inner = Inner {
                epoch,
                key: options.key,
                progress,
                open: Mutex::new(Some(Open {
                    core,
                    queue,
                    thread,
                })),
            };
            Ok(Self(Arc::new(inner), Keeps::Yes))
        })
        .await
    }

    /// A handle whose writes are checked and answered like any other, and then taken back: nothing of them is kept, and
    /// nobody hears of them.
    pub fn rehearsal(&self) -> Self {
        Self(Arc::clone(&self.0), Keeps::No)
    }

    /// Does what waits, makes everything durable, ends the committer thread and closes the files; later calls fail.
    ///
    /// # Errors
    /// Why the store had stopped writing, if it had.
    pub async fn close(&self) -> Result<(), Error> {
        let open = self.0.open().take();
        if let Some(open) = open {
            blocking(move || {
                finish(open);
                Ok(())
            })
            .await?;
        }
        self.0.progress.failure().map_or(Ok(()), Err)
    }

    /// How many records were put or deleted since it was opened.
    pub fn writes(&self) -> u64 {
        self.0.progress.writes()
    }

    /// Waits until it takes no more writes: after an I/O error it takes none until the daemon is restarted.
    pub async fn failed(&self) {
        self.0.progress.failed().await;
    }

    /// Of this store; changes when a backup is restored.
    pub fn epoch(&self) -> String {
        self.0.epoch.clone()
    }

    /// Wakes whenever there are new durable events of a topic, after they are durable. The value is the sequence of the last one; 0 if
    /// none came since anybody waits for the topic.
    pub fn subscribe(&self, topic: Topic) -> watch::Receiver<u64> {
        self.0.progress.subscribe(topic)
    }

    fn core(&self) -> Result<Arc<Core>, Error> {
        let open = self.0.open();
        open.as_ref()
            .map(|open| open.core.clone())
            .ok_or_else(Error::closed)
    }

    /// Hands a write to the committer at once, not only when the answer is awaited; done even if nobody awaits it.
    fn write<R, E, F>(&self, write: F) -> impl Future<Output = Result<R, E>> + Send + use<R, E, F>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Txn<'_>) -> Result<R, E> + Send + 'static,
    {
        let (operation, answer) = committer::operation(self.1 == Keeps::Yes, write);
        let sent = match &*self.0.open() {
            Some(open) => open.queue.send(operation).is_ok(),
            None => false,
        };
        async move {
            if !sent {
                return Err(Error::closed().into());
            }
            answer.await.unwrap_or_else(|_| Err(Error::closed().into()))
        }
    }
}

/// Runs what blocks off the runtime. Damaged pages can make sled panic: that is an error like others.
async fn blocking<R, F>(run: F) -> Result<R, Error>
where
    R: Send + 'static,
    F: FnOnce() -> Result<R, Error> + Send + 'static,
{
    tokio::task::spawn_blocking(run)
        .await
        .unwrap_or_else(|error| match error.is_panic() {
            true => {
                tracing::error!("a read of the store panicked");
                Err(Error::unreadable("a page"))
            }
            false => Err(Error::closed()),
        })
}
