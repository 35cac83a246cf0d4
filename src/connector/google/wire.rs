//! Google's shapes, read tolerantly: a field of an unexpected type spoils its own object at most.

use crate::connector::Error;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// A page of users or groups. Rows are parsed one by one.
#[derive(Deserialize)]
pub(super) struct Listing {
    #[serde(alias = "groups", alias = "members")]
    pub(super) users: Option<Vec<Value>>,
    #[serde(rename = "nextPageToken")]
    pub(super) next_page_token: Option<String>,
}

/// The account that we act as.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Me {
    pub(super) primary_email: String,
    #[serde(default)]
    pub(super) is_admin: bool,
    #[serde(default)]
    pub(super) is_delegated_admin: bool,
    pub(super) customer_id: String,
}

/// A member of a group. An external one has no status, a CUSTOMER one no e-mail.
#[derive(Deserialize)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) email: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
}

/// Parses an answer.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    // The text of a parser's error can quote the data: only its place is told.
    serde_json::from_slice(body).map_err(|error| {
        Error::Protocol(format!(
            "not the JSON expected, at line {} column {}",
            error.line(),
            error.column()
        ))
    })
}
