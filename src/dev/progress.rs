//! How far a run is: a bar on a terminal, else a line now and then. Both go to standard error, the report does not.

use super::text::{count, number, some, time};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(1);

/// How far a run is.
pub(super) struct Step {
    /// What it is at.
    pub(super) phase: &'static str,
    /// Objects so far.
    pub(super) objects: u64,
    /// Memberships so far.
    pub(super) memberships: i64,
    /// How many objects there will be, if that is known.
    pub(super) total: Option<u64>,
    /// Objects a second.
    pub(super) rate: f64,
    /// Time left, if that is known.
    pub(super) left: Option<Duration>,
}

/// Shows steps.
pub(super) struct Progress {
    bar: ProgressBar,
    expected: u64,
    line: Option<(Instant, String)>,
    /// Since when there are memberships.
    joining: Option<Instant>,
}

impl Progress {
    /// Begins; `expected` stands for the total while that is not known.
    pub(super) fn new(expected: u64) -> Self {
        let bar =
            ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("  {spinner} {bar:16} {wide_msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("━╸ "),
        );
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self {
            bar,
            expected,
            line: None,
            joining: None,
        }
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, step: &Step) {
        let total = step.total.unwrap_or(self.expected).max(step.objects);
        let mut text = line(step, total);
        if step.memberships > 0 {
            let since = *self.joining.get_or_insert_with(Instant::now);
            text += &joined(step.memberships, since.elapsed());
        }
        self.bar.set_length(total);
        self.bar.set_position(step.objects);
        self.bar.set_message(text.clone());
        let due = self
            .line
            .as_ref()
            .is_none_or(|(at, last)| at.elapsed() >= PAUSE && *last != text);
        if due {
            self.print(text);
        }
    }

    /// Says something about it.
    pub(super) fn say(&mut self, text: &str) {
        self.bar.set_message(text.to_owned());
        self.print(text.to_owned());
    }

    /// Says that it waits because the system asked for fewer requests.
    pub(super) fn wait(&mut self, wait: Duration) {
        self.say(&format!(
            "Google asks for fewer requests; goes on in {}",
            time(wait)
        ));
    }

    /// Takes the bar away: the report says the rest.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }

    fn print(&mut self, text: String) {
        if self.bar.is_hidden() {
            eprintln!("  {text}");
        }
        self.line = Some((Instant::now(), text));
    }
}

/// Objects, and as long as some are missing the time that will take; what matters least comes last, where a narrow
/// terminal cuts it.
fn line(step: &Step, total: u64) -> String {
    let (objects, all) = (count(number(step.objects)), count(number(total)));
    let mut text = format!("{} {objects} of {all} objects", step.phase);
    if step.objects >= total {
        return text;
    }
    if let Some(left) = left(step, total) {
        text += &format!(", {} left", time(left));
    }
    if step.rate >= 1.0 {
        text += &format!(", {:.0} objects/s", step.rate);
    }
    text
}

/// Memberships so far; how many there will be is known only at the end.
fn joined(memberships: i64, taken: Duration) -> String {
    let mut text = format!(", {}", some(memberships, "membership"));
    let taken = number(taken.as_millis());
    // In the first moments a rate says nothing.
    if taken >= 500 {
        let rate = memberships.saturating_mul(1_000) / taken;
        text += &format!(", {}/s", count(rate));
    }
    text
}

/// The daemon's estimate; without one, what is missing at this rate.
fn left(step: &Step, total: u64) -> Option<Duration> {
    let missing = number(total.saturating_sub(step.objects));
    let estimated = || {
        let seconds = f64::from(i32::try_from(missing).ok()?) / step.rate;
        Duration::try_from_secs_f64(seconds).ok()
    };
    step.left
        .or_else(|| (step.rate >= 1.0).then(estimated).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Step {
        Step {
            phase: "reading",
            objects: 450,
            memberships: 0,
            total: None,
            rate: 150.0,
            left: None,
        }
    }

    #[test]
    fn a_line_has_objects_total_rate_time_left_and_phase() {
        let text = line(&step(), 1_050);
        assert_eq!(
            text,
            "reading 450 of 1,050 objects, 4.0 s left, 150 objects/s"
        );
    }

    #[test]
    fn the_estimate_of_the_daemon_goes_before_ours() {
        let left = Some(Duration::from_secs(9));
        let text = line(&Step { left, ..step() }, 1_050);
        assert!(text.contains("9.0 s left"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let text = line(
            &Step {
                rate: 0.0,
                ..step()
            },
            1_050,
        );
        assert_eq!(text, "reading 450 of 1,050 objects");
    }

    #[test]
    fn time_left_and_rate_are_of_objects_and_go_when_all_are_there() {
        let all = Step {
            phase: "applying",
            objects: 1_050,
            ..step()
        };
        assert_eq!(line(&all, 1_050), "applying 1,050 of 1,050 objects");
        let text = joined(4_500, Duration::from_millis(3_000));
        assert_eq!(text, ", 4,500 memberships, 1,500/s");
        assert_eq!(joined(1, Duration::ZERO), ", 1 membership");
    }
}
