//! Messages become plain types, at once; every field that makes no sense is named, all of them together.

use super::{fields::Notes, names};
use crate::{
    directory,
    integrations::{ApplyTemplate, NewCondition, NewIntegration, NewRule},
    model::{
        Action, Attribute, Attributes, CompanyId, Direction, Kind, Limits, Operator, RuleEvent,
        RunMode, SyncInterval, Value, Violation,
    },
    proto::v1,
    store::ChangeFilter,
};
use prost_types::value::Kind as JsonKind;

pub(super) fn kind(value: v1::Kind) -> Option<Kind> {
    match value {
        v1::Kind::Unspecified => None,
        v1::Kind::User => Some(Kind::User),
        v1::Kind::Group => Some(Kind::Group),
    }
}

fn run_mode(value: v1::rule::RunMode) -> Option<RunMode> {
    match value {
        v1::rule::RunMode::Unspecified => None,
        v1::rule::RunMode::Automatic => Some(RunMode::Automatic),
        v1::rule::RunMode::Manual => Some(RunMode::Manual),
    }
}

/// How often an integration runs.
pub(super) fn sync_interval(value: v1::SyncInterval) -> Option<SyncInterval> {
    match value {
        v1::SyncInterval::Unspecified => None,
        v1::SyncInterval::Daily => Some(SyncInterval::Daily),
        v1::SyncInterval::Weekly => Some(SyncInterval::Weekly),
        v1::SyncInterval::Monthly => Some(SyncInterval::Monthly),
    }
}

/// An integration to make.
pub(super) fn new_integration(
    id: &str,
    integration: Option<v1::Integration>,
    mut notes: Notes,
) -> NewIntegration {
    let id = notes.id("integration_id", id, crate::model::IntegrationId::try_new);
    let integration = notes.given("integration", integration);
    // What the daemon sets is ignored in requests (AIP-203).
    let v1::Integration {
        title,
        system,
        direction,
        active,
        sync_interval: interval,
        time_zone,
        limits,
        protected,
        domains,
        name: _,
        uid: _,
        state: _,
        pause_reason: _,
        authorization: _,
        readiness: _,
        last_run: _,
        etag: _,
        create_time: _,
        update_time: _,
        next_sync_time: _,
        upcoming_sync_times: _,
    } = integration;
    let system = if system.is_empty() {
        None
    } else {
        notes.take(names::parse_system("integration.system", &system))
    };
    let direction = notes.value(
        "integration.direction",
        direction,
        |value: v1::Direction| match value {
            v1::Direction::Unspecified => None,
            v1::Direction::FromSystem => Some(Direction::FromSystem),
            v1::Direction::ToSystem => Some(Direction::ToSystem),
        },
    );
    let limit = limits.and_then(
        |v1::Limits {
             max_member_loss_percent,
         }| max_member_loss_percent,
    );
    let limit = limit.and_then(|percent| {
        let field = "integration.limits.max_member_loss_percent";
        notes.take(u32::try_from(percent).map_err(|_| Violation::new(field, "must be 0 to 100")))
    });
    let limits = Limits {
        max_member_loss_percent: limit,
    };
    NewIntegration {
        interval: notes.value("integration.sync_interval", interval, sync_interval),
        time_zone,
        id,
        title,
        system,
        direction,
        active,
        limits,
        protected,
        domains,
        bad: notes.0,
    }
}

