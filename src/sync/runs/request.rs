//! What is asked of the door, and whether it can be done.

use crate::{
    model::{
        CompanyId, Integration, IntegrationId, IntegrationState, RequestCounts, RequestKey, Rule,
        RuleId, Run, RunId, RunMode, RunState, Tally, Time, Trigger,
    },
    sync::Error,
};

/// A request for a run.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) company: CompanyId,
    pub(super) integration: IntegrationId,
    pub(super) rules: Vec<RuleId>,
    pub(super) trigger: Trigger,
    pub(super) requested_by: String,
    pub(super) key: Option<RequestKey>,
}

/// Whether the request can be carried out at all; if not, what to do first.
pub(super) fn ready(
    integration: &Integration,
    rules: &[Rule],
    request: &Request,
) -> Result<(), Error> {
    use crate::model::AuthorizationState::{Authorized, ReauthorizationRequired};
    let mut missing = Vec::new();
    if let IntegrationState::Paused(reason) = &integration.state {
        missing.push((
            "PAUSED".to_owned(),
            format!("the integration is paused: {reason}"),
        ));
    }
    match integration.authorization.state {
        Authorized => {}
        ReauthorizationRequired => missing.push((
            "REAUTHORIZATION_REQUIRED".to_owned(),
            format!("{}; call BeginAuthorization and let an admin consent again", integration.authorization.reason),
        )),
        _ => missing.push((
            "NOT_AUTHORIZED".to_owned(),
            "nobody has authorized the integration yet; call BeginAuthorization and open the address it answers with".to_owned(),
        )),
    }
    for name in &request.rules {
        match rules.iter().find(|rule| rule.id == *name) {
            None => return Err(Error::Missing(format!("rule {name}"))),
            Some(rule) if !rule.active => {
                return Err(Error::BadRule(format!("rule {name} is not active")));
            }
            Some(_) => {}
        }
    }
    let any = rules
        .iter()
        .any(|rule| rule.active && rule.run_mode == RunMode::Automatic);
    if request.rules.is_empty() && !any {
        missing.push((
            "NO_RULES".to_owned(),
            "there is no active automatic rule; call ApplyRuleTemplate or CreateRule, or name a manual rule".to_owned(),
        ));
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::NotReady(missing))
    }
}

/// The run that it asks for, not yet begun.
pub(super) fn new_run(integration: &Integration, request: &Request, now: Time) -> Run {
    Run {
        company: request.company.clone(),
        integration: request.integration.clone(),
        integration_uid: integration.uid,
        id: RunId::generate(),
        rules: request.rules.clone(),
        trigger: request.trigger,
        state: RunState::Queued,
        phase: None,
        tally: Tally::default(),
        requests: RequestCounts::default(),
        requested_by: request.requested_by.clone(),
        create_time: now,
        start_time: None,
        end_time: None,
        error: None,
        scheduled_time: None,
        made_up: false,
    }
}
