//! What Google sends, as far as it is asked for. Nothing is certain to be there but what is not optional.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A user (discovery document: `User`). The four of type `Value` are "any JSON" to Google too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: Option<String>,
    pub(super) primary_email: Option<String>,
    pub(super) name: Option<Name>,
    pub(super) suspended: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) is_admin: Option<bool>,
    pub(super) org_unit_path: Option<String>,
    pub(super) aliases: Option<Vec<String>>,
    pub(super) phones: Option<Value>,
    pub(super) organizations: Option<Value>,
    pub(super) relations: Option<Value>,
    pub(super) external_ids: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Name {
    pub(super) given_name: Option<String>,
    pub(super) family_name: Option<String>,
    pub(super) full_name: Option<String>,
    pub(super) display_name: Option<String>,
}

/// The organizational units of a customer.
#[derive(Debug, Deserialize)]
pub(super) struct Units {
    #[serde(rename = "organizationUnits", default)]
    pub(super) all: Vec<Unit>,
}

/// An organizational unit.
#[derive(Debug, Deserialize)]
pub(super) struct Unit {
    #[serde(rename = "orgUnitId")]
    pub(super) id: String,
    #[serde(rename = "orgUnitPath")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) name: String,
}

/// A user or group of which only the id was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Identified {
    pub(super) id: String,
}

/// A user as asked for to learn who we are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    pub(super) primary_email: String,
    pub(super) customer_id: String,
    pub(super) is_admin: Option<bool>,
    pub(super) is_delegated_admin: Option<bool>,
}

/// A group (discovery document: `Group`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) aliases: Option<Vec<String>>,
    #[serde(default, deserialize_with = "count")]
    pub(super) direct_members_count: Option<u64>,
}

/// A member of a group (discovery document: `Member`).
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) id: Option<String>,
    pub(super) email: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
}

/// Google writes 64-bit numbers as strings. What is neither is unknown.
fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    })
}
