//! `IntegrationService`: set-up.

use super::{
    catalogue,
    fields::{Notes, page, request_key},
    from_proto, names, status,
    to_proto::{self, time},
};
use crate::{
    integrations::{Answer, Integrations, catalogue as known},
    model::{CompanyId, Integration, IntegrationId, Secret, Violation},
    proto::v1::{self, integration_service_server::IntegrationService},
};
use tonic::{Request, Response, Status};

type Answered<T> = Result<Response<T>, Status>;

/// The service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) integrations: Integrations,
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
        page(page_size, &page_token).map_err(one)?;
        if !page_token.is_empty() {
            return Err(one(Violation::new(
                "page_token",
                "is not one that ListSystems gave out",
            )));
        }
        let systems = catalogue::systems(known::systems());
        Ok(Response::new(v1::ListSystemsResponse {
            systems,
            next_page_token: String::new(),
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
        let request_id = std::mem::take(&mut request.request_id);
        let key = request_key(&request_id, "CreateIntegration", &request);
        let mut new = from_proto::new_integration(&request.integration_id, request.integration);
        let mut notes = Notes::default();
        let (company, key) = (
            from_proto::company(&mut notes, "parent", &request.parent),
            notes.take(key),
        );
        let (Some(company), Some(key)) = (company, key) else {
            notes.0.append(&mut new.bad);
            return Err(status::invalid(notes.0));
        };
        let created = self
            .integrations
            .create(&company, new, key)
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
        let v1::ListIntegrationsRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let mut notes = Notes::default();
        let company = from_proto::company(&mut notes, "parent", &parent);
        let page = notes.take(page(page_size, &page_token));
        let (Some(company), Some(page)) = (company, page) else {
            return Err(status::invalid(notes.0));
        };
        let listed = self
            .integrations
            .list(&company, &page)
            .await
            .map_err(status::integrations)?;
        let mut integrations = Vec::with_capacity(listed.items.len());
        for integration in listed.items {
            integrations.push(self.shown(integration).await?.into_inner());
        }
        let next_page_token = listed.next.unwrap_or_default();
        Ok(Response::new(v1::ListIntegrationsResponse {
            integrations,
            next_page_token,
        }))
    }

    async fn activate_integration(
        &self,
        request: Request<v1::ActivateIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let v1::ActivateIntegrationRequest { name, etag } = request.into_inner();
        let (company, id) = names::parse_integration("name", &name).map_err(one)?;
        let seen = self.seen(&company, &id, &etag).await?;
        let seen = (!etag.is_empty()).then_some(seen.update_time);
        let integration = self
            .integrations
            .activate(&company, &id, seen)
            .await
            .map_err(status::integrations)?;
        self.shown(integration).await
    }

    async fn deactivate_integration(
        &self,
        request: Request<v1::DeactivateIntegrationRequest>,
    ) -> Answered<v1::Integration> {
        let v1::DeactivateIntegrationRequest { name, etag } = request.into_inner();
        let (company, id) = names::parse_integration("name", &name).map_err(one)?;
        let seen = self.seen(&company, &id, &etag).await?;
        let seen = (!etag.is_empty()).then_some(seen.update_time);
        let integration = self
            .integrations
            .deactivate(&company, &id, seen)
            .await
            .map_err(status::integrations)?;
        self.shown(integration).await
    }

    async fn begin_authorization(
        &self,
        request: Request<v1::BeginAuthorizationRequest>,
    ) -> Answered<v1::BeginAuthorizationResponse> {
        let v1::BeginAuthorizationRequest { name, return_url } = request.into_inner();
        let (company, id) = names::parse_integration("name", &name).map_err(one)?;
        let return_url = (!return_url.is_empty()).then_some(return_url.as_str());
        let begun = self
            .integrations
            .begin_authorization(&company, &id, return_url)
            .await;
        let begun = begun.map_err(status::integrations)?;
        Ok(Response::new(v1::BeginAuthorizationResponse {
            authorization_url: begun.url.to_string(),
            expire_time: Some(time(begun.expire_time)),
        }))
    }

    async fn complete_authorization(
        &self,
        request: Request<v1::CompleteAuthorizationRequest>,
    ) -> Answered<v1::Integration> {
        use v1::complete_authorization_request::Answer as Given;
        let v1::CompleteAuthorizationRequest {
            name,
            state,
            answer,
        } = request.into_inner();
        let mut notes = Notes::default();
        let named = notes.take(names::parse_integration("name", &name));
        if state.is_empty() {
            notes.0.push(Violation::new(
                "state",
                "must be the state that came back from the consent page",
            ));
        }
        let answer = match answer {
            Some(Given::Code(code)) if !code.is_empty() => Some(Answer::Code(Secret::new(code))),
            Some(Given::Error(error)) if !error.is_empty() => Some(Answer::Error(error)),
            _ => None,
        };
        if answer.is_none() {
            notes.0.push(Violation::new(
                "answer",
                "give the code or the error that came back from the consent page",
            ));
        }
        let (Some((company, id)), Some(answer), []) = (named, answer, notes.0.as_slice()) else {
            return Err(status::invalid(notes.0));
        };
        let state = Secret::new(state);
        let completed = self
            .integrations
            .complete_authorization(Some((&company, &id)), &state, answer)
            .await;
        self.shown(completed.map_err(status::integrations)?.integration)
            .await
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
        let request_id = std::mem::take(&mut request.request_id);
        let key = request_key(&request_id, "ApplyRuleTemplate", &request);
        let mut apply = from_proto::apply_template(&request);
        let mut notes = Notes::default();
        let named = notes.take(names::parse_integration("parent", &request.parent));
        let (Some((company, id)), Some(key)) = (named, notes.take(key)) else {
            notes.0.append(&mut apply.bad);
            return Err(status::invalid(notes.0));
        };
        let rule = self
            .integrations
            .apply_template(&company, &id, apply, key)
            .await;
        Ok(Response::new(to_proto::rule(
            &rule.map_err(status::integrations)?.value,
        )))
    }

    async fn create_rule(&self, request: Request<v1::CreateRuleRequest>) -> Answered<v1::Rule> {
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let key = request_key(&request_id, "CreateRule", &request);
        let mut new = from_proto::new_rule(&request.rule_id, request.rule);
        let mut notes = Notes::default();
        let named = notes.take(names::parse_integration("parent", &request.parent));
        let (Some((company, id)), Some(key)) = (named, notes.take(key)) else {
            notes.0.append(&mut new.bad);
            return Err(status::invalid(notes.0));
        };
        let rule = self
            .integrations
            .create_rule(&company, &id, new, key)
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
        let v1::ListRulesRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let mut notes = Notes::default();
        let named = notes.take(names::parse_integration("parent", &parent));
        let asked = notes.take(page(page_size, ""));
        let (Some((company, id)), Some(asked)) = (named, asked) else {
            return Err(status::invalid(notes.0));
        };
        let rules = self
            .integrations
            .rules(&company, &id)
            .await
            .map_err(status::integrations)?;
        // At most 100 rules: the token is the position after which the page begins.
        let after: u32 = if page_token.is_empty() {
            0
        } else {
            let bad = || {
                one(Violation::new(
                    "page_token",
                    "is not one that ListRules gave out",
                ))
            };
            page_token
                .strip_prefix("r1-")
                .and_then(|text| text.parse().ok())
                .ok_or_else(bad)?
        };
        let mut rest = rules.iter().filter(|rule| rule.position > after).peekable();
        let shown: Vec<_> = rest.by_ref().take(asked.size).collect();
        let next = rest
            .peek()
            .and(shown.last())
            .map(|rule| format!("r1-{}", rule.position));
        let rules = shown.into_iter().map(to_proto::rule).collect();
        Ok(Response::new(v1::ListRulesResponse {
            rules,
            next_page_token: next.unwrap_or_default(),
        }))
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
