//! Faults that a test asked for.
//!
//! A rule is JSON: `{"method": "directory.members.list", "path_contains": "040ew", "after": 2,
//! "times": 1, "fault": ...}`. `method` may be a beginning (`directory.`); `path_contains` looks
//! in path and query; the first `after` matching requests pass; then `times` (default 1) have the
//! fault. Of several rules that match, the first that is due acts; every one counts. The fault is
//! one of
//!
//! - `{"status": {"code": 503, "reason": "backendError", "message": "...", "domain": "global",
//!   "html": false, "retry_after": "2"}}`: refused, nothing applied (only `code` is needed)
//! - `"reset"`: the connection is cut without an answer, nothing applied
//! - `"apply_then_reset"`, `"apply_then503"`: applied, then cut, or answered 503
//! - `{"delay_ms": 100}`: answered later
//! - `"hold"`: answered as of now, but only when the rules are forgotten or replaced
//! - `"hold_then503"`: refused with 503, but only then
//! - `"repeat_last_row_on_next_page"`: the next page begins with this page's last row
//! - `"repeat_page"`: the next page is this page again, then the listing goes on
//! - `"drop_array_key"`: the page has no `users`, `groups` or `members`
//! - `"drop_row"`: the page lacks its first row
//! - `"expire_token"`: 401, and the access token has really ended
//! - `"page_token_expired"`: 400; only requests with a page token match

use serde::{Deserialize, Serialize};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;

/// An answer instead of the right one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// HTTP status.
    pub code: u16,
    /// `errors[0].reason`.
    #[serde(default)]
    pub reason: Option<String>,
    /// The message.
    #[serde(default)]
    pub message: Option<String>,
    /// `errors[0].domain`.
    #[serde(default)]
    pub domain: Option<String>,
    /// An HTML page instead of the envelope.
    #[serde(default)]
    pub html: bool,
    /// The header.
    #[serde(default)]
    pub retry_after: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Refused.
    Status(Status),
    /// Cut before anything happened.
    Reset,
    /// Cut after it was applied.
    ApplyThenReset,
    /// 503 after it was applied.
    #[serde(alias = "apply_then_503")]
    ApplyThen503,
    /// Late, by so many milliseconds.
    DelayMs(u64),
    /// See above.
    Hold,
    /// See above.
    #[serde(alias = "hold_then_503")]
    HoldThen503,
    /// See above.
    RepeatLastRowOnNextPage,
    /// See above.
    RepeatPage,
    /// See above.
    DropArrayKey,
    /// See above.
    DropRow,
    /// See above.
    ExpireToken,
    /// See above.
    PageTokenExpired,
}

/// When what goes wrong.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Method id, or its beginning.
    pub method: String,
    /// Part of path and query.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// Matching requests to let pass.
    #[serde(default)]
    pub after: u64,
    /// Requests to hit.
    #[serde(default = "once")]
    pub times: u64,
    /// What happens to them.
    pub fault: Fault,
    /// Matching requests so far.
    #[serde(default, skip_deserializing)]
    pub seen: u64,
}

fn once() -> u64 {
    1
}

impl Rule {
    fn matches(&self, method: &str, call: &Call) -> bool {
        method.starts_with(&self.method)
            && (!matches!(self.fault, Fault::PageTokenExpired)
                || call.query.given("pageToken").is_some())
            && self.path_contains.as_ref().is_none_or(|part| {
                call.path.contains(part)
                    || call.raw_query.contains(part)
                    || call.segments.contains(part)
            })
    }
}

/// All rules.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<Rule>);

impl Faults {
    /// Whether answers are held.
    pub fn hold(&self) -> bool {
        let holds = |rule: &Rule| matches!(rule.fault, Fault::Hold | Fault::HoldThen503);
        self.0.iter().any(holds)
    }

    /// The fault that one request has.
    pub fn take(&mut self, method: &str, call: &Call) -> Option<Fault> {
        let mut due = None;
        for rule in &mut self.0 {
            if !rule.matches(method, call) {
                continue;
            }
            rule.seen += 1;
            if rule.seen > rule.after && rule.seen <= rule.after + rule.times && due.is_none() {
                due = Some(rule.fault.clone());
            }
        }
        due
    }
}

impl Status {
    /// As an answer.
    pub fn reply(&self) -> Reply {
        let known = match self.code {
            401 => ("authError", "Invalid Credentials"),
            403 => ("forbidden", "Not Authorized to access this resource/api"),
            404 => ("notFound", "Resource Not Found"),
            409 => ("conflict", "Conflicting requests. Please try again."),
            412 => ("conditionNotMet", "Precondition Failed"),
            429 => (
                "rateLimitExceeded",
                "Quota exceeded for quota metric 'Queries'",
            ),
            500 => ("internalError", "Internal error encountered."),
            503 => ("backendError", "Service unavailable. Please try again"),
            501.. => ("backendError", "Backend Error"),
            _ => ("badRequest", "Bad Request"),
        };
        let reason = self.reason.as_deref().unwrap_or(known.0);
        let message = self.message.as_deref().unwrap_or(known.1);
        let reply = if self.html {
            Reply::html(
                self.code,
                format!(
                    "<!DOCTYPE html><html><title>Error {0}</title><p><b>{0}.</b> {message}</html>",
                    self.code
                ),
            )
        } else {
            let limited = reason.ends_with("LimitExceeded") || reason == "quotaExceeded";
            let domain =
                self.domain
                    .as_deref()
                    .unwrap_or(if limited { "usageLimits" } else { "global" });
            ApiError::new(self.code, reason, message)
                .domain(domain)
                .into_reply()
        };
        match &self.retry_after {
            Some(after) => reply.with("retry-after", after),
            None => reply,
        }
    }
}
