//! Somebody who watches a company.

use super::{
    Board, Error, Feed, News, NewsItem, Now, Scope,
    fetched::{Cursor, Fetched},
    position,
};
use crate::model::{CompanyId, Progress, Run, RunId};
use futures_util::future::OptionFuture;
use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::Sleep};

/// A heartbeat after so long without news.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Progress of a run at most this often.
const PROGRESS: Duration = Duration::from_millis(100);

/// Somebody who watches. Nothing that a run does waits for him.
#[derive(Debug)]
pub struct Watcher {
    feed: Feed,
    company: CompanyId,
    scope: Scope,
    /// The last durable event looked at.
    sequence: u64,
    /// What follows it.
    events: Cursor,
    /// What is told before.
    waiting: VecDeque<(u64, NewsItem)>,
    /// The one run that is watched, if it was over when that began: told when what was kept of it has been.
    ended: Option<Box<Run>>,
    /// The last durable event there was when the watch began.
    known: u64,
    /// The last durable event since, 0 before the first.
    last: watch::Receiver<u64>,
    fetched: Arc<Fetched>,
    now: watch::Receiver<Now>,
    /// What was told last of each run.
    told: HashMap<RunId, Progress>,
    /// While this lasts no more progress is told.
    quiet: Option<Pin<Box<Sleep>>>,
}

impl Watcher {
    /// Somebody who is told first what waits for him, then what comes after that sequence.
    pub(super) async fn new(
        feed: &Feed,
        (company, scope): (CompanyId, Scope),
        (sequence, waiting): (u64, VecDeque<(u64, NewsItem)>),
        ended: Option<Run>,
    ) -> Result<Self, Error> {
        let last = feed.store.subscribe(&company);
        let share = |board: &Board| (Arc::clone(&board.fetched), board.now.subscribe());
        let (fetched, now) = feed.boards.with(&company, share);
        Ok(Self {
            feed: feed.clone(),
            known: feed.store.last_sequence(&company).await?,
            company,
            scope,
            sequence,
            events: Cursor::default(),
            waiting,
            ended: ended.map(Box::new),
            last,
            fetched,
            now,
            told: HashMap::new(),
            quiet: None,
        })
    }

    /// The next piece of news; waits for it.
    pub async fn next(&mut self) -> Result<News, Error> {
        let mut heartbeat = std::pin::pin!(tokio::time::sleep(HEARTBEAT));
        loop {
            if let Some((sequence, item)) = self.waiting.pop_front() {
                return Ok(self.news(sequence, item));
            }
            let event = self.events.find(|(_, body)| self.scope.covers_event(body));
            if let Some((sequence, body)) = event {
                return Ok(self.news(sequence, NewsItem::Event(body)));
            }
            self.now.mark_unchanged();
            if self.fetch().await? || self.fetch_progress() {
                continue;
            }
            if let Some(run) = self.ended.take() {
                return Ok(self.news(self.sequence, NewsItem::Snapshot(run)));
            }
            let tell = self.quiet.is_none();
            let quiet = OptionFuture::from(self.quiet.as_mut());
            tokio::select! {
                changed = self.last.changed() => changed.map_err(|_| Error::Stopping)?,
                changed = self.now.changed(), if tell => changed.map_err(|_| Error::Stopping)?,
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

    /// Fetches durable events; tells whether there were any, or at least more to look at.
    async fn fetch(&mut self) -> Result<bool, Error> {
        let last = *self.last.borrow_and_update();
        if last.max(self.known) <= self.sequence {
            return Ok(false);
        }
        let Feed { store, .. } = &self.feed;
        let wanted = self.scope.changes;
        let events = self
            .fetched
            .after(store, &self.company, self.sequence, wanted);
        self.events = events.await.map_err(position)?;
        let before = std::mem::replace(&mut self.sequence, self.events.upto());
        Ok(self.sequence > before)
    }

    /// Takes what is new of progress, unless some was told just now; tells whether there was any.
    fn fetch_progress(&mut self) -> bool {
        if self.quiet.is_some() || self.scope.directory {
            return false;
        }
        {
            let now = self.now.borrow();
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
        let now = self.now.borrow();
        now.iter()
            .filter(|(run, progress)| {
                self.scope.covers(&progress.integration, Some(run))
                    && self.told.get(run).is_none_or(|told| told != *progress)
            })
            .map(|(_, progress)| progress.clone())
            .collect()
    }
}
