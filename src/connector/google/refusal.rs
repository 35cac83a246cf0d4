//! What Google's refusals mean.

use crate::connector::{Error, http::Call};
use http::StatusCode;
use serde_json::Value;

/// Longest text that is taken over from a refusal, in characters.
const LONGEST: usize = 300;

const RATE: &[&str] = &[
    "userRateLimitExceeded",
    "rateLimitExceeded",
    "quotaExceeded",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
];
/// Google's `usageLimits` domain holds some of these beside the rates: only the reason tells.
const SETUP: &[&str] = &[
    "accessNotConfigured",
    "SERVICE_DISABLED",
    "dailyLimitExceeded",
    "domainCannotUseApis",
];
const SCOPES: &[&str] = &["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"];
const NOT_YET: &[&str] = &["failedPrecondition", "FAILED_PRECONDITION"];

/// Google's error envelope, as far as it is there: `errors`, `status` and `details` may each be missing, and a proxy on
/// the way answers HTML or plain text.
#[derive(Debug, Default)]
struct Refusal {
    /// Whether there is an envelope.
    envelope: bool,
    /// From the most to the least exact.
    reasons: Vec<String>,
    message: String,
}

impl Refusal {
    fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
            let text = String::from_utf8_lossy(body);
            let page = text.trim_start().starts_with('<');
            let message = if page {
                "a page instead of an answer".to_owned()
            } else {
                text.into_owned()
            };
            return Self {
                message,
                ..Self::default()
            };
        };
        let Some(error) = answer.get("error") else {
            return Self::default();
        };
        let mut reasons = Vec::new();
        for list in ["errors", "details"] {
            let items = error.get(list).and_then(Value::as_array);
            let items = items.map(Vec::as_slice).unwrap_or_default();
            let found = items.iter().filter_map(|item| item.get("reason"));
            reasons.extend(found.filter_map(Value::as_str).map(str::to_owned));
        }
        let status = error.get("status").and_then(Value::as_str);
        reasons.extend(status.map(str::to_owned));
        let message = error.get("message").or(Some(error));
        let message = message.and_then(Value::as_str).unwrap_or_default();
        Self {
            envelope: error.is_object(),
            reasons,
            message: message.to_owned(),
        }
    }

    fn is(&self, any: &[&str]) -> bool {
        self.reasons.iter().any(|r| any.contains(&r.as_str()))
    }

    fn says(&self, text: &str) -> bool {
        self.message
            .to_ascii_lowercase()
            .contains(&text.to_ascii_lowercase())
    }

    /// On one line.
    fn text(&self, status: StatusCode) -> String {
        let mut text = status.as_u16().to_string();
        for part in self.reasons.first().into_iter().chain([&self.message]) {
            let words = part.split(|c: char| c.is_whitespace() || c.is_control());
            for word in words.filter(|word| !word.is_empty()) {
                text.push(' ');
                text.push_str(word);
            }
        }
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }
}

/// Decides on the reason, never on the domain.
pub(super) fn classify(status: StatusCode, body: &[u8], call: &Call<'_>) -> Error {
    let refusal = Refusal::read(body);
    let text = format!("{}: {}", call.method, refusal.text(status));
    let throttled = |text| Error::Throttled { after: None, text };
    match status.as_u16() {
        401 => Error::Unauthorized(text),
        429 => throttled(text),
        403 if refusal.is(RATE) || refusal.says("request rate higher than configured") => {
            throttled(text)
        }
        403 => forbidden(&refusal, text),
        // Anything else that answers 404, such as a proxy, proves nothing about the object.
        404 if refusal.envelope => Error::NotFound(text),
        404 => Error::Protocol(text),
        409 => Error::Conflict(text),
        412 if refusal.says("user is deleted") => Error::NotFound(text),
        412 if refusal.says("creation is not complete") => Error::Conflict(text),
        // Google's listings answer this at times and mean later.
        400 if refusal.is(NOT_YET) => Error::Conflict(text),
        400 | 410 if call.continued => Error::CursorLost(text),
        408 | 500 | 502..=599 => Error::Unavailable(text),
        400..=499 | 501 => Error::Rejected(text),
        _ => Error::Protocol(text),
    }
}

fn forbidden(refusal: &Refusal, text: String) -> Error {
    if refusal.is(SCOPES) || refusal.says("insufficient authentication scopes") {
        Error::ConsentLost(text)
    } else if refusal.is(SETUP) {
        Error::Rejected(text)
    } else if refusal.envelope {
        Error::Forbidden(text)
    } else {
        Error::Unavailable(text)
    }
}
