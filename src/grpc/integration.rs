//! `IntegrationService`: set-up.

use super::{
    callers, catalogue, checking, choices, consent,
    fields::{Notes, request_key},
    from_proto, names, status, to_proto, tokens, update,
};
use crate::{
    integrations::{Integrations, TokenFate, catalogue as known},
    model::{CompanyId, Integration, IntegrationId, Time, Violation},
    proto::v1::{self, integration_service_server::IntegrationService},
    sync::Runs,
};
use std::mem::take;
use tonic::{Request, Response, Status};

type Answered<T> = Result<Response<T>, Status>;

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) integrations: Integrations,
    pub(super) runs: Runs,
}

fn one(violation: Violation) -> Status {
    status::invalid(vec![violation])
}

impl Service {
    async fn shown(&self, integration: Integration) -> Answered<v1::Integration> {
        let gaps = self
            .integrations
            .readiness(&integration)
            .await
            .map_err(status::integrations)?;
        Ok(Response::new(to_proto::integration(&integration, &gaps)))
    }

    /// The integration, if its etag is the one that the caller saw.
    async fn seen(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        etag: &str,
    ) -> Result<Integration, Status> {
        let integration = self
            .integrations
            .get(company, id)
            .await
            .map_err(status::integrations)?;
        if etag.is_empty() || etag == to_proto::integration_etag(&integration) {
            return Ok(integration);
        }
        Err(status::changed(&names::of_integration(&integration)))
    }

    /// What is named, and its `update_time` if the caller has seen it.
    async fn seen_as(
        &self,
        name: &str,
        etag: &str,
    ) -> Result<(CompanyId, IntegrationId, Option<Time>), Status> {
        let (company, id) = names::parse_integration("name", name).map_err(one)?;
        let seen = self.seen(&company, &id, etag).await?;
        let seen = (!etag.is_empty()).then_some(seen.update_time);
        Ok((company, id, seen))
    }
}

#[tonic::async_trait]
impl IntegrationService for Service {
    async fn list_systems(
        &self,
        request: Request<v1::ListSystemsRequest>,
    ) -> Answered<v1::ListSystemsResponse> {
        let v1::ListSystemsRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let mut notes = Notes::default();
        let rest = v1::ListSystemsRequest::default();
        let page = tokens::page(&mut notes, "ListSystems", (page_size, &page_token), &rest);
        let page = page.ok_or_else(|| status::invalid(notes.0))?;
        let listed = page
            .of(known::systems(), |system| system.id.to_owned())
            .ok_or_else(|| one(tokens::foreign()))?;
        Ok(Response::new(v1::ListSystemsResponse {
            next_page_token: page.next(&listed),
            systems: listed.items.into_iter().map(catalogue::system).collect(),
        }))
    }

    async fn get_system(&self, request: Request<v1::GetSystemRequest>) -> Answered<v1::System> {
        let name = request.into_inner().name;
        let id = names::parse_system("name", &name).map_err(one)?;
        let found = known::systems()
            .iter()
            .find(|system| system.id == id.as_str());
        found
            .map(|system| Response::new(catalogue::system(system)))
            .ok_or_else(|| status::not_found(name))
    }

    async fn create_integration(
        &self,
        request: Request<v1::CreateIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut notes = Notes::default();
        let key = notes.take(request_key(&request_id, "CreateIntegration", &request));
        let company = from_proto::company(&mut notes, "parent", &request.parent);
        let new = from_proto::new_integration(&request.integration_id, request.integration, notes);
        let Some(company) = company else {
            return Err(status::invalid(new.violations()));
        };
        let created = self
            .integrations
            .create(&company, new, key.flatten(), request.validate_only)
            .await
            .map_err(status::integrations)?;
        self.shown(created.value).await
    }

    async fn get_integration(
        &self,
        request: Request<v1::GetIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let (company, id) =
            names::parse_integration("name", &request.into_inner().name).map_err(one)?;
        let integration = self
            .integrations
            .get(&company, &id)
            .await
            .map_err(status::integrations)?;
        self.shown(integration).await
    }

