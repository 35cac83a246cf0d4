//! Changing what is there: the message sent is laid over the one kept, as the mask says, and the whole is checked like a new one.

use super::{
    fields::Notes,
    from_proto,
    mask::{self, May, Row, fixed, output, settable},
    names, status, to_proto,
};
use crate::{
    integrations::Integrations,
    model::{Integration, Rule},
    proto::v1,
};
use tonic::Status;

/// What may become of the fields of an integration.
const INTEGRATION: &[Row<v1::Integration>] = &[
    settable!(title),
    (
        "limits.max_member_loss_percent",
        May::Set {
            given: |sent| limit(sent).is_some(),
            take: |kept, sent| {
                let percent = limit(sent);
                kept.limits.get_or_insert_default().max_member_loss_percent = percent;
            },
        },
    ),
    settable!(sync_interval),
    settable!(time_zone),
    settable!(protected),
    settable!(domains),
    fixed!(
        system,
        "can't be changed: delete the integration and make another"
    ),
    fixed!(
        direction,
        "can't be changed: delete the integration and make another"
    ),
    fixed!(
        active,
        "is changed by ActivateIntegration and DeactivateIntegration, not here"
    ),
    output!(name),
    output!(uid),
    output!(state),
    output!(pause_reason),
    output!(authorization),
    output!(readiness),
    output!(last_run),
    output!(next_sync_time),
    output!(upcoming_sync_times),
    output!(etag),
    output!(create_time),
    output!(update_time),
];

fn limit(integration: &v1::Integration) -> Option<i32> {
    integration.limits.as_ref()?.max_member_loss_percent
}

/// Why what a rule is about never changes.
const ANOTHER_RULE: &str = "can't be changed: delete the rule and make another";

/// What may become of the fields of a rule.
const RULE: &[Row<v1::Rule>] = &[
    settable!(title),
    settable!(position),
    settable!(conditions),
    settable!(defaults),
    settable!(mappings),
    settable!(run_mode),
    settable!(active),
    fixed!(event, ANOTHER_RULE),
    fixed!(source_kind, ANOTHER_RULE),
    fixed!(action, ANOTHER_RULE),
    fixed!(target_kind, ANOTHER_RULE),
    output!(name),
    output!(etag),
    output!(create_time),
    output!(update_time),
];

/// Changes an integration.
pub(super) async fn integration(
    integrations: &Integrations,
    request: v1::UpdateIntegrationRequest,
) -> Result<Integration, Status> {
    let v1::UpdateIntegrationRequest {
        integration,
        update_mask,
        validate_only,
    } = request;
    let mut notes = Notes::default();
    let sent = notes.given("integration", integration);
    if !notes.0.is_empty() {
        return Err(status::invalid(notes.0));
    }
    let (company, id) = names::parse_integration("integration.name", &sent.name)
        .map_err(|violation| status::invalid(vec![violation]))?;
    let seen = integrations.get(&company, &id).await;
    let seen = seen.map_err(status::integrations)?;
    if !sent.etag.is_empty() && sent.etag != to_proto::integration_etag(&seen) {
        return Err(status::changed(&sent.name));
    }
    let mut kept = to_proto::integration(&seen, &[]);
    // What is shown is the limit in force; what is kept is whether one was set.
    let percent = seen.limits.max_member_loss_percent;
    kept.limits = Some(v1::Limits {
        max_member_loss_percent: percent.and_then(|percent| i32::try_from(percent).ok()),
    });
    let table = ("integration", INTEGRATION);
    mask::lay_over(&mut notes, table, update_mask, sent, &mut kept);
    let wanted = from_proto::new_integration("", Some(kept), notes);
    let updated = integrations.update(&seen, wanted, validate_only).await;
    updated.map_err(status::integrations)
}

/// Changes a rule.
pub(super) async fn rule(
    integrations: &Integrations,
    request: v1::UpdateRuleRequest,
) -> Result<Rule, Status> {
    let v1::UpdateRuleRequest {
        rule,
        update_mask,
        validate_only,
    } = request;
    let mut notes = Notes::default();
    let sent = notes.given("rule", rule);
    if !notes.0.is_empty() {
        return Err(status::invalid(notes.0));
    }
    let (company, integration, id) = names::parse_rule("rule.name", &sent.name)
        .map_err(|violation| status::invalid(vec![violation]))?;
    let seen = integrations.rule(&company, &integration, &id).await;
    let seen = seen.map_err(status::integrations)?;
    if !sent.etag.is_empty() && sent.etag != to_proto::rule_etag(&seen) {
        return Err(status::changed(&sent.name));
    }
    let mut kept = to_proto::rule(&seen);
    mask::lay_over(&mut notes, ("rule", RULE), update_mask, sent, &mut kept);
    let wanted = from_proto::new_rule("", Some(kept), notes);
    let updated = integrations.update_rule(&seen, wanted, validate_only).await;
    updated.map_err(status::integrations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::mask::tests::comment_names_all;

    #[test]
    fn the_protocol_names_every_field_of_an_integration_that_an_update_may_change() {
        comment_names_all("UpdateIntegrationRequest", INTEGRATION);
    }

    #[test]
    fn the_protocol_names_every_field_of_a_rule_that_an_update_may_change() {
        comment_names_all("UpdateRuleRequest", RULE);
    }
}
