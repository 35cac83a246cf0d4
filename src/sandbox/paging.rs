//! Page tokens: opaque, bound to their query and account, good for three days.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::ApiError;
use super::faults::Fault;
use super::fields::Mask;
use super::wire::{Id, etag};

const VALID_MILLIS: i64 = 3 * 24 * 3600 * 1000;
/// Parameters that may differ from page to page.
const FREE: &[&str] = &[
    "pageToken",
    "maxResults",
    "fields",
    "prettyPrint",
    "quotaUser",
    "alt",
    "key",
    "access_token",
    "oauth_token",
];

#[derive(Debug, Serialize, Deserialize)]
struct Token {
    query: String,
    after: Option<String>,
    inclusive: bool,
    at: i64,
    round: u8,
}

/// Which page is asked for, and how the answer goes on.
#[derive(Debug)]
pub struct Paging {
    /// Rows at most.
    pub limit: usize,
    /// The listing goes on behind this place.
    pub after: Option<String>,
    /// Or with it.
    pub inclusive: bool,
    query: String,
    key: [u8; 32],
    now: i64,
    round: u8,
    fault: Option<Fault>,
}

/// The rows of one page and the token of the next.
#[derive(Debug)]
pub struct Page<T> {
    /// In order.
    pub rows: Vec<T>,
    /// None at the end.
    pub next: Option<String>,
    hidden: bool,
}

impl Paging {
    /// Reads the page token.
    ///
    /// # Errors
    /// 400 for a token that is not ours, of another query, or too old.
    pub fn read(
        call: &Call,
        account: &str,
        limit: usize,
        key: [u8; 32],
        now: i64,
        fault: Option<Fault>,
    ) -> Result<Self, ApiError> {
        let mut bound: Vec<_> = call
            .query
            .0
            .iter()
            .filter(|(name, _)| !FREE.contains(&name.as_str()))
            .collect();
        bound.sort();
        let query = blake3::hash(format!("{account}\n{}\n{bound:?}", call.path).as_bytes())
            .to_hex()
            .to_string();
        let mut paging = Self {
            limit,
            after: None,
            inclusive: false,
            query,
            key,
            now,
            round: 0,
            fault,
        };
        if let Some(token) = call.query.given("pageToken") {
            let token = paging.open(token).ok_or_else(bad_token)?;
            if token.query != paging.query || now - token.at > VALID_MILLIS {
                return Err(bad_token());
            }
            paging.after = token.after;
            paging.inclusive = token.inclusive;
            paging.round = token.round;
        }
        Ok(paging)
    }

    fn open(&self, token: &str) -> Option<Token> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, text) = bytes.split_at_checked(16)?;
        (blake3::keyed_hash(&self.key, text).as_bytes()[..16] == *mac).then_some(())?;
        serde_json::from_slice(text).ok()
    }

    fn token(&self, after: Option<String>, inclusive: bool, round: u8) -> String {
        let token = json!(Token {
            query: self.query.clone(),
            after,
            inclusive,
            at: self.now,
            round,
        })
        .to_string();
        let mut bytes = blake3::keyed_hash(&self.key, token.as_bytes()).as_bytes()[..16].to_vec();
        bytes.extend(token.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Where a listing in ascending order begins.
    pub fn from(&self) -> std::ops::Bound<&str> {
        match &self.after {
            None => std::ops::Bound::Unbounded,
            Some(place) if self.inclusive => std::ops::Bound::Included(place),
            Some(place) => std::ops::Bound::Excluded(place),
        }
    }

    /// Whether a place is on this page or a later one of a listing that is sorted anew each time.
    pub fn passes(&self, place: &str, descending: bool) -> bool {
        let Some(after) = self.after.as_deref() else {
            return true;
        };
        match place.cmp(after) {
            std::cmp::Ordering::Equal => self.inclusive,
            order => order.is_gt() != descending,
        }
    }

    /// Takes one page from rows that begin where it begins.
    pub fn cut<T>(&self, rows: impl Iterator<Item = (Id, T)>) -> Page<T> {
        let mut rows = rows;
        let mut taken = Vec::new();
        let mut last = None;
        for (place, row) in rows.by_ref().take(self.limit) {
            last = Some(place);
            taken.push(row);
        }
        let more = taken.len() == self.limit && rows.next().is_some();
        let mut next = match &last {
            Some(place) if more => Some(self.token(Some(place.to_string()), false, 0)),
            _ => None,
        };
        match &self.fault {
            Some(Fault::RepeatPage) => {
                next = Some(self.token(self.after.clone(), self.inclusive, self.round + 1));
            }
            Some(Fault::RepeatLastRowOnNextPage) if more => {
                next = last.map(|place| self.token(Some(place.to_string()), true, 0));
            }
            Some(Fault::DropRow) if !taken.is_empty() => {
                taken.remove(0);
            }
            _ => {}
        }
        Page {
            rows: taken,
            next,
            hidden: matches!(self.fault, Some(Fault::DropArrayKey)),
        }
    }
}

/// 400 for a page token that can't be used.
pub fn bad_token() -> ApiError {
    ApiError::invalid("Invalid Input: pageToken").at("pageToken", "parameter")
}

impl<T> Page<T> {
    /// The same page with other rows.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(change).collect(),
            next: self.next,
            hidden: self.hidden,
        }
    }
}

impl Page<Value> {
    /// The list resource; without rows, Google omits the array.
    pub fn show(self, kind: &str, array: &str, revision: u64, mask: &Mask) -> Value {
        let mut map = Map::new();
        mask.put(&mut map, "kind", || json!(kind));
        mask.put(&mut map, "etag", || {
            json!(etag(kind, self.next.as_deref().unwrap_or("end"), revision))
        });
        if !self.rows.is_empty() && !self.hidden && mask.get(array).is_some() {
            map.insert(array.to_owned(), Value::Array(self.rows));
        }
        if let Some(next) = self.next {
            mask.put(&mut map, "nextPageToken", || json!(next));
        }
        Value::Object(map)
    }
}
