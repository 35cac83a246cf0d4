//! What a run decided and did for one object.

use super::{Attribute, Kind, RuleId, Time, Value};

/// What is done to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Created or adopted, and kept up to date afterwards.
    Add,
    /// Brought up to date.
    Modify,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Done.
    Applied,
    /// Left alone, for the reason given.
    Skipped,
    /// Tried, and could not be done.
    Failed,
    /// Not tried now.
    Deferred,
    /// Would be done: of a preview.
    Planned,
}

/// Why: a stable code and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable, in capitals, such as `EMAIL_TAKEN`.
    pub code: String,
    /// For people; may name addresses, never secrets.
    pub text: String,
}

impl Reason {
    /// A reason from its parts.
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
        }
    }
}

/// An object at one of the two ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// What it is.
    pub kind: Kind,
    /// Its id at that end.
    pub id: String,
    /// How people know it.
    pub label: String,
}

/// One attribute, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Which; `members` for a group's memberships.
    pub attribute: Attribute,
    /// What it was.
    pub old: Option<Value>,
    /// What it is now.
    pub new: Option<Value>,
}

/// A recorded outcome for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The rule that decided; none if no rule did.
    pub rule: Option<RuleId>,
    /// What was to be done; none where nothing was decided.
    pub action: Option<Action>,
    /// The object at the source.
    pub source: ObjectRef,
    /// The object at the target, if there is one.
    pub target: Option<ObjectRef>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, or how.
    pub reason: Option<Reason>,
    /// What changed.
    pub diffs: Vec<Diff>,
    /// When.
    pub time: Time,
}
