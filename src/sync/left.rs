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

/// Whose directory object a caller deleted: it is not made again (semantics 12).
pub(super) fn deleted(item: &Item, found: &Found, context: &Context) -> Plan {
    let text = "somebody deleted it in the directory; undelete it there if that is wrong, or create another of its address";
    let reason = Reason::new("DELETED_BY_HAND", text);
    let count = Count::Skipped(reason.clone());
    left(item, found, context, (count, Outcome::Skipped, reason))
}

/// Whether the link leads to something that is not there any more.
pub(super) fn was_deleted(found: &Found) -> bool {
    let led = found
        .link
        .as_ref()
        .is_some_and(|link| link.target.is_some());
    led && found.target.is_none()
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
