//! Streams of news: of runs, and of the directory.

mod places;

use super::{directory, report, status};
use crate::{
    model::{CompanyId, EventBody, Violation},
    proto::Encoded,
    store::Store,
    sync::{self, Feed, From, NewsItem, Scope, Watcher},
};
use futures_util::{Stream, stream};
use places::{Full, Place, Places};
use std::{pin::Pin, sync::Arc};
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// A stream of messages.
pub(super) type News = Pin<Box<dyn Stream<Item = Result<Encoded, Status>> + Send>>;

/// Where a stream is to begin, as it was asked for.
pub(super) enum Position {
    Now,
    After(i64),
    Token(String),
}

impl Position {
    /// Where to begin, and of which store that is, if the position says so (semantics 34).
    pub(super) fn read(self) -> Result<(From, Option<String>), Violation> {
        match self {
            Self::Now => Ok((From::Now, None)),
            Self::After(after) => match u64::try_from(after) {
                Ok(0) => Ok((From::Earliest, None)),
                Ok(after) => Ok((From::After(after), None)),
                Err(_) => Err(Violation::new("after_sequence", "must not be negative")),
            },
            Self::Token(token) => {
                let parts = token.rsplit_once('.');
                let parts = parts.and_then(|(of, sequence)| Some((of, sequence.parse().ok()?)));
                let (of, sequence) = parts.ok_or_else(|| {
                    Violation::new("resume_token", "is not one that a stream gave out")
                })?;
                Ok((From::After(sequence), Some(of.to_owned())))
            }
        }
    }
}

/// All streams that are open.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    store: Store,
    feed: Feed,
    stopping: CancellationToken,
    places: Arc<Places>,
}

impl Streams {
    pub(super) fn new(store: Store, feed: Feed, stopping: CancellationToken) -> Self {
        Self {
            store,
            feed,
            stopping,
            places: Arc::default(),
        }
    }

    /// Opens a stream.
    pub(super) async fn open(
        &self,
        company: CompanyId,
        scope: Scope,
        (from, of): (From, Option<String>),
    ) -> Result<News, Status> {
        let epoch = self.store.epoch();
        if of.is_some_and(|of| of != epoch) {
            return Err(status::other_store());
        }
        let place = self.places.take(&company).map_err(Full::status)?;
        let (one_run, directory) = (scope.run.is_some(), scope.directory);
        let watcher = self.feed.watch(company.clone(), scope, from).await;
        let open = Open {
            watcher: watcher.map_err(status::sync)?,
            company,
            epoch,
            one_run,
            directory,
            over: false,
            stopping: self.stopping.clone(),
            _place: place,
        };
        // Boxed, since it is handed on with every message.
        Ok(Box::pin(stream::unfold(Box::new(open), Open::next)))
    }
}

/// One open stream.
struct Open {
    watcher: Watcher,
    company: CompanyId,
    epoch: String,
    /// The stream is of one run, and ends with it.
    one_run: bool,
    /// It is of what becomes of the directory.
    directory: bool,
    over: bool,
    stopping: CancellationToken,
    _place: Place,
}

impl Open {
    /// The next message, and the stream itself; none when it is over.
    async fn next(mut self: Box<Self>) -> Option<(Result<Encoded, Status>, Box<Self>)> {
        loop {
            if self.over {
                return None;
            }
            let news = tokio::select! {
                () = self.stopping.cancelled() => Err(status::stopping()),
                news = self.watcher.next() => news.map_err(status::sync),
            };
            self.over = news
                .as_ref()
                .map_or(true, |news| self.one_run && ends_run(news));
            if let Some(message) = news.map(|news| self.shown(&news)).transpose() {
                return Some((message, self));
            }
        }
    }

    /// A piece of news as a message; none if it is not shown.
    fn message(&self, news: &sync::News) -> Option<Encoded> {
        let (company, epoch) = (&self.company, &self.epoch);
        Some(match self.directory {
            true => Encoded::new(&directory::show(company, epoch, news)?),
            false => Encoded::new(&report::news(company, epoch, news)?),
        })
    }

    /// The same, of what all are told who watch the same made once for all of them.
    fn shown(&self, news: &sync::News) -> Option<Encoded> {
        let NewsItem::Event(told) = &news.item else {
            return self.message(news);
        };
        let make = || self.message(news).map(|message| message.0);
        told.shown.get_or_init(make).clone().map(Encoded)
    }
}

fn ends_run(news: &sync::News) -> bool {
    match &news.item {
        NewsItem::Event(told) => matches!(told.event.body, EventBody::RunFinished(_)),
        NewsItem::Snapshot(run) => run.state.is_final(),
        NewsItem::Progress(_) | NewsItem::Heartbeat => false,
    }
}
