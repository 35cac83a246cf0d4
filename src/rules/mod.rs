//! Rules: which source objects are provisioned, and what they are to look like at the target.
//!
//! Owns whom an integration reaches, conditions, mappings, the compiled set of an integration's rules and the ready-made rules. May use
//! `model`. Deliberately pure: it reads no clock, no store and no system, and does not know what a run is. Whether a rule
//! makes sense for a system (its attributes, operators and kinds) is checked when the rule is made, not here.

mod condition;
mod explain;
mod expression;
mod knowledge;
mod mapping;
mod reach;
mod set;
mod template;

pub use condition::{InvalidPattern, check_patterns, check_together};
pub use explain::{Part, Tested, Verdict};
pub use expression::{Expression, InvalidExpression};
pub use knowledge::{Answer, Knowledge, Membership, Named};
pub use mapping::map;
pub use reach::Reach;
pub use set::{Decision, Failed, RuleSet, Unusable};
pub use template::{Template, template, templates};
