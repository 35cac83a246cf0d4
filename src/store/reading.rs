//! Reading. The tables hold commits that are not durable yet; what is read of them is told once they are, or not at all.

use super::{Error, Store, blocking, tables::Durable};
use std::cell::Cell;

tokio::task_local! {
    /// Of how many commits may be what was read so far by somebody who does not wait after each look.
    static SEEN: Cell<u64>;
}

impl Store {
    /// Reads off the runtime, and waits until what was read is durable: a few milliseconds if something is being written, else
    /// nothing. Within [`Store::once_durable`] and [`Store::ahead`] it does not wait.
    pub(super) async fn read<R, F>(&self, read: F) -> Result<R, Error>
    where
        R: Send + 'static,
        F: FnOnce(&Durable) -> Result<R, Error> + Send + 'static,
    {
        let core = self.core()?;
        let found = blocking(move || read(&core.durable)).await;
        let commits = self.0.progress.begun();
        let noted = SEEN.try_with(|seen| seen.set(seen.get().max(commits)));
        if noted.is_err() {
            self.0.progress.settled(commits).await?;
        }
        found
    }

    /// Does what reads, maybe often, and waits once: its outcome is told when all that was read for it is durable.
    ///
    /// # Errors
    /// Why it never will be.
    pub async fn once_durable<F: Future>(&self, work: F) -> Result<F::Output, Error> {
        let (done, commits) = seen(work).await;
        self.0.progress.settled(commits).await?;
        Ok(done)
    }

    /// Does what reads without waiting at all: for whoever tells nobody of it but by writing, since writes become durable in
    /// their order.
    pub async fn ahead<F: Future>(work: F) -> F::Output {
        seen(work).await.0
    }
}

/// Does something; tells also of how many commits may be what it has read.
async fn seen<F: Future>(work: F) -> (F::Output, u64) {
    let work = async {
        let done = work.await;
        (done, SEEN.with(Cell::get))
    };
    SEEN.scope(Cell::new(0), work).await
}

#[cfg(test)]
impl Store {
    /// Nothing becomes durable until what is answered is dropped; nor then, if the disk is broken besides.
    pub(crate) fn stall_disk(&self, broken: bool) -> std::sync::mpsc::Sender<()> {
        let core = self.core().unwrap();
        let go = core.stall_disk();
        if broken {
            core.break_disk();
        }
        go
    }
}
