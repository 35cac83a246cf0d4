//! The token endpoint and revocation.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::super::call::{Call, Pairs};
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::{Id, random};
use super::{
    ACCESS_SECONDS, Access, Code, IDLE_MILLIS, MAX_REFRESH, Refresh, Scopes, account, assertion,
    claims, keys, long_scope,
};

/// A code lives so long: 10 minutes.
const CODE_MILLIS: i64 = 10 * 60 * 1000;

pub(super) fn refusal(status: u16, error: &str, description: &str) -> Reply {
    let mut reply = Reply::json(
        status,
        json!({"error": error, "error_description": description}),
    );
    reply.pretty = true;
    reply
}

pub(super) fn invalid_grant(description: &str) -> Reply {
    refusal(400, "invalid_grant", description)
}

/// `POST /token`.
pub fn exchange(state: &mut State, call: &Call) -> Reply {
    let form_encoded = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form_encoded {
        return refusal(400, "invalid_request", "The body must be form-encoded.");
    }
    let form = call.form();
    if form.get("grant_type") == Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
        // What is signed says who asks: no client is needed.
        let reply = assertion::exchange(state, &form);
        return reply
            .unwrap_or_else(|refused| refused)
            .with("cache-control", "no-store");
    }
    if !client_known(state, call, &form) {
        return refusal(401, "invalid_client", "The OAuth client was not found.");
    }
    let reply = match form.get("grant_type") {
        Some("authorization_code") => by_code(state, &form),
        Some("refresh_token") => by_refresh(state, &form),
        None => {
            return refusal(
                400,
                "invalid_request",
                "Missing required parameter: grant_type",
            );
        }
        Some(other) => {
            return refusal(
                400,
                "unsupported_grant_type",
                &format!("Invalid grant_type: {other}"),
            );
        }
    };
    reply
        .unwrap_or_else(|refused| refused)
        .with("cache-control", "no-store")
}

fn client_known(state: &State, call: &Call, form: &Pairs) -> bool {
    let basic = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|text| STANDARD.decode(text.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let (id, secret) = match &basic {
        Some(text) => {
            // Both halves are form-encoded before they are joined (RFC 6749, 2.3.1).
            let (id, secret) = text.split_once(':').unwrap_or((text, ""));
            let plain = |half: &str| {
                let pairs = Pairs::parse(format!("v={half}").as_bytes());
                pairs.get("v").unwrap_or_default().to_owned()
            };
            (plain(id), plain(secret))
        }
        None => (
            form.get("client_id").unwrap_or_default().to_owned(),
            form.get("client_secret").unwrap_or_default().to_owned(),
        ),
    };
    id == state.options.client_id && secret == state.options.client_secret
}

fn by_code(state: &mut State, form: &Pairs) -> Result<Reply, Reply> {
    let now = state.now();
    let text = form
        .given("code")
        .ok_or_else(|| refusal(400, "invalid_request", "Missing required parameter: code"))?;
    let code = state
        .oauth
        .codes
        .get(text)
        .cloned()
        .ok_or_else(|| invalid_grant("Malformed auth code."))?;
    if code.used {
        // What the first use issued may be in a thief's hands (RFC 6749, 4.1.2).
        state
            .oauth
            .access
            .retain(|_, access| access.code.as_deref() != Some(text));
        state
            .oauth
            .refresh
            .retain(|_, refresh| refresh.code != text);
        return Err(invalid_grant("Bad Request"));
    }
    if now - code.at > CODE_MILLIS {
        return Err(invalid_grant("Bad Request"));
    }
    if form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(refusal(400, "redirect_uri_mismatch", "Bad Request"));
    }
    proven(&code, form.given("code_verifier"))?;
    if let Some(code) = state.oauth.codes.get_mut(text) {
        code.used = true;
    }
    let known = account(&state.world, &code.account)
        .ok_or_else(|| invalid_grant("The account has been deleted"))?;
    let access = issue_access(state, &code.account, &code.scopes, Some(text.to_owned()));
    let mut body = json!({
        "access_token": access,
        "expires_in": ACCESS_SECONDS,
        "scope": joined(&code.scopes),
        "token_type": "Bearer",
    });
    if code.offline {
        body["refresh_token"] = json!(issue_refresh(state, &code, text));
    }
    if code.scopes.contains("openid") {
        let mut claims = claims(&known, &code.scopes);
        claims["iss"] = json!(state.options.issuer);
        claims["aud"] = json!(state.options.client_id);
        claims["azp"] = json!(state.options.client_id);
        claims["iat"] = json!(now / 1000);
        claims["exp"] = json!(now / 1000 + 3600);
        let half = digest::digest(&digest::SHA256, access.as_bytes());
        claims["at_hash"] = json!(URL_SAFE_NO_PAD.encode(&half.as_ref()[..16]));
        if let Some(nonce) = &code.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(token) = keys::sign(&claims) {
            state.oauth.issued.push(("id", token.clone()));
            body["id_token"] = json!(token);
        }
    }
    Ok(pretty(body))
}