    async fn list_integrations(
        &self,
        request: Request<v1::ListIntegrationsRequest>,
    ) -> Answered<v1::ListIntegrationsResponse> {
        let mut request = request.into_inner();
        let (size, token) = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let company = from_proto::company(&mut notes, "parent", &request.parent);
        let page = tokens::page(&mut notes, "ListIntegrations", (size, &token), &request);
        let (Some(company), Some(page)) = (company, page) else {
            return Err(status::invalid(notes.0));
        };
        let listed = self
            .integrations
            .list(&company, &page.page)
            .await
            .map_err(status::integrations)?;
        let next_page_token = page.next(&listed);
        let mut integrations = Vec::with_capacity(listed.items.len());
        for integration in listed.items {
            integrations.push(self.shown(integration).await?.into_inner());
        }
        Ok(Response::new(v1::ListIntegrationsResponse {
            integrations,
            next_page_token,
        }))
    }

    async fn update_integration(
        &self,
        request: Request<v1::UpdateIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let updated = update::integration(&self.integrations, request.into_inner()).await?;
        self.shown(updated).await
    }

    async fn delete_integration(
        &self,
        request: Request<v1::DeleteIntegrationRequest>,
    ) -> Answered<v1::DeleteIntegrationResponse> {
        let v1::DeleteIntegrationRequest { name, etag } = request.into_inner();
        let (company, id) = names::parse_integration("name", &name).map_err(one)?;
        let seen = self.seen(&company, &id, &etag).await?;
        let seen = (!etag.is_empty()).then_some(seen.update_time);
        let caller = callers::name();
        let fate = self
            .runs
            .delete_integration(&company, &id, seen, caller)
            .await;
        let fate = fate.map_err(status::sync)?;
        Ok(Response::new(v1::DeleteIntegrationResponse {
            token_revoked: fate == TokenFate::Revoked,
            summary: format!("{name} is deleted; what it provisioned stays. {fate}"),
        }))
    }

    async fn check_integration(
        &self,
        request: Request<v1::CheckIntegrationRequest>,
    ) -> Answered<v1::CheckIntegrationResponse> {
        let name = request.into_inner().name;
        checking::check(&self.integrations, &name).await
    }

    async fn list_choices(
        &self,
        request: Request<v1::ListChoicesRequest>,
    ) -> Answered<v1::ListChoicesResponse> {
        choices::list(&self.integrations, request.into_inner()).await
    }

    async fn activate_integration(
        &self,
        request: Request<v1::ActivateIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let v1::ActivateIntegrationRequest { name, etag } = request.into_inner();
        let (company, id, seen) = self.seen_as(&name, &etag).await?;
        let switched = self.integrations.activate(&company, &id, seen).await;
        self.shown(switched.map_err(status::integrations)?).await
    }

    async fn deactivate_integration(
        &self,
        request: Request<v1::DeactivateIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let v1::DeactivateIntegrationRequest { name, etag } = request.into_inner();
        let (company, id, seen) = self.seen_as(&name, &etag).await?;
        let switched = self.integrations.deactivate(&company, &id, seen).await;
        self.shown(switched.map_err(status::integrations)?).await
    }

    async fn begin_authorization(
        &self,
        request: Request<v1::BeginAuthorizationRequest>,
    ) -> Answered<v1::BeginAuthorizationResponse> {
        consent::begin(&self.integrations, request.into_inner()).await
    }

    async fn complete_authorization(
        &self,
        request: Request<v1::CompleteAuthorizationRequest>,
    ) -> Answered<v1::Integration> {
        let completed = consent::complete(&self.integrations, request.into_inner()).await?;
        self.shown(completed).await
    }

    async fn set_credentials(
        &self,
        request: Request<v1::SetCredentialsRequest>,
    ) -> Answered<v1::Integration> {
        let request = consent::credentials(request.into_inner())?;
        let (company, id, seen) = self.seen_as(&request.name, &request.etag).await?;
        let set = self
            .integrations
            .set_service_account(&company, &id, request.new, seen, request.validate_only)
            .await;
        self.shown(set.map_err(status::integrations)?).await
    }

