//! Google's names and values -> canonical ones. One row that makes no sense never costs the page: it becomes an object
//! with a defect.

use super::{
    loose::{Item, Text},
    wire::{Group, Member, User},
};
use crate::{
    connector::{Error, MemberKind, SourceMember},
    model::{Attribute, Attributes, Kind, Object, SourceId, Value, fold_email},
};
use serde::Deserialize;
use serde_json::{Value as Json, value::RawValue};
use std::borrow::Cow;

/// So many attributes a user may have.
const MOST_ATTRIBUTES: usize = 16;
/// Longest name, in characters; Google's own limit is 60, for display names 256.
const LONGEST_NAME: usize = 256;
/// Longest of any other text, in characters: Google's limit for the description of a group.
const LONGEST_TEXT: usize = 4096;
/// Longest address, in bytes (RFC 5321 4.5.3.1.3).
const LONGEST_ADDRESS: usize = 254;

/// A user. Fails if it has no id.
pub(super) fn user(row: &RawValue) -> Result<Object, Error> {
    object(
        Kind::User,
        row,
        "primaryEmail",
        |user: User<'_>, attributes| {
            user_attributes(&user, attributes)?;
            Ok((user.id, None))
        },
    )
}

/// A group. Fails if it has no id.
pub(super) fn group(row: &RawValue) -> Result<Object, Error> {
    object(Kind::Group, row, "email", |group: Group<'_>, attributes| {
        group_attributes(&group, attributes)?;
        Ok((group.id, group.direct_members_count))
    })
}

