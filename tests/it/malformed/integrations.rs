//! Integrations and how they are authorized.

use super::*;

fn good() -> v1::Integration {
    v1::Integration {
        title: "Other".to_owned(),
        system: "systems/google-workspace".to_owned(),
        direction: v1::Direction::FromSystem.into(),
        ..v1::Integration::default()
    }
}

#[rustfmt::skip]
fn to_make() -> Vec<(&'static str, v1::CreateIntegrationRequest, &'static str)> {
    let good = good();
    let create = |integration: v1::Integration| v1::CreateIntegrationRequest { parent: company(), integration: Some(integration), ..v1::CreateIntegrationRequest::default() };
    let limits = |percent| Some(v1::Limits { max_member_loss_percent: Some(percent) });
    vec![
        ("no parent", v1::CreateIntegrationRequest { parent: String::new(), ..create(good.clone()) }, "parent"),
        ("a bad company", v1::CreateIntegrationRequest { parent: "companies/A B".to_owned(), ..create(good.clone()) }, "parent"),
        ("no integration", v1::CreateIntegrationRequest { integration: None, ..create(good.clone()) }, "integration"),
        ("no title", create(v1::Integration { title: String::new(), ..good.clone() }), "integration.title"),
        ("a long title", create(v1::Integration { title: "x".repeat(101), ..good.clone() }), "integration.title"),
        ("no system", create(v1::Integration { system: String::new(), ..good.clone() }), "integration.system"),
        ("an unknown system", create(v1::Integration { system: "systems/nothing".to_owned(), ..good.clone() }), "integration.system"),
        ("a system without its collection", create(v1::Integration { system: "google-workspace".to_owned(), ..good.clone() }), "integration.system"),
        ("no direction", create(v1::Integration { direction: 0, ..good.clone() }), "integration.direction"),
        ("a direction that is not built", create(v1::Integration { direction: 2, ..good.clone() }), "integration.direction"),
        ("a direction that does not exist", create(v1::Integration { direction: 77, ..good.clone() }), "integration.direction"),
        ("an interval that does not exist", create(v1::Integration { sync_interval: 9, ..good.clone() }), "integration.sync_interval"),
        ("an unknown time zone", create(v1::Integration { time_zone: "Europe/Berlim".to_owned(), ..good.clone() }), "integration.time_zone"),
        ("a time zone that is a distance", create(v1::Integration { time_zone: "+02:00".to_owned(), ..good.clone() }), "integration.time_zone"),
        ("a limit above all", create(v1::Integration { limits: limits(101), ..good.clone() }), "integration.limits.max_member_loss_percent"),
        ("a limit below none", create(v1::Integration { limits: limits(-1), ..good.clone() }), "integration.limits.max_member_loss_percent"),
        ("a bad id", v1::CreateIntegrationRequest { integration_id: "No Good".to_owned(), ..create(good.clone()) }, "integration_id"),
        ("an id that stands for all", v1::CreateIntegrationRequest { integration_id: "-".to_owned(), ..create(good.clone()) }, "integration_id"),
        ("a company that stands for all", v1::CreateIntegrationRequest { parent: "companies/-".to_owned(), ..create(good.clone()) }, "parent"),
        ("a bad request id", v1::CreateIntegrationRequest { request_id: "x".repeat(65), ..create(good) }, "request_id"),
    ]
}

#[rustfmt::skip]
pub(super) async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let client = &mut world.integrations;
    send!(cases, "IntegrationService/CreateIntegration", client, create_integration, to_make());
    let begin = |return_url: &str| v1::BeginAuthorizationRequest { name: integration(), return_url: return_url.to_owned(), ..v1::BeginAuthorizationRequest::default() };
    send!(cases, "IntegrationService/BeginAuthorization", client, begin_authorization, [
        ("a return URL of no kind", begin("javascript:x"), "return_url"),
        ("a return URL of others", begin("https://elsewhere.example.com"), "return_url"),
    ]);
    let complete = v1::CompleteAuthorizationRequest { name: integration(), state: "x".to_owned(), answer: None };
    send!(cases, "IntegrationService/CompleteAuthorization", client, complete_authorization, [
        ("an answer without answer", complete.clone(), "answer"),
        ("an answer without state", v1::CompleteAuthorizationRequest { state: String::new(), ..complete }, "state"),
    ]);
    let list = |kind: i32, attribute: &str| v1::ListChoicesRequest { parent: integration(), kind, attribute: attribute.to_owned(), page_token: String::new() };
    send!(cases, "IntegrationService/ListChoices", client, list_choices, [
        ("choices of no kind", list(0, "groups"), "kind"),
        ("choices of free text", list(1, "title"), "attribute"),
        ("units of groups", list(2, "orgUnit"), "attribute"),
        ("a page of another list", v1::ListChoicesRequest { page_token: "1x".to_owned(), ..list(1, "groups") }, "page_token"),
    ]);
    cases
}
