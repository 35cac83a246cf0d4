//! Durable events as they come from the store: fetched once for all who watch a company and are equally far.

use crate::{
    model::{CompanyId, EventBody},
    store::{self, Store},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use std::sync::{Arc, Mutex, PoisonError};

/// Durable events fetched at once.
const BATCH: usize = 200;

/// All durable events of a company after one sequence and up to another, or all but recorded changes.
#[derive(Debug, Default)]
struct Batch {
    after: u64,
    upto: u64,
    /// In order, with their sequences.
    events: Vec<(u64, Arc<EventBody>)>,
}

/// A batch that is being fetched, or was. It goes on whoever of those who wait for it asks: one that is not asked again, since nobody reads
/// his stream, holds up nobody.
type Fetching = Shared<BoxFuture<'static, Result<Arc<Batch>, store::Error>>>;

/// What somebody wanted to be fetched, as long as anybody waits for it or is told of it.
#[derive(Debug)]
struct Wanted {
    after: u64,
    changes: bool,
    fetching: WeakShared<BoxFuture<'static, Result<Arc<Batch>, store::Error>>>,
}

impl Wanted {
    /// The same fetch, if events after that sequence come of it.
    fn serves(&self, sequence: u64, changes: bool) -> Option<Fetching> {
        let fetching = self.fetching.upgrade()?;
        let same = self.after == sequence;
        let fits = match fetching.peek() {
            None => same,
            Some(Ok(batch)) => (same || batch.after <= sequence) && sequence < batch.upto,
            Some(Err(_)) => false,
        };
        (fits && self.changes == changes).then_some(fetching)
    }
}

/// What was fetched of a company's events for those who watch it.
#[derive(Debug, Default)]
pub(super) struct Fetched(Mutex<Vec<Wanted>>);

impl Fetched {
    /// Durable events after a sequence, some of them if they are many.
    pub(super) async fn after(
        &self,
        store: &Store,
        company: &CompanyId,
        sequence: u64,
        changes: bool,
    ) -> Result<Cursor, store::Error> {
        let fetching = {
            let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.retain(|wanted| wanted.fetching.upgrade().is_some());
            let mut there = wanted.iter().filter_map(|w| w.serves(sequence, changes));
            there.next().unwrap_or_else(|| {
                let fetching = fetch(store.clone(), company.clone(), sequence, changes)
                    .boxed()
                    .shared();
                wanted.extend(fetching.downgrade().map(|fetching| Wanted {
                    after: sequence,
                    changes,
                    fetching,
                }));
                fetching
            })
        };
        let batch = fetching.clone().await?;
        let place = batch.events.partition_point(|(of, _)| *of <= sequence);
        Ok(Cursor {
            batch,
            place,
            _kept: Some(fetching),
        })
    }
}

async fn fetch(
    store: Store,
    company: CompanyId,
    after: u64,
    changes: bool,
) -> Result<Arc<Batch>, store::Error> {
    let (events, upto) = store.news(&company, after, BATCH, changes).await?;
    let first = events.first().map_or(upto, |first| first.sequence - 1);
    let events = events.into_iter();
    Ok(Arc::new(Batch {
        // What begins with the earliest kept does not follow what came before that.
        after: if after == 0 { first } else { after },
        upto,
        events: events
            .map(|event| (event.sequence, Arc::new(event.body)))
            .collect(),
    }))
}

/// Where somebody is in what was fetched.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    batch: Arc<Batch>,
    place: usize,
    /// Others find it meanwhile.
    _kept: Option<Fetching>,
}

impl Cursor {
    /// Up to where there is nothing else than what is in here.
    pub(super) fn upto(&self) -> u64 {
        self.batch.upto
    }
}

impl Iterator for Cursor {
    type Item = (u64, Arc<EventBody>);

    fn next(&mut self) -> Option<Self::Item> {
        let event = self.batch.events.get(self.place)?;
        self.place += 1;
        Some(event.clone())
    }
}