/// What a row becomes; `convert` gives its id and the count of its members.
fn object<'a, R: Deserialize<'a>>(
    kind: Kind,
    row: &'a RawValue,
    address: &str,
    convert: impl Fn(R, &mut Attributes) -> Result<(Option<Text<'a>>, Option<u64>), String>,
) -> Result<Object, Error> {
    let usable = |id: Option<&str>| {
        id.and_then(SourceId::try_new)
            .ok_or_else(|| Error::Protocol(format!("a {kind} without a usable id")))
    };
    let mut attributes = Attributes::with_capacity(MOST_ATTRIBUTES);
    let read = serde_json::from_str(row.get()).map_err(|error| error.to_string());
    let (id, member_count, defect) = match read.and_then(|row| convert(row, &mut attributes)) {
        Ok((id, count)) => (usable(id.as_deref())?, count, None),
        Err(defect) => {
            // Half of an object is not to be provisioned; its address is kept for people to know it by.
            let row: Json = serde_json::from_str(row.get()).unwrap_or_default();
            let text = |key: &str| row.get(key).and_then(Json::as_str);
            let short = text(address).filter(|text| text.len() <= LONGEST_ADDRESS);
            attributes = Attributes::default();
            attributes.set_text(Attribute::USER_NAME, short);
            (usable(text("id"))?, None, Some(defect))
        }
    };
    Ok(Object {
        kind,
        id,
        attributes,
        member_count,
        defect,
    })
}

// Attributes are put in the order of their names, which is the quickest.
fn user_attributes(user: &User<'_>, to: &mut Attributes) -> Result<(), String> {
    let user_name = address("primaryEmail", user.primary_email.as_deref())?;
    if let Some(active) = active(user.suspended, user.archived) {
        to.set(Attribute::ACTIVE, Value::Bool(active));
    }
    aliases(user.aliases.as_deref(), &user_name, to);
    let post = primary(&user.organizations);
    if let Some(post) = post {
        put(to, Attribute::COST_CENTER, post.cost_center.text())?;
        put(to, Attribute::DEPARTMENT, post.department.text())?;
    }
    let name = user.name.as_ref();
    if let Some(name) = name {
        let shown = name.display_name.as_deref().map(visible);
        let shown = shown.filter(|text| !text.is_empty());
        let full = name.full_name.as_deref().map(visible);
        put_name(to, Attribute::DISPLAY_NAME, shown.or(full).as_deref())?;
    }
    to.set_text(Attribute::DOMAIN, domain(&user_name));
    let number = typed(&user.external_ids, "organization");
    put(to, Attribute::EMPLOYEE_NUMBER, number)?;
    if let Some(admin) = user.is_admin {
        to.set(Attribute::ADMIN, Value::Bool(admin));
    }
    let manager = typed(&user.relations, "manager");
    let manager = manager.map(|text| fold_email(&visible(text)));
    put(to, Attribute::MANAGER, manager.as_deref())?;
    if let Some(name) = name {
        put_name(to, Attribute::FAMILY_NAME, name.family_name.as_deref())?;
        put_name(to, Attribute::GIVEN_NAME, name.given_name.as_deref())?;
    }
    put(to, Attribute::ORG_UNIT, user.org_unit_path.as_deref())?;
    if let Some(post) = post {
        put(to, Attribute::ORGANIZATION, post.name.text())?;
    }
    phones(user, to)?;
    if let Some(post) = post {
        put(to, Attribute::TITLE, post.title.text())?;
    }
    to.set(Attribute::USER_NAME, Value::Text(user_name));
    Ok(())
}

fn phones(user: &User<'_>, to: &mut Attributes) -> Result<(), String> {
    let mut numbers = Vec::new();
    for phone in &*user.phones {
        let number = visible(phone.value.text().unwrap_or_default());
        check("phones", &number, LONGEST_TEXT)?;
        if !number.is_empty() && !numbers.iter().any(|known| *known == number) {
            numbers.push(number.into_owned());
        }
    }
    to.set(Attribute::PHONE_NUMBERS, Value::List(numbers));
    Ok(())
}

fn group_attributes(group: &Group<'_>, to: &mut Attributes) -> Result<(), String> {
    let user_name = address("email", group.email.as_deref())?;
    aliases(group.aliases.as_deref(), &user_name, to);
    put(to, Attribute::DESCRIPTION, group.description.as_deref())?;
    put_name(to, Attribute::DISPLAY_NAME, group.name.as_deref())?;
    to.set_text(Attribute::DOMAIN, domain(&user_name));
    to.set(Attribute::USER_NAME, Value::Text(user_name));
    Ok(())
}

/// A member of a group. Fails if it is of a kind that is not known, or has no id.
pub(super) fn member(row: &RawValue, customer: &str) -> Result<SourceMember, Error> {
    let protocol = |what: &str| Error::Protocol(format!("a member of a group {what}"));
    let member: Member = serde_json::from_str(row.get())
        .map_err(|error| protocol(&format!("makes no sense: {error}")))?;
    let kind = match member.kind.as_deref() {
        // Only users of the customer have a status.
        Some("USER") if member.status.is_some() => MemberKind::User,
        Some("USER" | "EXTERNAL") => MemberKind::External,
        Some("GROUP") => MemberKind::Group,
        Some("CUSTOMER") => MemberKind::Everyone,
        Some(other) => return Err(protocol(&format!("is of unknown type {other:.40}"))),
        None => return Err(protocol("has no type")),
    };
    let everyone = (kind == MemberKind::Everyone).then_some(customer);
    let id = member
        .id
        .as_deref()
        .or(everyone)
        .and_then(SourceId::try_new);
    Ok(SourceMember {
        kind,
        id: id.ok_or_else(|| protocol("has no usable id"))?,
        email: member.email.map(|email| fold_email(&email)),
    })
}

/// Who is suspended or archived is not active; who is known to be neither is; else it is not known.
fn active(suspended: Option<bool>, archived: Option<bool>) -> Option<bool> {
    match (suspended, archived) {
        (Some(true), _) | (_, Some(true)) => Some(false),
        (Some(false), Some(false)) => Some(true),
        _ => None,
    }
}

/// The primary address, folded.
fn address(field: &str, address: Option<&str>) -> Result<String, String> {
    let folded = fold_email(address.unwrap_or_default());
    match folded.split_once('@') {
        _ if folded.is_empty() => Err(format!("it has no {field}")),
        Some((local, domain)) if is_address(&folded, local, domain) => Ok(folded),
        _ => Err(format!("its {field} is no e-mail address")),
    }
}

fn domain(address: &str) -> Option<&str> {
    address.split_once('@').map(|(_, domain)| domain)
}

fn is_address(address: &str, local: &str, domain: &str) -> bool {
    !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && address.len() <= LONGEST_ADDRESS
        && !address.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The addresses that people gave it; those that Google makes by itself would make every run a change.
fn aliases(aliases: Option<&[Text<'_>]>, user_name: &str, to: &mut Attributes) {
    let all = aliases.unwrap_or_default().iter();
    let mut all: Vec<String> = all
        .map(|alias| fold_email(alias))
        .filter(|alias| {
            let parts = alias.split_once('@');
            parts.is_some_and(|(local, domain)| {
                is_address(alias, local, domain) && !domain.ends_with(".test-google-a.com")
            })
        })
        .filter(|alias| alias != user_name)
        .collect();
    all.sort_unstable();
    all.dedup();
    to.set(Attribute::ALIASES, Value::List(all));
}

fn put_name(to: &mut Attributes, attribute: Attribute, text: Option<&str>) -> Result<(), String> {
    put_within(to, attribute, text, LONGEST_NAME)
}

fn put(to: &mut Attributes, attribute: Attribute, text: Option<&str>) -> Result<(), String> {
    put_within(to, attribute, text, LONGEST_TEXT)
}

fn put_within(
    to: &mut Attributes,
    attribute: Attribute,
    text: Option<&str>,
    longest: usize,
) -> Result<(), String> {
    let text = visible(text.unwrap_or_default());
    check(attribute.as_str(), &text, longest)?;
    to.set(attribute, Value::Text(text.into_owned()));
    Ok(())
}

fn check(name: &str, text: &str, longest: usize) -> Result<(), String> {
    // A character takes at least a byte.
    if text.len() > longest && text.chars().nth(longest).is_some() {
        return Err(format!("its {name} is longer than {longest} characters"));
    }
    Ok(())
}

/// Without blanks around, and without the invisible spaces by which people with one name fill in the other.
fn visible(text: &str) -> Cow<'_, str> {
    let invisible = |c| matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\0');
    if !text.contains(invisible) {
        return Cow::Borrowed(text.trim());
    }
    let text: String = text.chars().filter(|c| !invisible(*c)).collect();
    Cow::Owned(text.trim().to_owned())
}

/// The item marked primary, else the first.
fn primary<'a, 'b>(items: &'b [Item<'a>]) -> Option<&'b Item<'a>> {
    items.iter().find(|item| item.primary).or(items.first())
}

/// The value of the first item of that type.
fn typed<'b>(items: &'b [Item<'_>], kind: &str) -> Option<&'b str> {
    let mut items = items.iter();
    items
        .find(|item| item.kind.text() == Some(kind))?
        .value
        .text()
}
