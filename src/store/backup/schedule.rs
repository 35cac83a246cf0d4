//! Backups taken by the daemon itself.

use super::{
    super::{Error, Store},
    newest_backup,
};
use crate::model::{Clock, Time};
use jiff::SignedDuration;
use std::{path::PathBuf, sync::Arc};

/// A backup that failed is tried again after so long.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// When backups are taken, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSchedule {
    /// Where; made if absent.
    pub directory: PathBuf,
    /// How long after the last one the next is due.
    pub every: SignedDuration,
    /// How many are kept.
    pub keep: usize,
}

impl BackupSchedule {
    /// When the next one is due: reckoned from the newest in the directory, so that a restart neither skips nor repeats
    /// one.
    async fn due(&self, now: Time) -> Result<Time, Error> {
        let newest = newest_backup(&self.directory, now).await?;
        let after = |time: Time| time.saturating_add(self.every).unwrap_or(Time::MAX);
        Ok(newest.map_or(now, after))
    }

    async fn take(&self, store: &Store, now: Time) -> Result<(), Error> {
        let info = store
            .rotate_backups(&self.directory, self.keep, now)
            .await?;
        tracing::info!(
            directory = %self.directory.display(),
            records = info.records,
            bytes = info.size,
            "a backup was taken and read back"
        );
        Ok(())
    }

    /// Takes backups as long as it is let.
    pub async fn keep(self, store: Store, clock: Arc<dyn Clock>) {
        loop {
            let taken = async {
                let now = clock.now();
                let due = self.due(now).await?;
                if due > now {
                    return Ok(due);
                }
                self.take(&store, now).await?;
                self.due(clock.now()).await
            };
            let next = taken.await.unwrap_or_else(|error: Error| {
                let directory = self.directory.display();
                tracing::error!(%error, %directory, "no backup could be taken; it is tried again in an hour");
                clock.now().saturating_add(AGAIN).unwrap_or(Time::MAX)
            });
            clock.sleep_until(next).await;
        }
    }
}
