//! What every stage of one run shares.

use super::{
    error::Stop,
    events::Feed,
    lane::{Beside, Lane, Part, Taken},
    plan::{Context, Item},
    record::{Count, Ledger},
    rehearsal::Rehearsal,
    table::Table,
};
use crate::{
    connector::{Answer, Connector, Error, Reader, Writer},
    model::{
        Action, Attribute, Change, Clock, EventBody, Integration, Kind, ObjectRef, Outcome, Phase,
        Progress, Reason, RuleId, Run, SourceId,
    },
    rules::{Knowledge, Reach, RuleSet},
    store::{Slice, SliceError, Store},
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::RwLockReadGuard;
use tokio_util::sync::CancellationToken;

/// So often those who watch hear of a run that waits for its source.
const TICK: Duration = Duration::from_secs(1);

/// One run while it is going on.
pub(super) struct Job {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    pub(super) integration: Integration,
    pub(super) source: Arc<dyn Connector>,
    pub(super) target: Arc<dyn Connector>,
    pub(super) rules: RuleSet,
    pub(super) reach: Reach,
    knowledge: OnceLock<Knowledge>,
    mapped: [Vec<Attribute>; 2],
    pub(super) cancel: CancellationToken,
    /// Where single objects are marked; none = this is about a single object, which knows no others.
    pub(super) lane: Option<Arc<Lane>>,
    /// What a preview has planned; none = this writes.
    pub(super) rehearsal: Option<Rehearsal>,
    /// Objects that the links knew when the run began.
    pub(super) expected: AtomicU64,
    ledger: Mutex<Ledger>,
    users: Mutex<Table>,
    groups: Mutex<Table>,
    groups_to_fill: Mutex<Vec<Filling>>,
    /// An address that a new object was to have was held by another object.
    met_others: AtomicBool,
}

/// A group whose own attributes are done and whose memberships are not.
pub(super) struct Filling {
    pub(super) source: SourceId,
    pub(super) label: String,
    pub(super) rule: Option<RuleId>,
    /// How the group is accounted for if its memberships change nothing.
    pub(super) count: Count,
    /// How many members the source says it has.
    pub(super) size: Option<u64>,
}

impl Filling {
    pub(super) fn of(item: &Item, count: Count) -> Self {
        Self {
            source: item.source.clone(),
            label: item.label.clone(),
            rule: item.rule.clone(),
            count,
            size: item.size,
        }
    }
}

/// What a job is made of.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    pub(super) integration: Integration,
    pub(super) source: Arc<dyn Connector>,
    pub(super) target: Arc<dyn Connector>,
    pub(super) rules: RuleSet,
    /// Attributes that the standard mapping carries over: of users, of groups.
    pub(super) mapped: [Vec<Attribute>; 2],
    pub(super) cancel: CancellationToken,
    /// See [`Job::lane`].
    pub(super) lane: Option<Arc<Lane>>,
}

impl Job {
    pub(super) fn new(parts: Parts, run: Run) -> Self {
        let rehearsal = run.preview.then(|| Rehearsal::new(&parts.integration));
        let ledger = Ledger::open(run, parts.rules.written().map(|rule| rule.id.clone()));
        Self {
            store: parts.store,
            clock: parts.clock,
            feed: parts.feed,
            reach: Reach::new(&parts.integration.domains, &parts.integration.protected),
            knowledge: OnceLock::new(),
            integration: parts.integration,
            source: parts.source,
            target: parts.target,
            rules: parts.rules,
            mapped: parts.mapped,
            cancel: parts.cancel,
            lane: parts.lane,
            rehearsal,
            expected: AtomicU64::new(0),
            ledger: Mutex::new(ledger),
            users: Mutex::default(),
            groups: Mutex::default(),
            groups_to_fill: Mutex::default(),
            met_others: AtomicBool::new(false),
        }
    }

    /// The source, to read.
    pub(super) fn reader(&self) -> Result<&dyn Reader, Error> {
        self.source
            .reader()
            .ok_or_else(|| Error::Rejected("this system can't be read".to_owned()))
    }

