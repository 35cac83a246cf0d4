//! One condition, prepared once and asked for each object.

use crate::model::{Attribute, Attributes, Condition, Operator, Value};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// A condition whose values are folded already.
#[derive(Debug, Clone)]
pub(super) struct Test {
    attribute: Attribute,
    operator: Operator,
    values: HashSet<String>,
}

impl Test {
    pub(super) fn compile(condition: &Condition) -> Self {
        Self {
            attribute: condition.attribute.clone(),
            operator: condition.operator,
            values: condition.values.iter().map(|value| fold(value)).collect(),
        }
    }

    /// Whether attributes meet it. An absent one equals nothing, so it meets the negative operator only (semantics 6).
    pub(super) fn is_met(&self, attributes: &Attributes) -> bool {
        let equal = match attributes.get(&self.attribute) {
            Some(Value::Text(text)) => self.holds(text),
            Some(Value::List(items)) => items.iter().any(|item| self.holds(item)),
            Some(Value::Bool(yes)) => self.values.contains(if *yes { "true" } else { "false" }),
            None => false,
        };
        match self.operator {
            Operator::Equal => equal,
            Operator::NotEqual => !equal,
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.values.contains(&fold(text))
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
