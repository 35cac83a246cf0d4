//! Five simulated years in places whose clocks have had strange histories, with restarts, downtimes and clocks that jump.

use super::{
    bare::{Daemon, Home, add},
    calendar::{beginnings, new_year},
};
use provisiond::model::{ManualClock, Run, SyncInterval, Trigger};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::path::PathBuf;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// A clock that is set back by less was only put right: nothing is done again.
const SLIGHT: i64 = 15 * MINUTE;
const INTERVALS: [(SyncInterval, &str); 3] = [
    (SyncInterval::Daily, "daily"),
    (SyncInterval::Weekly, "weekly"),
    (SyncInterval::Monthly, "monthly"),
];

/// What must become of a due time: when, made up, and too late for that.
type Expected = (i64, bool, bool);

/// What the calendar says of one integration.
struct Track {
    name: &'static str,
    due: Vec<i64>,
    /// How many of them have come.
    done: usize,
    expected: Vec<Expected>,
}

impl Track {
    /// The next due time.
    fn next(&self) -> Option<i64> {
        self.due.get(self.done).copied()
    }

    /// The clock shows `now` and the daemon looks: the last due time that has come stands for all of them.
    fn look(&mut self, now: i64, catch_up: Option<i64>) {
        let come = self.due[self.done..].iter().take_while(|due| **due <= now);
        let come = come.count();
        if come == 0 {
            return;
        }
        self.done += come;
        let last = self.due[self.done - 1];
        let late = now - last > 15 * MINUTE;
        let too_late = late && catch_up.is_some_and(|window| now - last > window);
        self.expected.push((last, late || come > 1, too_late));
    }

    /// The clock was set back to `now`: what came since then comes again, unless it was by a little only.
    fn back(&mut self, now: i64, by: i64) {
        if by > SLIGHT {
            self.done = self.due.partition_point(|due| *due <= now);
        }
    }

    /// Whether it can't be told on which side of a limit this moment falls: clocks go on meanwhile.
    fn is_close(&self, now: i64, catch_up: Option<i64>) -> bool {
        let near = |limit: i64| {
            let at = self.due.partition_point(|due| *due <= now - limit + MINUTE);
            let before = self.due.get(at.saturating_sub(1));
            before.is_some_and(|due| (now - due - limit).abs() <= MINUTE)
        };
        near(0) || near(15 * MINUTE) || catch_up.is_some_and(near)
    }
}

/// One place, from the 1st of January of a year on.
struct Place {
    home: Home,
    random: StdRng,
    tracks: Vec<Track>,
    begin: i64,
    end: i64,
    backs: usize,
}

impl Place {
    /// Jumps forward by a random time.
    fn jump(&mut self) {
        loop {
            let by = match self.random.random_range(0..10) {
                0..=3 => self.random.random_range(MINUTE..DAY),
                4..=7 => self.random.random_range(HOUR..10 * DAY),
                _ => self.random.random_range(10 * DAY..75 * DAY),
            };
            let to = self.home.now() + by;
            if !self.is_close(to) {
                self.home.set(to);
                return;
            }
        }
    }

    /// Jumps back by a random time.
    fn jump_back(&mut self) {
        loop {
            let by = match self.random.random_range(0..10) {
                0..=2 => self.random.random_range(1..SLIGHT - MINUTE),
                3..=7 => self.random.random_range(SLIGHT + MINUTE..20 * DAY),
                _ => self.random.random_range(20 * DAY..70 * DAY),
            };
            let to = self.home.now() - by;
            if to > self.begin && !self.is_close(to) {
                self.home.set(to);
                self.tracks.iter_mut().for_each(|track| track.back(to, by));
                self.backs += 1;
                return;
            }
        }
    }

    fn is_close(&self, now: i64) -> bool {
        let mut tracks = self.tracks.iter();
        tracks.any(|track| track.is_close(now, self.home.catch_up))
    }

    /// Waits until the daemon has done what is due, and plans what the calendar says.
    async fn look(&mut self, daemon: &Daemon) {
        daemon.settle(&self.home).await;
        let now = self.home.now();
        for track in &mut self.tracks {
            track.look(now, self.home.catch_up);
        }
        let next = self.tracks.iter();
        let next: Vec<_> = next.filter_map(|t| Some((t.name, t.next()?))).collect();
        daemon.planned(&next).await;
    }

