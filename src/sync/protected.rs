//! Whoever is on the integration's list of those never touched (semantics 30).

use super::{
    plan::{Context, Item, Plan, change, observed},
    record::Count,
};
use crate::model::{Found, Outcome, Reason};

/// Records that it is left as it is, whatever the rules say.
pub(super) fn protected(item: &Item, found: &Found, context: &Context) -> Plan {
    let text = "the integration's list of protected addresses names it";
    let reason = Reason::new("PROTECTED", text);
    let said = Some(reason.clone());
    let (target, outcome) = (found.target.as_ref(), Outcome::Skipped);
    Plan {
        write: None,
        link: observed(item, found),
        unlinks: None,
        count: Count::Skipped(reason),
        change: Some(change(item, target, outcome, said, Vec::new(), context)),
    }
}
