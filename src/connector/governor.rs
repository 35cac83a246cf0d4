//! How fast a system may be asked: learnt from its refusals, shared by all who ask it for the same account.

use crate::model::SystemId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Requests under way at once, at most.
const CONCURRENT: usize = 16;
/// Requests that may be made before the pace applies: Google's 2,400 a minute for each user and project.
const BURST: f64 = 2400.0;
/// The pace at first, and the fastest: requests a second.
const FASTEST: f64 = 40.0;
/// The slowest pace: requests a second.
const SLOWEST: f64 = 0.5;
/// What a refused pace is multiplied with, and what is added for each request that succeeds: fast down, slowly up.
const DOWN: f64 = 0.5;
const UP: f64 = 0.02;

/// For whom a pace is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The system.
    pub system: SystemId,
    /// Its customer.
    pub customer: String,
    /// The account that asks.
    pub principal: String,
}

/// All governors of the daemon; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Governors(Arc<Mutex<HashMap<Subject, Arc<Governor>>>>);

impl Governors {
    /// The governor of a subject; the same for all who ask.
    pub fn of(&self, subject: Subject) -> Arc<Governor> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            all.entry(subject)
                .or_insert_with(|| Arc::new(Governor::new())),
        )
    }
}

/// Keeps the pace of one subject.
#[derive(Debug)]
pub struct Governor {
    slots: Arc<Semaphore>,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    /// Requests a second.
    rate: f64,
    /// Requests that may be made at once.
    tokens: f64,
    counted: Instant,
    /// Nobody asks before.
    closed_until: Option<Instant>,
}

impl Governor {
    fn new() -> Self {
        let pace = Pace {
            rate: FASTEST,
            tokens: BURST,
            counted: Instant::now(),
            closed_until: None,
        };
        Self {
            slots: Arc::new(Semaphore::new(CONCURRENT)),
            pace: Mutex::new(pace),
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one's turn; tells how long the pace (not the number of others) made it wait.
    pub async fn turn(&self) -> (Option<OwnedSemaphorePermit>, Duration) {
        // The semaphore is never closed.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let mut waited = Duration::ZERO;
        loop {
            let Some(wait) = self.pace().take(Instant::now()) else {
                return (slot, waited);
            };
            tokio::time::sleep(wait).await;
            waited += wait;
        }
    }

    /// How long nobody may ask; none if anybody may.
    pub fn closed_for(&self) -> Option<Duration> {
        let until = self.pace().closed_until?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// A request succeeded: a little faster.
    pub fn accepted(&self) {
        let mut pace = self.pace();
        pace.rate = (pace.rate + UP).min(FASTEST);
    }

    /// The system throttles: half as fast for everybody, and nobody before `wait` has passed.
    pub fn refused(&self, wait: Duration) {
        let now = Instant::now();
        let mut pace = self.pace();
        // Refusals of requests that were under way together count once.
        if pace.closed_until.is_none_or(|until| until <= now) {
            pace.rate = (pace.rate * DOWN).max(SLOWEST);
            pace.tokens = 0.0;
        }
        let until = now + wait;
        pace.closed_until = Some(pace.closed_until.map_or(until, |known| known.max(until)));
    }
}

impl Pace {
    /// Takes a token, or tells how long to wait for one.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        let since = now.saturating_duration_since(self.counted);
        self.counted = now;
        self.tokens = (self.tokens + since.as_secs_f64() * self.rate).min(BURST);
        if let Some(until) = self.closed_until {
            if until > now {
                return Some(until - now);
            }
            self.closed_until = None;
            // After a pause one request goes ahead at once; the pace holds from there.
            self.tokens = self.tokens.max(1.0);
        }
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.tokens) / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_small_run_is_never_slowed() {
        let governor = Governor::new();
        for _ in 0..2000 {
            assert_eq!(governor.turn().await.1, Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_holds_for_everybody_and_the_pace_halves_once() {
        let governor = Governor::new();
        governor.refused(Duration::from_secs(7));
        governor.refused(Duration::from_secs(5));
        assert!(
            governor
                .closed_for()
                .is_some_and(|left| left > Duration::from_secs(6))
        );
        assert!(governor.turn().await.1 >= Duration::from_secs(7));
        assert!((governor.pace().rate - FASTEST * DOWN).abs() < f64::EPSILON);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_recovers_slowly_and_never_beyond_the_fastest() {
        let governor = Governor::new();
        governor.refused(Duration::from_secs(1));
        for _ in 0..500 {
            governor.accepted();
        }
        let recovered = governor.pace().rate;
        assert!(recovered > FASTEST * DOWN + 9.0 && recovered < FASTEST);
        for _ in 0..5000 {
            governor.accepted();
        }
        assert!(governor.pace().rate <= FASTEST);
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_sixteen_ask_at_once() {
        let governor = Governor::new();
        let mut slots = Vec::new();
        for _ in 0..CONCURRENT {
            slots.push(governor.turn().await.0);
        }
        assert!(
            tokio::time::timeout(Duration::from_secs(1), governor.turn())
                .await
                .is_err()
        );
        slots.pop();
        assert!(
            tokio::time::timeout(Duration::from_secs(1), governor.turn())
                .await
                .is_ok()
        );
    }
}
