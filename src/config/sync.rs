//! `[sync]`: how many runs go on at once, and which are made up.

use super::raw::Raw;
use std::time::Duration;

/// When runs start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sync {
    /// `sync.runs_at_once`, 1 to 64, default 4: runs going on at once in the whole daemon. Companies take turns.
    pub runs_at_once: usize,
    /// `sync.catch_up`, such as `6h`: a run that was due while the daemon was not running is made up if that is not longer
    /// ago; once, however many were missed. `0s` = never. What is late by less than 15 minutes was not missed. Default: until the next one is due.
    pub catch_up: Option<Duration>,
}

pub(super) fn read(raw: &mut Raw) -> Sync {
    let runs_at_once = raw.number("sync.runs_at_once", 1..=64);
    let key = "sync.catch_up";
    let catch_up = raw.text(key).map(|text| {
        let time = text.parse::<jiff::SignedDuration>().ok();
        time.and_then(|time| Duration::try_from(time).ok())
    });
    if catch_up == Some(None) {
        raw.refuse(
            key,
            "is not a time: give one such as \"6h\", or leave it out",
        );
    }
    Sync {
        runs_at_once: runs_at_once
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(4),
        catch_up: catch_up.flatten(),
    }
}
