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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const PACE: Pace = Pace {
        burst: 100,
        per_second: 10,
        concurrency: 8,
    };

    /// How many requests may be made right now.
    fn allowed(governor: &Governor) -> usize {
        (0..10_000).take_while(|_| governor.turn().is_ok()).count()
    }

    async fn at_once(governor: &Governor) -> usize {
        let mut slots = Vec::new();
        while let Ok(slot) = tokio::time::timeout(Duration::ZERO, governor.slot()).await {
            slots.push(slot);
        }
        slots.len()
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_applies_only_once_the_burst_is_used() {
        let governor = Governor::new(PACE);
        assert_eq!(allowed(&governor), 100);
        let wait = governor.turn().unwrap_err();
        assert!(wait > Duration::from_millis(50) && wait <= Duration::from_millis(100));
        advance(Duration::from_secs(2)).await;
        assert_eq!(allowed(&governor), 20);
        advance(Duration::from_secs(3600)).await;
        assert_eq!(allowed(&governor), 100, "what is not used does not pile up");
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_requests_at_once_than_the_limit_and_cancelled_ones_return_their_slot() {
        let governor = Governor::new(PACE);
        assert_eq!(at_once(&governor).await, 8);
        assert_eq!(at_once(&governor).await, 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_halves_pace_and_concurrency_and_stops_everybody_for_the_time_asked() {
        let governor = Governor::new(PACE);
        governor.refused(Instant::now(), Duration::from_secs(30));
        assert_eq!(governor.paused_for(), Some(Duration::from_secs(30)));
        assert_eq!(governor.turn(), Err(Duration::from_secs(30)));
        assert_eq!(at_once(&governor).await, 4);
        advance(Duration::from_secs(30)).await;
        assert_eq!(governor.paused_for(), None);
        governor.refused(Instant::now(), Duration::ZERO);
        advance(Duration::from_secs(2)).await;
        assert_eq!(allowed(&governor), 5, "2.5 a second, and no burst");
        assert_eq!(at_once(&governor).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_refused_together_count_as_one_refusal() {
        let governor = Governor::new(PACE);
        let asked = Instant::now();
        advance(Duration::from_millis(5)).await;
        for _ in 0..8 {
            governor.refused(asked, Duration::from_secs(1));
        }
        assert_eq!(at_once(&governor).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lower_limit_also_binds_requests_that_are_under_way() {
        let governor = Governor::new(PACE);
        let mut under_way = Vec::new();
        for _ in 0..8 {
            under_way.push(governor.slot().await);
        }
        governor.refused(Instant::now(), Duration::ZERO);
        under_way.truncate(5);
        assert_eq!(at_once(&governor).await, 0);
        under_way.clear();
        assert_eq!(at_once(&governor).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn it_recovers_slowly_and_never_beyond_the_start() {
        let governor = Governor::new(PACE);
        governor.refused(Instant::now(), Duration::ZERO);
        for _ in 0..49 {
            governor.answered();
        }
        assert_eq!(at_once(&governor).await, 4);
        governor.answered();
        assert_eq!(at_once(&governor).await, 5);
        for _ in 0..5000 {
            governor.answered();
        }
        assert_eq!(at_once(&governor).await, 8);
        allowed(&governor);
        advance(Duration::from_secs(1)).await;
        assert_eq!(allowed(&governor), 10);
    }

    #[test]
    fn the_same_key_has_one_governor_and_no_other_key_shares_it() {
        let governors = Governors::new(PACE);
        let key = |principal: &str| GovernorKey {
            system: SystemId::try_new("google-workspace").unwrap(),
            customer: "C1".to_owned(),
            principal: principal.to_owned(),
        };
        let a = governors.of(&key("a"));
        assert!(Arc::ptr_eq(&a, &governors.clone().of(&key("a"))));
        assert!(!Arc::ptr_eq(&a, &governors.of(&key("b"))));
    }
}
