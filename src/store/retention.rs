//! Letting history go, in slices: events and runs that are older than they are kept for.

use super::{
    Error, Store, events, integrations, keys, large,
    rows::{EventRow, Moment, RunRow},
    runs,
    tables::{Read, Table, after_prefix},
};
use crate::model::{CompanyId, Time};
use std::ops::Bound;

/// Most records that a slice takes away.
const MOST: usize = 100;

/// From when on history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Events that are not older stay.
    pub events: Time,
    /// Runs that did not end earlier stay, and their changes. Not after `events`: an event leads to the changes of its run.
    pub runs: Time,
}

type Doomed = Vec<(Table, Vec<u8>)>;

/// The oldest events, but for the newest of the company: by it the last sequence is known.
fn old_events(read: &impl Read, company: &CompanyId, before: Time) -> Result<Doomed, Error> {
    let mut doomed = Vec::new();
    let mut rows = read
        .prefix(Table::Events, &events::prefix(company))
        .peekable();
    while let Some(row) = rows.next() {
        let (key, raw) = row?;
        let row: Option<EventRow> = large::decode(read, Table::Events, &key, &raw)?;
        let young = match row {
            Some(row) => Moment::must(row.time)? >= before,
            None => false,
        };
        if young || doomed.len() == MOST || rows.peek().is_none() {
            break;
        }
        doomed.push((Table::Events, key.to_vec()));
    }
    Ok(doomed)
}

/// The key of an integration's latest run that is no preview.
fn latest(read: &impl Read, prefix: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    for found in read.prefix_down(Table::Runs, prefix) {
        let (key, raw) = found?;
        let row: Option<RunRow> = large::decode(read, Table::Runs, &key, &raw)?;
        if row.is_some_and(|row| !row.preview) {
            return Ok(Some(key.to_vec()));
        }
    }
    Ok(None)
}

/// The oldest runs that are over, each after its changes. An integration's latest stays, and the latest that began;
/// previews are none of these.
fn old_runs(read: &impl Read, company: &CompanyId, before: Time) -> Result<Doomed, Error> {
    let mut doomed = Vec::new();
    for integration in integrations::ids(read, company)? {
        let prefix = runs::prefix(company, &integration);
        let newest = latest(read, &prefix)?;
        let began = read.last_began(&prefix)?;
        let stays = |key: &[u8]| newest.as_deref() == Some(key) || began.as_deref() == Some(key);
        for row in read.prefix(Table::Runs, &prefix) {
            let (key, raw) = row?;
            let Some(row) = large::decode::<RunRow>(read, Table::Runs, &key, &raw)? else {
                continue;
            };
            let run = row.model(company.clone())?;
            if run.create_time >= before {
                break;
            }
            if stays(&key) || run.end_time.is_none_or(|end| end >= before) {
                continue;
            }
            let room = MOST - doomed.len();
            for row in read.prefix(Table::Changes, &key).take(room) {
                doomed.push((Table::Changes, row?.0.to_vec()));
            }
            if doomed.len() == MOST {
                return Ok(doomed);
            }
            doomed.push((Table::Runs, key.to_vec()));
        }
    }
    Ok(doomed)
}

impl Store {
    /// Companies that have history, in order, after one; at most `limit`.
    pub async fn companies_with_history(
        &self,
        after: Option<CompanyId>,
        limit: usize,
    ) -> Result<Vec<CompanyId>, Error> {
        self.read(move |durable| {
            let mut found: Vec<CompanyId> = Vec::new();
            let mut last = after;
            while found.len() < limit {
                let from = match &last {
                    None => Bound::Unbounded,
                    Some(last) => match after_prefix(&events::prefix(last)) {
                        Bound::Excluded(next) => Bound::Included(next),
                        _ => break,
                    },
                };
                let mut rows = durable.range(Table::Events, from, Bound::Unbounded, false);
                let Some(row) = rows.next() else {
                    break;
                };
                let company = CompanyId::try_new(&keys::Parse(&row?.0).text()?)
                    .map_err(|_| Error::unreadable("the key of an event"))?;
                found.push(company.clone());
                last = Some(company);
            }
            Ok(found)
        })
        .await
    }

    /// Takes a hundred records at most of a company away that are older than they are kept for: how many it were. Writes
    /// nothing if there are none. Whoever watches from an event that is gone gets `BadPosition`.
    pub async fn forget_history(&self, company: &CompanyId, kept: Kept) -> Result<usize, Error> {
        let company = company.clone();
        let doomed = self
            .read(move |durable| {
                let events = old_events(durable, &company, kept.events)?;
                if events.is_empty() {
                    old_runs(durable, &company, kept.runs)
                } else {
                    Ok(events)
                }
            })
            .await?;
        let count = doomed.len();
        if count > 0 {
            // Nothing of it changes any more: it is over.
            self.write(move |txn| {
                doomed
                    .into_iter()
                    .try_for_each(|(table, key)| txn.delete(table, key))
            })
            .await?;
        }
        Ok(count)
    }
}
