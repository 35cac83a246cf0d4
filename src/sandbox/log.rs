//! What was asked of the sandbox since the log was last cleared.

use std::collections::BTreeMap;

use serde::Serialize;

/// Requests kept one by one; counts go on beyond.
const KEPT: usize = 200_000;

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Google's name of the method.
    pub id: &'static str,
    /// HTTP method.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// As sent.
    pub query: String,
    /// HTTP status; 0 if the connection was cut.
    pub status: u16,
    /// The account of the bearer token, if it was good.
    pub account: Option<String>,
    /// The agent's name.
    pub user_agent: Option<String>,
}

/// All requests.
#[derive(Debug, Default, Serialize)]
pub struct Log {
    /// One by one.
    pub requests: Vec<Entry>,
    /// By method id.
    pub counts: BTreeMap<&'static str, u64>,
    /// By method id, then by HTTP status.
    pub statuses: BTreeMap<&'static str, BTreeMap<u16, u64>>,
}

impl Log {
    /// Adds one request.
    pub fn add(&mut self, entry: Entry) {
        *self.counts.entry(entry.id).or_default() += 1;
        *self
            .statuses
            .entry(entry.id)
            .or_default()
            .entry(entry.status)
            .or_default() += 1;
        if self.requests.len() < KEPT {
            self.requests.push(entry);
        }
    }
}
