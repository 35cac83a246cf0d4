//! What tests do to the sandbox behind Google's back; the table of requests is in `sandbox`.
//!
//! **Owns** nothing. **May use** everything of the sandbox. **Deliberately does not** add latency,
//! faults or log entries: it isn't Google. A wrong request is answered 400 with a text.

mod data;
mod plant;
mod settings;

use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::state::State;

/// Answers a control request.
pub fn answer(state: &mut State, call: &Call) -> Reply {
    let segments: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
    let result = match (call.verb.as_str(), segments.as_slice()) {
        ("GET", ["state"]) => data::state(state, call),
        ("GET", ["requests"]) => Ok(json!(state.log)),
        ("DELETE", ["requests"]) => {
            state.log = super::log::Log::default();
            Ok(json!({}))
        }
        ("POST", ["faults"]) => settings::add_faults(state, call),
        ("PUT", ["faults"]) => settings::replace_faults(state, call),
        ("GET", ["faults"]) => Ok(json!(state.faults.0)),
        ("DELETE", ["faults"]) => {
            state.faults.0.clear();
            Ok(json!({}))
        }
        ("POST", ["accounts", email]) => settings::account(state, call, email),
        ("POST", ["revoke"]) => settings::revoke(state, call),
        (verb, ["service-accounts", rest @ ..]) => {
            settings::service_accounts(state, call, verb, rest)
        }
        ("POST", ["orgunits", "rename"]) => data::rename_unit(state, call),
        ("POST", ["clock"]) => settings::clock(state, call),
        ("POST", ["expire-access-tokens"]) => Ok(json!({"expired": state.oauth.expire_access()})),
        ("GET", ["secrets"]) => {
            let mut secrets = state.oauth.issued();
            secrets["client_secret"] = json!(state.options.client_secret);
            Ok(secrets)
        }
        (verb, ["users", rest @ ..]) => data::users(state, call, verb, rest),
        (verb, ["groups", group, "members", rest @ ..]) => {
            data::members(state, call, verb, group, rest)
        }
        (verb, ["groups", rest @ ..]) => data::groups(state, call, verb, rest),
        _ => Err(unknown()),
    };
    match result {
        Ok(value) => Reply::json(200, value),
        Err(error) => error.into_reply(),
    }
}

fn unknown() -> ApiError {
    ApiError::new(404, "notFound", "no such control request")
}

/// The answer of a control request: JSON, or a refusal in Google's envelope.
type Answer = Result<Value, ApiError>;
