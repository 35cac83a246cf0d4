//! How fast one principal may ask one system: a concurrency limit and a pace that learn from refusals.
//!
//! All runs of the process that act for the same principal share a governor, because the system counts them together.

use crate::model::SystemId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

/// The slowest pace that refusals lead to, in requests per second.
const SLOWEST: f64 = 0.5;
/// So many successes raise the concurrency by one.
const SUCCESSES_PER_SLOT: u32 = 50;
/// So many successes bring the pace back from nothing to where it started.
const SUCCESSES_TO_RECOVER: f64 = 800.0;
/// Two refusals within this time mean that the quota is used up; one may be a spike of somebody else.
const SAME_TROUBLE: Duration = Duration::from_secs(60);
/// No pause is longer, whatever the system asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// Governors that nobody uses are forgotten once there are more than this.
const KEPT: usize = 4096;

/// The pace to start with, and the best that is ever returned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Requests that may be made before the pace applies at all.
    pub burst: u32,
    /// Requests per second after that.
    pub per_second: u32,
    /// Requests under way at the same time.
    pub concurrency: usize,
}

impl Default for Pace {
    /// Google's quota: 2,400 a minute for each user and project.
    fn default() -> Self {
        Self {
            burst: 2400,
            per_second: 40,
            concurrency: 16,
        }
    }
}

/// For whom a system counts requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GovernorKey {
    /// The system.
    pub system: SystemId,
    /// The system's id of the customer.
    pub customer: String,
    /// The account acted as.
    pub principal: String,
}

/// The governors of the process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Governors {
    pace: Pace,
    all: Arc<Mutex<HashMap<GovernorKey, Arc<Governor>>>>,
}

impl Default for Governors {
    fn default() -> Self {
        Self::new(Pace::default())
    }
}

impl Governors {
    /// Governors that all start with this pace.
    pub fn new(pace: Pace) -> Self {
        let all = Arc::default();
        Self { pace, all }
    }

    /// The governor of a key, the same one for everybody.
    pub(super) fn of(&self, key: &GovernorKey) -> Arc<Governor> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(governor) = all.get(key) {
            return Arc::clone(governor);
        }
        if all.len() >= KEPT {
            all.retain(|_, governor| Arc::strong_count(governor) > 1);
        }
        let governor = Arc::new(Governor::new(self.pace));
        all.insert(key.clone(), Arc::clone(&governor));
        governor
    }
}

/// The governor of one key.
#[derive(Debug)]
pub(super) struct Governor {
    best: Pace,
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests that may be made at once, in addition to the pace.
    tokens: f64,
    /// When the tokens were last counted.
    counted: Instant,
    /// Requests per second.
    rate: f64,
    /// Requests under way at the same time.
    limit: usize,
    /// Slots to withdraw as soon as they are returned.
    debt: usize,
    /// Successes since the limit last rose.
    successes: u32,
    /// Nobody may ask before.
    paused: Option<Instant>,
    /// When the pace was last lowered.
    lowered: Option<Instant>,
}

/// A place among the requests under way; returned when dropped.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    governor: &'a Governor,
    permit: Option<SemaphorePermit<'a>>,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let mut state = self.governor.state();
        if state.debt > 0 {
            state.debt -= 1;
            permit.forget();
        }
    }
}

impl Governor {
    fn new(pace: Pace) -> Self {
        let concurrency = pace.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            best: pace,
            slots: Semaphore::new(concurrency),
            state: Mutex::new(State {
                tokens: f64::from(pace.burst),
                counted: Instant::now(),
                rate: f64::from(pace.per_second).max(SLOWEST),
                limit: concurrency,
                debt: 0,
                successes: 0,
                paused: None,
                lowered: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place among the requests under way.
    pub(super) async fn slot(&self) -> Slot<'_> {
        // The semaphore is never closed; were it, requests would go on without the limit.
        let permit = self.slots.acquire().await.ok();
        Slot {
            governor: self,
            permit,
        }
    }

    /// Takes the right to make one request, or tells how long to wait before asking again.
    pub(super) fn turn(&self) -> Result<(), Duration> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(left) = state.pause_left(now) {
            return Err(left);
        }
        let earned = now.duration_since(state.counted).as_secs_f64() * state.rate;
        let most = f64::from(self.best.burst).max(1.0);
        state.tokens = (state.tokens + earned).min(most);
        state.counted = now;
        if state.tokens >= 1.0 {
            state.tokens -= 1.0;
            return Ok(());
        }
        // Never zero, or those who wait would spin.
        let wait = Duration::from_secs_f64((1.0 - state.tokens) / state.rate);
        Err(wait.max(Duration::from_millis(1)))
    }

    /// How long nobody may ask, because the system said so.
    pub(super) fn paused_for(&self) -> Option<Duration> {
        self.state().pause_left(Instant::now())
    }

    /// Lets nobody ask for so long.
    pub(super) fn pause(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait.min(LONGEST_PAUSE));
        let mut state = self.state();
        state.paused = state.paused.max(until);
    }

    /// The system refused a request, made at `asked`, because there were too many: lowers the pace and lets nobody ask
    /// for so long. Requests that were under way together are one refusal.
    pub(super) fn refused(&self, asked: Instant, wait: Duration) {
        self.pause(wait);
        let now = Instant::now();
        let mut state = self.state();
        if state.lowered.is_some_and(|lowered| asked <= lowered) {
            return;
        }
        let again = state
            .lowered
            .is_some_and(|lowered| now.duration_since(lowered) < SAME_TROUBLE);
        state.lowered = Some(now);
        state.tokens = if again { 0.0 } else { state.tokens / 2.0 };
        state.counted = now;
        state.rate = (state.rate / 2.0).max(SLOWEST);
        state.successes = 0;
        let lower = (state.limit / 2).max(1);
        let withdrawn = state.limit - lower;
        state.limit = lower;
        state.debt += withdrawn - self.slots.forget_permits(withdrawn);
    }

    /// The system answered: recovers a little.
    pub(super) fn answered(&self) {
        let best = f64::from(self.best.per_second).max(SLOWEST);
        let mut state = self.state();
        if state.lowered.is_none() {
            return;
        }
        state.rate = (state.rate + best / SUCCESSES_TO_RECOVER).min(best);
        state.successes += 1;
        if state.successes >= SUCCESSES_PER_SLOT && state.limit < self.best.concurrency {
            state.successes = 0;
            state.limit += 1;
            if state.debt > 0 {
                state.debt -= 1;
            } else {
                self.slots.add_permits(1);
            }
        }
    }
}

impl State {
    fn pause_left(&self, now: Instant) -> Option<Duration> {
        self.paused
            .and_then(|until| until.checked_duration_since(now))
            .filter(|left| !left.is_zero())
    }
}
