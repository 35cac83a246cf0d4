//! What is asked of the door, and whether it can be done.

use crate::{
    integrations::{Gap, gaps},
    model::{
        CompanyId, Integration, IntegrationId, RequestCounts, RequestKey, Rule, RuleId, Run, RunId,
        RunState, Tally, Time, Trigger,
    },
    sync::Error,
};

/// A request for a run.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) company: CompanyId,
    pub(super) integration: IntegrationId,
    pub(super) rules: Vec<RuleId>,
    pub(super) preview: bool,
    pub(super) trigger: Trigger,
    pub(super) requested_by: String,
    pub(super) key: Option<RequestKey>,
}

/// Whether the rules named can be run at all, or previewed; if not, what to do first.
pub(in crate::sync) fn ready(
    integration: &Integration,
    rules: &[Rule],
    named: &[RuleId],
    preview: bool,
) -> Result<(), Error> {
    let mut missing = gaps(integration, rules);
    missing.retain(|gap| named.is_empty() || *gap != Gap::NoAutomaticRules);
    missing.retain(|gap| !preview || gap.bars_previews());
    for name in named {
        match rules.iter().find(|rule| rule.id == *name) {
            None => {
                let (company, id) = (&integration.company, &integration.id);
                return Err(Error::missing(company, id, &format!("rules/{name}")));
            }
            Some(rule) if !rule.active => {
                return Err(Error::BadRule(format!("rule {name} is not active")));
            }
            Some(_) => {}
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.iter();
    let missing = missing.map(|gap| (gap.code().to_owned(), gap.text()));
    Err(Error::NotReady(missing.collect()))
}

/// The run that it asks for, not yet begun.
pub(super) fn new_run(integration: &Integration, request: &Request, now: Time) -> Run {
    Run {
        company: request.company.clone(),
        integration: request.integration.clone(),
        integration_uid: integration.uid,
        id: RunId::generate(),
        rules: request.rules.clone(),
        object: None,
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
        preview: request.preview,
    }
}
