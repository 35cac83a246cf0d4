//! The two lanes of an integration (semantics 16): what single objects are doing while a bulk run goes on.
//!
//! Who provisions one object says so before he reads it, and waits until the slices that were looked at before are through.
//! A bulk run looks before each slice it writes: what was done by itself since it began to read it leaves alone, so that of
//! two reads of one object the newer wins, whoever writes last. Of what is still under way it can't tell: that may yet fail,
//! and then its own read is the only one. It puts it aside, takes its turn when the others are done, and looks again.
//!
//! Nobody waits in a circle: who has the turn of a single object waits for slices, which end by themselves; a bulk run waits
//! for turns only while it has no slice.

use super::table::id_hash;
use crate::model::{Kind, SourceId, Uid};
use std::{
    collections::{HashMap, HashSet},
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

/// What of an object may be done by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The object.
    Object,
    /// The memberships of a group.
    Members,
}

/// What others do about a part of an object while a bulk run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing, or the bulk run has the turn.
    Nothing,
    /// Somebody is about it, and may fail.
    UnderWay,
    /// It was done since the bulk run began to read, from what may be newer.
    Done,
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
    /// How many have begun.
    begun: u64,
    /// Done since it began to read.
    done: HashMap<Key, Vec<Part>>,
    /// Objects that are being provisioned by themselves, each one after the other.
    under_way: HashMap<Key, Arc<tokio::sync::Mutex<()>>>,
    /// Those of which the bulk run has the turn.
    of_bulk: HashSet<Key>,
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
        marks.begun += 1;
        marks.done = HashMap::new();
        Bulk(Arc::clone(self))
    }

    async fn turn(&self, key: Key) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(self.marks().under_way.entry(key).or_default());
        turn.lock_owned().await
    }

    /// Marks an object and waits until it is one's own. To be called before it is read.
    pub(super) async fn take(self: &Arc<Self>, kind: Kind, id: &SourceId) -> Taken {
        let key = key(kind, id);
        let turn = self.turn(key).await;
        drop(self.slices.write().await);
        self.taken(key, turn)
    }

    /// Waits until a bulk run may decide about an object, whoever is about it now. To be called while it has no slice.
    pub(super) async fn take_for_bulk(self: &Arc<Self>, kind: Kind, id: &SourceId) -> Taken {
        let key = key(kind, id);
        let turn = self.turn(key).await;
        self.marks().of_bulk.insert(key);
        self.taken(key, turn)
    }

    fn taken(self: &Arc<Self>, key: Key, turn: OwnedMutexGuard<()>) -> Taken {
        Taken {
            begun: self.marks().begun,
            lane: Arc::clone(self),
            key,
            turn: Some(turn),
        }
    }

    /// A slice of a bulk run is about to be written: what is marked while this is held waits for it.
    pub(super) async fn slice(&self) -> RwLockReadGuard<'_, ()> {
        self.slices.read().await
    }

    /// What others do about a part of an object since the bulk run began to read.
    pub(super) fn beside(&self, kind: Kind, id: &SourceId, part: Part) -> Beside {
        let marks = self.marks();
        if marks.done.is_empty() && marks.under_way.is_empty() {
            return Beside::Nothing;
        }
        let key = key(kind, id);
        let done = marks.done.get(&key);
        if done.is_some_and(|parts| parts.contains(&part)) {
            Beside::Done
        } else if marks.under_way.contains_key(&key) && !marks.of_bulk.contains(&key) {
            Beside::UnderWay
        } else {
            Beside::Nothing
        }
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
        marks.done = HashMap::new();
    }
}

