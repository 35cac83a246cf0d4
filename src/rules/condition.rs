//! One condition, prepared once and asked for each object.

use super::knowledge::{Answer, Knowledge};
use crate::model::{Attribute, Attributes, Condition, Object, Operator, Value};
use regex::{RegexSet, RegexSetBuilder};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// What all regular expressions of a condition may take together when compiled, in bytes: some that are made of Unicode's
/// classes, hundreds that are made of letters. A search of the worst takes in proportion to it.
const MAX_PATTERNS: usize = 256 * 1024;
/// The same for all conditions of an integration.
const MAX_TOGETHER: usize = 8 * MAX_PATTERNS;
/// How many conditions of an integration may have any: what the searches remember is not counted above.
const MAX_CONDITIONS: usize = 200;
/// What the searches of a condition may remember, in bytes.
const MAX_REMEMBERED: usize = 64 * 1024;
/// How deep an expression may be nested.
const MAX_NESTING: u32 = 50;
/// What makes expressions smaller.
const SMALLER: &str = "write [0-9] for \\d and [a-z0-9_] for \\w, which stand for those of all scripts, repeat less, or compare with another operator";

/// Regular expressions that make no sense, in the words of their parser, or are too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(String);

/// Whether these regular expressions can be the values of one condition.
pub fn check_patterns(values: &[String]) -> Result<(), InvalidPattern> {
    patterns(values).map(drop)
}

/// Whether the conditions of an integration's rules can be used together, each of which can be by itself.
pub fn check_together<'a>(
    conditions: impl Iterator<Item = &'a Condition>,
) -> Result<(), InvalidPattern> {
    let with_patterns = conditions.filter(|condition| condition.operator == Operator::Matches);
    let all: Vec<&[String]> = with_patterns.map(|c| c.values.as_slice()).collect();
    if all.len() > MAX_CONDITIONS {
        return Err(InvalidPattern(format!(
            "the rules of an integration can have {MAX_CONDITIONS} conditions with OPERATOR_MATCHES, and would have {}",
            all.len()
        )));
    }
    // So few can't be too large.
    if all.len() <= MAX_TOGETHER / MAX_PATTERNS {
        return Ok(());
    }
    match compile(all.into_iter().flatten(), MAX_TOGETHER) {
        Err(regex::Error::CompiledTooBig(_)) => Err(InvalidPattern(format!(
            "the regular expressions of an integration's rules can take {} KiB together when compiled, and would take more: {SMALLER}",
            MAX_TOGETHER / 1024
        ))),
        other => other
            .map(drop)
            .map_err(|error| InvalidPattern(error.to_string())),
    }
}

fn patterns(values: &[String]) -> Result<RegexSet, InvalidPattern> {
    compile(values.iter(), MAX_PATTERNS).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => InvalidPattern(format!(
            "the regular expressions of a condition can take {} KiB together when compiled, and take more: {SMALLER}",
            MAX_PATTERNS / 1024
        )),
        other => InvalidPattern(other.to_string()),
    })
}

fn compile<'a>(
    values: impl Iterator<Item = &'a String>,
    largest: usize,
) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(values.map(|value| value.nfc().collect::<String>()))
        .case_insensitive(true)
        .size_limit(largest)
        .dfa_size_limit(MAX_REMEMBERED)
        .nest_limit(MAX_NESTING)
        .build()
}

/// A condition whose values are folded already.
#[derive(Debug, Clone)]
pub(super) struct Test {
    attribute: Attribute,
    /// Met if nothing compares.
    negative: bool,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Equal(HashSet<String>),
    Contain(Vec<String>),
    Match(RegexSet),
    Start(Vec<String>),
    End(Vec<String>),
    /// In one of the groups or units of these ids.
    Within(Vec<String>),
}

impl Test {
    pub(super) fn compile(condition: &Condition) -> Result<Self, InvalidPattern> {
        let values = || condition.values.iter().map(|value| fold(value));
        let how = match condition.operator {
            Operator::Equal | Operator::NotEqual => How::Equal(values().collect()),
            Operator::Contains | Operator::NotContains => How::Contain(values().collect()),
            Operator::Matches => How::Match(patterns(&condition.values)?),
            Operator::StartsWith => How::Start(values().collect()),
            Operator::EndsWith => How::End(values().collect()),
            Operator::MemberOf | Operator::NotMemberOf => How::Within(condition.values.clone()),
        };
        Ok(Self {
            attribute: condition.attribute.clone(),
            negative: matches!(
                condition.operator,
                Operator::NotEqual | Operator::NotContains | Operator::NotMemberOf
            ),
            how,
        })
    }

    /// Whether an object meets it.
    pub(super) fn ask(&self, object: &Object, knowledge: &Knowledge) -> Answer {
        let How::Within(ids) = &self.how else {
            return Answer::of(self.is_met(&object.attributes));
        };
        let answer = knowledge.within(&self.attribute, ids, object);
        if self.negative {
            answer.turned()
        } else {
            answer
        }
    }

    /// Whether it searches for regular expressions.
    pub(super) fn searches(&self) -> bool {
        matches!(self.how, How::Match(_))
    }

    /// The ids of groups that it names; none if it is about something else.
    pub(super) fn groups(&self) -> &[String] {
        match &self.how {
            How::Within(ids) if self.attribute == Attribute::GROUPS => ids,
            _ => &[],
        }
    }

    /// Whether it names organisational units.
    pub(super) fn is_about_units(&self) -> bool {
        matches!(self.how, How::Within(_)) && self.attribute == Attribute::ORG_UNIT
    }

    /// Whether attributes meet it. With an absent one nothing compares, so it meets negative operators only (semantics 6).
    fn is_met(&self, attributes: &Attributes) -> bool {
        let compares = match (attributes.get(&self.attribute), &self.how) {
            (Some(Value::Text(text)), _) => self.how.holds(text),
            // A list contains its elements, not parts of them.
            (Some(Value::List(items)), How::Contain(values)) => {
                items.iter().any(|item| values.contains(&fold(item)))
            }
            (Some(Value::List(items)), _) => items.iter().any(|item| self.how.holds(item)),
            (Some(Value::Bool(yes)), _) => self.how.holds(if *yes { "true" } else { "false" }),
            (None, _) => false,
        };
        compares != self.negative
    }
}

impl How {
    fn holds(&self, text: &str) -> bool {
        let any = |values: &[String], compare: fn(&str, &str) -> bool| {
            let text = fold(text);
            values.iter().any(|value| compare(&text, value))
        };
        match self {
            Self::Equal(values) => values.contains(&fold(text)),
            Self::Contain(values) => any(values, |text, value| text.contains(value)),
            Self::Start(values) => any(values, |text, value| text.starts_with(value)),
            Self::End(values) => any(values, |text, value| text.ends_with(value)),
            // An expression ignores case by itself.
            Self::Match(patterns) => patterns.is_match(&text.nfc().collect::<String>()),
            // No attribute tells.
            Self::Within(_) => false,
        }
    }
}

/// The form in which texts are compared: lower case, in Unicode form NFC.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Character by character, with one form of the Greek sigma: which of the two small ones ends a word must not tell
    // texts apart that differ in case only.
    let lower = text.nfc().flat_map(char::to_lowercase);
    let one_sigma = lower.map(|c| if c == 'ς' { 'σ' } else { c });
    one_sigma.nfc().collect()
}

#[cfg(test)]
mod tests;
