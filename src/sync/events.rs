//! News for those who watch: durable events from the store, in order; progress as it is, dropped for slow readers.

use super::Error;
use crate::{
    model::{
        CompanyId, EventBody, Integration, IntegrationId, Outcome, Progress, Run, RunId, RunState,
        Time,
    },
    store::{self, Store},
};
use futures_util::future::OptionFuture;
use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Sleep};

/// A heartbeat after so long without news.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Progress of a run at most this often.
const PROGRESS: Duration = Duration::from_millis(100);
/// Durable events fetched at once.
const BATCH: usize = 200;

/// How far the runs of a company are.
type Now = HashMap<RunId, Progress>;

/// How far runs are, for those who watch each company: nobody is woken for another's.
#[derive(Debug, Clone, Default)]
struct Boards(Arc<Mutex<HashMap<CompanyId, watch::Sender<Now>>>>);

impl Boards {
    /// Looks at the board of a company, which is put away when there is nothing on it and nobody looks.
    fn with<R>(&self, company: &CompanyId, look: impl FnOnce(&watch::Sender<Now>) -> R) -> R {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let board = boards.entry(company.clone()).or_default();
        let seen = look(board);
        if board.receiver_count() == 0 && board.borrow().is_empty() {
            boards.remove(company);
        }
        seen
    }
}

/// Where news comes together.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    clock: Arc<dyn crate::model::Clock>,
    progress: Boards,
}

/// Of what to tell.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Also every recorded change.
    pub changes: bool,
    /// What becomes of the directory, by callers and by runs, in place of what runs are up to.
    pub directory: bool,
}

/// From where on (semantics 34).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A snapshot of what is going on, then live.
    Now,
    /// Everything after this sequence; 0 = from the earliest kept.
    After(u64),
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// That of a durable event; anything else carries the last one.
    pub sequence: u64,
    /// When.
    pub time: Time,
    /// What.
    pub item: NewsItem,
}

/// What a piece of news is.
#[derive(Debug, Clone, PartialEq)]
pub enum NewsItem {
    /// A run that was going on or waiting when the watch began.
    Snapshot(Box<Run>),
    /// A durable event.
    Event(Box<EventBody>),
    /// How far a run is.
    Progress(Box<Progress>),
    /// Nothing happened for a while; also ends a snapshot.
    Heartbeat,
}

impl Feed {
    /// A feed over the store's events.
    pub fn new(store: Store, clock: Arc<dyn crate::model::Clock>) -> Self {
        Self {
            store,
            clock,
            progress: Boards::default(),
        }
    }

    /// Tells how far a run is.
    pub(super) fn tell(&self, company: &CompanyId, progress: Progress) {
        self.progress.with(company, |board| {
            board.send_modify(|now| {
                now.insert(progress.run.clone(), progress);
            });
        });
    }

    /// A run is over: there is no progress any more.
    pub(super) fn forget(&self, company: &CompanyId, run: &RunId) {
        self.progress.with(company, |board| {
            board.send_modify(|now| {
                now.remove(run);
            });
        });
    }

    /// A run as it is right now: while it goes on, its row is behind.
    pub fn live(&self, mut run: Run) -> Run {
        let told = |board: &watch::Sender<Now>| board.borrow().get(&run.id).cloned();
        if run.state == RunState::Running
            && let Some(progress) = self.progress.with(&run.company, told)
        {
            run.phase = Some(progress.phase);
            run.tally.objects = progress.counters;
            run.tally.members = progress.members;
        }
        run
    }

    /// Begins to watch.
    pub async fn watch(
        &self,
        company: CompanyId,
        scope: Scope,
        from: From,
    ) -> Result<Watcher, Error> {
        let mut waiting = VecDeque::new();
        let events = self.store.subscribe(&company);
        let sequence = match from {
            From::After(sequence) => {
                self.store
                    .events(&company, sequence, 1)
                    .await
                    .map_err(position)?;
                sequence
            }
            From::Now => {
                let last = self.store.last_sequence(&company).await?;
                for run in self.store.unfinished_runs().await? {
                    if run.company == company
                        && !scope.directory
                        && scope.covers(&run.integration, Some(&run.id))
                    {
                        waiting.push_back((last, NewsItem::Snapshot(Box::new(run))));
                    }
                }
                waiting.push_back((last, NewsItem::Heartbeat));
                last
            }
        };
        // Looked at after the position was taken: a run that ends in between is told by its event.
        let ended = self.ended(&company, &scope).await?.map(Box::new);
        if ended.is_some() {
            waiting.clear();
        }
        let progress = self.progress.with(&company, watch::Sender::subscribe);
        Ok(Watcher {
            feed: self.clone(),
            company,
            scope,
            sequence,
            waiting,
            ended,
            events,
            progress,
            told: HashMap::new(),
            quiet: None,
        })
    }

    /// The one run of the scope, if it is over.
    async fn ended(&self, company: &CompanyId, scope: &Scope) -> Result<Option<Run>, Error> {
        let (Some(integration), Some(run)) = (&scope.integration, &scope.run) else {
            return Ok(None);
        };
        let run = self.store.run(company, integration, run).await?;
        Ok(run.filter(|run| run.state.is_final()))
    }
}

