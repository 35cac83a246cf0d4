//! All rules of an integration, prepared to decide about one object after the other.

use super::{
    condition::{InvalidPattern, Test, check_together},
    expression::{Expression, InvalidExpression, Source},
    knowledge::{Answer, Knowledge, Named},
};
use crate::model::{Attribute, Attributes, Kind, Object, Rule, RuleId, RunMode, Value};
use std::collections::BTreeSet;

/// Who decides about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// No rule matches it, not even one that is switched off.
    OutOfScope,
    /// The rule that decides takes no part in this run: it is inactive, manual and not named, or others are named.
    LeftAlone {
        /// That rule.
        rule: &'a Rule,
    },
    /// This rule decides, and its results are to be written.
    By(&'a Rule),
    /// Who decides can't be told, and why: neither in scope nor out (semantics 7).
    Unknown(String),
}

/// A rule can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// A regular expression.
    #[error("a regular expression of a rule can't be used: {0}")]
    Pattern(#[from] InvalidPattern),
    /// The expression of a mapping.
    #[error("the mapping of an attribute can't be used: {0}")]
    Mapping(#[from] InvalidExpression),
}

/// An attribute that could not be computed for an object, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mapping of {0} {1}")]
pub struct Failed(Attribute, String);

fn compile(rule: &Rule) -> Result<Vec<(Attribute, Expression)>, InvalidExpression> {
    let mappings = rule.mappings.iter();
    let each = mappings.map(|m| Ok((m.attribute.clone(), Expression::compile(&m.expression)?)));
    each.collect()
}

/// The rules of an integration as one run sees them.
#[derive(Debug, Clone)]
pub struct RuleSet(Vec<Compiled>);

#[derive(Debug, Clone)]
struct Compiled {
    rule: Rule,
    tests: Vec<Test>,
    mappings: Vec<(Attribute, Expression)>,
    written: bool,
}

impl Compiled {
    /// A rule that turns one kind into another says nothing about what becomes of the object itself.
    fn is_about(&self, kind: Kind) -> bool {
        self.rule.source_kind == kind && self.rule.target_kind == kind
    }

    /// What is plainly not met settles it, whatever is not known beside.
    fn ask(&self, object: &Object, knowledge: &Knowledge) -> Answer {
        if !self.is_about(object.kind) {
            return Answer::No;
        }
        let mut answer = Answer::Yes;
        for test in &self.tests {
            match test.ask(object, knowledge) {
                Answer::Yes => {}
                Answer::No => return Answer::No,
                unknown @ Answer::Unknown(_) => answer = unknown,
            }
        }
        answer
    }
}

impl RuleSet {
    /// Prepares all rules of an integration, inactive and manual ones too: they tell whom to leave alone. Written are the
    /// results of the active ones among `named`, or, if none are named, of those that are active and automatic. Naming a
    /// rule does not make it active. Rules of equal position are tried in the order of their ids.
    ///
    /// Fails if an expression that was accepted once is none any more.
    pub fn compile(mut rules: Vec<Rule>, named: &[RuleId]) -> Result<Self, Unusable> {
        rules.sort_by(|a, b| (a.position, &a.id).cmp(&(b.position, &b.id)));
        check_together(rules.iter().flat_map(|rule| &rule.conditions))?;
        let compiled = rules.into_iter().map(|rule| {
            let tests = rule.conditions.iter().map(Test::compile);
            Ok(Compiled {
                tests: tests.collect::<Result<_, _>>()?,
                mappings: compile(&rule)?,
                written: rule.active
                    && if named.is_empty() {
                        rule.run_mode == RunMode::Automatic
                    } else {
                        named.contains(&rule.id)
                    },
                rule,
            })
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    /// Decides about an object: the first active rule that matches does, whether or not its results are to be written
    /// (semantics 1). Only if there is none do inactive rules count, and only to leave the object alone, also one of which it
    /// can't be told whether it matches. If that can't be told of an active rule, nor can it who decides.
    pub fn decide(&self, object: &Object, knowledge: &Knowledge) -> Decision<'_> {
        for active in [true, false] {
            for one in self.0.iter().filter(|c| c.rule.active == active) {
                match one.ask(object, knowledge) {
                    Answer::No => {}
                    Answer::Unknown(why) if active => return Decision::Unknown(why),
                    Answer::Unknown(_) => return Decision::LeftAlone { rule: &one.rule },
                    Answer::Yes if one.written => return Decision::By(&one.rule),
                    Answer::Yes => return Decision::LeftAlone { rule: &one.rule },
                }
            }
        }
        Decision::OutOfScope
    }

    /// The desired attributes of an object by one of these rules: the standard mapping of `mapped`, and what the rule maps
    /// itself. The attributes of the object are used up.
    ///
    /// # Errors
    /// What could not be computed for this object.
    pub fn desired(
        &self,
        rule: &Rule,
        object: &mut Object,
        mapped: &[Attribute],
    ) -> Result<Attributes, Failed> {
        let own = self.mapped(rule, object)?;
        let mut desired = super::map(std::mem::take(&mut object.attributes), mapped);
        for (attribute, value) in own {
            match value {
                Some(value) => desired.set(attribute.clone(), value),
                None => drop(desired.remove(attribute)),
            }
        }
        Ok(desired)
    }

    /// What a rule maps itself.
    fn mapped(
        &self,
        rule: &Rule,
        object: &Object,
    ) -> Result<Vec<(&Attribute, Option<Value>)>, Failed> {
        if rule.mappings.is_empty() {
            return Ok(Vec::new());
        }
        let of = self.0.iter().find(|compiled| compiled.rule.id == rule.id);
        let source = Source::of(object);
        let own = of.iter().flat_map(|compiled| &compiled.mappings);
        own.map(|(attribute, expression)| {
            let value = expression.evaluate(&source, attribute.shape());
            let value = value.map_err(|why| Failed(attribute.clone(), why))?;
            Ok((attribute, value))
        })
        .collect()
    }

    /// Whether an object may take them long: it is searched for regular expressions, or expressions are evaluated.
    pub fn is_costly(&self) -> bool {
        let mut rules = self.0.iter();
        rules.any(|c| !c.mappings.is_empty() || c.tests.iter().any(Test::searches))
    }

    /// What must be read before these rules can be asked.
    pub fn named(&self) -> Named {
        let tests = || self.0.iter().flat_map(|compiled| &compiled.tests);
        Named {
            groups: tests()
                .flat_map(|test| test.groups().iter().cloned())
                .collect(),
            units: tests().any(Test::is_about_units),
        }
    }

    /// The rules that say what becomes of objects of a kind, with their conditions, in the order in which they are tried.
    pub(super) fn about(&self, kind: Kind) -> impl Iterator<Item = (&Rule, &[Test])> {
        let about = self.0.iter().filter(move |c| c.is_about(kind));
        about.map(|c| (&c.rule, c.tests.as_slice()))
    }

    /// The rules whose results are to be written, in the order in which they are tried.
    pub fn written(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(|c| c.written).map(|c| &c.rule)
    }

    /// The kinds of source object that the written rules are about: what a run has to read.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.written().map(|rule| rule.source_kind).collect()
    }
}
