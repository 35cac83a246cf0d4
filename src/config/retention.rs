//! `[retention]`: how long history is kept.

use super::raw::Raw;

/// How long history is kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// `retention.events_days`, 1 to 3650, default 7: so long a stream that was cut can be resumed.
    pub events_days: u32,
    /// `retention.runs_days`, 1 to 3650, default 90, not less than `retention.events_days`: runs, and what they did. The
    /// latest run of each integration is kept.
    pub runs_days: u32,
}

pub(super) fn read(raw: &mut Raw) -> Retention {
    let mut days = |key: &str, default: u32| {
        let given = raw.number(key, 1..=3650);
        given
            .and_then(|days| u32::try_from(days).ok())
            .unwrap_or(default)
    };
    let read = Retention {
        events_days: days("retention.events_days", 7),
        runs_days: days("retention.runs_days", 90),
    };
    if read.runs_days < read.events_days {
        raw.refuse(
            "retention.runs_days",
            "must not be less than retention.events_days (default 7): an event leads to its run",
        );
    }
    read
}
