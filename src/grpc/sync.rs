//! `SyncService`: runs, their outcomes, and the stream of news.

use super::{
    callers,
    fields::{Notes, request_key},
    from_proto, names, provisioning, report, status, tokens,
    watching::{News, Position, Streams},
};
use crate::{
    model::{CompanyId, IntegrationId, RuleId, RunId, Violation},
    proto::v1::{self, sync_service_server::SyncService},
    store::Store,
    sync::{Runs, Scope},
};
use std::mem::take;
use tonic::{Request, Response, Status};

type Answered<T> = Result<Response<T>, Status>;

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) runs: Runs,
    pub(super) streams: Streams,
}

fn one(violation: Violation) -> Status {
    status::invalid(vec![violation])
}

impl Service {
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

/// The rules that a request names, each once.
fn rules(
    notes: &mut Notes,
    named: &[String],
    (company, integration): (&CompanyId, &IntegrationId),
) -> Vec<RuleId> {
    let mut rules = Vec::new();
    // An integration has no more.
    if !notes.few("rules", named, 100) {
        return rules;
    }
    for (i, rule) in named.iter().enumerate() {
        let rule = names::parse_rule_of(&format!("rules[{i}]"), rule, company, integration);
        rules.extend(notes.take(rule).filter(|rule| !rules.contains(rule)));
    }
    rules
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

/// Where to begin.
fn position(given: Option<v1::watch_runs_request::Position>) -> Position {
    use v1::watch_runs_request::Position as Given;
    match given {
        None => Position::Now,
        Some(Given::AfterSequence(after)) => Position::After(after),
        Some(Given::ResumeToken(token)) => Position::Token(token),
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
        let rules = rules(&mut notes, &request.rules, (&company, &id));
        let (Some(key), []) = (key, notes.0.as_slice()) else {
            return Err(status::invalid(notes.0));
        };
        let (preview, by) = (request.preview, callers::name());
        let run = self
            .runs
            .start(&company, &id, rules, preview, by, key)
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

    type WatchRunsStream = News;

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
        let (scope, from) = (
            notes.take(scope(&parent)),
            notes.take(position(given).read()),
        );
        let (Some((company, scope)), Some(from)) = (scope, from) else {
            return Err(status::invalid(notes.0));
        };
        self.exists(
            &company,
            scope.integration.as_ref(),
            scope.run.as_ref(),
            parent,
        )
        .await?;
        let scope = Scope {
            changes: include_changes,
            ..scope
        };
        let news = self.streams.open(company, scope, from).await?;
        Ok(Response::new(news))
    }
}
