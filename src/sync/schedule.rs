//! When integrations run by themselves: sleeps until the earliest is due, or until that changes, and asks the door.

use super::{Error, Runs, runs::Called};
use crate::{
    model::{Clock, Integration, Time},
    store::{self, Due, Store},
};
use jiff::SignedDuration;
use std::sync::Arc;

/// Due times fetched at once.
const BATCH: usize = 100;
/// After a failure the schedule is looked at again so much later.
const RETRY: SignedDuration = SignedDuration::from_secs(30);
/// A clock that is set back by less was only put right: what was done since then is not done again.
const SLIGHT: SignedDuration = SignedDuration::from_mins(15);

/// Keeps the schedule.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Store,
    clock: Arc<dyn Clock>,
    runs: Runs,
    /// The latest time at which the schedule was looked at, since the clock was set back; none before the first.
    looked: Option<Time>,
}

impl Keeper {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>, runs: Runs) -> Self {
        Self {
            store,
            clock,
            runs,
            looked: None,
        }
    }

    /// Asks for runs as long as it is let.
    pub(super) async fn keep(mut self) {
        let mut changed = self.store.subscribe_due();
        loop {
            changed.mark_unchanged();
            let now = self.clock.now();
            let next = self.look(now).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the schedule can't be kept; it is looked at again soon");
                now.saturating_add(RETRY).unwrap_or(Time::MAX)
            });
            let sleep = self.clock.sleep_until(next);
            // It may have been set back while the schedule was looked at, before this sleep could notice.
            if self.clock.now() < now {
                continue;
            }
            tokio::select! {
                () = sleep => {}
                woken = changed.changed() => if woken.is_err() {
                    return;
                },
            }
        }
    }

    /// Asks for everything that is due; tells when to look again.
    async fn look(&mut self, now: Time) -> Result<Time, Error> {
        let mut latest = self.looked.unwrap_or(now).max(now);
        // The clock may also have been set back while the daemon was not running.
        let restarted = self.looked.is_none();
        if restarted || latest.duration_since(now) >= SLIGHT {
            self.mend(now, restarted).await?;
            latest = now;
        }
        self.looked = Some(latest);
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
        if failed {
            return Ok(now.saturating_add(RETRY).unwrap_or(Time::MAX));
        }
        let next = self.store.due(None, Time::MAX, 1).await?;
        Ok(next.first().map_or(Time::MAX, |due| due.time))
    }

    /// Brings forward what is planned later than it would be when it is planned now: it was planned by a clock that was
    /// ahead, and would wait until that time. After a restart it is not known how far it was ahead: what was begun just
    /// before is not begun again.
    async fn mend(&self, now: Time, restarted: bool) -> Result<(), Error> {
        let mut after = None;
        loop {
            let batch = self.store.due(after.take(), Time::MAX, BATCH).await?;
            let Some(last) = batch.last().cloned() else {
                return Ok(());
            };
            for due in batch {
                self.mend_one(due, now, restarted).await?;
            }
            after = Some(last);
        }
    }

    async fn mend_one(&self, due: Due, now: Time, restarted: bool) -> Result<(), Error> {
        let (company, id) = (&due.company, &due.integration);
        let found = self.store.integration(company, id).await?;
        let Some(planned) = found.filter(|found| found.next_sync == Some(due.time)) else {
            return Ok(self.store.forget_due(due).await?);
        };
        if due.time <= planned.schedule.next_after(now) {
            return Ok(());
        }
        if restarted && self.came_just_now(&planned, due.time, now).await? {
            return Ok(());
        }
        let mend = move |integration: &mut Integration| {
            let next = integration.schedule.next_after(now);
            integration.next_sync = integration.next_sync.map(|planned| planned.min(next));
            Ok(None)
        };
        match self.store.update_integration(company, id, mend).await {
            Ok(_) => {
                tracing::warn!(integration = %id, %company, planned = %due.time, "the clock was ahead; the integration's next run is planned anew");
                Ok(())
            }
            // It is gone, or going.
            Err(store::Error::Missing(_) | store::Error::Deleting(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the period that is about to begin has begun already, by a clock that was only put right since: the integration
    /// was planned in it, and the last that is known to have happened is hardly later than now.
    async fn came_just_now(
        &self,
        planned: &Integration,
        due: Time,
        now: Time,
    ) -> Result<bool, Error> {
        let again = planned.schedule.next_after(now);
        let soon = again.duration_since(now) < SLIGHT;
        if !soon || due != planned.schedule.next_after(again) {
            return Ok(false);
        }
        let last = self.store.last_sequence(&planned.company).await?;
        let before = last.saturating_sub(1);
        let events = self.store.events(&planned.company, before, 1).await?;
        let last = events.last();
        Ok(last.is_some_and(|last| last.time.duration_since(now) < SLIGHT))
    }
}
