//! Why a rule decides about an object or does not, for people.

use super::{
    knowledge::{Answer, Knowledge},
    set::{Decision, RuleSet},
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
    /// The object meets its conditions, but a rule before it decides.
    Later,
    /// The object meets its conditions, but it is switched off.
    Inactive,
    /// The object does not meet its conditions.
    NotMet,
    /// Whether the object meets its conditions can't be told.
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
        let decides = match self.decide(object, knowledge) {
            Decision::By(rule) => Some(rule.id.clone()),
            Decision::OutOfScope | Decision::LeftAlone { .. } | Decision::Unknown(_) => None,
        };
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
                let any = |answer: fn(&Answer) -> bool| {
                    conditions.iter().any(|tested| answer(&tested.met))
                };
                let part = match () {
                    () if any(|met| *met == Answer::No) => Part::NotMet,
                    () if any(|met| *met != Answer::Yes) => Part::Unknown,
                    () if decides.as_ref() == Some(&rule.id) => Part::Decides,
                    () if !rule.active => Part::Inactive,
                    () => Part::Later,
                };
                Verdict {
                    rule: rule.id.clone(),
                    part,
                    conditions,
                }
            })
            .collect()
    }
}