    async fn list_rule_templates(
        &self,
        request: Request<v1::ListRuleTemplatesRequest>,
    ) -> Answered<v1::ListRuleTemplatesResponse> {
        let (company, id) =
            names::parse_integration("parent", &request.into_inner().parent).map_err(one)?;
        let offered = self
            .integrations
            .templates(&company, &id)
            .await
            .map_err(status::integrations)?;
        let templates = offered.iter().map(to_proto::template).collect();
        Ok(Response::new(v1::ListRuleTemplatesResponse { templates }))
    }

    async fn apply_rule_template(
        &self,
        request: Request<v1::ApplyRuleTemplateRequest>,
    ) -> Answered<v1::Rule> {
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut notes = Notes::default();
        let key = notes.take(request_key(&request_id, "ApplyRuleTemplate", &request));
        let named = notes.take(names::parse_integration("parent", &request.parent));
        let apply = from_proto::apply_template(&request, notes);
        let Some((company, id)) = named else {
            return Err(status::invalid(apply.violations()));
        };
        let rule = self
            .integrations
            .apply_template(&company, &id, apply, key.flatten())
            .await;
        Ok(Response::new(to_proto::rule(
            &rule.map_err(status::integrations)?.value,
        )))
    }

    async fn create_rule(&self, request: Request<v1::CreateRuleRequest>) -> Answered<v1::Rule> {
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let mut notes = Notes::default();
        let key = notes.take(request_key(&request_id, "CreateRule", &request));
        let named = notes.take(names::parse_integration("parent", &request.parent));
        let new = from_proto::new_rule(&request.rule_id, request.rule, notes);
        // What a rule may be depends on its integration: without that, only what is wrong with any is known.
        let Some((company, id)) = named else {
            return Err(status::invalid(new.bad));
        };
        let rule = self
            .integrations
            .create_rule(&company, &id, new, key.flatten(), request.validate_only)
            .await
            .map_err(status::integrations)?;
        Ok(Response::new(to_proto::rule(&rule.value)))
    }

    async fn get_rule(&self, request: Request<v1::GetRuleRequest>) -> Answered<v1::Rule> {
        let (company, integration, id) =
            names::parse_rule("name", &request.into_inner().name).map_err(one)?;
        let rule = self
            .integrations
            .rule(&company, &integration, &id)
            .await
            .map_err(status::integrations)?;
        Ok(Response::new(to_proto::rule(&rule)))
    }

    async fn list_rules(
        &self,
        request: Request<v1::ListRulesRequest>,
    ) -> Answered<v1::ListRulesResponse> {
        let mut request = request.into_inner();
        let (size, token) = (take(&mut request.page_size), take(&mut request.page_token));
        let mut notes = Notes::default();
        let named = notes.take(names::parse_integration("parent", &request.parent));
        let page = tokens::page(&mut notes, "ListRules", (size, &token), &request);
        let (Some((company, id)), Some(page)) = (named, page) else {
            return Err(status::invalid(notes.0));
        };
        let rules = self
            .integrations
            .rules(&company, &id)
            .await
            .map_err(status::integrations)?;
        let listed = page
            .of(&rules, |rule| rule.position)
            .ok_or_else(|| one(tokens::foreign()))?;
        Ok(Response::new(v1::ListRulesResponse {
            next_page_token: page.next(&listed),
            rules: listed.items.into_iter().map(to_proto::rule).collect(),
        }))
    }

    async fn update_rule(&self, request: Request<v1::UpdateRuleRequest>) -> Answered<v1::Rule> {
        let updated = update::rule(&self.integrations, request.into_inner()).await?;
        Ok(Response::new(to_proto::rule(&updated)))
    }

    async fn delete_rule(&self, request: Request<v1::DeleteRuleRequest>) -> Answered<()> {
        let v1::DeleteRuleRequest { name, etag } = request.into_inner();
        let (company, integration, id) = names::parse_rule("name", &name).map_err(one)?;
        let rule = self
            .integrations
            .rule(&company, &integration, &id)
            .await
            .map_err(status::integrations)?;
        if !etag.is_empty() && etag != to_proto::rule_etag(&rule) {
            return Err(status::changed(&name));
        }
        let seen = (!etag.is_empty()).then_some(rule.update_time);
        self.integrations
            .delete_rule(&company, &integration, &id, seen)
            .await
            .map_err(status::integrations)?;
        Ok(Response::new(()))
    }
}
