//! One request as the handlers see it: read whole, decoded once.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;

use super::error::ApiError;

/// Names and values in order, decoded.
#[derive(Debug, Clone, Default)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// Reads `application/x-www-form-urlencoded` text.
    pub fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a name, unless it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether a name is there with the value `true`.
    pub fn truthy(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// After `X-HTTP-Method-Override`.
    pub verb: Method,
    /// As sent, without the query.
    pub path: String,
    /// The path's parts, decoded.
    pub segments: Vec<String>,
    /// The query, decoded.
    pub query: Pairs,
    /// The query as sent.
    pub raw_query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Call {
    /// Decodes one request.
    pub fn new(verb: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let verb = match headers.get("x-http-method-override") {
            Some(other) if verb == Method::POST => {
                Method::from_bytes(other.as_bytes()).unwrap_or(verb)
            }
            _ => verb,
        };
        let raw_query = uri.query().unwrap_or_default().to_owned();
        Self {
            verb,
            path: uri.path().to_owned(),
            segments: uri.path().split('/').skip(1).map(decode_segment).collect(),
            query: Pairs::parse(raw_query.as_bytes()),
            raw_query,
            headers,
            body,
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The bearer token, from the header or the query parameters Google knows.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")
            .and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            })
            .or_else(|| self.query.given("access_token"))
            .or_else(|| self.query.given("oauth_token"))
    }

    /// The body as form fields.
    pub fn form(&self) -> Pairs {
        Pairs::parse(&self.body)
    }

    /// The body as a JSON object; empty counts as `{}`.
    pub fn json(&self) -> Result<serde_json::Map<String, Value>, ApiError> {
        if self.body.is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(ApiError::new(400, "parseError", "Parse Error").status("INVALID_ARGUMENT")),
        }
    }
}

/// Undoes percent-encoding; a plus sign in a path is a plus sign.
fn decode_segment(segment: &str) -> String {
    let plus_kept = segment.replace('+', "%2B");
    // The form parser decodes percent signs as paths do; only its separators must be hidden.
    let hidden = plus_kept.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(hidden.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}