    /// A random thing happens; then what is due next comes.
    async fn step(&mut self, mut daemon: Daemon) -> Daemon {
        match self.random.random_range(0..100) {
            0..4 => {
                daemon.stop().await;
                self.jump();
                daemon = Daemon::start(&self.home).await;
            }
            4..6 => self.jump(),
            6..8 if self.home.now() > self.begin + HOUR => self.jump_back(),
            _ => {}
        }
        self.look(&daemon).await;
        let next = self.tracks.iter().filter_map(Track::next).min();
        let Some(next) = next.filter(|next| *next <= self.end) else {
            self.home.set(self.end + 1);
            return daemon;
        };
        if self.random.random_bool(0.1) {
            self.home.set(next - 5);
        }
        // Others may be due a little later: this moment must not be theirs as well, unless it is the same.
        self.home.set(next + self.random.random_range(0..5));
        if self.random.random_bool(0.02) {
            // Stopped on the spot, whether it has begun to ask or not.
            daemon.stop().await;
            daemon = Daemon::start(&self.home).await;
        }
        self.look(&daemon).await;
        daemon
    }
}

async fn five_years(zone: &str, year: i32, seed: u64, catch_up: Option<i64>) {
    let (from, to, beyond) = (new_year(year), new_year(year + 5), new_year(year + 6));
    let tz: chrono_tz::Tz = zone.parse().unwrap();
    let tracks = INTERVALS.map(|(interval, name)| Track {
        name,
        due: beginnings(tz, interval, from, beyond),
        done: 0,
        expected: Vec::new(),
    });
    let memory = PathBuf::from("/dev/shm");
    let dir = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let home = Home {
        dir: dir.unwrap(),
        clock: ManualClock::default(),
        catch_up,
    };
    home.set(from.timestamp() + 1);
    let mut place = Place {
        home,
        random: StdRng::seed_from_u64(seed),
        tracks: tracks.into(),
        begin: from.timestamp() + 1,
        end: to.timestamp(),
        backs: 0,
    };
    let mut daemon = Daemon::start(&place.home).await;
    for (interval, name) in INTERVALS {
        add(&daemon, zone, interval, name).await;
    }
    while place.home.now() <= place.end {
        daemon = place.step(daemon).await;
    }
    assert!(place.backs > 5, "{zone}: {} jumps back", place.backs);
    for track in &place.tracks {
        judge(zone, track, &daemon.scheduled(track.name).await);
    }
    daemon.stop().await;
}

/// Each period had exactly what the calendar says: one run, as often as the clock came to it.
fn judge(zone: &str, track: &Track, runs: &[Run]) {
    for run in runs {
        let time = run.scheduled_time.unwrap().as_second();
        assert!(
            run.create_time.as_second() >= time || run.trigger != Trigger::Schedule,
            "{run:?}"
        );
    }
    let had: Vec<Expected> = runs
        .iter()
        .map(|run| {
            let missed = run
                .error
                .as_ref()
                .is_some_and(|error| error.code == "MISSED");
            // One that was skipped never began, any other did.
            assert_ne!(run.start_time.is_some(), missed, "{run:?}");
            (run.scheduled_time.unwrap().as_second(), run.made_up, missed)
        })
        .collect();
    let at = had
        .iter()
        .zip(&track.expected)
        .position(|(had, expected)| had != expected);
    if let Some(at) = at {
        panic!(
            "{zone} {}: {at}: had {:?}, expected {:?}",
            track.name, had[at], track.expected[at]
        );
    }
    assert_eq!(had.len(), track.expected.len(), "{zone} {}", track.name);
    assert!(had.len() > 20, "{zone} {}", track.name);
}

/// Places, and five years in which their clocks did strange things.
const PLACES: &[(&str, i32)] = &[
    // A whole day was skipped.
    ("Pacific/Apia", 2009),
    ("Pacific/Kwajalein", 1991),
    ("Pacific/Kiritimati", 1992),
    // Midnight itself was skipped, and shown twice.
    ("America/Sao_Paulo", 2014),
    ("America/Havana", 2020),
    ("Asia/Beirut", 2019),
    ("Asia/Gaza", 2008),
    ("Africa/Cairo", 2010),
    ("Asia/Tehran", 2018),
    ("America/Asuncion", 2006),
    // One minute past midnight.
    ("America/St_Johns", 2005),
    // Four changes in a year, and summer time that is the standard.
    ("Africa/Casablanca", 2014),
    // New zones: by hours and by half hours.
    ("Europe/Lisbon", 1992),
    ("America/Scoresbysund", 2021),
    ("Asia/Pyongyang", 2014),
    ("America/Caracas", 2006),
    // Odd distances.
    ("Australia/Lord_Howe", 2015),
    ("Antarctica/Troll", 2010),
    ("Pacific/Chatham", 2012),
    ("UTC", 2021),
];

/// Every other place is made up for six hours only.
async fn places(part: usize) {
    for (number, (zone, year)) in PLACES.iter().enumerate().skip(part).step_by(2) {
        let catch_up = [None, Some(6 * HOUR)][number / 2 % 2];
        five_years(zone, *year, number as u64, catch_up).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_of_five_years_has_one_run_in_ten_strange_places() {
    places(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_of_five_years_has_one_run_in_ten_other_places() {
    places(1).await;
}
