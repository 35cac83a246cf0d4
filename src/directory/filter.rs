//! Filters of lists: a small part of AIP-160, parsed and applied without asking anybody. Pure.

use crate::model::{Attribute, Attributes, Kind, Value, fold_email};

/// What a filter may be: what a caller is told who gave another one.
const FORM: &str = r#"must be conditions joined by AND, such as email = "anna*" AND active = true"#;
/// Most conditions of a filter.
const MOST: usize = 10;

/// Which users or groups to list: those that meet all conditions; the empty filter is met by all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter(Vec<Condition>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    attribute: Attribute,
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// This text, without regard to case.
    Text(String),
    /// A text that begins so, without regard to case.
    Prefix(String),
    Is(bool),
}

/// The fields that a filter may name.
fn fields(kind: Kind) -> &'static [(&'static str, Attribute)] {
    match kind {
        Kind::User => &[
            ("email", Attribute::USER_NAME),
            ("active", Attribute::ACTIVE),
            ("department", Attribute::DEPARTMENT),
            ("title", Attribute::TITLE),
            ("organization", Attribute::ORGANIZATION),
            ("employee_number", Attribute::EMPLOYEE_NUMBER),
        ],
        Kind::Group => &[
            ("email", Attribute::USER_NAME),
            ("display_name", Attribute::DISPLAY_NAME),
        ],
    }
}

impl Filter {
    /// Reads a filter of objects of this kind. Fails with what is wrong and what is understood.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if conditions.len() == MOST {
                return Err(format!("must have at most {MOST} conditions"));
            }
            let (condition, after) = condition(kind, rest)?;
            conditions.push(condition);
            rest = match after.split_once(char::is_whitespace) {
                _ if after.is_empty() => "",
                Some(("AND", after)) if !after.trim().is_empty() => after.trim_start(),
                _ => return Err(FORM.to_owned()),
            };
        }
        Ok(Self(conditions))
    }

    /// Whether an object with these attributes is to be listed. Absent attributes meet no condition.
    pub(super) fn is_met(&self, attributes: &Attributes) -> bool {
        self.0.iter().all(|condition| {
            match (attributes.get(&condition.attribute), &condition.wanted) {
                (Some(Value::Text(text)), Wanted::Text(wanted)) => fold_email(text) == *wanted,
                (Some(Value::Text(text)), Wanted::Prefix(prefix)) => {
                    fold_email(text).starts_with(prefix.as_str())
                }
                (Some(Value::Bool(is)), Wanted::Is(wanted)) => is == wanted,
                _ => false,
            }
        })
    }

    /// The whole address, folded, that all who meet the filter have, if it asks for one.
    pub(super) fn email(&self) -> Option<&str> {
        self.0.iter().find_map(|condition| match &condition.wanted {
            Wanted::Text(text) if condition.attribute == Attribute::USER_NAME => {
                Some(text.as_str())
            }
            _ => None,
        })
    }
}

/// The first condition of a text, and what comes after it.
fn condition(kind: Kind, text: &str) -> Result<(Condition, &str), String> {
    let (field, rest) = text.split_once('=').ok_or(FORM)?;
    let (field, rest) = (field.trim_end(), rest.trim_start());
    let known = fields(kind).iter().find(|(name, _)| *name == field);
    let Some((_, attribute)) = known else {
        let names: Vec<_> = fields(kind).iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        return Err(format!(
            "{field:?} can't be filtered by; these can: {names}"
        ));
    };
    let (wanted, rest) = if *attribute == Attribute::ACTIVE {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let is = rest[..end].parse().map_err(|_| "active is true or false")?;
        (Wanted::Is(is), &rest[end..])
    } else {
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (value, rest) = quoted.ok_or_else(|| format!("{field} takes a text in quotes"))?;
        (texts(attribute, value)?, rest)
    };
    let condition = Condition {
        attribute: attribute.clone(),
        wanted,
    };
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return Err(FORM.to_owned());
    }
    Ok((condition, rest.trim_start()))
}

fn texts(attribute: &Attribute, value: &str) -> Result<Wanted, String> {
    let (text, prefix) = match value.strip_suffix('*') {
        Some(text) => (text, true),
        None => (value, false),
    };
    if text.is_empty() || text.contains(['*', '\\']) {
        return Err("a text must not be empty nor contain \\, and * only at its end".to_owned());
    }
    match prefix {
        false => Ok(Wanted::Text(fold_email(text))),
        true if *attribute == Attribute::USER_NAME => Ok(Wanted::Prefix(fold_email(text))),
        true => Err("only email takes a * at the end".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Attributes {
        let text = |text: &str| Value::Text(text.to_owned());
        Attributes::from_iter([
            (Attribute::USER_NAME, text("Anna@acme.test")),
            (Attribute::ACTIVE, Value::Bool(true)),
            (Attribute::DEPARTMENT, text("Sales AND \u{20ac}")),
        ])
    }

    #[test]
    fn who_meets_all_conditions_is_listed() {
        for (filter, met) in [
            ("", true),
            ("email = \"anna@ACME.test\"", true),
            ("email=\"ann*\" AND active=true", true),
            (" email = \"ann*\"  AND  active = false ", false),
            ("email = \"bob*\"", false),
            ("email = \"ann\"", false),
            ("department = \"sales and \u{20ac}\"", true),
            ("title = \"Boss\"", false),
        ] {
            let parsed = Filter::parse(Kind::User, filter).unwrap();
            assert_eq!(parsed.is_met(&anna()), met, "{filter}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for filter in [
            "email",
            "email = anna",
            "email = \"anna",
            "email = \"\"",
            "email = \"*\"",
            "email = \"*anna\"",
            "department = \"Sal*\"",
            "active = maybe",
            "active = \"true\"",
            "active != true",
            "shoe_size = \"44\"",
            "active = true OR email = \"a*\"",
            "active = true AND",
            "active = true email = \"a*\"",
            "email = \"a*\"AND active = true",
            "AND active = true",
            "(active = true)",
            &["active = true"; 11].join(" AND "),
        ] {
            let refused = Filter::parse(Kind::User, filter);
            assert!(refused.is_err(), "{filter}: {refused:?}");
        }
        assert!(Filter::parse(Kind::Group, "active = true").is_err());
    }

    #[test]
    fn only_a_whole_address_can_be_looked_up() {
        let whole = |filter| Filter::parse(Kind::User, filter).unwrap();
        let filter = whole("active = true AND email = \"A@x.org\"");
        assert_eq!(filter.email(), Some("a@x.org"));
        assert_eq!(whole("email = \"a*\"").email(), None);
    }
}
