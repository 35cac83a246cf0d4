//! One condition, prepared once and asked for each object.

use super::knowledge::{Answer, Knowledge};
use crate::model::{Attribute, Attributes, Condition, Object, Operator, Value};
use regex::{RegexSet, RegexSetBuilder};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// What all regular expressions of a condition may take together when compiled, in bytes; the same again for the cache
/// of the search.
const MAX_PATTERNS: usize = 1024 * 1024;
/// How deep an expression may be nested.
const MAX_NESTING: u32 = 50;

/// A regular expression that makes no sense or is too large, in the words of its parser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(String);

/// Whether these regular expressions can be the values of one condition.
pub fn check_patterns(values: &[String]) -> Result<(), InvalidPattern> {
    patterns(values).map(drop)
}

fn patterns(values: &[String]) -> Result<RegexSet, InvalidPattern> {
    RegexSetBuilder::new(values.iter().map(|value| value.nfc().collect::<String>()))
        .case_insensitive(true)
        .size_limit(MAX_PATTERNS)
        .dfa_size_limit(MAX_PATTERNS)
        .nest_limit(MAX_NESTING)
        .build()
        .map_err(|error| InvalidPattern(error.to_string()))
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
