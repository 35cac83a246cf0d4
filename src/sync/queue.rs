//! What runs and what waits, integration by integration: pure bookkeeping.

use crate::model::{CompanyId, Integration, IntegrationId, Rule, RuleId, Run, RunId, RunMode};
use std::collections::{HashMap, VecDeque};
use tokio_util::sync::CancellationToken;

/// At most one run goes on for each integration, and what waits merges into one.
#[derive(Debug, Default)]
pub(super) struct Queue {
    slots: HashMap<(CompanyId, IntegrationId), Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    running: Option<(RunId, CancellationToken)>,
    /// More than one only after a crash; requests merge into the last.
    waiting: VecDeque<Run>,
}

/// What became of a run that asks to be let in.
#[derive(Debug)]
pub(super) enum Admitted {
    /// It may begin.
    Now(Box<Run>),
    /// It waits.
    Later,
}

fn key(run: &Run) -> (CompanyId, IntegrationId) {
    (run.company.clone(), run.integration.clone())
}

impl Queue {
    /// The run that waits for this integration.
    pub(super) fn waiting(&mut self, of: &Integration) -> Option<&mut Run> {
        self.slots
            .get_mut(&(of.company.clone(), of.id.clone()))?
            .waiting
            .back_mut()
    }

    /// Lets a run in, or has it wait.
    pub(super) fn admit(&mut self, run: Run) -> Admitted {
        let slot = self.slots.entry(key(&run)).or_default();
        if slot.running.is_none() {
            return Admitted::Now(Box::new(run));
        }
        slot.waiting.push_back(run);
        Admitted::Later
    }

    /// A run begins.
    pub(super) fn running(&mut self, run: &Run, cancel: CancellationToken) {
        self.slots.entry(key(run)).or_default().running = Some((run.id.clone(), cancel));
    }

    /// A run is over; gives the one whose turn it is.
    pub(super) fn finished(&mut self, run: &Run) -> Option<Run> {
        let slot = self.slots.get_mut(&key(run))?;
        slot.running = None;
        let next = slot.waiting.pop_front();
        if next.is_none() {
            self.slots.remove(&key(run));
        }
        next
    }

    /// Takes a waiting run out; tells whether it was waiting.
    pub(super) fn drop_waiting(&mut self, run: &Run) -> bool {
        let Some(slot) = self.slots.get_mut(&key(run)) else {
            return false;
        };
        let before = slot.waiting.len();
        slot.waiting.retain(|waiting| waiting.id != run.id);
        slot.waiting.len() < before
    }

    /// Tells a run that is going on to stop.
    pub(super) fn cancel(&mut self, run: &Run) {
        if let Some((id, cancel)) = self
            .slots
            .get(&key(run))
            .and_then(|slot| slot.running.as_ref())
            && *id == run.id
        {
            cancel.cancel();
        }
    }
}

/// The union of two requests; empty stands for all automatic rules.
pub(super) fn merge(one: &[RuleId], other: &[RuleId], rules: &[Rule]) -> Vec<RuleId> {
    if one.is_empty() && other.is_empty() {
        return Vec::new();
    }
    let automatic = |rule: &&Rule| rule.active && rule.run_mode == RunMode::Automatic;
    let mut union: Vec<RuleId> = Vec::new();
    if one.is_empty() || other.is_empty() {
        union.extend(rules.iter().filter(automatic).map(|rule| rule.id.clone()));
    }
    for id in one.iter().chain(other) {
        if !union.contains(id) {
            union.push(id.clone());
        }
    }
    let all_automatic = (one.is_empty() || other.is_empty())
        && union
            .iter()
            .all(|id| rules.iter().filter(automatic).any(|rule| rule.id == *id));
    if all_automatic { Vec::new() } else { union }
}

#[cfg(test)]
mod tests;
