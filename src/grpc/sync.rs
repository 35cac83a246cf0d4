//! `SyncService`: runs, their outcomes, and the stream of news.

use super::{
    directory::CALLER,
    fields::{Notes, page, request_key},
    from_proto, names, report, status,
};
use crate::{
    model::{CompanyId, Violation},
    proto::v1::{self, sync_service_server::SyncService},
    store::{ChangeFilter, Store},
    sync::{Feed, From, News, NewsItem, Runs, Scope, Watcher},
};
use futures_util::{Stream, stream};
use std::{pin::Pin, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

type Answered<T> = Result<Response<T>, Status>;

/// Streams open at once.
const STREAMS: usize = 1000;

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) runs: Runs,
    stopping: CancellationToken,
    streams: Arc<Semaphore>,
}

fn one(violation: Violation) -> Status {
    status::invalid(vec![violation])
}

impl Service {
    pub(super) fn new(store: Store, runs: Runs, stopping: CancellationToken) -> Self {
        Self {
            store,
            runs,
            stopping,
            streams: Arc::new(Semaphore::new(STREAMS)),
        }
    }
}

/// One open stream.
struct Open {
    watcher: Watcher,
    company: CompanyId,
    epoch: String,
    changes: bool,
    /// The stream is of one run, and ends with it.
    one_run: bool,
    over: bool,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    /// The next message, and the stream itself; none when it is over.
    async fn next(mut self) -> Option<(Result<v1::WatchRunsResponse, Status>, Self)> {
        while !self.over {
            let news = tokio::select! {
                () = self.stopping.cancelled() => {
                    self.over = true;
                    return Some((Err(status::stopping()), self));
                }
                news = self.watcher.next() => news,
            };
            let news = match news {
                Ok(news) => news,
                Err(error) => {
                    self.over = true;
                    return Some((Err(status::sync(error)), self));
                }
            };
            self.over = self.one_run && ends_run(&news);
            if let Some(message) = report::news(&self.company, &self.epoch, &news, self.changes) {
                return Some((Ok(message), self));
            }
        }
        None
    }
}

fn ends_run(news: &News) -> bool {
    match &news.item {
        NewsItem::Event(body) => matches!(body.as_ref(), crate::model::EventBody::RunFinished(_)),
        NewsItem::Snapshot(run) => run.state.is_final(),
        NewsItem::Progress(_) | NewsItem::Heartbeat => false,
    }
}

/// A company, an integration of it, or one run.
async fn scope(store: &Store, parent: &str) -> Result<(CompanyId, Scope), Status> {
    match parent.split('/').count() {
        2 => Ok((
            names::parse_company("parent", parent).map_err(one)?,
            Scope::default(),
        )),
        4 => {
            let (company, integration) = names::parse_integration("parent", parent).map_err(one)?;
            let found = store
                .integration(&company, &integration)
                .await
                .map_err(status::store)?;
            found.ok_or_else(|| status::not_found(parent.to_owned()))?;
            Ok((
                company,
                Scope {
                    integration: Some(integration),
                    run: None,
                },
            ))
        }
        6 => {
            let (company, integration, run) = names::parse_run("parent", parent).map_err(one)?;
            let found = store
                .run(&company, &integration, &run)
                .await
                .map_err(status::store)?;
            found.ok_or_else(|| status::not_found(parent.to_owned()))?;
            Ok((
                company,
                Scope {
                    integration: Some(integration),
                    run: Some(run),
                },
            ))
        }
        _ => Err(one(Violation::new(
            "parent",
            "must be the name of a company, an integration or a run",
        ))),
    }
}

/// Where to begin: a resume token also says of which store it is (semantics 34).
fn position(given: Option<v1::watch_runs_request::Position>, epoch: &str) -> Result<From, Status> {
    use v1::watch_runs_request::Position;
    match given {
        None => Ok(From::Now),
        Some(Position::AfterSequence(after)) => u64::try_from(after)
            .map(From::After)
            .map_err(|_| one(Violation::new("after_sequence", "must not be negative"))),
        Some(Position::ResumeToken(token)) => {
            let bad = || {
                one(Violation::new(
                    "resume_token",
                    "is not one that WatchRuns gave out",
                ))
            };
            let (of, sequence) = token.rsplit_once('.').ok_or_else(bad)?;
            let sequence = sequence.parse().map_err(|_| bad())?;
            if of == epoch {
                Ok(From::After(sequence))
            } else {
                Err(status::other_store())
            }
        }
    }
}

#[tonic::async_trait]
impl SyncService for Service {
    async fn start_run(&self, request: Request<v1::StartRunRequest>) -> Answered<v1::Run> {
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let mut notes = Notes::default();
        let key = notes.take(request_key(&request_id, "StartRun", &request));
        let Some((company, id)) = notes.take(names::parse_integration("parent", &request.parent))
        else {
            return Err(status::invalid(notes.0));
        };
        let named = request.rules.iter().enumerate().filter_map(|(i, rule)| {
            notes.take(names::parse_rule_of(
                &format!("rules[{i}]"),
                rule,
                &company,
                &id,
            ))
        });
        let rules = named.collect();
        let (Some(key), []) = (key, notes.0.as_slice()) else {
            return Err(status::invalid(notes.0));
        };
        let run = self
            .runs
            .start(&company, &id, rules, CALLER.to_owned(), key)
            .await
            .map_err(status::sync)?;
        Ok(Response::new(report::run(&run)))
    }

