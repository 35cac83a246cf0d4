//! What makes a caller's user or group valid. Every field that is wrong is named at once.

use super::New;
use crate::model::{Attribute, Attributes, EntityId, Kind, Value, Violation, fold_email};
use email_address::{EmailAddress, Options};
use std::collections::BTreeSet;

/// Bytes of an address: what a mail server takes at most (RFC 5321 4.5.3.1.3, less the angle brackets).
const MAX_ADDRESS: usize = 254;
/// Characters of a name or another short text.
const MAX_TEXT: usize = 256;
/// Characters of a telephone number.
const MAX_PHONE: usize = 64;
/// Characters of a group's description.
const MAX_DESCRIPTION: usize = 2048;
/// Elements of a list.
const MAX_LIST: usize = 50;
/// Bytes of all attributes together: what certainly fits into one row of the store.
const MAX_ALL: usize = 4096;

/// What kind of value an attribute takes.
#[derive(Clone, Copy)]
enum Shape {
    Address,
    Addresses,
    Text(usize),
    Lines(usize),
    Numbers,
    YesNo,
}

/// The attributes that a caller can set, by kind: name in a request, and shape.
fn shape(kind: Kind, attribute: &Attribute) -> Option<(&'static str, Shape)> {
    const NAME: Shape = Shape::Text(MAX_TEXT);
    let table: &[(Attribute, &'static str, Shape)] = match kind {
        Kind::User => &[
            (Attribute::USER_NAME, "user_name", Shape::Address),
            (Attribute::GIVEN_NAME, "given_name", NAME),
            (Attribute::FAMILY_NAME, "family_name", NAME),
            (Attribute::DISPLAY_NAME, "display_name", NAME),
            (Attribute::ACTIVE, "active", Shape::YesNo),
            (Attribute::ALIASES, "aliases", Shape::Addresses),
            (Attribute::PHONE_NUMBERS, "phone_numbers", Shape::Numbers),
            (Attribute::TITLE, "title", NAME),
            (Attribute::DEPARTMENT, "department", NAME),
            (Attribute::ORGANIZATION, "organization", NAME),
            (Attribute::COST_CENTER, "cost_center", NAME),
            (Attribute::EMPLOYEE_NUMBER, "employee_number", NAME),
            (Attribute::MANAGER, "manager", Shape::Address),
            (Attribute::ORG_UNIT, "org_unit", NAME),
        ],
        Kind::Group => &[
            (Attribute::USER_NAME, "email", Shape::Address),
            (Attribute::DISPLAY_NAME, "display_name", NAME),
            (
                Attribute::DESCRIPTION,
                "description",
                Shape::Lines(MAX_DESCRIPTION),
            ),
            (Attribute::ALIASES, "aliases", Shape::Addresses),
        ],
    };
    let row = table.iter().find(|(known, _, _)| known == attribute);
    row.map(|(_, field, shape)| (*field, *shape))
}

/// Checks a new object, and fills in what every object has; there is an id if the caller chose one. Fields are named as in the
/// request that carries it.
pub(super) fn new(kind: Kind, new: New) -> Result<(Option<EntityId>, Attributes), Vec<Violation>> {
    let mut wrong = new.bad;
    let id = new.id.as_deref().map(EntityId::try_new).transpose();
    if let Err(error) = &id {
        wrong.push(Violation::new(format!("{kind}_id"), error.to_string()));
    }
    let mut all = new.attributes;
    addressed(kind, &all, &mut wrong);
    each(kind, &all, &mut wrong);
    complete(kind, &mut all, |_| true);
    fits(kind, &all, &mut wrong);
    match id {
        Ok(id) if wrong.is_empty() => Ok((id, all)),
        _ => Err(wrong),
    }
}

/// Fills in what every object has, of that what is wanted.
pub(super) fn complete(kind: Kind, all: &mut Attributes, wanted: impl Fn(&Attribute) -> bool) {
    let name = Attribute::DISPLAY_NAME;
    if all.text(&name).is_none() && wanted(&name) {
        let shown = [Attribute::GIVEN_NAME, Attribute::FAMILY_NAME];
        let parts: Vec<&str> = shown.iter().filter_map(|a| all.text(a)).collect();
        let shown = match parts.is_empty() {
            true => all.text(&Attribute::USER_NAME).map(str::to_owned),
            false => Some(parts.join(" ").chars().take(MAX_TEXT).collect()),
        };
        all.set_text(name, shown.as_deref());
    }
    if kind == Kind::User && all.bool(&Attribute::ACTIVE).is_none() && wanted(&Attribute::ACTIVE) {
        all.set(Attribute::ACTIVE, Value::Bool(true));
    }
}

/// The name that a request gives to an attribute.
pub(super) fn field(kind: Kind, attribute: &Attribute) -> String {
    match shape(kind, attribute) {
        Some((field, _)) => format!("{kind}.{field}"),
        None => format!("{kind}.{attribute}"),
    }
}

/// Checks what is to become of an object and tells which attributes differ. Those that stay are not looked at: a source may
/// have sent what a caller may not.
pub(super) fn changed(
    kind: Kind,
    before: &Attributes,
    after: &Attributes,
    bad: Vec<Violation>,
) -> Result<Vec<Attribute>, Vec<Violation>> {
    let mut wrong = bad;
    let differ: Attributes = after
        .iter()
        .filter(|(attribute, value)| before.get(attribute) != Some(value))
        .map(|(attribute, value)| (attribute.clone(), value.clone()))
        .collect();
    let gone = before
        .iter()
        .map(|(attribute, _)| attribute)
        .filter(|attribute| after.get(attribute).is_none());
    let all = differ.iter().map(|(attribute, _)| attribute).chain(gone);
    let all: Vec<Attribute> = all.cloned().collect();
    addressed(kind, after, &mut wrong);
    each(kind, &differ, &mut wrong);
    // A source may have sent more; what makes it no larger is taken.
    if size(after) > size(before) {
        fits(kind, after, &mut wrong);
    }
    if wrong.is_empty() {
        Ok(all)
    } else {
        Err(wrong)
    }
}

fn addressed(kind: Kind, all: &Attributes, wrong: &mut Vec<Violation>) {
    if all.get(&Attribute::USER_NAME).is_none() {
        wrong.push(Violation::new(
            field(kind, &Attribute::USER_NAME),
            "is required: give the primary e-mail address",
        ));
    }
}

fn each(kind: Kind, all: &Attributes, wrong: &mut Vec<Violation>) {
    for (attribute, value) in all.iter() {
        match shape(kind, attribute) {
            Some((field, shape)) => one(&format!("{kind}.{field}"), shape, value, wrong),
            None => wrong.push(Violation::new(
                format!("{kind}.{attribute}"),
                format!("a {kind} has no such attribute, or it can't be set"),
            )),
        }
    }
}

fn size(all: &Attributes) -> usize {
    let each = all.iter();
    each.map(|(name, value)| name.as_str().len() + bytes(value))
        .sum()
}

fn fits(kind: Kind, all: &Attributes, wrong: &mut Vec<Violation>) {
    let size = size(all);
    if size > MAX_ALL {
        let text = format!("all attributes together are at most {MAX_ALL} bytes; these are {size}");
        wrong.push(Violation::new(kind.to_string(), text));
    }
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bool(_) => 1,
        Value::List(items) => items.iter().map(String::len).sum(),
    }
}

