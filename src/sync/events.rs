//! News for those who watch: durable events from the store, in order; progress as it is, dropped for slow readers.

mod fetched;
#[cfg(test)]
mod tests;
mod watcher;

pub use fetched::Told;
pub use watcher::Watcher;

use super::Error;
use crate::{
    model::{CompanyId, EventBody, IntegrationId, Outcome, Progress, Run, RunId, RunState, Time},
    store::{self, Store, Topic},
};
use fetched::Fetched;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// How far the runs of a company are.
type Now = HashMap<RunId, Progress>;

/// What those who watch a topic share.
#[derive(Debug, Default)]
struct Board {
    now: watch::Sender<Now>,
    fetched: Arc<Fetched>,
}

impl Board {
    fn is_needed(&self) -> bool {
        self.now.receiver_count() > 0 || !self.now.borrow().is_empty()
    }
}

/// A board for each topic, and another for those who watch what becomes of the directory: they are shown the same events otherwise
/// ([`Told::shown`]), and no progress.
#[derive(Debug, Clone, Default)]
struct Boards(Arc<Mutex<HashMap<(Topic, bool), Board>>>);

impl Boards {
    /// Looks at the board of a topic, which is put away when there is nothing on it and nobody looks.
    fn with<R>(&self, topic: Topic, look: impl FnOnce(&Board) -> R) -> R {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (topic, false);
        let board = boards.entry(of.clone()).or_default();
        let seen = look(board);
        if !board.is_needed() {
            boards.remove(&of);
        }
        seen
    }

    /// Shares the board of a topic; puts those away that nobody shares any more.
    fn share(&self, topic: &Topic, directory: bool) -> (Arc<Fetched>, watch::Receiver<Now>) {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        boards.retain(|_, board| board.is_needed());
        let board = boards.entry((topic.clone(), directory)).or_default();
        (Arc::clone(&board.fetched), board.now.subscribe())
    }
}

/// Where news comes together.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    clock: Arc<dyn crate::model::Clock>,
    boards: Boards,
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
    /// Everything that is kept.
    Earliest,
    /// Everything after this sequence.
    After(u64),
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// That of a durable event; anything else carries the last one.
    pub sequence: u64,
    /// When it happened; of progress and what else is told as it is, now.
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
    Event(Arc<Told>),
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
            boards: Boards::default(),
        }
    }

    /// Tells how far a run is.
    pub(super) fn tell(&self, company: &CompanyId, progress: &Progress) {
        self.change(company, &progress.integration, |now| {
            now.insert(progress.run.clone(), progress.clone());
        });
    }

    /// A run is over: there is no progress any more.
    pub(super) fn forget(&self, run: &Run) {
        self.change(&run.company, &run.integration, |now| {
            now.remove(&run.id);
        });
    }

    /// Changes what is told now of an integration, wherever it is.
    fn change(&self, of: &CompanyId, integration: &IntegrationId, change: impl Fn(&mut Now)) {
        for topic in Topic::of(of, Some(integration), false) {
            self.boards
                .with(topic, |board| board.now.send_modify(&change));
        }
    }

    /// A run as it is right now: while it goes on, its row is behind.
    pub fn live(&self, mut run: Run) -> Run {
        let told = |board: &Board| board.now.borrow().get(&run.id).cloned();
        if run.state == RunState::Running
            && let Some(progress) = self.boards.with(Topic::all(&run.company), told)
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
        let sequence = match from {
            From::Earliest => self.store.before_earliest(&company).await?,
            From::After(sequence) => {
                let next = self.store.events(&company, sequence, 1).await;
                next.map_err(position)?;
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
        let ended = self.ended(&company, &scope).await?;
        if ended.is_some() {
            waiting.clear();
        }
        Watcher::new(self, (company, scope), (sequence, waiting), ended).await
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

    fn topic(&self, company: &CompanyId) -> Topic {
        Topic {
            company: company.clone(),
            integration: self.integration.clone(),
            changes: self.changes,
        }
    }

    /// Whether an event of the topic is within the scope.
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
        let integration = body.integration();
        integration.is_some_and(|of| self.covers(of, body.run()))
    }
}