fn position(error: store::Error) -> Error {
    match error {
        store::Error::BadPosition(text) => Error::BadPosition(text),
        other => other.into(),
    }
}

impl Scope {
    fn covers(&self, integration: &IntegrationId, run: Option<&RunId>) -> bool {
        self.integration
            .as_ref()
            .is_none_or(|only| only == integration)
            && self.run.as_ref().is_none_or(|only| Some(only) == run)
    }

    fn covers_event(&self, body: &EventBody) -> bool {
        if self.directory {
            return match body {
                EventBody::Directory(_) => true,
                EventBody::Change { change, .. } => {
                    change.outcome == Outcome::Applied && change.target.is_some()
                }
                _ => false,
            };
        }
        match body {
            EventBody::Directory(_) => false,
            EventBody::RunQueued(run)
            | EventBody::RunStarted(run)
            | EventBody::RunPhase(run)
            | EventBody::RunFinished(run) => self.covers(&run.integration, Some(&run.id)),
            EventBody::Change {
                integration, run, ..
            } => self.covers(integration, Some(run)),
            EventBody::IntegrationChanged(Integration { id, .. })
            | EventBody::AuthorizationLost(Integration { id, .. }) => self.covers(id, None),
        }
    }
}

/// Somebody who watches. Nothing that a run does waits for him.
#[derive(Debug)]
pub struct Watcher {
    feed: Feed,
    company: CompanyId,
    scope: Scope,
    /// The last durable event looked at.
    sequence: u64,
    waiting: VecDeque<(u64, NewsItem)>,
    /// The one run that is watched, if it was over when that began: told when what was kept of it has been.
    ended: Option<Box<Run>>,
    events: watch::Receiver<u64>,
    progress: watch::Receiver<Now>,
    /// What was told last of each run.
    told: HashMap<RunId, Progress>,
    /// While this lasts no more progress is told.
    quiet: Option<Pin<Box<Sleep>>>,
}

impl Watcher {
    /// The next piece of news; waits for it.
    pub async fn next(&mut self) -> Result<News, Error> {
        let mut heartbeat = std::pin::pin!(tokio::time::sleep(HEARTBEAT));
        loop {
            if let Some((sequence, item)) = self.waiting.pop_front() {
                return Ok(self.news(sequence, item));
            }
            self.events.mark_unchanged();
            self.progress.mark_unchanged();
            if self.fetch().await? || self.fetch_progress() {
                continue;
            }
            if let Some(run) = self.ended.take() {
                return Ok(self.news(self.sequence, NewsItem::Snapshot(run)));
            }
            let tell = self.quiet.is_none();
            let quiet = OptionFuture::from(self.quiet.as_mut());
            tokio::select! {
                changed = self.events.changed() => changed.map_err(|_| Error::Stopping)?,
                changed = self.progress.changed(), if tell => changed.map_err(|_| Error::Stopping)?,
                Some(()) = quiet => self.quiet = None,
                () = &mut heartbeat => return Ok(self.news(self.sequence, NewsItem::Heartbeat)),
            }
        }
    }

    fn news(&self, sequence: u64, item: NewsItem) -> News {
        News {
            sequence,
            time: self.feed.clock.now(),
            item,
        }
    }

    /// Fetches durable events; tells whether there were any that concern this watcher, or more to look at.
    async fn fetch(&mut self) -> Result<bool, Error> {
        let store = &self.feed.store;
        let news = store.news(&self.company, self.sequence, BATCH, self.scope.changes);
        let (events, looked_at) = news.await.map_err(position)?;
        if looked_at == self.sequence {
            return Ok(false);
        }
        self.sequence = looked_at;
        for event in events {
            if self.scope.covers_event(&event.body) {
                self.waiting
                    .push_back((event.sequence, NewsItem::Event(Box::new(event.body))));
            }
        }
        Ok(true)
    }

    /// Takes what is new of progress, unless some was told just now; tells whether there was any.
    fn fetch_progress(&mut self) -> bool {
        if self.quiet.is_some() || self.scope.directory {
            return false;
        }
        {
            let now = self.progress.borrow();
            self.told.retain(|run, _| now.contains_key(run));
        }
        let fresh = self.fresh();
        for progress in &fresh {
            self.told.insert(progress.run.clone(), progress.clone());
            self.waiting.push_back((
                self.sequence,
                NewsItem::Progress(Box::new(progress.clone())),
            ));
        }
        if !fresh.is_empty() {
            self.quiet = Some(Box::pin(tokio::time::sleep(PROGRESS)));
        }
        !fresh.is_empty()
    }

    /// Progress within the scope that differs from what was told.
    fn fresh(&self) -> Vec<Progress> {
        let now = self.progress.borrow();
        now.iter()
            .filter(|(run, progress)| {
                self.scope.covers(&progress.integration, Some(run))
                    && self.told.get(run).is_none_or(|told| told != *progress)
            })
            .map(|(_, progress)| progress.clone())
            .collect()
    }
}
