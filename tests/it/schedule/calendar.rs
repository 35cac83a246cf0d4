//! A second calendar: it walks through time and watches the clocks of a place, and computes nothing. It shares no code and
//! no database of time zones with the daemon.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use provisiond::model::SyncInterval;

/// The clocks are looked at so often.
const STEP: TimeDelta = TimeDelta::minutes(15);

fn shown(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The seconds at which the clocks of a place show, for the first time, a day with which a period begins, or a later one.
pub fn beginnings(
    zone: Tz,
    interval: SyncInterval,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<i64> {
    let (mut at, mut latest) = (from, shown(zone, from));
    let mut found = Vec::new();
    while at < to {
        let next = at + STEP;
        let day = shown(zone, next);
        if day > latest {
            let begun = latest.iter_days().skip(1).take_while(|begun| *begun <= day);
            if begun.into_iter().any(|day| begins(interval, day)) {
                found.push(first(zone, latest, at, next).timestamp());
            }
            latest = day;
        }
        at = next;
    }
    found.retain(|second| *second <= to.timestamp());
    found
}

fn begins(interval: SyncInterval, day: NaiveDate) -> bool {
    match interval {
        SyncInterval::Daily => true,
        SyncInterval::Weekly => day.weekday() == Weekday::Mon,
        SyncInterval::Monthly => day.day() == 1,
    }
}

/// The second at which a later day than `latest` is shown.
fn first(
    zone: Tz,
    latest: NaiveDate,
    before: DateTime<Utc>,
    after: DateTime<Utc>,
) -> DateTime<Utc> {
    let (mut before, mut after) = (before, after);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + (after - before) / 2;
        if shown(zone, middle) > latest {
            after = middle;
        } else {
            before = middle;
        }
    }
    after
}

/// Noon of the 1st of January there is, in UTC.
pub fn new_year(year: i32) -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    day.and_hms_opt(12, 0, 0).unwrap().and_utc()
}