/// An object that is one's own until this is dropped.
pub(super) struct Taken {
    lane: Arc<Lane>,
    key: Key,
    /// How many bulk runs had begun when it was read.
    begun: u64,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Taken {
    /// It is read now: what a bulk run reads that begins later is newer.
    pub(super) fn is_read(&mut self) {
        self.begun = self.lane.marks().begun;
    }

    /// A part of it was read and is as it should be: a bulk run that began to read before leaves it alone until it ends.
    pub(super) fn done(&mut self, part: Part) {
        let mut marks = self.lane.marks();
        if marks.bulk && marks.begun == self.begun {
            let parts = marks.done.entry(self.key).or_default();
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut guard = self.lane.marks();
        let marks = &mut *guard;
        drop(self.turn.take());
        marks.of_bulk.remove(&self.key);
        // Whoever waits for his turn holds it too.
        if let Some(turn) = marks.under_way.get(&self.key)
            && Arc::strong_count(turn) == 1
        {
            marks.under_way.remove(&self.key);
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
    async fn what_is_done_while_a_bulk_run_reads_is_known_until_it_ends() {
        let lane = Arc::new(Lane::default());
        lane.take(Kind::User, &id("before"))
            .await
            .done(Part::Object);
        let during = lane.take(Kind::User, &id("under way")).await;
        let bulk = lane.begin();
        lane.take(Kind::User, &id("a")).await.done(Part::Object);
        drop(lane.take(Kind::User, &id("a")).await);
        drop(lane.take(Kind::User, &id("failed")).await);
        let beside = |name: &str, part| lane.beside(Kind::User, &id(name), part);
        for (name, expected) in [
            ("before", Beside::Nothing),
            ("under way", Beside::UnderWay),
            ("a", Beside::Done),
            ("failed", Beside::Nothing),
            ("b", Beside::Nothing),
        ] {
            assert_eq!(beside(name, Part::Object), expected, "{name}");
        }
        assert_eq!(beside("a", Part::Members), Beside::Nothing);
        assert_eq!(
            lane.beside(Kind::Group, &id("a"), Part::Object),
            Beside::Nothing
        );
        drop(bulk);
        assert_eq!(beside("a", Part::Object), Beside::Nothing);
        drop(during);
        assert!(lane.marks().under_way.is_empty());
    }

    #[tokio::test]
    async fn what_was_read_before_a_bulk_run_began_does_not_hold_for_it() {
        let lane = Arc::new(Lane::default());
        let (eve, part) = (id("eve"), Part::Object);
        let beside = || lane.beside(Kind::User, &eve, part);
        let mut taken = lane.take(Kind::User, &eve).await;
        taken.is_read();
        let bulk = lane.begin();
        taken.done(part);
        drop(taken);
        assert_eq!(beside(), Beside::Nothing, "the bulk run reads it later");
        let mut taken = lane.take(Kind::User, &eve).await;
        drop((bulk, lane.begin()));
        let _bulk = lane.begin();
        taken.is_read();
        taken.done(part);
        drop(taken);
        assert_eq!(beside(), Beside::Done);
    }

    #[tokio::test]
    async fn a_bulk_run_has_its_turn_after_who_came_before_and_ahead_of_who_comes_after() {
        let lane = Arc::new(Lane::default());
        let _bulk = lane.begin();
        let eve = id("eve");
        let beside = || lane.beside(Kind::User, &eve, Part::Object);
        let first = lane.take(Kind::User, &eve).await;
        let mut turn = Box::pin(lane.take_for_bulk(Kind::User, &eve));
        assert!(turn.as_mut().now_or_never().is_none());
        let mut next = Box::pin(lane.take(Kind::User, &eve));
        assert!(next.as_mut().now_or_never().is_none());
        assert_eq!(beside(), Beside::UnderWay);
        drop(first);
        let turn = turn.await;
        assert_eq!(beside(), Beside::Nothing, "it may write");
        let slice = lane.slice().await;
        drop(turn);
        assert!(next.as_mut().now_or_never().is_none(), "not before that");
        assert_eq!(beside(), Beside::UnderWay);
        drop(slice);
        let mut next = next.await;
        next.done(Part::Object);
        assert_eq!(beside(), Beside::Done);
        drop(next);
        assert!(lane.marks().under_way.is_empty() && lane.marks().of_bulk.is_empty());
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
        let marked = lane.beside(Kind::User, &a, Part::Object);
        assert_eq!(marked, Beside::UnderWay, "marked before it waits");
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
