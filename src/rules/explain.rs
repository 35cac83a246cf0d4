//! Why a rule decides about an object or does not, for people.

use super::{
    knowledge::{Answer, Knowledge},
    set::RuleSet,
};
use crate::model::{Condition, Object, RuleId, Value};

/// One condition and what it saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// The condition.
    pub condition: Condition,
    /// The object's value of the attribute; none = absent.
    pub seen: Option<Value>,
    /// Whether the object meets it.
    pub met: Answer,
}

/// What a rule has to do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It decides.
    Decides,
    /// The object meets its conditions, as far as that can be told, but a rule before it decides.
    Later,
    /// The object meets its conditions, as far as that can be told, but it is switched off.
    Inactive,
    /// The object does not meet its conditions.
    NotMet,
    /// Whether it decides can't be told: whether the object meets its conditions, or those of a rule before it, is not known.
    Unknown,
}

/// One rule and what it has to do with an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The rule.
    pub rule: RuleId,
    /// What it has to do with the object.
    pub part: Part,
    /// All its conditions.
    pub conditions: Vec<Tested>,
}

impl RuleSet {
    /// What each rule about this kind of object has to do with it, in the order in which they are tried.
    pub fn explain(&self, object: &Object, knowledge: &Knowledge) -> Vec<Verdict> {
        // The part of the active rule that settled it for those after it.
        let mut settled = None;
        let about = self.about(object.kind);
        about
            .map(|(rule, tests)| {
                let conditions: Vec<Tested> = rule
                    .conditions
                    .iter()
                    .zip(tests)
                    .map(|(condition, test)| Tested {
                        condition: condition.clone(),
                        seen: object.attributes.get(&condition.attribute).cloned(),
                        met: test.ask(object, knowledge),
                    })
                    .collect();
                let part = match (all(&conditions), settled) {
                    (Answer::No, _) => Part::NotMet,
                    _ if !rule.active => Part::Inactive,
                    (_, Some(Part::Decides)) => Part::Later,
                    (Answer::Yes, None) => Part::Decides,
                    (Answer::Yes | Answer::Unknown(_), _) => Part::Unknown,
                };
                if matches!(part, Part::Decides | Part::Unknown) {
                    settled.get_or_insert(part);
                }
                Verdict {
                    rule: rule.id.clone(),
                    part,
                    conditions,
                }
            })
            .collect()
    }
}

/// Whether all conditions are met. One that is plainly not settles it.
fn all(conditions: &[Tested]) -> Answer {
    let mut met = Answer::Yes;
    for tested in conditions {
        match &tested.met {
            Answer::Yes => {}
            Answer::No => return Answer::No,
            unknown @ Answer::Unknown(_) => met = unknown.clone(),
        }
    }
    met
}

#[cfg(test)]
mod tests;
