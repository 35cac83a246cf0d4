//! An HTTP answer that is no success becomes an [`Error`]: once, here. By reason, not by domain: `usageLimits` holds
//! both throttling and "API not enabled" (Google: "Resolve errors", and what clients have met in the field).

use super::Error;
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize, Default)]
struct Envelope {
    #[serde(default)]
    error: Body,
}

#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    errors: Vec<Detail>,
    #[serde(default)]
    details: Vec<Info>,
}

#[derive(Deserialize, Default)]
struct Detail {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize, Default)]
struct Info {
    #[serde(default)]
    reason: String,
}

/// Classifies an answer by status, `Retry-After` (seconds) and body, which may also be HTML or plain text.
pub(super) fn of(status: u16, retry_after: Option<&str>, body: &[u8]) -> Error {
    let envelope: Envelope = serde_json::from_slice(body).unwrap_or_default();
    let error = envelope.error;
    let first = error.errors.into_iter().next().unwrap_or_default();
    let info = error
        .details
        .into_iter()
        .map(|info| info.reason)
        .find(|reason| !reason.is_empty());
    let reason = [first.reason, info.unwrap_or_default(), error.status]
        .into_iter()
        .find(|r| !r.is_empty())
        .unwrap_or_default();
    let message = [error.message, first.message, plain(body)]
        .into_iter()
        .find(|m| !m.is_empty())
        .unwrap_or_default();
    let text = format!("{status} {reason}: {}", shortened(&message));
    let after = retry_after
        .and_then(|value| value.trim().parse().ok())
        .map(Duration::from_secs);
    decide(status, &reason, &message, after, text)
}

fn decide(
    status: u16,
    reason: &str,
    message: &str,
    after: Option<Duration>,
    text: String,
) -> Error {
    let throttled = matches!(
        reason,
        "userRateLimitExceeded"
            | "rateLimitExceeded"
            | "quotaExceeded"
            | "RATE_LIMIT_EXCEEDED"
            | "RESOURCE_EXHAUSTED"
    );
    match status {
        401 => Error::Unauthorized(text),
        403 if throttled || message.starts_with("Request rate higher than configured") => {
            Error::Throttled { after, text }
        }
        429 => Error::Throttled { after, text },
        403 => Error::Forbidden(text),
        404 | 410 => Error::NotFound(text),
        408 | 500 | 502 | 504 => Error::Unavailable(text),
        503 if after.is_some() => Error::Throttled { after, text },
        503 => Error::Unavailable(text),
        409 if reason == "conflict" || reason == "ABORTED" => Error::Conflict(text),
        412 if message.contains("User is deleted") => Error::NotFound(text),
        412 if message.contains("User creation is not complete") => Error::Conflict(text),
        _ => Error::Rejected(text),
    }
}

/// The beginning of a body that is text and not markup.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(400)).unwrap_or_default())
        .trim()
        .to_owned();
    if text.starts_with('<') || text.starts_with('{') {
        String::new()
    } else {
        text
    }
}

fn shortened(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(code: u16, reason: &str, message: &str) -> Vec<u8> {
        format!(
            r#"{{"error":{{"code":{code},"message":"{message}","errors":[{{"message":"{message}","domain":"usageLimits","reason":"{reason}"}}]}}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn every_row_of_the_table_of_errors_gets_its_class() {
        let table: &[(u16, &str, &str, &str)] = &[
            (
                401,
                "authError",
                "Invalid Credentials",
                "ACCESS_TOKEN_REFUSED",
            ),
            (403, "userRateLimitExceeded", "x", "SYSTEM_THROTTLES"),
            (403, "rateLimitExceeded", "x", "SYSTEM_THROTTLES"),
            (403, "quotaExceeded", "x", "SYSTEM_THROTTLES"),
            (
                403,
                "",
                "Request rate higher than configured.",
                "SYSTEM_THROTTLES",
            ),
            (429, "rateLimitExceeded", "x", "SYSTEM_THROTTLES"),
            (403, "dailyLimitExceeded", "x", "FORBIDDEN"),
            (
                403,
                "forbidden",
                "Not Authorized to access this resource/api",
                "FORBIDDEN",
            ),
            (403, "insufficientPermissions", "x", "FORBIDDEN"),
            (
                403,
                "accessNotConfigured",
                "Admin SDK API has not been used",
                "FORBIDDEN",
            ),
            (400, "invalid", "Invalid Input: memberKey", "REJECTED"),
            (404, "notFound", "Resource Not Found: userKey", "NOT_FOUND"),
            (
                409,
                "conflict",
                "Conflicting requests. Please try again.",
                "CONFLICT",
            ),
            (409, "duplicate", "Entity already exists.", "REJECTED"),
            (412, "conditionNotMet", "User is deleted.", "NOT_FOUND"),
            (
                412,
                "conditionNotMet",
                "User creation is not complete.",
                "CONFLICT",
            ),
            (
                412,
                "limitExceeded",
                "Domain user limit reached.",
                "REJECTED",
            ),
            (500, "backendError", "Backend Error", "SYSTEM_UNAVAILABLE"),
            (502, "", "", "SYSTEM_UNAVAILABLE"),
            (
                503,
                "backendError",
                "Service unavailable.",
                "SYSTEM_UNAVAILABLE",
            ),
            (504, "", "", "SYSTEM_UNAVAILABLE"),
            (501, "notImplemented", "", "REJECTED"),
        ];
        for (status, reason, message, code) in table {
            assert_eq!(
                of(*status, None, &json(*status, reason, message)).code(),
                *code,
                "{status} {reason}"
            );
        }
    }

    #[test]
    fn an_html_body_is_no_obstacle_and_not_repeated() {
        let error = of(502, None, b"<html><title>Bad Gateway</title></html>");
        assert_eq!(error, Error::Unavailable("502 : ".to_owned()));
    }

    #[test]
    fn without_the_list_of_errors_the_status_decides() {
        let body = br#"{"error":{"code":403,"message":"m","status":"RESOURCE_EXHAUSTED"}}"#;
        assert_eq!(
            of(403, Some("7"), body).retry(),
            super::super::Retry::After(Duration::from_secs(7))
        );
    }
}
