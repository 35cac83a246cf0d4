//! Plain types become messages.

use super::{catalogue, names};
use crate::{
    integrations::{Gap, OfferedTemplate},
    model::{
        Attribute, Attributes, AuthorizationMethod, AuthorizationState, Condition, Entity,
        Integration, IntegrationState, Kind, Member, MemberOrigin, Rule, RunMode, SyncInterval,
        Time, Uid, Value, WrittenBy,
    },
    proto::v1,
};

pub(super) fn time(time: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    }
}

pub(super) fn duration(duration: std::time::Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}

pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn kind(kind: Kind) -> v1::Kind {
    match kind {
        Kind::User => v1::Kind::User,
        Kind::Group => v1::Kind::Group,
    }
}

/// Covers what a caller can set, nothing else: content in, tag out (AIP-154).
fn etag(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher
            .update(&(part.len() as u64).to_be_bytes())
            .update(part.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// The etag of an integration: its `update_time` changes with what callers set, and with nothing else.
pub(super) fn integration_etag(integration: &Integration) -> String {
    etag(&[
        &integration.uid.to_string(),
        &integration.update_time.to_string(),
        &integration.active.to_string(),
    ])
}

/// The etag of a rule.
pub(super) fn rule_etag(rule: &Rule) -> String {
    etag(&[
        rule.id.as_str(),
        &rule.create_time.to_string(),
        &rule.update_time.to_string(),
    ])
}

pub(super) fn integration(integration: &Integration, gaps: &[Gap]) -> v1::Integration {
    use v1::integration::State;
    let (state, pause_reason) = match &integration.state {
        IntegrationState::Ready => (State::Ready, String::new()),
        IntegrationState::Paused(reason) => (State::Paused, reason.clone()),
        IntegrationState::Deleting => (State::Deleting, String::new()),
    };
    let (company, id) = (&integration.company, &integration.id);
    v1::Integration {
        name: names::of_integration(integration),
        uid: integration.uid.to_string(),
        title: integration.title.clone(),
        state: state.into(),
        pause_reason,
        system: names::system(integration.system.as_str()),
        direction: catalogue::direction(integration.direction).into(),
        active: integration.active,
        limits: Some(v1::Limits {
            max_member_loss_percent: i32::try_from(integration.limits.member_loss_percent()).ok(),
        }),
        authorization: Some(authorization(integration)),
        readiness: gaps.iter().map(gap).collect(),
        last_run: integration
            .last_run
            .as_ref()
            .map(|run| names::run(company, id, run))
            .unwrap_or_default(),
        etag: integration_etag(integration),
        create_time: Some(time(integration.create_time)),
        update_time: Some(time(integration.update_time)),
        sync_interval: match integration.schedule.interval {
            SyncInterval::Daily => v1::SyncInterval::Daily,
            SyncInterval::Weekly => v1::SyncInterval::Weekly,
            SyncInterval::Monthly => v1::SyncInterval::Monthly,
        }
        .into(),
        time_zone: integration.schedule.zone.to_string(),
        next_sync_time: integration.next_sync.map(time),
        upcoming_sync_times: upcoming(integration),
        protected: integration.protected.clone(),
        domains: integration.domains.clone(),
    }
}

/// The next five due times.
fn upcoming(integration: &Integration) -> Vec<prost_types::Timestamp> {
    let first = integration.next_sync.into_iter();
    let all = first.flat_map(|first| integration.schedule.upcoming(first, 5));
    all.map(time).collect()
}

fn authorization(integration: &Integration) -> v1::Authorization {
    use v1::authorization::State;
    let authorization = &integration.authorization;
    let state = match authorization.state {
        AuthorizationState::Required => State::Required,
        AuthorizationState::Pending => State::Pending,
        AuthorizationState::Authorized => State::Authorized,
        AuthorizationState::ReauthorizationRequired => State::ReauthorizationRequired,
    };
    let consent = authorization.consent.as_ref();
    v1::Authorization {
        state: state.into(),
        authorized_by: consent.map(|consent| v1::Principal {
            email: consent.by.email.clone(),
            display_name: consent.by.display_name.clone(),
        }),
        authorize_time: consent.map(|consent| time(consent.time)),
        domain: consent
            .map(|consent| consent.domain.clone())
            .unwrap_or_default(),
        customer_id: consent
            .map(|consent| consent.customer_id.clone())
            .unwrap_or_default(),
        scopes: consent
            .map(|consent| consent.scopes.clone())
            .unwrap_or_default(),
        reason: authorization.reason.clone(),
        method: consent
            .map(|consent| method(consent.method()).into())
            .unwrap_or_default(),
        service_account: consent
            .and_then(|consent| consent.service_account.as_ref())
            .map(|account| v1::ServiceAccount {
                email: account.email.clone(),
                client_id: account.client_id.clone(),
                key_id: account.key_id.clone(),
            }),
    }
}

pub(super) fn method(method: AuthorizationMethod) -> v1::AuthorizationMethod {
    match method {
        AuthorizationMethod::Consent => v1::AuthorizationMethod::Consent,
        AuthorizationMethod::ServiceAccountKey => v1::AuthorizationMethod::ServiceAccountKey,
    }
}

pub(super) fn gap(gap: &Gap) -> v1::ReadinessGap {
    use v1::readiness_gap::Code;
    let code = match gap {
        Gap::NotAuthorized => Code::NotAuthorized,
        Gap::ReauthorizationRequired(..) => Code::ReauthorizationRequired,
        Gap::ScopesMissing(..) => Code::ScopesMissing,
        Gap::NoActiveRules => Code::NoActiveRules,
        Gap::NoAutomaticRules => Code::NoAutomaticRules,
        Gap::Deleting => Code::Deleting,
        Gap::Paused(_) => Code::Paused,
    };
    v1::ReadinessGap {
        code: code.into(),
        message: gap.text(),
    }
}

pub(super) fn rule(rule: &Rule) -> v1::Rule {
    v1::Rule {
        name: names::of_rule(rule),
        etag: rule_etag(rule),
        create_time: Some(time(rule.create_time)),
        update_time: Some(time(rule.update_time)),
        ..rule_content(rule)
    }
}

pub(super) fn condition(condition: &Condition) -> v1::Condition {
    v1::Condition {
        attribute: condition.attribute.to_string(),
        operator: catalogue::operator(condition.operator).into(),
        values: condition.values.clone(),
    }
}

/// A rule without what tells it apart.
fn rule_content(rule: &Rule) -> v1::Rule {
    let conditions = rule.conditions.iter().map(condition);
    v1::Rule {
        title: rule.title.clone(),
        position: i32::try_from(rule.position).unwrap_or(i32::MAX),
        event: catalogue::event(rule.event).into(),
        source_kind: kind(rule.source_kind).into(),
        conditions: conditions.collect(),
        action: catalogue::action(rule.action).into(),
        target_kind: kind(rule.target_kind).into(),
        defaults: rule
            .defaults
            .iter()
            .map(|(name, held)| (name.to_string(), json(held)))
            .collect(),
        mappings: rule
            .mappings
            .iter()
            .map(|mapping| v1::Mapping {
                attribute: mapping.attribute.to_string(),
                expression: mapping.expression.clone(),
            })
            .collect(),
        run_mode: match rule.run_mode {
            RunMode::Automatic => v1::rule::RunMode::Automatic,
            RunMode::Manual => v1::rule::RunMode::Manual,
        }
        .into(),
        active: Some(rule.active),
        ..v1::Rule::default()
    }
}

pub(super) fn json(value: &Value) -> prost_types::Value {
    match value {
        Value::Text(text) => text.clone().into(),
        Value::Bool(yes) => (*yes).into(),
        Value::List(items) => items
            .iter()
            .cloned()
            .map(prost_types::Value::from)
            .collect::<Vec<_>>()
            .into(),
    }
}

pub(super) fn template(offered: &OfferedTemplate) -> v1::RuleTemplate {
    let rule = &offered.rule;
    v1::RuleTemplate {
        template: offered.template.id.to_owned(),
        title: offered.template.title.to_owned(),
        description: offered.template.description.to_owned(),
        rule: Some(rule_content(rule)),
        existing_rule: offered
            .existing
            .as_ref()
            .map(|id| names::rule(&rule.company, &rule.integration, id))
            .unwrap_or_default(),
    }
}

fn text(attributes: &Attributes, attribute: &Attribute) -> String {
    attributes.text(attribute).unwrap_or_default().to_owned()
}

fn list(attributes: &Attributes, attribute: &Attribute) -> Vec<String> {
    match attributes.get(attribute) {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    }
}

fn owners(entity: &Entity) -> Vec<v1::AttributeOwner> {
    let owner =
        |(attribute, owner): (&Attribute, &crate::model::IntegrationId)| v1::AttributeOwner {
            attribute: attribute.to_string(),
            integration: names::integration(&entity.company, owner),
        };
    entity.owners.iter().map(owner).collect()
}

fn last_writer(entity: &Entity) -> String {
    match &entity.written_by {
        WrittenBy::Caller(name) => name.clone(),
        WrittenBy::Integration(id) => names::integration(&entity.company, id),
    }
}

/// The etag of a user or group: over its attributes, which are what a caller can set.
pub(super) fn entity_etag(entity: &Entity) -> String {
    etag(&[
        entity.id.as_str(),
        &entity.attributes.fingerprint().0.to_string(),
    ])
}

pub(super) fn user(entity: &Entity) -> v1::User {
    let a = &entity.attributes;
    v1::User {
        name: names::entity(&entity.company, entity.kind, &entity.id),
        uid: entity.uid.to_string(),
        user_name: text(a, &Attribute::USER_NAME),
        given_name: text(a, &Attribute::GIVEN_NAME),
        family_name: text(a, &Attribute::FAMILY_NAME),
        display_name: text(a, &Attribute::DISPLAY_NAME),
        active: a.bool(&Attribute::ACTIVE),
        aliases: list(a, &Attribute::ALIASES),
        phone_numbers: list(a, &Attribute::PHONE_NUMBERS),
        title: text(a, &Attribute::TITLE),
        department: text(a, &Attribute::DEPARTMENT),
        organization: text(a, &Attribute::ORGANIZATION),
        employee_number: text(a, &Attribute::EMPLOYEE_NUMBER),
        cost_center: text(a, &Attribute::COST_CENTER),
        manager: text(a, &Attribute::MANAGER),
        owners: owners(entity),
        last_writer: last_writer(entity),
        etag: entity_etag(entity),
        create_time: Some(time(entity.create_time)),
        update_time: Some(time(entity.update_time)),
        delete_time: None,
        expire_time: None,
    }
}

pub(super) fn group(entity: &Entity, members: u64) -> v1::Group {
    let a = &entity.attributes;
    v1::Group {
        name: names::entity(&entity.company, entity.kind, &entity.id),
        uid: entity.uid.to_string(),
        email: text(a, &Attribute::USER_NAME),
        display_name: text(a, &Attribute::DISPLAY_NAME),
        description: text(a, &Attribute::DESCRIPTION),
        aliases: list(a, &Attribute::ALIASES),
        member_count: count(members),
        owners: owners(entity),
        last_writer: last_writer(entity),
        etag: entity_etag(entity),
        create_time: Some(time(entity.create_time)),
        update_time: Some(time(entity.update_time)),
        delete_time: None,
        expire_time: None,
    }
}

/// A membership; `integrations` names those of the company by uid.
pub(super) fn member(
    group: &crate::model::EntityId,
    member: &Member,
    entity: &Entity,
    integrations: &dyn Fn(Uid) -> String,
) -> v1::Member {
    let kind_segment = format!("{}s", member.kind);
    let group_name = names::entity(&entity.company, Kind::Group, group);
    v1::Member {
        name: format!("{group_name}/members/{kind_segment}-{}", member.id),
        member: names::entity(&entity.company, member.kind, &member.id),
        kind: kind(member.kind).into(),
        email: entity.email().to_owned(),
        added_by: member
            .origins
            .iter()
            .map(|origin| match origin {
                MemberOrigin::Caller => "caller".to_owned(),
                MemberOrigin::Integration(uid) => integrations(*uid),
            })
            .collect(),
    }
}
