//! `SyncService`: runs, their outcomes, and the stream of news.

use super::{
    callers,
    fields::{Notes, request_key},
    from_proto, names, provisioning, report, status, tokens,
};
use crate::{
    model::{CompanyId, IntegrationId, RunId, Violation},
    proto::v1::{self, sync_service_server::SyncService},
    store::Store,
    sync::{Feed, From, News, NewsItem, Runs, Scope, Watcher},
};
use futures_util::{Stream, stream};
use std::{mem::take, pin::Pin, sync::Arc};
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

    /// Whether there is what is named: the run, else the integration.
    async fn exists(
        &self,
        company: &CompanyId,
        integration: Option<&IntegrationId>,
        run: Option<&RunId>,
        name: String,
    ) -> Result<(), Status> {
        let found = match (integration, run) {
            (Some(integration), Some(run)) => {
                let found = self.store.run(company, integration, run).await;
                found.map_err(status::store)?.is_some()
            }
            (Some(integration), None) => {
                let found = self.store.integration(company, integration).await;
                found.map_err(status::store)?.is_some()
            }
            (None, _) => true,
        };
        found.then_some(()).ok_or_else(|| status::not_found(name))
    }
}

/// One open stream.
struct Open {
    watcher: Watcher,
    company: CompanyId,
    epoch: String,
    /// The stream is of one run, and ends with it.
    one_run: bool,
    over: bool,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    /// The next message, and the stream itself; none when it is over.
    async fn next(mut self) -> Option<(Result<v1::WatchRunsResponse, Status>, Self)> {
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
        let message = news.map(|news| report::news(&self.company, &self.epoch, &news));
        Some((message, self))
    }
}

fn ends_run(news: &News) -> bool {
    match &news.item {
        NewsItem::Event(body) => matches!(body.as_ref(), crate::model::EventBody::RunFinished(_)),
        NewsItem::Snapshot(run) => run.state.is_final(),
        NewsItem::Progress(_) | NewsItem::Heartbeat => false,
    }
}

/// Whose news: a company's, an integration's, or one run's.
fn scope(parent: &str) -> Result<(CompanyId, Scope), Violation> {
    let field = "parent";
    match parent.split('/').count() {
        2 => Ok((names::parse_company(field, parent)?, Scope::default())),
        4 => {
            let (company, integration) = names::parse_integration(field, parent)?;
            let integration = Some(integration);
            Ok((
                company,
                Scope {
                    integration,
                    ..Scope::default()
                },
            ))
        }
        6 => {
            let (company, integration, run) = names::parse_run(field, parent)?;
            let (integration, run) = (Some(integration), Some(run));
            Ok((
                company,
                Scope {
                    integration,
                    run,
                    ..Scope::default()
                },
            ))
        }
        _ => Err(Violation::new(
            field,
            "must be the name of a company, an integration or a run",
        )),
    }
}

/// Where to begin, and of which store that is, if the position says so (semantics 34).
fn position(
    given: Option<v1::watch_runs_request::Position>,
) -> Result<(From, Option<String>), Violation> {
    use v1::watch_runs_request::Position;
    match given {
        None => Ok((From::Now, None)),
        Some(Position::AfterSequence(after)) => match u64::try_from(after) {
            Ok(after) => Ok((From::After(after), None)),
            Err(_) => Err(Violation::new("after_sequence", "must not be negative")),
        },
        Some(Position::ResumeToken(token)) => {
            let parts = token.rsplit_once('.');
            let parts = parts.and_then(|(of, sequence)| Some((of, sequence.parse().ok()?)));
            let (of, sequence) = parts.ok_or_else(|| {
                Violation::new("resume_token", "is not one that WatchRuns gave out")
            })?;
            Ok((From::After(sequence), Some(of.to_owned())))
        }
    }
}

#[tonic::async_trait]
impl SyncService for Service {
    async fn start_run(&self, request: Request<v1::StartRunRequest>) -> Answered<v1::Run> {
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
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
            .start(&company, &id, rules, callers::name(), key)
            .await
            .map_err(status::sync)?;
        Ok(Response::new(report::run(&run)))
    }

    async fn provision_object(
        &self,
        request: Request<v1::ProvisionObjectRequest>,
    ) -> Answered<v1::ProvisionObjectResponse> {
        provisioning::provision(&self.runs, request.into_inner()).await
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
        run.map(|run| Response::new(report::run(&self.runs.feed().live(run))))
            .ok_or_else(|| status::not_found(name))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Answered<v1::ListRunsResponse> {
        let mut request = request.into_inner();
        let (size, token) = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let named = notes.take(names::parse_any_integration("parent", &request.parent));
        let page = tokens::page(&mut notes, "ListRuns", (size, &token), &request);
        let (Some((company, integration)), Some(page)) = (named, page) else {
            return Err(status::invalid(notes.0));
        };
        self.exists(&company, integration.as_ref(), None, request.parent)
            .await?;
        let listed = self
            .store
            .runs(&company, integration.as_ref(), &page.page)
            .await
            .map_err(status::store)?;
        let live = |run| report::run(&self.runs.feed().live(run));
        let next_page_token = page.next(&listed);
        Ok(Response::new(v1::ListRunsResponse {
            runs: listed.items.into_iter().map(live).collect(),
            next_page_token,
        }))
    }

    async fn list_changes(
        &self,
        request: Request<v1::ListChangesRequest>,
    ) -> Answered<v1::ListChangesResponse> {
        let mut request = request.into_inner();
        let (size, token) = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let page = tokens::page(&mut notes, "ListChanges", (size, &token), &request);
        let filter = from_proto::changes(&request, &mut notes);
        let (Some((company, filter)), Some(page)) = (filter, page) else {
            return Err(status::invalid(notes.0));
        };
        let (integration, run) = (filter.integration.as_ref(), filter.run.as_ref());
        self.exists(&company, integration, run, request.parent)
            .await?;
        let listed = self
            .store
            .changes(&company, &filter, &page.page)
            .await
            .map_err(status::store)?;
        let shown = |r: &crate::store::Recorded| {
            report::change(&company, &r.integration, &r.run, r.sequence, &r.change)
        };
        Ok(Response::new(v1::ListChangesResponse {
            changes: listed.items.iter().map(shown).collect(),
            next_page_token: page.next(&listed),
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
        let mut notes = Notes::default();
        let (scope, from) = (notes.take(scope(&parent)), notes.take(position(given)));
        let (Some((company, scope)), Some((from, of))) = (scope, from) else {
            return Err(status::invalid(notes.0));
        };
        self.exists(
            &company,
            scope.integration.as_ref(),
            scope.run.as_ref(),
            parent,
        )
        .await?;
        let epoch = self.store.epoch();
        if of.is_some_and(|of| of != epoch) {
            return Err(status::other_store());
        }
        let permit = Arc::clone(&self.streams)
            .try_acquire_owned()
            .map_err(|_| status::too_many_streams(STREAMS))?;
        let one_run = scope.run.is_some();
        let scope = Scope {
            changes: include_changes,
            ..scope
        };
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
            one_run,
            over: false,
            stopping,
            _permit: permit,
        };
        Ok(Response::new(Box::pin(stream::unfold(open, Open::next))))
    }
}
