//! Objects that are left as they are, whatever the rules would do.

use super::{
    plan::{Context, Item, Plan, change, observed},
    record::Count,
};
use crate::model::{Found, Outcome, Reason};

/// Whoever is on the integration's list of those never touched (semantics 30).
pub(super) fn protected(item: &Item, found: &Found, context: &Context) -> Plan {
    let text = "the integration's list of protected addresses names it";
    let reason = Reason::new("PROTECTED", text);
    let count = Count::Skipped(reason.clone());
    left(item, found, context, (count, Outcome::Skipped, reason))
}

/// Of whom it can't be told which rule decides (semantics 7).
pub(super) fn unclear(item: &Item, found: &Found, context: &Context, reason: &Reason) -> Plan {
    let count = Count::Deferred(reason.clone());
    let recorded = (count, Outcome::Deferred, reason.clone());
    left(item, found, context, recorded)
}

fn left(
    item: &Item,
    found: &Found,
    context: &Context,
    (count, outcome, reason): (Count, Outcome, Reason),
) -> Plan {
    let (target, reason) = (found.target.as_ref(), Some(reason));
    Plan {
        write: None,
        link: observed(item, found),
        unlinks: None,
        count,
        change: Some(change(item, target, outcome, reason, Vec::new(), context)),
    }
}
