//! What Google sends, as far as it is asked for. Nothing is certain to be there but what is not optional.

use super::loose::{Items, Text};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A user (discovery document: `User`). The four lists of items are "any JSON" to Google too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct User<'a> {
    pub(super) id: Option<Text<'a>>,
    pub(super) primary_email: Option<Text<'a>>,
    pub(super) name: Option<Name<'a>>,
    pub(super) suspended: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) is_admin: Option<bool>,
    pub(super) org_unit_path: Option<Text<'a>>,
    pub(super) aliases: Option<Vec<Text<'a>>>,
    #[serde(default)]
    pub(super) phones: Items<'a>,
    #[serde(default)]
    pub(super) organizations: Items<'a>,
    #[serde(default)]
    pub(super) relations: Items<'a>,
    #[serde(default)]
    pub(super) external_ids: Items<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Name<'a> {
    pub(super) given_name: Option<Text<'a>>,
    pub(super) family_name: Option<Text<'a>>,
    pub(super) full_name: Option<Text<'a>>,
    pub(super) display_name: Option<Text<'a>>,
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

/// The domains of a customer.
#[derive(Debug, Deserialize)]
pub(super) struct Domains {
    #[serde(rename = "domains", default)]
    pub(super) all: Vec<Domain>,
}

/// A domain (discovery document: `Domains`).
#[derive(Debug, Deserialize)]
pub(super) struct Domain {
    #[serde(rename = "domainName")]
    pub(super) name: String,
    #[serde(rename = "isPrimary")]
    pub(super) primary: Option<bool>,
    pub(super) verified: Option<bool>,
}

/// A user or group of which only the id was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Identified {
    pub(super) id: String,
}

/// A user of whom only the customer is of interest. Groups have none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owned {
    pub(super) customer_id: Option<String>,
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
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Group<'a> {
    pub(super) id: Option<Text<'a>>,
    pub(super) email: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) description: Option<Text<'a>>,
    pub(super) aliases: Option<Vec<Text<'a>>>,
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