/// The verifier belongs to the challenge.
fn proven(code: &Code, verifier: Option<&str>) -> Result<(), Reply> {
    match (&code.challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(invalid_grant("code_verifier without code_challenge")),
        (Some(_), None) => Err(invalid_grant("Missing code verifier.")),
        (Some((challenge, method)), Some(verifier)) => {
            let letter = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
            let well_formed = (43..=128).contains(&verifier.len()) && verifier.chars().all(letter);
            let shown = if method == "S256" {
                URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
            } else {
                verifier.to_owned()
            };
            if well_formed && shown == *challenge {
                Ok(())
            } else {
                Err(invalid_grant("Invalid code verifier."))
            }
        }
    }
}

fn by_refresh(state: &mut State, form: &Pairs) -> Result<Reply, Reply> {
    let now = state.now();
    let dead = || invalid_grant("Token has been expired or revoked.");
    let text = form.given("refresh_token").ok_or_else(|| {
        refusal(
            400,
            "invalid_request",
            "Missing required parameter: refresh_token",
        )
    })?;
    let refresh = state
        .oauth
        .refresh
        .get_mut(text)
        .ok_or_else(|| invalid_grant("Bad Request"))?;
    if now - refresh.used > IDLE_MILLIS {
        return Err(dead());
    }
    refresh.used = now;
    let (id, all) = (refresh.account.clone(), refresh.scopes.clone());
    let known =
        account(&state.world, &id).ok_or_else(|| invalid_grant("The account has been deleted"))?;
    if known.suspended {
        return Err(invalid_grant("Account has been disabled."));
    }
    if !state.oauth.grants.contains_key(&id) {
        return Err(dead());
    }
    let scopes = match form.given("scope") {
        None => all,
        Some(fewer) => {
            let fewer: Scopes = fewer.split_whitespace().map(long_scope).collect();
            if !fewer.is_subset(&all) {
                return Err(refusal(
                    400,
                    "invalid_scope",
                    "Some requested scopes were invalid.",
                ));
            }
            fewer
        }
    };
    let access = issue_access(state, &id, &scopes, None);
    Ok(pretty(json!({
        "access_token": access,
        "expires_in": ACCESS_SECONDS,
        "scope": joined(&scopes),
        "token_type": "Bearer",
    })))
}

pub(super) fn issue_access(
    state: &mut State,
    id: &Id,
    scopes: &Scopes,
    code: Option<String>,
) -> String {
    let token = format!("ya29.a0{}", random(96));
    let expires = state.now() + ACCESS_SECONDS * 1000;
    let access = Access {
        account: id.clone(),
        scopes: scopes.clone(),
        expires,
        code,
        delegated: false,
    };
    state.oauth.access.insert(token.clone(), access);
    state.oauth.issued.push(("access", token.clone()));
    token
}

fn issue_refresh(state: &mut State, code: &Code, text: &str) -> String {
    let token = format!("1//0g{}", random(48));
    state.oauth.order += 1;
    let refresh = Refresh {
        account: code.account.clone(),
        scopes: code.scopes.clone(),
        used: state.now(),
        code: text.to_owned(),
        order: state.oauth.order,
    };
    state.oauth.refresh.insert(token.clone(), refresh);
    state.oauth.issued.push(("refresh", token.clone()));
    let mut own: Vec<(u64, String)> = state
        .oauth
        .refresh
        .iter()
        .filter(|(_, refresh)| refresh.account == code.account)
        .map(|(token, refresh)| (refresh.order, token.clone()))
        .collect();
    if own.len() > MAX_REFRESH {
        own.sort();
        let excess = own.len() - MAX_REFRESH;
        for (_, oldest) in own.into_iter().take(excess) {
            state.oauth.refresh.remove(&oldest);
        }
    }
    token
}

fn joined(scopes: &Scopes) -> String {
    scopes.iter().cloned().collect::<Vec<_>>().join(" ")
}

pub(super) fn pretty(body: Value) -> Reply {
    let mut reply = Reply::json(200, body);
    reply.pretty = true;
    reply
}

/// `POST /revoke`: by any token of an account, all of them end.
pub fn revoke(state: &mut State, call: &Call) -> Reply {
    let form = call.form();
    let Some(token) = call.query.given("token").or_else(|| form.given("token")) else {
        return refusal(400, "invalid_request", "Missing required parameter: token");
    };
    let access = state
        .oauth
        .access
        .get(token)
        .map(|access| access.account.clone());
    let refresh = state
        .oauth
        .refresh
        .get(token)
        .map(|refresh| refresh.account.clone());
    match access.or(refresh) {
        Some(account) => {
            revoke_account(state, &account);
            Reply::json(200, json!({}))
        }
        None => refusal(400, "invalid_token", "Token expired or revoked"),
    }
}

/// Ends every token and grant of an account; returns how many tokens that were. What service accounts may do in its name is
/// the organisation's to end, not the account's.
pub fn revoke_account(state: &mut State, id: &str) -> usize {
    let oauth = &mut state.oauth;
    let before = oauth.access.len() + oauth.refresh.len();
    oauth
        .access
        .retain(|_, access| access.delegated || *access.account != *id);
    oauth.refresh.retain(|_, refresh| *refresh.account != *id);
    oauth.codes.retain(|_, code| *code.account != *id);
    oauth.grants.remove(id);
    before - oauth.access.len() - oauth.refresh.len()
}