/// A rule to make.
pub(super) fn new_rule(id: &str, rule: Option<v1::Rule>, mut notes: Notes) -> NewRule {
    let id = notes.id("rule_id", id, crate::model::RuleId::try_new);
    let rule = notes.given("rule", rule);
    let v1::Rule {
        title,
        position,
        event,
        source_kind,
        conditions,
        action,
        target_kind,
        defaults,
        mappings,
        run_mode: mode,
        active,
        name: _,
        etag: _,
        create_time: _,
        update_time: _,
    } = rule;
    let position = u32::try_from(position)
        .map_err(|_| Violation::new("rule.position", "must not be negative"));
    let conditions = conditions
        .into_iter()
        .enumerate()
        .map(|(i, condition)| self::condition(i, condition, &mut notes));
    let conditions = conditions.collect();
    let defaults = defaults
        .into_iter()
        .filter_map(|(name, value)| default(name, value, &mut notes))
        .collect();
    NewRule {
        id,
        title,
        position: notes.take(position).unwrap_or_default(),
        event: notes.value("rule.event", event, |value: v1::Event| match value {
            v1::Event::Unspecified => None,
            v1::Event::Lookup => Some(RuleEvent::Lookup),
        }),
        source_kind: notes.value("rule.source_kind", source_kind, kind),
        conditions,
        action: notes.value("rule.action", action, |value: v1::Action| match value {
            v1::Action::Unspecified => None,
            v1::Action::Add => Some(Action::Add),
        }),
        target_kind: notes.value("rule.target_kind", target_kind, kind),
        defaults,
        mappings: mappings
            .into_iter()
            .map(|mapping| (mapping.attribute, mapping.expression))
            .collect(),
        run_mode: notes
            .value("rule.run_mode", mode, run_mode)
            .unwrap_or_default(),
        active: active.unwrap_or(true),
        bad: notes.0,
    }
}

fn condition(i: usize, condition: v1::Condition, notes: &mut Notes) -> NewCondition {
    let v1::Condition {
        attribute,
        operator,
        values,
    } = condition;
    let field = format!("rule.conditions[{i}].operator");
    let operator = notes.value(&field, operator, |value: v1::Operator| match value {
        v1::Operator::Unspecified => None,
        v1::Operator::Equal => Some(Operator::Equal),
        v1::Operator::NotEqual => Some(Operator::NotEqual),
        v1::Operator::Contains => Some(Operator::Contains),
        v1::Operator::NotContains => Some(Operator::NotContains),
        v1::Operator::Matches => Some(Operator::Matches),
        v1::Operator::StartsWith => Some(Operator::StartsWith),
        v1::Operator::EndsWith => Some(Operator::EndsWith),
        v1::Operator::MemberOf => Some(Operator::MemberOf),
        v1::Operator::NotMemberOf => Some(Operator::NotMemberOf),
    });
    NewCondition {
        attribute,
        operator,
        values,
    }
}

fn default(name: String, value: prost_types::Value, notes: &mut Notes) -> Option<(String, Value)> {
    let text = |value: prost_types::Value| match value.kind {
        Some(JsonKind::StringValue(text)) => Some(text),
        _ => None,
    };
    let held = match value.kind {
        Some(JsonKind::StringValue(text)) => Some(Value::Text(text)),
        Some(JsonKind::BoolValue(yes)) => Some(Value::Bool(yes)),
        Some(JsonKind::ListValue(list)) => list
            .values
            .into_iter()
            .map(text)
            .collect::<Option<_>>()
            .map(Value::List),
        _ => None,
    };
    if held.is_none() {
        let field = format!("rule.defaults[{name}]");
        notes.0.push(Violation::new(
            field,
            "must be a string, true or false, or a list of strings",
        ));
    }
    held.map(|held| (name, held))
}

/// How to apply a template.
pub(super) fn apply_template(
    request: &v1::ApplyRuleTemplateRequest,
    mut notes: Notes,
) -> ApplyTemplate {
    ApplyTemplate {
        template: request.template.clone(),
        id: notes.id("rule_id", &request.rule_id, crate::model::RuleId::try_new),
        active: request.active,
        run_mode: notes
            .value("run_mode", request.run_mode, run_mode)
            .unwrap_or_default(),
        bad: notes.0,
    }
}

fn held(
    id: String,
    texts: Vec<(Attribute, String)>,
    lists: Vec<(Attribute, Vec<String>)>,
    bad: Vec<Violation>,
) -> directory::New {
    let texts = texts
        .into_iter()
        .map(|(attribute, text)| (attribute, Value::Text(text)));
    let lists = lists
        .into_iter()
        .map(|(attribute, items)| (attribute, Value::List(items)));
    let attributes: Attributes = texts.chain(lists).collect();
    directory::New {
        id: (!id.is_empty()).then_some(id),
        attributes,
        bad,
    }
}

