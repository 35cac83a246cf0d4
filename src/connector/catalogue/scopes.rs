//! What each system is asked to allow: no more than is needed.

use super::GOOGLE_WORKSPACE;
use crate::model::{Attribute, AuthorizationMethod, Direction, Rule, SystemId};

/// The scopes that an integration needs which is authorized in this way, and no more; empty if the system has no such
/// direction or no scopes. Consenting tells who consents; a service account is told as whom to act.
pub fn scopes(
    system: &SystemId,
    direction: Direction,
    method: AuthorizationMethod,
) -> Vec<&'static str> {
    let api = api_scopes(system, direction);
    let sign_in: &[&str] = match method {
        AuthorizationMethod::Consent if !api.is_empty() => &["openid", "email"],
        _ => &[],
    };
    [sign_in, api].concat()
}

/// Reading Google takes two: `group.readonly` covers the members of groups too.
fn api_scopes(system: &SystemId, direction: Direction) -> &'static [&'static str] {
    match (system.as_str(), direction) {
        (GOOGLE_WORKSPACE, Direction::FromSystem) => &[
            "https://www.googleapis.com/auth/admin.directory.user.readonly",
            "https://www.googleapis.com/auth/admin.directory.group.readonly",
        ],
        _ => &[],
    }
}

/// What reading organisational units takes beside [`scopes`].
pub fn unit_scopes(system: &SystemId) -> &'static [&'static str] {
    match system.as_str() {
        GOOGLE_WORKSPACE => &["https://www.googleapis.com/auth/admin.directory.orgunit.readonly"],
        _ => &[],
    }
}

/// What reading the customer's domains takes beside [`scopes`]. No rule needs it: who picks domains by their names can write
/// them too.
pub fn domain_scopes(system: &SystemId) -> &'static [&'static str] {
    match system.as_str() {
        GOOGLE_WORKSPACE => &["https://www.googleapis.com/auth/admin.directory.domain.readonly"],
        _ => &[],
    }
}

/// What these rules need beside [`scopes`].
pub fn scopes_for(system: &SystemId, rules: &[Rule]) -> &'static [&'static str] {
    match need_units(rules) {
        true => unit_scopes(system),
        false => &[],
    }
}

/// Whether an active one of these rules can be decided only by who knows the organisational units.
pub fn need_units(rules: &[Rule]) -> bool {
    Rule::active_conditions(rules).any(|condition| condition.attribute == Attribute::ORG_UNIT)
}
