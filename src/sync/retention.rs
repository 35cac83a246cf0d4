//! Lets history go that is older than it is kept for (semantics 35), and what was deleted and can't be had back any more
//! (semantics 32), once at the start and then every hour.

use super::Error;
use crate::{
    model::{Clock, Time},
    store::{Kept, Store},
};
use jiff::SignedDuration;
use std::sync::Arc;

/// Companies fetched at once.
const BATCH: usize = 100;
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// How long history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events, from when they happened.
    pub events: SignedDuration,
    /// Runs and their changes, from when they ended; at least as long as events. An integration's latest stays.
    pub runs: SignedDuration,
}

/// Sweeps as long as it is let.
pub(super) async fn keep(store: Store, clock: Arc<dyn Clock>, retention: Retention) {
    loop {
        let now = clock.now();
        if let Err(error) = sweep(&store, now, retention).await {
            tracing::warn!(%error, "old history can't be deleted; it is tried again in an hour");
        }
        let next = now.saturating_add(AGAIN).unwrap_or(Time::MAX);
        clock.sleep_until(next).await;
    }
}

async fn sweep(store: &Store, now: Time, retention: Retention) -> Result<(), Error> {
    let since = |kept: SignedDuration| now.saturating_sub(kept).unwrap_or(Time::MIN);
    let kept = Kept {
        events: since(retention.events),
        runs: since(retention.runs),
    };
    let mut looked_at = store.purge_deleted(now, None).await?;
    while looked_at.is_some() {
        looked_at = store.purge_deleted(now, looked_at).await?;
    }
    let mut after = None;
    loop {
        let companies = store.companies_with_history(after.take(), BATCH).await?;
        let Some(last) = companies.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for company in &companies {
            while store.forget_history(company, kept).await? > 0 {}
        }
    }
}
