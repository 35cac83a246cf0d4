//! How numbers and times are written, and where to.

use std::io::Write as _;
use std::time::Duration;

/// Writes a text to standard output; nothing if it is empty. A reader that has gone away (`| head`) is no error.
pub(super) fn say(text: &str) {
    if !text.is_empty() {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number that comes as `u64` or `usize`; above what `i64` holds, that.
pub(super) fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// `0.42 s`, `4.2 s`, `42 s`, `2 min 5 s`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0 => format!("{seconds:.2} s"),
        1..10 => format!("{seconds:.1} s"),
        10..60 => format!("{seconds:.0} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// `1 group`, `2 groups`.
pub(super) fn some(number: i64, one: &str) -> String {
    format!(
        "{} {one}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 7, 999, 1_000, 123_456, 1_234_567, -1_234].map(count);
        assert_eq!(
            texts,
            ["0", "7", "999", "1,000", "123,456", "1,234,567", "-1,234"]
        );
    }

    #[test]
    fn a_time_has_the_digits_that_matter() {
        let texts = [420, 4_240, 42_400, 125_000].map(|ms| time(Duration::from_millis(ms)));
        assert_eq!(texts, ["0.42 s", "4.2 s", "42 s", "2 min 5 s"]);
    }

    #[test]
    fn one_is_singular() {
        let texts = [0, 1, 2].map(|number| some(number, "user"));
        assert_eq!(texts, ["0 users", "1 user", "2 users"]);
    }
}
