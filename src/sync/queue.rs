//! What runs and what waits, integration by integration, and whose turn it is: pure bookkeeping.

use crate::model::{CompanyId, IntegrationId, Rule, RuleId, Run, RunId, RunMode};
use std::collections::{HashMap, VecDeque};
use tokio_util::sync::CancellationToken;

/// Previews of one integration that may wait (semantics 17).
pub(super) const MOST_PREVIEWS: usize = 8;

/// An integration.
pub(super) type Key = (CompanyId, IntegrationId);

/// One run at a time for each integration, and so many at once in the whole daemon. A free place goes to the company that
/// has the fewest of those that wait for one, and among equals they go round: a company with many integrations does not
/// keep another waiting.
#[derive(Debug)]
pub(super) struct Queue {
    places: usize,
    slots: HashMap<Key, Slot>,
    /// Integrations of each company that could run if there were a place.
    lines: HashMap<CompanyId, VecDeque<IntegrationId>>,
    /// The companies that have a line, in the order of their turns.
    turns: VecDeque<CompanyId>,
    /// How many places each company has; none that has none.
    held: HashMap<CompanyId, usize>,
}

#[derive(Debug, Default)]
struct Slot {
    running: Option<(RunId, CancellationToken)>,
    /// In the order of their turns. More than one that is no preview only after a crash; requests merge into the last.
    waiting: VecDeque<Run>,
}

/// Whose run it is.
pub(super) fn key(run: &Run) -> Key {
    (run.company.clone(), run.integration.clone())
}

impl Queue {
    /// A queue for so many places.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            slots: HashMap::new(),
            lines: HashMap::new(),
            turns: VecDeque::new(),
            held: HashMap::new(),
        }
    }

    /// The run that waits for this integration and is no preview; the last, if there are several.
    pub(super) fn waiting(&mut self, of: &Key) -> Option<&mut Run> {
        let slot = self.slots.get_mut(of)?;
        slot.waiting.iter_mut().rev().find(|run| !run.preview)
    }

    /// Whether no other preview of this integration may wait.
    pub(super) fn is_full(&self, of: &Key) -> bool {
        let slots = self.slots.get(of).into_iter();
        let waiting = slots.flat_map(|slot| &slot.waiting);
        waiting.filter(|run| run.preview).count() >= MOST_PREVIEWS
    }

    /// Has a run wait for its turn.
    pub(super) fn admit(&mut self, run: Run) {
        let key = key(&run);
        let slot = self.slots.entry(key.clone()).or_default();
        slot.waiting.push_back(run);
        if slot.running.is_none() && slot.waiting.len() == 1 {
            self.line_up(key);
        }
    }

    fn line_up(&mut self, (company, integration): Key) {
        let line = self.lines.entry(company.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(company);
        }
        line.push_back(integration);
    }

    /// The run whose turn it is, if there is a place; it counts as running from now on, and ends when the token says so.
    pub(super) fn next(
        &mut self,
        stopping: &CancellationToken,
    ) -> Option<(Run, CancellationToken)> {
        while self.places > 0 {
            let key = self.next_in_line()?;
            let Some(slot) = self.slots.get_mut(&key) else {
                continue;
            };
            // Who was taken out of the queue may still stand in line.
            if slot.running.is_none()
                && let Some(run) = slot.waiting.pop_front()
            {
                let cancel = stopping.child_token();
                slot.running = Some((run.id.clone(), cancel.clone()));
                self.places -= 1;
                *self.held.entry(run.company.clone()).or_default() += 1;
                return Some((run, cancel));
            }
        }
        None
    }

    fn next_in_line(&mut self) -> Option<Key> {
        let held = |company: &CompanyId| self.held.get(company).copied().unwrap_or_default();
        // Few have any, so that one that has none is found soon.
        let mut least = self.turns.iter().enumerate();
        let (mut at, mut fewest) = least.next().map(|(at, company)| (at, held(company)))?;
        while fewest > 0
            && let Some((next, company)) = least.next()
        {
            if held(company) < fewest {
                (at, fewest) = (next, held(company));
            }
        }
        let company = self.turns.remove(at)?;
        let line = self.lines.get_mut(&company)?;
        let integration = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&company);
        } else {
            self.turns.push_back(company.clone());
        }
        Some((company, integration))
    }

    /// A run is over: its place is free, and the next of its integration may begin.
    pub(super) fn finished(&mut self, run: &Run) {
        let key = key(run);
        let Some(slot) = self.slots.get_mut(&key) else {
            return;
        };
        if slot.running.take().is_some() {
            self.places += 1;
            if let Some(held) = self.held.get_mut(&key.0) {
                *held -= 1;
            }
            self.held.retain(|_, held| *held > 0);
        }
        if slot.waiting.is_empty() {
            self.slots.remove(&key);
        } else {
            self.line_up(key);
        }
    }

    /// Takes a waiting run out; tells whether it was waiting.
    pub(super) fn drop_waiting(&mut self, run: &Run) -> bool {
        let key = key(run);
        let Some(slot) = self.slots.get_mut(&key) else {
            return false;
        };
        let before = slot.waiting.len();
        slot.waiting.retain(|waiting| waiting.id != run.id);
        let waited = slot.waiting.len() < before;
        if slot.waiting.is_empty() && slot.running.is_none() {
            self.slots.remove(&key);
        }
        waited
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
pub(super) mod tests;
