//! When integrations run by themselves: sleeps until the earliest is due, or until that changes, and asks the door.

use super::{Error, Runs, runs::Called};
use crate::{
    model::{Clock, Time},
    store::{self, Store},
};
use jiff::SignedDuration;
use std::sync::Arc;

/// Due times fetched at once.
const BATCH: usize = 100;
/// After a failure the schedule is looked at again so much later.
const RETRY: SignedDuration = SignedDuration::from_secs(30);
/// No integration is due later than a month from now, or two if the clock was set back by less than one. What is, was
/// computed when the clock was wrong by more, and would wait for a time that is perhaps years away.
const HORIZON: SignedDuration = SignedDuration::from_hours(63 * 24);

/// Keeps the schedule.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Store,
    clock: Arc<dyn Clock>,
    runs: Runs,
}

impl Keeper {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>, runs: Runs) -> Self {
        Self { store, clock, runs }
    }

    /// Asks for runs as long as it is let.
    pub(super) async fn keep(self) {
        let mut changed = self.store.subscribe_due();
        loop {
            changed.mark_unchanged();
            let now = self.clock.now();
            let next = self.look(now).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the schedule can't be kept; it is looked at again soon");
                now.saturating_add(RETRY).unwrap_or(Time::MAX)
            });
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                woken = changed.changed() => if woken.is_err() {
                    return;
                },
            }
        }
    }

    /// Asks for everything that is due; tells when to look again.
    async fn look(&self, now: Time) -> Result<Time, Error> {
        let (mut after, mut failed) = (None, false);
        loop {
            let batch = self.store.due(after.take(), now, BATCH).await?;
            let Some(last) = batch.last().cloned() else {
                break;
            };
            for due in batch {
                let integration = due.integration.clone();
                let called = Called { due, now };
                if let Err(error) = self.runs.due(called).await {
                    tracing::warn!(%integration, %error, "a scheduled run can't be asked for; it is tried again soon");
                    failed = true;
                }
            }
            after = Some(last);
        }
        self.mend(now).await?;
        if failed {
            return Ok(now.saturating_add(RETRY).unwrap_or(Time::MAX));
        }
        let next = self.store.due(None, Time::MAX, 1).await?;
        Ok(next.first().map_or(Time::MAX, |due| due.time))
    }

    /// Computes anew what was computed when the clock was wrong.
    async fn mend(&self, now: Time) -> Result<(), Error> {
        let horizon = now.saturating_add(HORIZON).unwrap_or(Time::MAX);
        for due in self.store.due_later(horizon, BATCH).await? {
            let wrong = due.time;
            let mended =
                self.store
                    .update_integration(&due.company, &due.integration, move |integration| {
                        if integration.next_sync == Some(wrong) {
                            integration.next_sync = Some(integration.schedule.next_after(now));
                        }
                        Ok(None)
                    });
            match mended.await {
                Ok(integration) => {
                    tracing::warn!(integration = %integration.id, company = %integration.company, "the clock was set back far; the integration's next run is planned anew");
                }
                Err(store::Error::Missing(_)) => self.store.forget_due(due).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
