//! What is stored, as messages: private structs and their conversions from and to the model.
//!
//! Owns the stored form of every row: numbers of fields and codes are never used again for something else, and golden tests
//! pin the bytes. Uses the model and prost. Deliberately knows no table and no key.
//!
//! Every conversion takes the model's struct apart completely, so that a new field does not get lost: it breaks the build here.

mod backup;
mod change;
mod entity;
mod event;
mod integration;
mod link;
mod packed;
mod request;
mod rule;
mod run;
mod value;

#[cfg(test)]
mod golden;

pub(super) use backup::{BackupEndRow, BackupHeadRow};
pub(super) use change::{ChangeRow, ChangesRow};
pub(super) use entity::{DeletedRow, EmailRow, EntityRow};
pub(super) use event::{ChangesRef, ChunkRef, EventRow, Subject};
pub(super) use integration::{CustomerRow, IntegrationRow, MetaRow, PendingRow, SealedRow};
pub(super) use link::LinkRow;
pub(super) use packed::{
    MemberRow, PackedItem, PackedRow, RememberedRow, member, member_key, origins, remembered,
};
pub(super) use request::RequestRow;
pub(super) use rule::RuleRow;
pub(super) use run::{RunRow, RunStateRow};
pub(super) use value::Moment;

use super::{Error, keys};
use crate::model::{
    Attribute, EntityId, IntegrationId, InvalidId, Kind, RuleId, RunId, SourceId, Uid,
};
use std::sync::LazyLock;

/// Codes of an enumeration: 0 is never one of them, so that a missing field is noticed.
macro_rules! codes {
    ($type:ty, $to:ident, $from:ident, $($variant:ident = $code:literal),* $(,)?) => {
        pub(super) fn $to(value: $type) -> u32 {
            match value { $(<$type>::$variant => $code,)* }
        }
        pub(super) fn $from(code: u32) -> Result<$type, Error> {
            match code {
                $($code => Ok(<$type>::$variant),)*
                _ => Err(Error::unreadable(concat!("a code of ", stringify!($type)))),
            }
        }
    };
}
use codes;

codes!(Kind, kind_code, kind_of, User = 1, Group = 2);

fn id<T>(packed: &[u8], make: fn(&str) -> Result<T, InvalidId>) -> Result<T, Error> {
    make(&keys::unpack(packed)?).map_err(|_| Error::unreadable("an id"))
}

/// An id that may be absent: absent is the empty text.
fn optional<T>(packed: &[u8], make: fn(&[u8]) -> Result<T, Error>) -> Result<Option<T>, Error> {
    if packed.is_empty() {
        Ok(None)
    } else {
        make(packed).map(Some)
    }
}

fn integration_id(packed: &[u8]) -> Result<IntegrationId, Error> {
    id(packed, IntegrationId::try_new)
}

fn rule_id(packed: &[u8]) -> Result<RuleId, Error> {
    id(packed, RuleId::try_new)
}

fn run_id(packed: &[u8]) -> Result<RunId, Error> {
    id(packed, RunId::try_new)
}

fn entity_id(packed: &[u8]) -> Result<EntityId, Error> {
    id(packed, EntityId::try_new)
}

fn uid(bytes: &[u8]) -> Result<Uid, Error> {
    uuid::Uuid::from_slice(bytes)
        .map(Uid)
        .map_err(|_| Error::unreadable("a uid"))
}

fn source_id(text: &str) -> Result<SourceId, Error> {
    SourceId::try_new(text).ok_or_else(|| Error::unreadable("a source id"))
}

fn present<T>(value: Option<T>, what: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::unreadable(what))
}

/// Code of the primary address.
const USER_NAME: u32 = 1;

/// Names of attributes by code (place + 1): only ever added to at the end.
const ATTRIBUTES: &[&str] = &[
    "userName",
    "name.givenName",
    "name.familyName",
    "displayName",
    "active",
    "aliases",
    "phoneNumbers",
    "title",
    "department",
    "organization",
    "costCenter",
    "employeeNumber",
    "manager",
    "description",
    "orgUnit",
    "isAdmin",
    "domain",
    "members",
    "groups",
];

/// The attributes of those names, in their order.
static BY_CODE: LazyLock<Vec<Attribute>> = LazyLock::new(|| {
    let names = ATTRIBUTES.iter();
    names.map(|name| Attribute::new(name)).collect()
});

/// Codes by the place among known attributes.
static CODES: LazyLock<Vec<u32>> = LazyLock::new(|| Attribute::known().map(|a| code(&a)).collect());

/// The code of an attribute; 0 = it has none.
fn code(attribute: &Attribute) -> u32 {
    let codes = (1..).zip(ATTRIBUTES);
    let mut found = codes.filter(|(_, name)| **name == attribute.as_str());
    found.next().map_or(0, |(code, _)| code)
}

/// The name of an attribute: a code where it has one, else the text.
fn name_row(attribute: &Attribute) -> (u32, String) {
    let known = attribute.place().and_then(|place| CODES.get(place));
    match known.copied().unwrap_or_else(|| code(attribute)) {
        0 => (0, attribute.as_str().to_owned()),
        code => (code, String::new()),
    }
}

fn attribute(code: u32, name: &str) -> Result<Attribute, Error> {
    match usize::try_from(code).ok().and_then(|c| c.checked_sub(1)) {
        None => Ok(Attribute::new(name)),
        Some(place) => BY_CODE
            .get(place)
            .cloned()
            .ok_or_else(|| Error::unreadable("the code of an attribute")),
    }
}
