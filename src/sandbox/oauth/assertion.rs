//! Service accounts: their keys, for which organisations they may act, and the assertions that they sign (fact sheet 1.9).
//!
//! Only "domain-wide delegation" is simulated: an assertion without `sub`, with which a service account acts as itself, is
//! refused.

use std::collections::BTreeMap;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::super::call::Pairs;
use super::super::error::ApiError;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::Id;
use super::token::{invalid_grant, issue_access, pretty, refusal};
use super::{ACCESS_SECONDS, OAuth, Scopes, account, long_scope};

/// To whom assertions must be addressed: Google itself, wherever the sandbox listens.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// By how much clocks may differ.
const LEEWAY_SECONDS: i64 = 300;
/// The longest life of an assertion.
const LIFE_SECONDS: i64 = 3600;

/// A service account.
#[derive(Debug, Default)]
pub struct ServiceAccount {
    client_id: String,
    /// Public keys, DER, by id.
    keys: BTreeMap<String, Vec<u8>>,
    /// What it may do in the name of users, by the primary domain of their customer.
    delegated: BTreeMap<String, Scopes>,
}

/// Makes one with a key; `delegated` are scopes by primary domain. Answers the key file.
///
/// # Errors
/// 400 for a body of another shape.
pub fn make(oauth: &mut OAuth, body: &Map<String, Value>) -> Result<Value, ApiError> {
    let number = oauth.service_accounts.len() + 1;
    let email = format!("sync-{number}@sandbox.iam.gserviceaccount.com");
    let made = ServiceAccount {
        client_id: format!("1{number:020}"),
        delegated: delegated(body)?,
        ..ServiceAccount::default()
    };
    oauth.service_accounts.insert(email.clone(), made);
    add_key(oauth, &email)
}

/// Gives it another key; answers the key file.
///
/// # Errors
/// 404 if there is no such account.
pub fn add_key(oauth: &mut OAuth, email: &str) -> Result<Value, ApiError> {
    let known = oauth.service_accounts.get_mut(email);
    let known = known.ok_or_else(|| ApiError::not_found("service account"))?;
    let broken = |_| ApiError::new(500, "backendError", "no key can be made");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(broken)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(broken)?;
    let public = pair.public_key().as_ref().to_vec();
    let id = blake3::hash(&public).to_hex()[..40].to_owned();
    known.keys.insert(id.clone(), public);
    let base64 = STANDARD.encode(private.as_ref());
    let file = json!({
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": id,
        "private_key": pem(&base64),
        "client_email": email,
        "client_id": known.client_id,
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": AUDIENCE,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "universe_domain": "googleapis.com",
    });
    oauth.issued.push(("key", base64));
    Ok(file)
}

/// PKCS#8 in PEM, as Google's console writes it.
fn pem(base64: &str) -> String {
    let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    for (index, letter) in base64.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem + "\n-----END PRIVATE KEY-----\n"
}

/// Changes what it may do; what is not named stays.
///
/// # Errors
/// 404 if there is no such account, 400 for a body of another shape.
pub fn delegate(
    oauth: &mut OAuth,
    email: &str,
    body: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let known = oauth.service_accounts.get_mut(email);
    let known = known.ok_or_else(|| ApiError::not_found("service account"))?;
    known.delegated.extend(delegated(body)?);
    Ok(json!({}))
}

/// Takes a key, or all of it, away. Access tokens live on, as Google's do.
///
/// # Errors
/// 404 if there is none.
pub fn delete(oauth: &mut OAuth, email: &str, key: Option<&str>) -> Result<Value, ApiError> {
    let gone = match key {
        None => oauth.service_accounts.remove(email).map(drop),
        Some(key) => oauth
            .service_accounts
            .get_mut(email)
            .and_then(|known| known.keys.remove(key).map(drop)),
    };
    gone.map(|()| json!({}))
        .ok_or_else(|| ApiError::not_found("service account or key"))
}

