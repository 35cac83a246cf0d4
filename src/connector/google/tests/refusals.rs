//! What Google's refusals mean.

use super::super::refusal::classify;
use crate::connector::{Error, Retry, http::Call, testing::envelope};
use http::StatusCode;
use serde_json::json;
use url::Url;

fn judge(status: u16, body: &str, continued: bool) -> Error {
    let url = Url::parse("http://x/").unwrap();
    let call = Call {
        method: "m",
        url: &url,
        continued,
    };
    let status = StatusCode::from_u16(status).unwrap();
    classify(status, body.as_bytes(), &call)
}

const TABLE: &[(u16, &str, &str, &str)] = &[
    (
        401,
        "authError",
        "Invalid Credentials",
        "ACCESS_TOKEN_REFUSED",
    ),
    (401, "required", "Login Required", "ACCESS_TOKEN_REFUSED"),
    (403, "userRateLimitExceeded", "", "SYSTEM_THROTTLES"),
    (403, "rateLimitExceeded", "", "SYSTEM_THROTTLES"),
    (403, "quotaExceeded", "", "SYSTEM_THROTTLES"),
    (429, "rateLimitExceeded", "", "SYSTEM_THROTTLES"),
    (429, "anything", "", "SYSTEM_THROTTLES"),
    (403, "dailyLimitExceeded", "", "REJECTED"),
    (403, "accessNotConfigured", "", "REJECTED"),
    (403, "domainCannotUseApis", "", "REJECTED"),
    (403, "forbidden", "Not Authorized", "FORBIDDEN"),
    (
        403,
        "insufficientPermissions",
        "",
        "REAUTHORIZATION_REQUIRED",
    ),
    (400, "invalid", "Invalid Input: memberKey", "REJECTED"),
    (400, "failedPrecondition", "", "CONFLICT"),
    (404, "notFound", "Resource Not Found: userKey", "NOT_FOUND"),
    (409, "conflict", "Conflicting requests.", "CONFLICT"),
    (412, "conditionNotMet", "User is deleted.", "NOT_FOUND"),
    (
        412,
        "conditionNotMet",
        "User creation is not complete.",
        "CONFLICT",
    ),
    (412, "limitExceeded", "", "REJECTED"),
    (418, "teapot", "", "REJECTED"),
    (500, "internalError", "", "SYSTEM_UNAVAILABLE"),
    (503, "backendError", "", "SYSTEM_UNAVAILABLE"),
    (501, "notImplemented", "", "REJECTED"),
    (302, "moved", "", "PROTOCOL"),
];

#[test]
fn the_reason_decides_as_the_reference_says() {
    for (status, reason, message, code) in TABLE {
        let body = envelope(*status, reason, message).to_string();
        let error = judge(*status, &body, false);
        assert_eq!(
            error.code(),
            *code,
            "{status} {reason} {message}: {error:?}"
        );
    }
}

#[test]
fn without_errors_the_details_and_the_status_tell() {
    let body = |status, details| {
        json!({"error": {"code": 403, "message": "No.", "status": status, "details": details}})
            .to_string()
    };
    let scopes = json!([{"@type": "x"}, {"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]);
    let error = judge(403, &body("PERMISSION_DENIED", scopes), false);
    assert!(matches!(error, Error::ConsentLost(_)));
    let off = json!([{"reason": "SERVICE_DISABLED"}]);
    let error = judge(403, &body("PERMISSION_DENIED", off), false);
    assert!(matches!(error, Error::Rejected(_)));
    let error = judge(403, &body("PERMISSION_DENIED", json!(null)), false);
    assert!(matches!(error, Error::Forbidden(_)));
    let error = judge(403, &body("RESOURCE_EXHAUSTED", json!([])), false);
    assert!(matches!(error, Error::Throttled { .. }));
}

#[test]
fn pages_and_plain_text_are_understood_too() {
    let error = judge(403, "Request rate higher than configured.", false);
    assert!(matches!(error, Error::Throttled { .. }));
    for status in [502, 503, 504, 403] {
        let error = judge(status, "<!DOCTYPE html><title>Error</title>", false);
        let text = format!("m: {status} a page instead of an answer");
        assert_eq!(error, Error::Unavailable(text));
    }
    let error = judge(500, r#"{"error": "internal_failure"}"#, false);
    assert_eq!(
        error,
        Error::Unavailable("m: 500 internal_failure".to_owned())
    );
    assert_eq!(
        judge(503, "", false),
        Error::Unavailable("m: 503".to_owned())
    );
}

#[test]
fn a_404_that_is_not_googles_proves_nothing() {
    for body in [
        "",
        "<html>Not Found</html>",
        "Not Found",
        "{}",
        r#"{"error":"nope"}"#,
    ] {
        let error = judge(404, body, false);
        assert!(matches!(error, Error::Protocol(_)), "{body}: {error:?}");
    }
}

#[test]
fn a_bad_request_in_mid_listing_is_a_lost_place() {
    let body = envelope(400, "invalid", "Invalid Input: pageToken").to_string();
    assert!(matches!(judge(400, &body, true), Error::CursorLost(_)));
    assert!(matches!(judge(400, &body, false), Error::Rejected(_)));
    let later = envelope(400, "failedPrecondition", "Precondition check failed.").to_string();
    assert_ne!(judge(400, &later, true).retry(), Retry::Never);
}

#[test]
fn long_texts_are_cut_and_kept_on_one_line() {
    let message = format!("a\r\nb\u{1b}[31m {}", "ü".repeat(1000));
    let error = judge(400, &envelope(400, "invalid", &message).to_string(), false);
    let Error::Rejected(text) = error else {
        panic!("{error:?}");
    };
    assert!(text.starts_with("m: 400 invalid a b [31m ü"));
    assert!(text.chars().count() < 320 && !text.contains(char::is_control));
}
