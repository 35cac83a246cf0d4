//! What each system is asked to allow: no more than is needed.

use super::GOOGLE_WORKSPACE;
use crate::model::{Attribute, Direction, Rule, SystemId};

/// The scopes that an integration needs, and no more; empty if the system has no such direction or no scopes.
///
/// Reading Google takes two: `group.readonly` covers the members of groups too.
pub fn scopes(system: &SystemId, direction: Direction) -> Vec<&'static str> {
    match (system.as_str(), direction) {
        (GOOGLE_WORKSPACE, Direction::FromSystem) => vec![
            "openid",
            "email",
            "https://www.googleapis.com/auth/admin.directory.user.readonly",
            "https://www.googleapis.com/auth/admin.directory.group.readonly",
        ],
        _ => Vec::new(),
    }
}

/// What reading organisational units takes beside [`scopes`].
pub fn unit_scopes(system: &SystemId) -> &'static [&'static str] {
    match system.as_str() {
        GOOGLE_WORKSPACE => &["https://www.googleapis.com/auth/admin.directory.orgunit.readonly"],
        _ => &[],
    }
}

/// What these rules need beside [`scopes`].
pub fn scopes_for(system: &SystemId, rules: &[Rule]) -> &'static [&'static str] {
    let active = rules.iter().filter(|rule| rule.active);
    let mut conditions = active.flat_map(|rule| &rule.conditions);
    if conditions.any(|condition| condition.attribute == Attribute::ORG_UNIT) {
        unit_scopes(system)
    } else {
        &[]
    }
}
