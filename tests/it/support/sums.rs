//! What must hold of every ended run's counters.

use provisiond::proto::v1::{Counters, Run};

/// Checks that all sums of a run hold.
pub fn sums_hold(run: &Run) {
    let total = run.counters.unwrap();
    counters_hold(&total);
    let skipped: i64 = run.skipped_by_reason.iter().map(|one| one.count).sum();
    assert_eq!(total.skipped, skipped, "{run:?}");
    for rule in &run.rule_counters {
        counters_hold(&rule.counters.unwrap());
    }
    let members = run.memberships.unwrap();
    let ends = members.unchanged
        + members.added
        + members.removed
        + members.pending
        + members.skipped
        + members.failed;
    assert_eq!(members.considered, ends, "{members:?}");
}

fn counters_hold(counters: &Counters) {
    let ends = counters.unchanged
        + counters.added
        + counters.modified
        + counters.skipped
        + counters.failed
        + counters.deferred;
    assert_eq!(counters.in_scope, ends, "{counters:?}");
    assert_eq!(
        counters.considered,
        counters.out_of_scope + counters.in_scope,
        "{counters:?}"
    );
}