fn one(field: &str, shape: Shape, value: &Value, wrong: &mut Vec<Violation>) {
    let trouble = match (shape, value) {
        (Shape::Address, Value::Text(text)) => address(text),
        (Shape::Text(most), Value::Text(text)) => line(text, most, char::is_control),
        (Shape::Lines(most), Value::Text(text)) => line(text, most, |c| {
            c.is_control() && !matches!(c, '\n' | '\r' | '\t')
        }),
        (Shape::Addresses, Value::List(items)) => return list(field, items, address, wrong),
        (Shape::Numbers, Value::List(items)) => {
            return list(
                field,
                items,
                |text| line(text, MAX_PHONE, char::is_control),
                wrong,
            );
        }
        (Shape::YesNo, Value::Bool(_)) => None,
        (Shape::Address | Shape::Text(_) | Shape::Lines(_), _) => Some("must be a text".to_owned()),
        (Shape::Addresses | Shape::Numbers, _) => Some("must be a list of texts".to_owned()),
        (Shape::YesNo, _) => Some("must be true or false".to_owned()),
    };
    wrong.extend(trouble.map(|text| Violation::new(field, text)));
}

fn list(
    field: &str,
    items: &[String],
    check: impl Fn(&str) -> Option<String>,
    wrong: &mut Vec<Violation>,
) {
    if items.len() > MAX_LIST {
        let text = format!(
            "must have at most {MAX_LIST} entries; it has {}",
            items.len()
        );
        wrong.push(Violation::new(field, text));
        return;
    }
    let mut seen = BTreeSet::new();
    for (i, item) in items.iter().enumerate() {
        let trouble = check(item).or_else(|| {
            (!seen.insert(fold_email(item))).then(|| "occurs twice in the list".to_owned())
        });
        wrong.extend(trouble.map(|text| Violation::new(format!("{field}[{i}]"), text)));
    }
}

/// What is wrong with an address, if anything.
fn address(text: &str) -> Option<String> {
    if text.len() > MAX_ADDRESS {
        return Some(format!(
            "must be at most {MAX_ADDRESS} bytes; it has {}",
            text.len()
        ));
    }
    let options = Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    let error = EmailAddress::parse_with_options(text, options).err()?;
    Some(format!(
        "must be an e-mail address such as anna@example.com: {error}"
    ))
}

/// What is wrong with a text, if anything.
fn line(text: &str, most: usize, refused: impl Fn(char) -> bool) -> Option<String> {
    let length = text.chars().count();
    if length > most {
        Some(format!(
            "must be at most {most} characters; it has {length}"
        ))
    } else if text.trim().is_empty() {
        Some("must not be blank: leave it out instead".to_owned())
    } else if text.contains(refused) {
        Some("must not contain control characters".to_owned())
    } else {
        None
    }
}
