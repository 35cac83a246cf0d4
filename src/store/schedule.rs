//! When which integration is due: a key for each that is active, in order of time, kept with its row. What is found here
//! is only where to look: the row says whether it is so.

use super::{
    Error, Store, integrations,
    keys::{Key, Parse},
    runs,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{CompanyId, Integration, IntegrationId, Run, Time};
use std::ops::Bound;
use tokio::sync::watch;

/// An integration that is due at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// When; a whole second.
    pub time: Time,
    /// Whose.
    pub company: CompanyId,
    /// Which.
    pub integration: IntegrationId,
}

impl Due {
    fn key(&self) -> Vec<u8> {
        Key::default()
            .number(seconds(self.time))
            .text(self.company.as_str())
            .id(self.integration.as_str())
            .done()
    }

    fn parse(key: &[u8]) -> Result<Self, Error> {
        let bad = || Error::unreadable("a due time");
        let mut rest = Parse(key);
        let second = i64::try_from(rest.number()?).map_err(|_| bad())?;
        Ok(Self {
            time: Time::from_second(second).map_err(|_| bad())?,
            company: CompanyId::try_new(&rest.text()?).map_err(|_| bad())?,
            integration: IntegrationId::try_new(&rest.id()?).map_err(|_| bad())?,
        })
    }
}

fn seconds(time: Time) -> u64 {
    u64::try_from(time.as_second()).unwrap_or_default()
}

/// Keeps the keys in line with an integration's row, which is about to be written.
pub(super) fn keep(
    txn: &mut Txn<'_>,
    integration: &Integration,
    before: Option<Time>,
) -> Result<(), Error> {
    let due = |time| Due {
        time,
        company: integration.company.clone(),
        integration: integration.id.clone(),
    };
    if before == integration.next_sync {
        return Ok(());
    }
    if let Some(before) = before {
        txn.delete_raw(Table::Schedule, due(before).key());
    }
    match integration.next_sync {
        Some(next) => txn.put(Table::Schedule, due(next).key(), &()),
        None => Ok(()),
    }
}

fn list(
    read: &impl Read,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    limit: usize,
) -> Result<Vec<Due>, Error> {
    let rows = read.range(Table::Schedule, from, to, false).take(limit);
    rows.map(|row| Due::parse(&row?.0)).collect()
}

/// After all keys of that second.
fn past(moment: Time) -> Vec<u8> {
    Key::default().number(seconds(moment) + 1).done()
}

impl Store {
    /// At most `limit` integrations due up to a moment, in order of time; those that come after `after`, if that is given.
    pub async fn due(
        &self,
        after: Option<Due>,
        until: Time,
        limit: usize,
    ) -> Result<Vec<Due>, Error> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.key()));
        self.read(move |durable| list(durable, from, Bound::Excluded(past(until)), limit))
            .await
    }

    /// Wakes (any value) whenever it changes which integration is due when.
    pub fn subscribe_due(&self) -> watch::Receiver<u64> {
        self.0.progress.subscribe_due()
    }

    /// In one write: the integration is due next at `next`, and there is this run for the due time that has come: a new
    /// one (with its event), or one that waits.
    ///
    /// # Errors
    /// `Changed` if the integration is not due then (any more), `Missing` if there is none. Nothing was written.
    pub async fn take_due(&self, due: Due, next: Time, run: Run) -> Result<Run, Error> {
        self.write(move |txn| {
            let mut integration = integrations::must(txn, &due.company, &due.integration)?;
            if integration.next_sync != Some(due.time) {
                return Err(Error::Changed("when the integration is due".to_owned()));
            }
            integration.next_sync = Some(next);
            integrations::put(txn, &integration)?;
            runs::put_or_create(txn, &run)?;
            Ok(run)
        })
        .await
    }

    /// Forgets a due time of which the integration's row knows nothing.
    pub async fn forget_due(&self, due: Due) -> Result<(), Error> {
        self.write(move |txn| {
            let integration = integrations::get(txn, &due.company, &due.integration)?;
            if integration.is_none_or(|integration| integration.next_sync != Some(due.time)) {
                txn.delete_raw(Table::Schedule, due.key());
            }
            Ok(())
        })
        .await
    }
}