    async fn cancel_run(&self, request: Request<v1::CancelRunRequest>) -> Answered<v1::Run> {
        let (company, integration, id) =
            names::parse_run("name", &request.into_inner().name).map_err(one)?;
        let run = self
            .runs
            .cancel(&company, &integration, &id)
            .await
            .map_err(status::sync)?;
        Ok(Response::new(report::run(&run)))
    }

    async fn get_run(&self, request: Request<v1::GetRunRequest>) -> Answered<v1::Run> {
        let name = request.into_inner().name;
        let (company, integration, id) = names::parse_run("name", &name).map_err(one)?;
        let run = self
            .store
            .run(&company, &integration, &id)
            .await
            .map_err(status::store)?;
        run.map(|run| Response::new(report::run(&run)))
            .ok_or_else(|| status::not_found(name))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Answered<v1::ListRunsResponse> {
        let v1::ListRunsRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let mut notes = Notes::default();
        let named = notes.take(names::parse_any_integration("parent", &parent));
        let page = notes.take(page(page_size, &page_token));
        let (Some((company, integration)), Some(page)) = (named, page) else {
            return Err(status::invalid(notes.0));
        };
        if let Some(integration) = &integration {
            let found = self
                .store
                .integration(&company, integration)
                .await
                .map_err(status::store)?;
            found.ok_or_else(|| status::not_found(parent))?;
        }
        let listed = self
            .store
            .runs(&company, integration.as_ref(), &page)
            .await
            .map_err(status::store)?;
        let runs = listed.items.iter().map(report::run).collect();
        Ok(Response::new(v1::ListRunsResponse {
            runs,
            next_page_token: listed.next.unwrap_or_default(),
        }))
    }

    async fn list_changes(
        &self,
        request: Request<v1::ListChangesRequest>,
    ) -> Answered<v1::ListChangesResponse> {
        let v1::ListChangesRequest {
            parent,
            page_size,
            page_token,
            outcomes,
            rule,
            object,
        } = request.into_inner();
        let mut notes = Notes::default();
        let named = notes.take(names::parse_any_run("parent", &parent));
        let page = notes.take(page(page_size, &page_token));
        let outcomes = from_proto::outcomes(&outcomes, &mut notes);
        let rule = if rule.is_empty() {
            None
        } else {
            notes.take(names::parse_rule("rule", &rule))
        };
        let (Some((company, integration, run)), Some(page), []) = (named, page, notes.0.as_slice())
        else {
            return Err(status::invalid(notes.0));
        };
        if let (Some(integration), Some(run)) = (&integration, &run) {
            let found = self
                .store
                .run(&company, integration, run)
                .await
                .map_err(status::store)?;
            found.ok_or_else(|| status::not_found(parent))?;
        }
        let object = (!object.is_empty()).then_some(object);
        let filter = ChangeFilter {
            integration,
            run,
            rule: rule.map(|(_, _, rule)| rule),
            outcomes,
            object,
        };
        let listed = self
            .store
            .changes(&company, &filter, &page)
            .await
            .map_err(status::store)?;
        let shown = |r: &crate::store::Recorded| {
            report::change(&company, &r.integration, &r.run, r.sequence, &r.change)
        };
        let changes = listed.items.iter().map(shown).collect();
        Ok(Response::new(v1::ListChangesResponse {
            changes,
            next_page_token: listed.next.unwrap_or_default(),
        }))
    }

    type WatchRunsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchRunsResponse, Status>> + Send>>;

    async fn watch_runs(
        &self,
        request: Request<v1::WatchRunsRequest>,
    ) -> Answered<Self::WatchRunsStream> {
        let v1::WatchRunsRequest {
            parent,
            position: given,
            include_changes,
        } = request.into_inner();
        let (company, scope) = scope(&self.store, &parent).await?;
        let epoch = self.store.epoch();
        let from = position(given, &epoch)?;
        let permit = Arc::clone(&self.streams)
            .try_acquire_owned()
            .map_err(|_| status::too_many_streams(STREAMS))?;
        let one_run = scope.run.is_some();
        let feed: &Feed = self.runs.feed();
        let watcher = feed
            .watch(company.clone(), scope, from)
            .await
            .map_err(status::sync)?;
        let stopping = self.stopping.clone();
        let open = Open {
            watcher,
            company,
            epoch,
            changes: include_changes,
            one_run,
            over: false,
            stopping,
            _permit: permit,
        };
        Ok(Response::new(Box::pin(stream::unfold(open, Open::next))))
    }
}
