//! The two lanes of an integration (semantics 16): what single objects are doing while a bulk run goes on.
//!
//! Who provisions one object marks it before he reads it, and waits until the slices that were looked at before the mark are
//! through. A bulk run looks at the marks before each slice it writes, and leaves alone what was marked since it began to
//! read. So of two reads of one object the newer wins, whoever writes last.

use super::table::id_hash;
use crate::model::{Kind, SourceId, Uid};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, RwLock, RwLockReadGuard, Semaphore};

/// Objects of one integration that are provisioned by themselves at once; more wait, so that those of a system that is slow
/// leave room for others'.
const AT_ONCE: usize = 4;

type Key = (Kind, u64);

/// The lanes of all integrations.
#[derive(Debug, Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<Uid, Arc<Lane>>>>);

impl Lanes {
    /// The lanes of one integration.
    pub(super) fn of(&self, integration: Uid) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(integration).or_default())
    }

    /// The integration is gone.
    pub(super) fn forget(&self, integration: Uid) {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.remove(&integration);
    }
}

/// What is known of the objects of one integration that are provisioned by themselves.
#[derive(Debug)]
pub(super) struct Lane {
    marks: Mutex<Marks>,
    /// Held for reading by each slice of a bulk run from its look at the marks until it is written.
    slices: RwLock<()>,
    places: Arc<Semaphore>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            marks: Mutex::default(),
            slices: RwLock::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

#[derive(Debug, Default)]
struct Marks {
    /// A bulk run is going on.
    bulk: bool,
    /// Marked since it began to read, and whether it was also decided: else it is not marked for longer than it is under way.
    marked: HashMap<Key, bool>,
    /// Objects that are being provisioned by themselves, each one after the other.
    under_way: HashMap<Key, Arc<tokio::sync::Mutex<()>>>,
}

fn key(kind: Kind, id: &SourceId) -> Key {
    (kind, id_hash(id))
}

impl Lane {
    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place in the lane of single objects.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// A bulk run begins to read: to be called before its first request.
    pub(super) fn begin(self: &Arc<Self>) -> Bulk {
        let mut marks = self.marks();
        marks.bulk = true;
        // They may have been read already, or not yet: which read is newer can't be told.
        marks.marked = marks.under_way.keys().map(|key| (*key, false)).collect();
        Bulk(Arc::clone(self))
    }

    /// Marks an object and waits until it is one's own. To be called before it is read.
    pub(super) async fn take(self: &Arc<Self>, kind: Kind, id: &SourceId) -> Taken {
        let key = key(kind, id);
        let turn = {
            let mut marks = self.marks();
            if marks.bulk {
                marks.marked.entry(key).or_insert(false);
            }
            Arc::clone(marks.under_way.entry(key).or_default())
        };
        let turn = turn.lock_owned().await;
        drop(self.slices.write().await);
        Taken {
            lane: Arc::clone(self),
            key,
            turn: Some(turn),
        }
    }

    /// A slice of a bulk run is about to be written: what is marked while this is held waits for it.
    pub(super) async fn slice(&self) -> RwLockReadGuard<'_, ()> {
        self.slices.read().await
    }

    /// Whether an object was marked since the bulk run began to read.
    pub(super) fn is_marked(&self, kind: Kind, id: &SourceId) -> bool {
        let marks = self.marks();
        !marks.marked.is_empty() && marks.marked.contains_key(&key(kind, id))
    }
}

/// A bulk run that is going on; over when it is dropped.
pub(super) struct Bulk(Arc<Lane>);

impl Bulk {
    pub(super) fn lane(&self) -> &Arc<Lane> {
        &self.0
    }
}

impl Drop for Bulk {
    fn drop(&mut self) {
        let mut marks = self.0.marks();
        marks.bulk = false;
        marks.marked = HashMap::new();
    }
}

/// An object that nobody else provisions by itself.
pub(super) struct Taken {
    lane: Arc<Lane>,
    key: Key,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Taken {
    /// It was read and is decided now: from here on a bulk run that has read it before leaves it alone until it ends.
    pub(super) fn decide(&mut self) {
        if let Some(decided) = self.lane.marks().marked.get_mut(&self.key) {
            *decided = true;
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut guard = self.lane.marks();
        let marks = &mut *guard;
        drop(self.turn.take());
        // Whoever waits for his turn holds it too.
        if let Some(turn) = marks.under_way.get(&self.key)
            && Arc::strong_count(turn) == 1
        {
            marks.under_way.remove(&self.key);
            if marks.marked.get(&self.key) == Some(&false) {
                marks.marked.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn id(text: &str) -> SourceId {
        SourceId::try_new(text).unwrap()
    }

    #[tokio::test]
    async fn what_is_taken_while_a_bulk_run_reads_is_marked_until_it_ends() {
        let lane = Arc::new(Lane::default());
        drop(lane.take(Kind::User, &id("before")).await);
        let during = lane.take(Kind::User, &id("under way")).await;
        let bulk = lane.begin();
        lane.take(Kind::User, &id("a")).await.decide();
        drop(lane.take(Kind::User, &id("a")).await);
        drop(lane.take(Kind::User, &id("failed")).await);
        for (name, marked) in [
            ("before", false),
            ("under way", true),
            ("a", true),
            ("failed", false),
            ("b", false),
        ] {
            assert_eq!(lane.is_marked(Kind::User, &id(name)), marked, "{name}");
        }
        assert!(!lane.is_marked(Kind::Group, &id("a")));
        drop(bulk);
        assert!(!lane.is_marked(Kind::User, &id("a")));
        drop(during);
        assert!(lane.marks().under_way.is_empty());
    }

    #[tokio::test]
    async fn the_objects_of_one_integration_do_not_take_all_places() {
        let (lanes, slow) = (Lanes::default(), Uid::generate());
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(lanes.of(slow).place().await);
        }
        assert!(lanes.of(slow).place().now_or_never().is_none());
        assert!(lanes.of(Uid::generate()).place().now_or_never().is_some());
        taken.pop();
        assert!(lanes.of(slow).place().now_or_never().is_some());
    }

    #[tokio::test]
    async fn an_object_is_taken_by_one_at_a_time_and_after_the_slices_that_did_not_know() {
        let lane = Arc::new(Lane::default());
        let _bulk = lane.begin();
        let slice = lane.slice().await;
        let (a, b) = (id("a"), id("b"));
        let mut first = Box::pin(lane.take(Kind::User, &a));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(lane.is_marked(Kind::User, &a), "marked before it waits");
        drop(slice);
        let first = first.await;
        let mut second = Box::pin(lane.take(Kind::User, &a));
        assert!(second.as_mut().now_or_never().is_none());
        let other = lane.take(Kind::User, &b).await;
        drop((first, other));
        drop(second.await);
        assert!(lane.marks().under_way.is_empty());
    }
}
