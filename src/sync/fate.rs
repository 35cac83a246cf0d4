//! What became of one object that was asked for by itself, and why, for who asked.

use super::{job::Job, read};
use crate::model::{Change, Counters, Object, Reason, RunError};

/// How an object was accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No rule is about it, or it is in none of the domains that the integration is about.
    OutOfScope,
    /// It was as it should be.
    Unchanged,
    /// Created or adopted.
    Added,
    /// Brought up to date.
    Modified,
    /// Left alone on purpose.
    Skipped,
    /// It did not work.
    Failed,
    /// Not decided now.
    Deferred,
}

/// How the one object was accounted for that a job is about.
pub(super) fn fate(counters: &Counters) -> Fate {
    let all = [
        (counters.failed, Fate::Failed),
        (counters.deferred, Fate::Deferred),
        (counters.added, Fate::Added),
        (counters.modified, Fate::Modified),
        (counters.skipped, Fate::Skipped),
        (counters.unchanged, Fate::Unchanged),
    ];
    let counted = all.into_iter().find(|(count, _)| *count > 0);
    counted.map_or(Fate::OutOfScope, |(_, fate)| fate)
}

/// Why, where there is a why.
pub(super) fn why(
    fate: Fate,
    changes: &[(u64, Change)],
    error: Option<&RunError>,
) -> Option<Reason> {
    let mut recorded = changes
        .iter()
        .filter_map(|(_, change)| change.reason.clone());
    let failed = || error.map(|error| Reason::new(&error.code, error.text.clone()));
    // Of what takes no part in runs there is no record.
    let inactive = || {
        (fate == Fate::Skipped).then(|| {
            Reason::new(
                "RULE_NOT_IN_RUN",
                "the only rules that are about it are switched off",
            )
        })
    };
    recorded.next_back().or_else(failed).or_else(inactive)
}

/// Why no rule decides about an object, whichever would.
pub(super) fn elsewhere(job: &Job, object: &Object) -> Option<Reason> {
    let text = "its address is in none of the integration's domains";
    read::is_elsewhere(job, object).then(|| Reason::new("OTHER_DOMAIN", text))
}
