//! When an integration is due: each day, Monday or 1st of the month, at its beginning where the integration is.
//!
//! A day begins at the first instant at which the clocks there show 00:00 of it or later. Where the clocks skip midnight
//! that is when they go on, where they show it twice it is the first time, and a day that they skip as a whole begins
//! with the next one, and with it. So every period has exactly one beginning.

use super::{Time, near::nearest};
use jiff::{
    SignedDuration, Span,
    civil::{Date, Weekday},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use std::{fmt, sync::LazyLock};

/// How often an integration runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SyncInterval {
    /// Every day.
    #[default]
    Daily,
    /// Every Monday.
    Weekly,
    /// Every 1st of a month.
    Monthly,
}

/// A time zone of the IANA database, by its name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Zone(Box<str>);

/// Why a text is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a time zone of the IANA database, such as Europe/Berlin; the nearest is {nearest}")]
pub struct UnknownZone {
    /// The name that was probably meant.
    pub nearest: String,
}

/// The database that is compiled in.
static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The machine's database comes first, since it is brought up to date when a government changes its mind.
fn find(name: &str) -> Option<TimeZone> {
    jiff::tz::db().get(name).or_else(|_| BUNDLED.get(name)).ok()
}

impl Zone {
    /// Takes a name, in whichever case; keeps it as the database writes it.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn try_new(name: &str) -> Result<Self, UnknownZone> {
        // `Etc/Unknown` is what jiff calls no zone at all; a machine has names besides, such as `localtime`, that mean another zone on
        // another machine.
        let is_known = |found: &TimeZone| !found.is_unknown() && BUNDLED.get(name).is_ok();
        let found = find(name).filter(is_known);
        if let Some(found) = found {
            return Ok(Self(found.iana_name().unwrap_or("UTC").into()));
        }
        let names: Vec<String> = BUNDLED.available().map(|name| name.to_string()).collect();
        let city = |known: &&String| {
            let last = known.rsplit('/').next().unwrap_or_default();
            last.eq_ignore_ascii_case(&name.trim().replace(' ', "_"))
        };
        let near = names.iter().find(city).map(String::as_str);
        let near = near.or_else(|| nearest(name, names.iter().map(String::as_str)));
        Err(UnknownZone {
            nearest: near.unwrap_or("UTC").to_owned(),
        })
    }

    /// Takes a name that [`try_new`](Self::try_new) once gave, unseen.
    pub fn known(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name is only taken if it is known; one that is forgotten later is as good as UTC.
    fn rules(&self) -> TimeZone {
        find(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".into())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When an integration runs by itself. Default: daily, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Schedule {
    /// How often.
    pub interval: SyncInterval,
    /// Where 00:00 is.
    pub zone: Zone,
}

impl Schedule {
    /// The first due time after a moment; [`Time::MAX`] where the calendar ends.
    pub fn next_after(&self, after: Time) -> Time {
        let zone = self.zone.rules();
        // Clocks are set back by a day at most, so no day that begins later lies further back.
        let mut day = self.interval.first(local(&zone, after, -2));
        loop {
            match day.map(|day| beginning(&zone, day)) {
                Some(Some(due)) if due > after => return due,
                Some(Some(_)) => day = day.and_then(|day| self.interval.step(day, 1)),
                _ => return Time::MAX,
            }
        }
    }

    /// The last due time at or before a moment; [`Time::MIN`] where the calendar begins.
    pub fn last_until(&self, moment: Time) -> Time {
        let zone = self.zone.rules();
        let mut day = self.interval.first(local(&zone, moment, 2));
        loop {
            match day.map(|day| beginning(&zone, day)) {
                Some(Some(due)) if due <= moment => return due,
                Some(Some(_)) => day = day.and_then(|day| self.interval.step(day, -1)),
                _ => return Time::MIN,
            }
        }
    }

    /// So many due times, beginning with `first`, which is one.
    pub fn upcoming(&self, first: Time, count: usize) -> Vec<Time> {
        let next = |due: &Time| Some(self.next_after(*due)).filter(|next| next > due);
        std::iter::successors(Some(first), next)
            .take(count)
            .collect()
    }
}

impl SyncInterval {
    /// The day on which the period of a day begins.
    fn first(self, day: Date) -> Option<Date> {
        match self {
            Self::Daily => Some(day),
            Self::Weekly => day.tomorrow().ok()?.nth_weekday(-1, Weekday::Monday).ok(),
            Self::Monthly => Some(day.first_of_month()),
        }
    }

    /// The day on which a later or earlier period begins.
    fn step(self, day: Date, by: i64) -> Option<Date> {
        let span = Span::new();
        let span = match self {
            Self::Daily => span.days(by),
            Self::Weekly => span.weeks(by),
            Self::Monthly => span.months(by),
        };
        day.checked_add(span).ok()
    }
}

/// The date that the clocks show at a moment, so many days later.
fn local(zone: &TimeZone, moment: Time, days: i64) -> Date {
    let date = zone.to_datetime(moment).date();
    date.saturating_add(Span::new().days(days))
}

/// When a day begins.
fn beginning(zone: &TimeZone, day: Date) -> Option<Time> {
    let midnight = day.at(0, 0, 0, 0);
    match zone.to_ambiguous_timestamp(midnight).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(midnight).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(midnight).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            let past = before.to_timestamp(midnight).ok()?;
            let until = past.checked_add(SignedDuration::from_nanos(1)).ok()?;
            let gap = zone.preceding(until).next();
            Some(gap.map_or(past, |gap| gap.timestamp()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(interval: SyncInterval, zone: &str, after: &str, count: usize) -> Vec<String> {
        let zone = Zone::try_new(zone).unwrap();
        let schedule = Schedule { interval, zone };
        let first = schedule.next_after(after.parse().unwrap());
        let all = schedule.upcoming(first, count);
        all.iter()
            .map(|due| {
                assert_eq!(schedule.last_until(*due), *due);
                let just_before = *due - SignedDuration::from_nanos(1);
                assert_eq!(schedule.next_after(just_before), *due);
                assert!(schedule.last_until(just_before) < *due);
                due.to_string()
            })
            .collect()
    }

    use SyncInterval::{Daily, Monthly, Weekly};

    #[test]
    fn a_zone_is_one_of_the_database_and_no_text_takes_long() {
        for name in [
            "localtime",
            "posixrules",
            "Etc/Unknown",
            "",
            &"x".repeat(1 << 20),
        ] {
            Zone::try_new(name).unwrap_err();
        }
        let name = Zone::try_new("europe/berlin").unwrap();
        assert_eq!(name.as_str(), "Europe/Berlin");
    }

    #[test]
    fn periods_begin_at_midnight_of_the_zone() {
        let days = due(Daily, "Europe/Berlin", "2026-03-28T12:00:00Z", 3);
        assert_eq!(
            days,
            [
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
                "2026-03-30T22:00:00Z"
            ]
        );
        let weeks = due(Weekly, "UTC", "2026-11-23T00:00:00Z", 2);
        assert_eq!(weeks, ["2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"]);
        let months = due(Monthly, "Asia/Tokyo", "2026-01-31T15:00:00Z", 2);
        assert_eq!(months, ["2026-02-28T15:00:00Z", "2026-03-31T15:00:00Z"]);
    }

    #[test]
    fn a_midnight_that_the_clocks_skip_is_when_they_go_on() {
        let days = due(Daily, "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2);
        assert_eq!(days, ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]);
        // From 23:30 to 00:30.
        let days = due(Daily, "America/Toronto", "1919-03-30T12:00:00Z", 2);
        assert_eq!(days, ["1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"]);
    }

    #[test]
    fn a_midnight_that_the_clocks_show_twice_counts_once() {
        let days = due(Daily, "America/Havana", "2024-11-02T12:00:00Z", 2);
        assert_eq!(days, ["2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"]);
        // From 00:01 back to 23:01 of the day before.
        let days = due(Daily, "America/St_Johns", "2010-11-06T12:00:00Z", 2);
        assert_eq!(days, ["2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"]);
    }

    #[test]
    fn a_day_that_a_country_skips_is_no_period_of_its_own() {
        let days = due(Daily, "Pacific/Apia", "2011-12-29T00:00:00Z", 3);
        assert_eq!(
            days,
            [
                "2011-12-29T10:00:00Z",
                "2011-12-30T10:00:00Z",
                "2011-12-31T10:00:00Z"
            ]
        );
        let days = due(Daily, "Pacific/Kwajalein", "1993-08-20T00:00:00Z", 3);
        assert_eq!(
            days,
            [
                "1993-08-20T12:00:00Z",
                "1993-08-21T12:00:00Z",
                "1993-08-22T12:00:00Z"
            ]
        );
    }

    #[test]
    fn a_name_is_taken_in_any_case_and_an_unknown_one_is_told_what_is_near() {
        assert_eq!(
            Zone::try_new("europe/berlin").unwrap().as_str(),
            "Europe/Berlin"
        );
        assert_eq!(Zone::try_new("UTC").unwrap(), Zone::default());
        for (wrong, near) in [
            ("Europe/Berlim", "Europe/Berlin"),
            ("berlin", "Europe/Berlin"),
            ("new york", "America/New_York"),
        ] {
            assert_eq!(Zone::try_new(wrong).unwrap_err().nearest, near);
        }
        for wrong in ["", "Etc/Unknown", "../../etc/passwd", "+02:00", "CET-1CEST"] {
            assert!(Zone::try_new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_trouble() {
        let schedule = Schedule::default();
        assert_eq!(schedule.next_after(Time::MAX), Time::MAX);
        assert_eq!(schedule.upcoming(Time::MAX, 5), [Time::MAX]);
        assert_eq!(schedule.last_until(Time::MIN), Time::MIN);
    }
}
