//! Somebody who watches a topic.

use super::{
    Error, Feed, News, NewsItem, Now, Scope,
    fetched::{Cursor, Fetched},
    position,
};
use crate::{
    model::{CompanyId, Progress, Run, RunId},
    store::Topic,
};
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
    scope: Scope,
    topic: Topic,
    /// The last durable event looked at.
    sequence: u64,
    /// What follows it.
    events: Cursor,
    /// What is told before.
    waiting: VecDeque<(u64, NewsItem)>,
    /// The one run that is watched, if it was over when that began: told when what was kept of it has been.
    ended: Option<Box<Run>>,
    /// The last durable event there was when the watch, or the last heartbeat, began.
    known: u64,
    /// The last durable event of the topic, 0 if none came since anybody watches it.
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
        let topic = scope.topic(&company);
        let last = feed.store.subscribe(topic.clone());
        let (fetched, mut now) = feed.boards.share(&topic, scope.directory);
        now.mark_changed();
        Ok(Self {
            feed: feed.clone(),
            known: feed.store.last_sequence(&company).await?,
            scope,
            topic,
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
        let mut quiet_for_long = false;
        loop {
            if let Some((sequence, item)) = self.waiting.pop_front() {
                return Ok(self.news(sequence, item));
            }
            let told = self.events.next(|body| self.scope.covers_event(body));
            if let Some(told) = told {
                return Ok(News {
                    sequence: told.event.sequence,
                    time: told.event.time,
                    item: NewsItem::Event(told),
                });
            }
            if self.fetch().await? || self.fetch_progress() {
                continue;
            }
            if let Some(run) = self.ended.take() {
                return Ok(self.news(self.sequence, NewsItem::Snapshot(run)));
            }
            if quiet_for_long {
                // Nobody else needs what was told long ago.
                self.events = Cursor::default();
                return Ok(self.news(self.sequence, NewsItem::Heartbeat));
            }
            let tell = self.quiet.is_none();
            let quiet = OptionFuture::from(self.quiet.as_mut());
            tokio::select! {
                changed = self.last.changed() => changed.map_err(|_| Error::Stopping)?,
                changed = self.now.changed(), if tell => changed.map_err(|_| Error::Stopping)?,
                Some(()) = quiet => self.quiet = None,
                () = &mut heartbeat => {
                    // Others' events are not told, but the heartbeat says how far they were looked at.
                    self.known = self.feed.store.last_sequence(&self.topic.company).await?;
                    quiet_for_long = true;
                }
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
        let events = self.fetched.after(store, &self.topic, self.sequence);
        self.events = events.await.map_err(position)?;
        let before = std::mem::replace(&mut self.sequence, self.events.upto());
        Ok(self.sequence > before)
    }

    /// Takes what is new of progress, unless it was looked at just now; tells whether there was any.
    fn fetch_progress(&mut self) -> bool {
        if self.quiet.is_some() || !self.now.has_changed().unwrap_or(false) {
            return false;
        }
        self.quiet = Some(Box::pin(tokio::time::sleep(PROGRESS)));
        let now = self.now.borrow_and_update();
        self.told.retain(|run, _| now.contains_key(run));
        for (run, progress) in now.iter() {
            let covered = self.scope.covers(&progress.integration, Some(run));
            if covered && self.told.get(run) != Some(progress) {
                self.told.insert(run.clone(), progress.clone());
                let item = NewsItem::Progress(Box::new(progress.clone()));
                self.waiting.push_back((self.sequence, item));
            }
        }
        !self.waiting.is_empty()
    }
}
