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
    phase: String,
    line: Option<(Instant, String)>,
}

impl Progress {
    /// Begins; `expected` stands for the total while that is not known.
    pub(super) fn new(expected: u64) -> Self {
        let bar =
            ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("  {spinner} {wide_bar} {msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("━╸ "),
        );
        bar.enable_steady_tick(Duration::from_millis(100));
        Self {
            bar,
            expected,
            phase: String::new(),
            line: None,
        }
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, step: &Step) {
        let total = step.total.unwrap_or(self.expected).max(step.objects);
        let text = line(step, total);
        step.phase.clone_into(&mut self.phase);
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

    /// Says something about it, once.
    pub(super) fn say(&mut self, text: &str) {
        if self.phase != text {
            text.clone_into(&mut self.phase);
            self.bar.set_message(text.to_owned());
        }
    }

    /// Says that it waits because the system asked for fewer requests.
    pub(super) fn wait(&mut self, wait: Duration) {
        let text = format!("Google asks for fewer requests; goes on in {}", time(wait));
        self.bar.set_message(text.clone());
        self.print(text);
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

fn line(step: &Step, total: u64) -> String {
    let mut text = format!(
        "{} of {} objects",
        count(number(step.objects)),
        count(number(total))
    );
    if step.memberships > 0 {
        text += &format!(", {}", some(step.memberships, "membership"));
    }
    if step.rate >= 1.0 {
        text += &format!(", {:.0} objects/s", step.rate);
    }
    if let Some(left) = left(step, total).filter(|_| step.objects < total) {
        text += &format!(", {} left", time(left));
    }
    format!("{text}, {}", step.phase)
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
            "450 of 1,050 objects, 150 objects/s, 4.0 s left, reading"
        );
    }

    #[test]
    fn the_estimate_of_the_daemon_goes_before_ours() {
        let left = Some(Duration::from_secs(9));
        let text = line(
            &Step {
                left,
                memberships: 1,
                ..step()
            },
            1_050,
        );
        assert!(
            text.contains("1 membership, ") && text.contains("9.0 s left"),
            "{text}"
        );
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
        assert_eq!(text, "450 of 1,050 objects, reading");
    }
}
