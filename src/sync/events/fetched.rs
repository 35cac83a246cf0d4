//! Durable events as they come from the store: fetched once for all who watch a topic and are equally far.

use crate::{
    model::{Event, EventBody},
    store::{self, Store, Topic},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Durable events fetched at once.
const BATCH: usize = 200;

/// A durable event as it is told.
#[derive(Debug)]
pub struct Told {
    /// The event.
    pub event: Event,
    /// What it looks like, none if it is not shown: left by the first who shows it for all who share the board, who are all shown it
    /// alike.
    pub shown: OnceLock<Option<Arc<[u8]>>>,
}

/// Whatever it looks like.
impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl Told {
    fn new(event: Event) -> Arc<Self> {
        Arc::new(Self {
            event,
            shown: OnceLock::new(),
        })
    }
}

/// All durable events of a topic after one sequence and up to another, in order.
#[derive(Debug, Default)]
struct Batch {
    after: u64,
    upto: u64,
    events: Vec<Arc<Told>>,
}

type Fetch = BoxFuture<'static, Result<Arc<Batch>, store::Error>>;

/// A batch that is being fetched, or was. It goes on whoever of those who wait for it asks: one that is not asked again, since nobody reads
/// his stream, holds up nobody.
type Fetching = Shared<Fetch>;

/// What somebody wanted to be fetched, as long as anybody waits for it or has it.
#[derive(Debug)]
struct Wanted {
    after: u64,
    fetching: WeakShared<Fetch>,
}

impl Wanted {
    /// The same fetch, if events after that sequence come of it.
    fn serves(&self, sequence: u64) -> Option<Fetching> {
        let fetching = self.fetching.upgrade()?;
        let fits = match fetching.peek() {
            None => self.after == sequence,
            Some(Ok(batch)) => batch.after <= sequence && sequence < batch.upto,
            Some(Err(_)) => false,
        };
        fits.then_some(fetching)
    }
}

/// What was fetched of a topic's events for those who watch it.
#[derive(Debug, Default)]
pub(super) struct Fetched(Mutex<Vec<Wanted>>);

impl Fetched {
    /// Durable events of the topic after a sequence, some of them if they are many.
    pub(super) async fn after(
        &self,
        store: &Store,
        topic: &Topic,
        sequence: u64,
    ) -> Result<Cursor, store::Error> {
        let fetching = {
            let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.retain(|wanted| wanted.fetching.upgrade().is_some());
            let mut there = wanted.iter().filter_map(|w| w.serves(sequence));
            there.next().unwrap_or_else(|| {
                let fetching = fetch(store.clone(), topic.clone(), sequence)
                    .boxed()
                    .shared();
                wanted.extend(fetching.downgrade().map(|fetching| Wanted {
                    after: sequence,
                    fetching,
                }));
                fetching
            })
        };
        let batch = fetching.clone().await?;
        let events = &batch.events;
        let place = events.partition_point(|told| told.event.sequence <= sequence);
        Ok(Cursor {
            batch,
            place,
            _kept: Some(fetching),
        })
    }
}

async fn fetch(store: Store, topic: Topic, after: u64) -> Result<Arc<Batch>, store::Error> {
    let (events, upto) = store.news(&topic, after, BATCH).await?;
    Ok(Arc::new(Batch {
        after,
        upto,
        events: events.into_iter().map(Told::new).collect(),
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

    /// The next event that is wanted.
    pub(super) fn next(&mut self, wanted: impl Fn(&EventBody) -> bool) -> Option<Arc<Told>> {
        let mut rest = self.batch.events.iter().skip(self.place);
        let found = rest.find(|told| wanted(&told.event.body));
        self.place = self.batch.events.len() - rest.len();
        found.cloned()
    }
}
