//! The standard mapping: what an object is to look like at the target.

use crate::model::{Attribute, Attributes, Value, fold_email};

/// What is desired of the attributes that a source tells: those of `mapped`, under their own names. Addresses of the
/// object itself are brought to the form in which they are compared, so that a change of case at the source is none.
///
/// What the source does not tell is absent. For a text or list that means it has none; for a yes or no it means unknown,
/// so whoever applies the result leaves it as it is (semantics 9).
pub fn map(mut told: Attributes, mapped: &[Attribute]) -> Attributes {
    told.retain(|attribute| mapped.contains(attribute));
    for attribute in [Attribute::USER_NAME, Attribute::ALIASES] {
        if let Some(value) = told.remove(&attribute) {
            told.set(attribute, folded(value));
        }
    }
    told
}

/// Addresses in the form in which they are compared.
fn folded(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(fold_email(&text)),
        Value::List(items) => Value::List(items.iter().map(|item| fold_email(item)).collect()),
        Value::Bool(_) => value,
    }
}
