//! What a run counts, and that it adds up.

use crate::model::{
    Counters, MemberCounters, Phase, Reason, RuleCounters, RuleId, Run, RunError, RunState,
};

/// How an object is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Count {
    OutOfScope,
    Unchanged,
    Added,
    Modified,
    Skipped(Reason),
    Failed(Reason),
    Deferred(Reason),
}

/// The books of a run: its row, kept current.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) run: Run,
}

/// Adding this with wrap-around takes one away.
const MINUS_ONE: u64 = u64::MAX;

impl Ledger {
    /// Opens the books of a run that will write the results of these rules.
    pub(super) fn open(mut run: Run, rules: impl Iterator<Item = RuleId>) -> Self {
        run.tally.rules = rules
            .map(|rule| RuleCounters {
                rule,
                counters: Counters::default(),
            })
            .collect();
        Self { run }
    }

    /// An object was read, or a linked one is absent.
    pub(super) fn consider(&mut self, rule: Option<&RuleId>) {
        self.run.tally.objects.considered += 1;
        if let Some(counters) = self.of_rule(rule) {
            counters.considered += 1;
        }
    }

    /// Accounts for an object.
    pub(super) fn count(&mut self, rule: Option<&RuleId>, count: &Count) {
        self.book(rule, count, 1);
    }

    /// Takes an accounting back: its slice was not written.
    pub(super) fn take_back(&mut self, rule: Option<&RuleId>, count: &Count) {
        self.book(rule, count, MINUS_ONE);
    }

    fn book(&mut self, rule: Option<&RuleId>, count: &Count, by: u64) {
        add(&mut self.run.tally.objects, count, by);
        if let Some(counters) = self.of_rule(rule) {
            add(counters, count, by);
        }
        if let Count::Skipped(reason) = count {
            let skips = &mut self.run.tally.skips;
            let sum = skips.entry(reason.code.clone()).or_default();
            *sum = sum.wrapping_add(by);
            if *sum == 0 {
                skips.remove(&reason.code);
            }
        }
    }

    fn of_rule(&mut self, rule: Option<&RuleId>) -> Option<&mut Counters> {
        let rule = rule?;
        self.run
            .tally
            .rules
            .iter_mut()
            .find(|r| r.rule == *rule)
            .map(|r| &mut r.counters)
    }

    /// Adds up memberships.
    pub(super) fn count_members(&mut self, more: &MemberCounters) {
        let all = &mut self.run.tally.members;
        all.considered += more.considered;
        all.unchanged += more.unchanged;
        all.added += more.added;
        all.removed += more.removed;
        all.pending += more.pending;
        all.skipped += more.skipped;
        all.failed += more.failed;
    }

    /// Goes on to a phase.
    pub(super) fn phase(&mut self, phase: Phase) {
        self.run.phase = Some(phase);
    }

    /// Closes the books: the state that the counts and the way it ended amount to. What was read and not decided because it did not
    /// come to its end is left to the next run.
    pub(super) fn close(&mut self, ended: Ended) {
        if ended != Ended::Complete {
            let tally = &mut self.run.tally;
            let by_rule = tally.rules.iter_mut().map(|rule| &mut rule.counters);
            for counters in std::iter::once(&mut tally.objects).chain(by_rule) {
                let decided = counters.out_of_scope + counters.in_scope();
                counters.deferred += counters.considered.saturating_sub(decided);
            }
        }
        let tally = &self.run.tally;
        let m = &tally.members;
        let whole = tally.objects.add_up()
            && m.considered == m.unchanged + m.added + m.removed + m.pending + m.skipped + m.failed;
        let trouble = tally.objects.failed + tally.objects.deferred + m.failed > 0;
        let (state, error) = match ended {
            Ended::Failed(error) => (RunState::Failed, Some(error)),
            Ended::Cancelled => (RunState::Cancelled, None),
            Ended::Interrupted => (RunState::Interrupted, None),
            Ended::Complete if !whole => (
                RunState::Failed,
                Some(RunError {
                    code: "COUNTS_DO_NOT_ADD_UP".to_owned(),
                    text: "The run's own counts contradict each other. What was applied stands; please report this.".to_owned(),
                }),
            ),
            Ended::Complete if trouble => (RunState::SucceededWithFailures, None),
            Ended::Complete => (RunState::Succeeded, None),
        };
        self.run.state = state;
        self.run.error = error;
        self.run.phase = None;
    }
}

fn add(counters: &mut Counters, count: &Count, by: u64) {
    let field = match count {
        Count::OutOfScope => &mut counters.out_of_scope,
        Count::Unchanged => &mut counters.unchanged,
        Count::Added => &mut counters.added,
        Count::Modified => &mut counters.modified,
        Count::Skipped(_) => &mut counters.skipped,
        Count::Failed(_) => &mut counters.failed,
        Count::Deferred(_) => &mut counters.deferred,
    };
    *field = field.wrapping_add(by);
}

/// How the pipe came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// All listings were read to their end and all objects decided.
    Complete,
    /// It could not go on, or some listing could not be completed.
    Failed(RunError),
    /// Somebody stopped it.
    Cancelled,
    /// The daemon stops.
    Interrupted,
}

#[cfg(test)]
mod tests;
