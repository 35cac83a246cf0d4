//! Faults, accounts, revocation, time.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::ApiError;
use super::super::faults::Rule;
use super::super::oauth::{self, assertion};
use super::super::state::State;
use super::super::world::Owner;
use super::{Answer, unknown};

/// `POST /sandbox/faults`: one rule, or a list of rules.
pub fn add_faults(state: &mut State, call: &Call) -> Answer {
    let rules = rules(call)?;
    let count = rules.len();
    state.faults.0.extend(rules);
    Ok(json!({ "added": count }))
}

/// `PUT /sandbox/faults`: these in place of those that there are.
pub fn replace_faults(state: &mut State, call: &Call) -> Answer {
    state.faults.0 = rules(call)?;
    Ok(json!({ "added": state.faults.0.len() }))
}

fn rules(call: &Call) -> Result<Vec<Rule>, ApiError> {
    let value: Value = serde_json::from_slice(&call.body)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let rules = match value {
        Value::Array(rules) => rules,
        rule => vec![rule],
    };
    rules
        .into_iter()
        .map(serde_json::from_value)
        .collect::<Result<_, _>>()
        .map_err(|error| ApiError::bad_request(error.to_string()))
}

/// `POST /sandbox/accounts/{email}`.
pub fn account(state: &mut State, call: &Call, email: &str) -> Answer {
    let Some(Owner::User(id)) = state.world.resolve(email) else {
        return Err(ApiError::not_found("account"));
    };
    let body = call.json()?;
    let (now, revision) = (state.now(), state.world.touch());
    let Some(user) = state.world.users.get_mut(&id) else {
        return Err(ApiError::not_found("account"));
    };
    for (name, value) in &body {
        match (name.as_str(), value) {
            ("is_admin", Value::Bool(value)) => user.is_admin = *value,
            ("is_delegated_admin", Value::Bool(value)) => user.is_delegated = *value,
            ("resells", Value::Bool(value)) => user.resells = *value,
            ("suspended", Value::Bool(value)) => user.suspended = value.then_some((now, "ADMIN")),
            ("authorize_error", Value::String(value)) => user.authorize_error = Some(value.clone()),
            ("authorize_error", Value::Null) => user.authorize_error = None,
            _ => return Err(ApiError::bad_request(format!("unknown or wrong: {name}"))),
        }
    }
    user.revision = revision;
    Ok(json!({"id": &*id}))
}

/// `POST /sandbox/revoke`: as the account's owner would, in the account's settings.
pub fn revoke(state: &mut State, call: &Call) -> Answer {
    let body = call.json()?;
    let email = body
        .get("email")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let id = match state.world.resolve(email) {
        Some(Owner::User(id)) => id,
        _ => state
            .world
            .consumers
            .iter()
            .find(|consumer| *consumer.email == *email)
            .map(|consumer| consumer.id.clone())
            .ok_or_else(|| ApiError::not_found("account"))?,
    };
    let Some(scopes) = body.get("scopes") else {
        return Ok(json!({"revoked": oauth::revoke_account(state, &id)}));
    };
    let names = scopes.as_array().map(Vec::as_slice).unwrap_or_default();
    let scopes = names
        .iter()
        .filter_map(Value::as_str)
        .map(oauth::long_scope);
    state.oauth.withdraw(&id, &scopes.collect());
    Ok(json!({}))
}

/// `/sandbox/service-accounts`.
pub fn service_accounts(state: &mut State, call: &Call, verb: &str, rest: &[&str]) -> Answer {
    let (oauth, body) = (&mut state.oauth, call.json()?);
    match (verb, rest) {
        ("POST", []) => assertion::make(oauth, &body),
        ("PATCH", [email]) => assertion::delegate(oauth, email, &body),
        ("DELETE", [email]) => assertion::delete(oauth, email, None),
        ("POST", [email, "keys"]) => assertion::add_key(oauth, email),
        ("DELETE", [email, "keys", key]) => assertion::delete(oauth, email, Some(key)),
        _ => Err(unknown()),
    }
}

/// `POST /sandbox/clock`.
pub fn clock(state: &mut State, call: &Call) -> Answer {
    let body = call.json()?;
    let seconds = body
        .get("advance_seconds")
        .and_then(Value::as_i64)
        .ok_or_else(|| ApiError::bad_request("advance_seconds is missing"))?;
    state.clock_ahead_millis = state
        .clock_ahead_millis
        .saturating_add(seconds.saturating_mul(1000));
    Ok(json!({"now_millis": state.now()}))
}