fn delegated(body: &Map<String, Value>) -> Result<BTreeMap<String, Scopes>, ApiError> {
    let wrong = || ApiError::bad_request("delegated must hold lists of scopes by domain");
    let Some(given) = body.get("delegated") else {
        return Ok(BTreeMap::new());
    };
    let mut all = BTreeMap::new();
    for (domain, scopes) in given.as_object().ok_or_else(wrong)? {
        let scopes = scopes.as_array().ok_or_else(wrong)?;
        let scopes = scopes.iter().map(|scope| scope.as_str().map(long_scope));
        let scopes: Option<Scopes> = scopes.collect();
        all.insert(domain.clone(), scopes.ok_or_else(wrong)?);
    }
    Ok(all)
}

/// A signed token, taken apart.
struct Assertion<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

fn taken_apart(text: &str) -> Option<Assertion<'_>> {
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    Some(Assertion {
        header: json(header)?,
        claims: json(claims)?,
        signed,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

/// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.
pub fn exchange(state: &mut State, form: &Pairs) -> Result<Reply, Reply> {
    let bad = |text: &str| refusal(400, "invalid_request", text);
    let text = form
        .given("assertion")
        .ok_or_else(|| bad("Missing required parameter: assertion"))?;
    let assertion = taken_apart(text)
        .ok_or_else(|| bad("Bad JWT assertion: it must have three parts in base64url"))?;
    let claims = &assertion.claims;
    let told = |name: &str| claims[name].as_str().unwrap_or_default();
    let known = state
        .oauth
        .service_accounts
        .get(told("iss"))
        .ok_or_else(|| invalid_grant("Invalid grant: account not found"))?;
    verify(known, &assertion)?;
    in_time(claims, state.now() / 1000)?;
    if told("aud") != AUDIENCE {
        return Err(invalid_grant("Invalid JWT: Failed audience check."));
    }
    if told("sub").is_empty() {
        return Err(bad("Invalid impersonation \"sub\" field."));
    }
    let subject = account(&state.world, told("sub"))
        .ok_or_else(|| invalid_grant("Invalid email or User ID"))?;
    if subject.suspended {
        return Err(invalid_grant("Account has been disabled."));
    }
    let scopes: Scopes = told("scope").split_whitespace().map(long_scope).collect();
    let domain = subject.domain.as_deref().unwrap_or_default();
    let allowed = known.delegated.get(domain);
    if scopes.is_empty() || !allowed.is_some_and(|allowed| scopes.is_subset(allowed)) {
        return Err(refusal(
            401,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not \
             authorized for any of the scopes requested.",
        ));
    }
    Ok(token(state, &subject.id, &scopes))
}

/// No refresh token, and no scopes: there are those that were asked for.
fn token(state: &mut State, subject: &Id, scopes: &Scopes) -> Reply {
    let access = issue_access(state, subject, scopes, None);
    if let Some(issued) = state.oauth.access.get_mut(&access) {
        issued.delegated = true;
    }
    pretty(json!({
        "access_token": access,
        "expires_in": ACCESS_SECONDS,
        "token_type": "Bearer",
    }))
}

/// By the key that the header names, or any of them if it names none.
fn verify(known: &ServiceAccount, assertion: &Assertion<'_>) -> Result<(), Reply> {
    let header = &assertion.header;
    if header["alg"] != "RS256" {
        return Err(invalid_grant("Invalid JWT Signature."));
    }
    let named = header["kid"].as_str();
    let mut keys = known
        .keys
        .iter()
        .filter(|(id, _)| named.is_none_or(|kid| kid == *id))
        .map(|(_, key)| UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key));
    let text = assertion.signed.as_bytes();
    match keys.any(|key| key.verify(text, &assertion.signature).is_ok()) {
        true => Ok(()),
        false => Err(invalid_grant("Invalid JWT Signature.")),
    }
}

fn in_time(claims: &Value, now: i64) -> Result<(), Reply> {
    let times = claims["iat"].as_i64().zip(claims["exp"].as_i64());
    let good = times.is_some_and(|(begun, end)| {
        begun <= now + LEEWAY_SECONDS
            && end >= now - LEEWAY_SECONDS
            && (1..=LIFE_SECONDS).contains(&(end - begun))
    });
    match good {
        true => Ok(()),
        false => Err(invalid_grant(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
             timeframe. Check your iat and exp values in the JWT claim.",
        )),
    }
}
