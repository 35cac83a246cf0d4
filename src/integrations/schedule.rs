//! When an integration runs by itself: what may be asked for, and when it is due next.

use super::Checked;
use crate::model::{Integration, Schedule, SyncInterval, Time, Zone};

/// The fields of a schedule as asked for: no interval is daily, no zone is UTC. Names what is wrong as the fields
/// `integration.sync_interval` and `integration.time_zone`.
pub(super) fn check(
    checked: &mut Checked,
    interval: Option<SyncInterval>,
    time_zone: &str,
) -> Schedule {
    let zone = match time_zone {
        "" => Ok(Zone::default()),
        name => Zone::try_new(name),
    };
    let zone = zone.unwrap_or_else(|unknown| {
        checked.refuse("integration.time_zone", unknown.to_string());
        Zone::default()
    });
    Schedule {
        interval: interval.unwrap_or_default(),
        zone,
    }
}

/// After a change of an integration by a caller: if `active`, interval or zone are new, it is due next when the schedule
/// says from now on (semantics 33). Starts nothing; what else changed does not move it.
pub(super) fn replan(before: &Integration, after: &mut Integration, now: Time) {
    if (before.active, &before.schedule) != (after.active, &after.schedule) {
        after.next_sync = first(after, now);
    }
}

/// When an integration is due first, seen from now.
pub(super) fn first(integration: &Integration, now: Time) -> Option<Time> {
    integration
        .active
        .then(|| integration.schedule.next_after(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::rules::tests::integration;

    #[test]
    fn only_switching_and_a_new_interval_or_zone_move_the_due_time() {
        let at = |text: &str| text.parse::<Time>().unwrap();
        let mut now = integration();
        let mut change = |time: &str, change: fn(&mut Integration)| {
            let before = now.clone();
            change(&mut now);
            replan(&before, &mut now, at(time));
            now.next_sync.map(|due| due.to_string())
        };
        let day = Some("2026-11-24T00:00:00Z".to_owned());
        assert_eq!(change("2026-11-23T07:00:00Z", |i| i.active = true), day);
        let later = change("2026-11-25T07:00:00Z", |i| i.title = "Other".to_owned());
        assert_eq!(later, day);
        let weekly = change("2026-11-25T07:00:00Z", |i| {
            i.schedule.interval = SyncInterval::Weekly;
        });
        assert_eq!(weekly.as_deref(), Some("2026-11-30T00:00:00Z"));
        let tokyo = change("2026-11-29T15:00:00Z", |i| {
            i.schedule.zone = Zone::try_new("Asia/Tokyo").unwrap();
        });
        assert_eq!(tokyo.as_deref(), Some("2026-12-06T15:00:00Z"));
        assert_eq!(change("2026-11-25T07:00:00Z", |i| i.active = false), None);
    }

    #[test]
    fn an_unknown_zone_is_refused_and_told_what_is_near() {
        let mut checked = Checked(Vec::new());
        check(&mut checked, None, "Europe/Berlim");
        assert_eq!(checked.0[0].field, "integration.time_zone");
        assert!(checked.0[0].description.contains("Europe/Berlin"));
        let mut checked = Checked(Vec::new());
        assert_eq!(check(&mut checked, None, ""), Schedule::default());
        assert!(checked.0.is_empty());
    }
}
