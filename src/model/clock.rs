//! Time is passed in: what asks the time, or waits for it, asks a `Clock`, and tests move it.

use super::Time;
use jiff::SignedDuration;
use std::{fmt, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Waits for a moment.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The machine's clock may be set while somebody sleeps: he looks at it again so often.
const NAP: Duration = Duration::from_secs(30);

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Time;

    /// Ends at that moment, or soon after; at once if it has passed. Follows a clock that is set meanwhile, and ends early
    /// if it is set back after this call, so that whoever waits can think again.
    fn sleep_until(&self, moment: Time) -> Sleep<'_>;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::now()
    }

    fn sleep_until(&self, moment: Time) -> Sleep<'_> {
        let mut latest = self.now();
        Box::pin(async move {
            while let Some(left) = left(moment, &mut latest, self.now()) {
                tokio::time::sleep(left.min(NAP)).await;
            }
        })
    }
}

/// The machine's wall clock, shifted by as much as a test says.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    shift: Arc<watch::Sender<SignedDuration>>,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.shift
            .send_modify(|shift| *shift = shift.saturating_add(by));
    }

    /// Sets the clock, from where it goes on; also back.
    pub fn set(&self, to: Time) {
        self.shift.send_replace(to.duration_since(Time::now()));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        let shift = *self.shift.borrow();
        Time::now().checked_add(shift).unwrap_or(Time::MAX)
    }

    fn sleep_until(&self, moment: Time) -> Sleep<'_> {
        let mut moved = self.shift.subscribe();
        let mut latest = self.now();
        Box::pin(async move {
            while let Some(left) = left(moment, &mut latest, self.now()) {
                tokio::select! {
                    () = tokio::time::sleep(left.min(NAP)) => {}
                    _ = moved.changed() => {}
                }
            }
        })
    }
}

/// How long it is until then; none if it has passed, or if it was later before.
fn left(moment: Time, latest: &mut Time, now: Time) -> Option<Duration> {
    if now < std::mem::replace(latest, now) {
        return None;
    }
    let left = Duration::try_from(moment.duration_since(now)).ok()?;
    // Timers are coarse: less than what they can wait for is waited for all the same.
    (!left.is_zero()).then(|| left.max(Duration::from_millis(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_sleeps_wakes_when_a_test_moves_the_clock_there_and_when_it_goes_back() {
        let clock = ManualClock::default();
        let due = clock.now() + Duration::from_secs(3600);
        let asleep = |clock: ManualClock| tokio::spawn(async move { clock.sleep_until(due).await });
        let sleeper = asleep(clock.clone());
        clock.advance(Duration::from_secs(1800));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.set(due);
        sleeper.await.unwrap();
        asleep(clock.clone()).await.unwrap();
        clock.set(due - Duration::from_secs(60));
        let sleeper = asleep(clock.clone());
        tokio::task::yield_now().await;
        clock.set(due - Duration::from_secs(120));
        sleeper.await.unwrap();
    }
}
