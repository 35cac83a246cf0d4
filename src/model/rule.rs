//! A rule: when *event* happens to an object of *source kind* that meets the *conditions*, perform *action*.

use super::{Action, Attribute, Attributes, CompanyId, IntegrationId, Kind, RuleId, Time};

/// What makes a rule act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleEvent {
    /// The source is asked for all of its objects.
    Lookup,
}

/// How a condition compares. Strings compare without case, in Unicode form NFC (semantics 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The attribute (or one element of it) equals one of the values.
    Equal,
    /// It equals none of them; met also by an absent attribute.
    NotEqual,
    /// A text has one of the values in it; a list has one of them as an element.
    Contains,
    /// Neither; met also by an absent attribute.
    NotContains,
    /// One of the values, regular expressions, is found anywhere in it (or in one element of it).
    Matches,
    /// It (or one element of it) starts with one of the values.
    StartsWith,
    /// It (or one element of it) ends with one of the values.
    EndsWith,
    /// The object is in one of the groups or organisational units whose ids are the values, or in one within those.
    MemberOf,
    /// It is in none of them.
    NotMemberOf,
}

/// One condition; all conditions of a rule must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Attribute of the source object.
    pub attribute: Attribute,
    /// How to compare.
    pub operator: Operator,
    /// What to compare with: 1 to 100 values.
    pub values: Vec<String>,
}

/// Where an attribute of the target comes from, in the place of the standard mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Attribute of the target.
    pub attribute: Attribute,
    /// An expression over the attributes of the source object: 1 to 1,024 bytes.
    pub expression: String,
}

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RunMode {
    /// In every run of the integration.
    #[default]
    Automatic,
    /// Only in runs that name it.
    Manual,
}

/// The last position that a rule can have.
pub const MAX_POSITION: u32 = 1_000_000;

/// A rule of an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whose it is.
    pub company: CompanyId,
    /// Of which integration.
    pub integration: IntegrationId,
    /// Its id within the integration.
    pub id: RuleId,
    /// What people call it.
    pub title: String,
    /// Order: the first matching active rule decides (semantics 1). Unique within the integration; from 1.
    pub position: u32,
    /// What makes it act.
    pub event: RuleEvent,
    /// Kind of the source object.
    pub source_kind: Kind,
    /// All must be met.
    pub conditions: Vec<Condition>,
    /// What it does.
    pub action: Action,
    /// Kind of the target object.
    pub target_kind: Kind,
    /// Values for attributes of the target that are empty at creation or adoption (semantics 9).
    pub defaults: Attributes,
    /// Attributes of the target that are not mapped as usual; each once.
    pub mappings: Vec<Mapping>,
    /// When it runs.
    pub run_mode: RunMode,
    /// Whether it takes part at all.
    pub active: bool,
    /// When it was made.
    pub create_time: Time,
    /// When a caller last changed it.
    pub update_time: Time,
}

impl Rule {
    /// The conditions of those of these rules that are active.
    pub fn active_conditions(rules: &[Self]) -> impl Iterator<Item = &Condition> {
        let active = rules.iter().filter(|rule| rule.active);
        active.flat_map(|rule| &rule.conditions)
    }
}
