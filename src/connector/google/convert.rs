//! Google's users, groups and members as objects by canonical (SCIM) name.

use super::wire;
use crate::{
    connector::{Error, MemberKind, SourceMember},
    model::{Attribute, Attributes, Kind, Object, SourceId, Value as Held, fold_email},
};
use email_address::EmailAddress;
use serde_json::Value;
use std::str::FromStr;

/// Longest text taken over, in characters. Google allows 60 for the parts of a name.
const LONGEST: usize = 256;
/// Longest description of a group that is taken over; Google allows 4,096.
const LONGEST_DESCRIPTION: usize = 2048;

/// A row of a listing, or the answer to a direct question. Without an id nothing can be said about a row, not even that
/// it is bad: the answer is refused. Anything else that makes no sense is the object's own defect.
pub(super) fn object(kind: Kind, row: &Value) -> Result<Object, Error> {
    let id = row
        .get("id")
        .and_then(Value::as_str)
        .and_then(SourceId::try_new);
    let id = id.ok_or_else(|| Error::Protocol(format!("a {kind} without an id")))?;
    let read = Reader { row };
    let mut defects = Vec::new();
    let attributes = match kind {
        Kind::User => user(&read, &mut defects),
        Kind::Group => group(&read, &mut defects),
    };
    let member_count = row.get("directMembersCount").and_then(count);
    let defect = (!defects.is_empty()).then(|| defects.join("; "));
    Ok(Object {
        kind,
        id,
        attributes,
        member_count,
        defect,
    })
}

/// Google sends 64-bit numbers as strings.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn user(read: &Reader<'_>, defects: &mut Vec<String>) -> Attributes {
    let mut a = Attributes::default();
    address(&mut a, read, "primaryEmail", defects);
    for (attribute, field) in [
        (Attribute::GIVEN_NAME, "givenName"),
        (Attribute::FAMILY_NAME, "familyName"),
        (Attribute::DISPLAY_NAME, "fullName"),
    ] {
        read.text(&mut a, attribute, &["name", field], LONGEST, defects);
    }
    if let Some(active) = read.active(defects) {
        a.set(Attribute::ACTIVE, Held::Bool(active));
    }
    if let Some(admin) = read.row.get("isAdmin").and_then(Value::as_bool) {
        a.set(Attribute::ADMIN, Held::Bool(admin));
    }
    read.text(
        &mut a,
        Attribute::ORG_UNIT,
        &["orgUnitPath"],
        LONGEST,
        defects,
    );
    aliases(&mut a, read);
    let phones = read
        .entries("phones")
        .filter_map(|phone| clean(phone.get("value")?.as_str()?));
    a.set(Attribute::PHONE_NUMBERS, Held::List(phones.collect()));
    if let Some(job) = primary(read.entries("organizations")) {
        let parts = [
            (Attribute::TITLE, "title"),
            (Attribute::DEPARTMENT, "department"),
            (Attribute::ORGANIZATION, "name"),
            (Attribute::COST_CENTER, "costCenter"),
        ];
        let job = Reader { row: job };
        parts
            .into_iter()
            .for_each(|(attribute, field)| job.text(&mut a, attribute, &[field], LONGEST, defects));
    }
    let typed = |field: &str, wanted: &str| {
        let entry = read
            .entries(field)
            .find(|entry| entry.get("type").and_then(Value::as_str) == Some(wanted));
        entry.and_then(|entry| clean(entry.get("value")?.as_str()?))
    };
    a.set_text(
        Attribute::MANAGER,
        typed("relations", "manager")
            .map(|address| fold_email(&address))
            .as_deref(),
    );
    a.set_text(
        Attribute::EMPLOYEE_NUMBER,
        typed("externalIds", "organization").as_deref(),
    );
    a
}

fn group(read: &Reader<'_>, defects: &mut Vec<String>) -> Attributes {
    let mut a = Attributes::default();
    address(&mut a, read, "email", defects);
    read.text(&mut a, Attribute::DISPLAY_NAME, &["name"], LONGEST, defects);
    read.text(
        &mut a,
        Attribute::DESCRIPTION,
        &["description"],
        LONGEST_DESCRIPTION,
        defects,
    );
    aliases(&mut a, read);
    a
}

