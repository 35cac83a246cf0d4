//! How long to wait before the next try.

use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// Waits of `2^n * base + random(0..=base)` before repetition `n`, counted from 0. With a base of a second this is what
/// Google asks for: about 32 seconds in all over five repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, and the most that chance adds to each.
    pub base: Duration,
    /// How often a request is repeated before giving up.
    pub repetitions: u32,
    /// The longest wait that is obeyed; a system that asks for more gets no repetition.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            repetitions: 5,
            longest: Duration::from_secs(300),
        }
    }
}

impl Backoff {
    /// How long to wait before repetition `n`, but not less than `floor`; none if it is not to be repeated.
    pub(super) fn wait(&self, n: u32, floor: Duration) -> Option<Duration> {
        if n >= self.repetitions || floor > self.longest {
            return None;
        }
        let step = self
            .base
            .saturating_mul(1_u32.checked_shl(n).unwrap_or(u32::MAX));
        let chance = self.base.mul_f64(rand::random::<f64>());
        Some(step.saturating_add(chance).min(self.longest).max(floor))
    }
}

/// `Retry-After` of an answer: seconds, or a date, which counts from the answer's own `Date`, so that no clock but the
/// system's is involved (RFC 9110 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap<HeaderValue>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let now = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_a_random_part_and_end_after_five() {
        let backoff = Backoff::default();
        for n in 0..5 {
            let least = Duration::from_secs(1 << n);
            let wait = backoff.wait(n, Duration::ZERO).unwrap();
            assert!(wait >= least && wait <= least + Duration::from_secs(1));
        }
        assert_eq!(backoff.wait(5, Duration::ZERO), None);
    }

    #[test]
    fn retry_after_is_a_floor_and_more_than_the_longest_wait_ends_it() {
        let backoff = Backoff::default();
        let asked = Duration::from_secs(30);
        assert_eq!(backoff.wait(0, asked), Some(asked));
        assert!(backoff.wait(4, Duration::from_secs(3)).unwrap() >= Duration::from_secs(16));
        assert_eq!(backoff.wait(0, Duration::from_secs(301)), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_of_the_systems_clock() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        let date = HeaderValue::from_static("Tue, 29 Oct 2013 20:32:12 GMT");
        headers.insert(header::RETRY_AFTER, date);
        assert_eq!(retry_after(&headers), None);
        let date = HeaderValue::from_static("Tue, 29 Oct 2013 20:32:02 GMT");
        headers.insert(header::DATE, date);
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(10)));
        let date = HeaderValue::from_static("Tue, 29 Oct 2013 20:00:00 GMT");
        headers.insert(header::RETRY_AFTER, date);
        assert_eq!(retry_after(&headers), Some(Duration::ZERO));
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("soon"));
        assert_eq!(retry_after(&headers), None);
    }
}
