//! `[backup]`: backups that the daemon takes by itself.

use super::{StoreConfig, raw::Raw};
use jiff::SignedDuration;
use std::path::{Path, PathBuf};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Backups taken by the daemon itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// `backup.directory`, default none: then none are taken. Never inside the data directory.
    pub directory: Option<PathBuf>,
    /// `backup.every`, `1h` to `720h` (30 days), default `24h`: how long after one the next is taken.
    pub every: SignedDuration,
    /// `backup.keep`, 1 to 1000, default 7: how many are kept; the oldest go once a new one was read back whole.
    pub keep: usize,
}

pub(super) fn read(raw: &mut Raw, store: &StoreConfig) -> Backup {
    let key = "backup.directory";
    let directory = raw.has(key).then(|| raw.path(key, Path::new("")));
    if directory
        .as_ref()
        .is_some_and(|directory| directory.starts_with(&store.path))
    {
        raw.refuse(
            key,
            "must not be inside store.path, with which it would be lost: put it elsewhere, best on another disk",
        );
    }
    let key = "backup.every";
    let every = raw.text(key).map(|text| {
        let every = text.parse::<SignedDuration>().ok();
        every.filter(|every| (SignedDuration::from_hours(1)..=30 * DAY).contains(every))
    });
    if every == Some(None) {
        raw.refuse(
            key,
            "is not a time from 1h to 720h: give one such as \"24h\"",
        );
    }
    let keep = raw.number("backup.keep", 1..=1000);
    Backup {
        directory,
        every: every.flatten().unwrap_or(DAY),
        keep: keep
            .and_then(|keep| usize::try_from(keep).ok())
            .unwrap_or(7),
    }
}