/// A user to make.
pub(super) fn new_user(id: String, user: Option<v1::User>, mut notes: Notes) -> directory::New {
    let v1::User {
        user_name,
        given_name,
        family_name,
        display_name,
        active,
        aliases,
        phone_numbers,
        title,
        department,
        organization,
        employee_number,
        cost_center,
        manager,
        name: _,
        uid: _,
        owners: _,
        last_writer: _,
        etag: _,
        create_time: _,
        update_time: _,
        delete_time: _,
        expire_time: _,
    } = notes.given("user", user);
    let mut new = held(
        id,
        vec![
            (Attribute::USER_NAME, user_name),
            (Attribute::GIVEN_NAME, given_name),
            (Attribute::FAMILY_NAME, family_name),
            (Attribute::DISPLAY_NAME, display_name),
            (Attribute::TITLE, title),
            (Attribute::DEPARTMENT, department),
            (Attribute::ORGANIZATION, organization),
            (Attribute::EMPLOYEE_NUMBER, employee_number),
            (Attribute::COST_CENTER, cost_center),
            (Attribute::MANAGER, manager),
        ],
        vec![
            (Attribute::ALIASES, aliases),
            (Attribute::PHONE_NUMBERS, phone_numbers),
        ],
        notes.0,
    );
    if let Some(active) = active {
        new.attributes.set(Attribute::ACTIVE, Value::Bool(active));
    }
    new
}

/// A group to make.
pub(super) fn new_group(id: String, group: Option<v1::Group>, mut notes: Notes) -> directory::New {
    let v1::Group {
        email,
        display_name,
        description,
        aliases,
        name: _,
        uid: _,
        member_count: _,
        owners: _,
        last_writer: _,
        etag: _,
        create_time: _,
        update_time: _,
        delete_time: _,
        expire_time: _,
    } = notes.given("group", group);
    let texts = vec![
        (Attribute::USER_NAME, email),
        (Attribute::DISPLAY_NAME, display_name),
        (Attribute::DESCRIPTION, description),
    ];
    held(id, texts, vec![(Attribute::ALIASES, aliases)], notes.0)
}

/// Whose changes to list, and which. A rule is one of the integration that is named, else it names the integration.
pub(super) fn changes(
    request: &v1::ListChangesRequest,
    notes: &mut Notes,
) -> Option<(CompanyId, ChangeFilter)> {
    let v1::ListChangesRequest {
        parent,
        outcomes,
        rule,
        object,
        page_size: _,
        page_token: _,
    } = request;
    let named = notes.take(names::parse_any_run("parent", parent));
    let rule = (!rule.is_empty()).then(|| notes.take(names::parse_rule("rule", rule)));
    let outcomes = self::outcomes(outcomes, notes);
    let (company, mut integration, run) = named?;
    let rule = match rule {
        None => None,
        Some(rule) => {
            let (of, within, rule) = rule?;
            if of != company || integration.as_ref().is_some_and(|only| *only != within) {
                let text = "must be a rule of the company and integration that parent names";
                notes.0.push(Violation::new("rule", text));
            }
            integration = Some(within);
            Some(rule)
        }
    };
    let filter = ChangeFilter {
        integration,
        run,
        rule,
        outcomes,
        object: (!object.is_empty()).then(|| object.clone()),
    };
    notes.0.is_empty().then_some((company, filter))
}

/// Outcomes to filter by.
fn outcomes(numbers: &[i32], notes: &mut Notes) -> Vec<crate::model::Outcome> {
    use crate::model::Outcome;
    let known = |value: v1::change::Outcome| match value {
        v1::change::Outcome::Unspecified => None,
        v1::change::Outcome::Applied => Some(Outcome::Applied),
        v1::change::Outcome::Skipped => Some(Outcome::Skipped),
        v1::change::Outcome::Failed => Some(Outcome::Failed),
        v1::change::Outcome::Deferred => Some(Outcome::Deferred),
        v1::change::Outcome::Planned => Some(Outcome::Planned),
    };
    let few = notes.few("outcomes", numbers, 20);
    let each = numbers.iter().enumerate().filter(|_| few);
    each.filter_map(|(i, number)| notes.value(&format!("outcomes[{i}]"), *number, known))
        .collect()
}

/// A company, or a note of what is wrong.
pub(super) fn company(notes: &mut Notes, field: &str, name: &str) -> Option<CompanyId> {
    notes.take(names::parse_company(field, name))
}
