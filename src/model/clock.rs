//! Time is passed in: what asks the time asks a `Clock`, and tests move it.

use super::Time;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Time;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::now()
    }
}

/// The machine's wall clock, shifted by as much as a test says.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    shift_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: std::time::Duration) {
        self.shift_ms.fetch_add(
            i64::try_from(by.as_millis()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        let shift = jiff::SignedDuration::from_millis(self.shift_ms.load(Ordering::SeqCst));
        Time::now().checked_add(shift).unwrap_or(Time::MAX)
    }
}