    /// The target, to write.
    pub(super) fn writer(&self) -> Result<&dyn Writer, Error> {
        self.target
            .writer()
            .ok_or_else(|| Error::Rejected("this system can't be written".to_owned()))
    }

    /// Takes in what was read for the rules to be asked; the first time counts.
    pub(super) fn learn(&self, knowledge: Knowledge) {
        let _ = self.knowledge.set(knowledge);
    }

    /// What was read for the rules to be asked.
    pub(super) fn knowledge(&self) -> &Knowledge {
        self.knowledge.get_or_init(Knowledge::default)
    }

    /// The books. No panic happens while they are open, so a poisoned lock says nothing about them.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table of a kind.
    pub(super) fn table(&self, kind: Kind) -> MutexGuard<'_, Table> {
        let table = match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        };
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Groups whose memberships are still to be done.
    pub(super) fn groups_to_fill(&self) -> MutexGuard<'_, Vec<Filling>> {
        self.groups_to_fill
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Attributes that the standard mapping carries over.
    pub(super) fn mapped(&self, kind: Kind) -> &[Attribute] {
        let [users, groups] = &self.mapped;
        match kind {
            Kind::User => users,
            Kind::Group => groups,
        }
    }

    /// For whom and when is planned.
    pub(super) fn context(&self) -> Context {
        Context {
            integration: self.integration.id.clone(),
            uid: self.integration.uid,
            now: self.clock.now(),
            asked: self.lane.is_none(),
        }
    }

    /// Fails if somebody stopped the run.
    pub(super) fn go_on(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            Err(Stop::Cancelled)
        } else {
            Ok(())
        }
    }

    /// What the source answers, unless somebody stops the run first. Those who watch hear that it is waited for.
    pub(super) async fn unless_cancelled<T>(&self, asked: Answer<'_, T>) -> Result<T, Stop> {
        let mut asked = asked;
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                answer = &mut asked => return Ok(answer?),
                () = tokio::time::sleep(TICK) => self.tell_progress(),
            }
        }
    }

    /// The run's row as of now.
    pub(super) fn snapshot(&self) -> Run {
        let mut run = self.ledger().run.clone();
        run.requests = self.source.requests();
        run
    }

    /// A slice with nothing in it.
    pub(super) fn slice(&self) -> Slice {
        Slice {
            run: self.snapshot(),
            seen: Vec::new(),
            entities: Vec::new(),
            links: Vec::new(),
            parts: Vec::new(),
            members: Vec::new(),
            remembered: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Accounts for objects and writes their slice, or in a preview does as if it did; if it is not written, the accounting
    /// is taken back; if it conflicts, the indexes of the entities in question are told.
    pub(super) async fn commit(
        &self,
        mut slice: Slice,
        counts: &[(&Item, &Count)],
    ) -> Result<Result<(), Vec<usize>>, Stop> {
        self.book(counts, Ledger::count);
        slice.run = self.snapshot();
        let answer = match &self.rehearsal {
            Some(rehearsal) => self.rehearse(rehearsal, slice).await,
            None => self.keep(slice).await,
        };
        match answer {
            Ok(()) => {
                self.tell_progress();
                Ok(Ok(()))
            }
            Err(error) => {
                self.book(counts, Ledger::take_back);
                match error {
                    SliceError::Conflicts(which) => Ok(Err(which)),
                    SliceError::Store(error) => Err(error.into()),
                }
            }
        }
    }

    fn book(&self, all: &[(&Item, &Count)], how: fn(&mut Ledger, Option<&RuleId>, &Count)) {
        let mut ledger = self.ledger();
        all.iter()
            .for_each(|(item, count)| how(&mut ledger, item.rule.as_ref(), count));
    }

    /// Writes a slice, unless there is nothing in it.
    pub(super) async fn keep(&self, slice: Slice) -> Result<(), SliceError> {
        let nothing = slice.entities.is_empty()
            && slice.links.is_empty()
            && slice.parts.is_empty()
            && slice.members.is_empty()
            && slice.remembered.is_empty()
            && slice.changes.is_empty();
        if nothing {
            return Ok(());
        }
        self.store.commit(slice).await
    }

    /// Goes on to a phase, and says so.
    pub(super) async fn enter(&self, phase: Phase) -> Result<(), Stop> {
        self.ledger().phase(phase);
        self.store
            .tell_run(self.snapshot(), EventBody::RunPhase)
            .await?;
        self.tell_progress();
        Ok(())
    }

    /// Lets those who watch know how far the run is; of a single object there is nothing to tell before it is done.
    pub(super) fn tell_progress(&self) {
        if self.lane.is_none() {
            return;
        }
        let run = self.ledger().run.clone();
        let known = self.expected.load(Ordering::Relaxed);
        let elapsed = run.start_time.map_or(0, |began| {
            self.clock.now().duration_since(began).as_millis()
        });
        let done = run.tally.objects.considered;
        let per_second = u64::try_from(
            u128::from(done) * 1000 / u128::try_from(elapsed).unwrap_or_default().max(1),
        )
        .unwrap_or(u64::MAX);
        let total = (known > done).then_some(known);
        let remaining = total
            .filter(|_| per_second > 0)
            .map(|all| Duration::from_secs((all - done) / per_second));
        self.feed.tell(
            &run.company,
            &Progress {
                integration: run.integration.clone(),
                run: run.id.clone(),
                phase: run.phase.unwrap_or(Phase::Reading),
                counters: run.tally.objects,
                members: run.tally.members,
                total,
                per_second,
                remaining,
                throttled_for: self.source.throttled_for(),
            },
        );
    }

    /// Whether the target need not be asked about items before they are written: no link can know them, and so far no address was held by
    /// another object. If one is, writing conflicts, and then it is asked. Nothing conflicts with what is not written.
    pub(super) fn seems_free(&self, items: &[Item]) -> bool {
        self.rehearsal.is_none()
            && !self.met_others.load(Ordering::Relaxed)
            && items.iter().all(|item| item.unlinked)
    }

    /// From now on the target is asked first.
    pub(super) fn met_others(&self) {
        self.met_others.store(true, Ordering::Relaxed);
    }

    /// What others do about an object, or the memberships of a group, since this run began to read.
    pub(super) fn beside(&self, kind: Kind, source: &SourceId, part: Part) -> Beside {
        let lane = self.lane.as_ref();
        lane.map_or(Beside::Nothing, |lane| lane.beside(kind, source, part))
    }

    /// Waits until those are done who are about an object, and nobody else begins; none if this is about a single object.
    pub(super) async fn turn(&self, kind: Kind, source: &SourceId) -> Result<Option<Taken>, Stop> {
        let Some(lane) = &self.lane else {
            return Ok(None);
        };
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            taken = lane.take_for_bulk(kind, source) => Ok(Some(taken)),
        }
    }

    /// The turns of those objects that somebody is about.
    pub(super) async fn turns(
        &self,
        kind: Kind,
        sources: impl Iterator<Item = &SourceId>,
    ) -> Result<Vec<Taken>, Stop> {
        let mut turns = Vec::new();
        for source in sources {
            if self.beside(kind, source, Part::Object) == Beside::UnderWay {
                turns.extend(self.turn(kind, source).await?);
            }
        }
        Ok(turns)
    }

    /// Held from the look at what is outrun until a slice is written.
    pub(super) async fn lane_slice(&self) -> Option<RwLockReadGuard<'_, ()>> {
        match &self.lane {
            Some(lane) => Some(lane.slice().await),
            None => None,
        }
    }

    /// A record for objects that no rule decided.
    pub(super) fn undecided(
        &self,
        source: ObjectRef,
        target: Option<ObjectRef>,
        reason: Reason,
    ) -> Change {
        Change {
            rule: None,
            action: None::<Action>,
            source,
            target,
            outcome: Outcome::Skipped,
            reason: Some(reason),
            diffs: Vec::new(),
            time: self.clock.now(),
        }
    }
}