/// The primary address and its domain.
fn address(a: &mut Attributes, read: &Reader<'_>, field: &str, defects: &mut Vec<String>) {
    let Some(email) = read.row.get(field).and_then(Value::as_str).and_then(clean) else {
        defects.push(format!("{field} is missing"));
        return;
    };
    let email = fold_email(&email);
    if email.len() > 254 || EmailAddress::from_str(&email).is_err() {
        defects.push(format!("{field} is no e-mail address"));
    }
    a.set_text(
        Attribute::DOMAIN,
        email.rsplit_once('@').map(|(_, domain)| domain),
    );
    a.set_text(Attribute::USER_NAME, Some(&email));
}

/// Other addresses that people gave it. `nonEditableAliases` and `emails` repeat them in forms that Google derives, and
/// `.test-google-a.com` forms: taking those over would make every run a change.
fn aliases(a: &mut Attributes, read: &Reader<'_>) {
    let mut all: Vec<String> = read
        .entries("aliases")
        .filter_map(Value::as_str)
        .map(fold_email)
        .collect();
    all.sort();
    all.dedup();
    a.set(Attribute::ALIASES, Held::List(all));
}

/// The entry marked as primary, else the first.
fn primary<'a>(mut entries: impl Iterator<Item = &'a Value>) -> Option<&'a Value> {
    let first = entries.next()?;
    let is_primary = |entry: &&Value| entry.get("primary").and_then(Value::as_bool) == Some(true);
    Some(
        std::iter::once(first)
            .chain(entries)
            .find(is_primary)
            .unwrap_or(first),
    )
}

struct Reader<'a> {
    row: &'a Value,
}

impl<'a> Reader<'a> {
    /// The entries of an array; none if it is no array.
    fn entries(&self, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.row
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    fn text(
        &self,
        a: &mut Attributes,
        to: Attribute,
        path: &[&str],
        longest: usize,
        defects: &mut Vec<String>,
    ) {
        let found = path.iter().try_fold(self.row, |row, field| row.get(field));
        let text = match found {
            None | Some(Value::Null) => return,
            Some(Value::String(text)) => text,
            Some(_) => return defects.push(format!("{} is no text", path.join("."))),
        };
        if text.chars().count() > longest {
            return defects.push(format!(
                "{} is longer than {longest} characters",
                path.join(".")
            ));
        }
        a.set_text(to, clean(text).as_deref());
    }

    /// Neither suspended nor archived. What Google does not tell is unknown, never "no".
    fn active(&self, defects: &mut Vec<String>) -> Option<bool> {
        let mut flag = |field: &str| match self.row.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(yes)) => Some(*yes),
            Some(_) => {
                defects.push(format!("{field} is neither true nor false"));
                None
            }
        };
        match (flag("suspended"), flag("archived")) {
            (Some(true), _) | (_, Some(true)) => Some(false),
            (Some(false), _) => Some(true),
            (None, _) => None,
        }
    }
}

/// A text without blanks around it; none if nothing is left. Users with one name carry a zero-width space as the other.
fn clean(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}')
    });
    (!text.is_empty()).then(|| text.to_owned())
}

/// A row of a listing of members.
pub(super) fn member(row: Value) -> Result<SourceMember, Error> {
    let row: wire::Member = serde_json::from_value(row)
        .map_err(|_| Error::Protocol("a member that makes no sense".to_owned()))?;
    let id = SourceId::try_new(&row.id)
        .ok_or_else(|| Error::Protocol("a member without an id".to_owned()))?;
    let kind = match (row.kind.as_deref(), &row.status) {
        (Some("CUSTOMER"), _) => MemberKind::Everyone,
        (Some("GROUP"), _) => MemberKind::Group,
        (Some("EXTERNAL"), _) | (Some("USER") | None, None) => MemberKind::External,
        (Some("USER") | None, Some(_)) => MemberKind::User,
        (Some(other), _) => {
            return Err(Error::Protocol(format!(
                "a member of the unknown type {other}"
            )));
        }
    };
    Ok(SourceMember {
        kind,
        id,
        email: row.email.as_deref().map(fold_email),
    })
}

#[cfg(test)]
mod tests;
