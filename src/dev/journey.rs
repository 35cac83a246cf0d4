//! Setting up: an integration, the consent to it, its rules.

use super::{
    Error, browser,
    client::{COMPANY, Client, INTEGRATION, SYSTEM},
    text::say,
};
use crate::proto::v1::{
    ActivateIntegrationRequest, ApplyRuleTemplateRequest, BeginAuthorizationRequest,
    CreateIntegrationRequest, Direction, GetIntegrationRequest, GetRuleRequest, Integration,
    ListIntegrationsRequest, ListRuleTemplatesRequest, Rule, RuleTemplate, authorization::State,
};

/// Brings the integration to the point where it can run, and returns its rules. What is there already (in a data
/// directory that was kept) is used again; the consent is asked for every time, since the simulated Google is a new one.
pub(super) async fn set_up(client: &mut Client) -> Result<Vec<Rule>, Error> {
    add(client).await?;
    let integration = authorize(client).await?;
    let authorization = integration.authorization.unwrap_or_default();
    let admin = authorization.authorized_by.unwrap_or_default();
    say(&format!(
        "  ✓ {} authorized it for customer {} with {} scopes",
        admin.email,
        authorization.customer_id,
        authorization.scopes.len()
    ));
    let rules = apply_templates(client).await?;
    let titles: Vec<_> = rules.iter().map(|rule| rule.title.as_str()).collect();
    say(&format!("  ✓ its rules: {}", titles.join("; ")));
    let request = ActivateIntegrationRequest {
        name: INTEGRATION.to_owned(),
        ..Default::default()
    };
    let active = client.integrations.activate_integration(request).await;
    active.map_err(Error::call("ActivateIntegration"))?;
    say("  ✓ it is active\n");
    Ok(rules)
}

async fn add(client: &mut Client) -> Result<(), Error> {
    let request = ListIntegrationsRequest {
        parent: COMPANY.to_owned(),
        ..Default::default()
    };
    let listed = client.integrations.list_integrations(request).await;
    let listed = listed
        .map_err(Error::call("ListIntegrations"))?
        .into_inner();
    if listed
        .integrations
        .iter()
        .any(|integration| integration.name == INTEGRATION)
    {
        say(&format!("  ✓ {INTEGRATION} is there already"));
        return Ok(());
    }
    let request = CreateIntegrationRequest {
        parent: COMPANY.to_owned(),
        integration_id: "google".to_owned(),
        integration: Some(Integration {
            title: "Google Workspace".to_owned(),
            system: SYSTEM.to_owned(),
            direction: Direction::FromSystem.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let added = client.integrations.create_integration(request).await;
    let added = added
        .map_err(Error::call("CreateIntegration"))?
        .into_inner();
    say(&format!("  ✓ added {}", added.name));
    Ok(())
}

/// What an administrator does in a browser is done over plain HTTP. The daemon's word counts, not the page.
async fn authorize(client: &mut Client) -> Result<Integration, Error> {
    let request = BeginAuthorizationRequest {
        name: INTEGRATION.to_owned(),
        ..Default::default()
    };
    let begun = client.integrations.begin_authorization(request).await;
    let begun = begun
        .map_err(Error::call("BeginAuthorization"))?
        .into_inner();
    let page = browser::consent(&begun.authorization_url).await?;
    let request = GetIntegrationRequest {
        name: INTEGRATION.to_owned(),
    };
    let integration = client.integrations.get_integration(request).await;
    let integration = integration
        .map_err(Error::call("GetIntegration"))?
        .into_inner();
    let state = integration
        .authorization
        .as_ref()
        .map(|found| found.state());
    if page.accepted && state == Some(State::Authorized) {
        Ok(integration)
    } else {
        Err(Error::Consent(page.text))
    }
}

async fn apply_templates(client: &mut Client) -> Result<Vec<Rule>, Error> {
    let request = ListRuleTemplatesRequest {
        parent: INTEGRATION.to_owned(),
    };
    let listed = client.integrations.list_rule_templates(request).await;
    let listed = listed
        .map_err(Error::call("ListRuleTemplates"))?
        .into_inner();
    let mut rules = Vec::new();
    for template in listed.templates {
        rules.push(apply(client, template).await?);
    }
    Ok(rules)
}

async fn apply(client: &mut Client, template: RuleTemplate) -> Result<Rule, Error> {
    if !template.existing_rule.is_empty() {
        let request = GetRuleRequest {
            name: template.existing_rule,
        };
        let rule = client.integrations.get_rule(request).await;
        return Ok(rule.map_err(Error::call("GetRule"))?.into_inner());
    }
    let request = ApplyRuleTemplateRequest {
        parent: INTEGRATION.to_owned(),
        rule_id: template.template.clone(),
        template: template.template,
        ..Default::default()
    };
    let rule = client.integrations.apply_rule_template(request).await;
    Ok(rule.map_err(Error::call("ApplyRuleTemplate"))?.into_inner())
}
