//! The standard mapping: what an object is to look like at the target.

use crate::model::{Attribute, Attributes, Object, Value, fold_email};

/// The desired attributes of an object: those of `mapped` that the source tells, under their own names. Addresses of the
/// object itself are brought to the form in which they are compared, so that a change of case at the source is none.
///
/// What the source does not tell is absent. For a text or list that means it has none; for a yes or no it means unknown,
/// so whoever applies the result leaves it as it is (semantics 9).
pub fn map(object: &Object, mapped: &[Attribute]) -> Attributes {
    let told = mapped
        .iter()
        .filter_map(|attribute| Some((attribute, object.attributes.get(attribute)?)));
    told.map(|(attribute, value)| (attribute.clone(), standard(attribute, value)))
        .collect()
}

fn standard(attribute: &Attribute, value: &Value) -> Value {
    let address = *attribute == Attribute::USER_NAME || *attribute == Attribute::ALIASES;
    match value {
        Value::Text(text) if address => Value::Text(fold_email(text)),
        Value::List(items) if address => {
            Value::List(items.iter().map(|item| fold_email(item)).collect())
        }
        Value::Text(_) | Value::Bool(_) | Value::List(_) => value.clone(),
    }
}
