//! Google's OAuth 2.0: consent, codes, tokens, revocation.
//!
//! **Owns** every code, token and grant, and the key that signs id tokens. **May use** the world,
//! to know who can consent. **Deliberately does not** serve devices, DPoP, or service
//! accounts that act as themselves.
//!
//! All tokens but those of service accounts belong to one project with one client: revoking one of an account's tokens ends all
//! of that account's tokens.

pub mod assertion;
mod consent;
mod keys;
mod request;
mod token;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::state::State;
use super::wire::Id;
use super::world::{Owner, World};

pub use keys::prepare as prepare_key;
pub use token::revoke_account;

/// Access tokens live so many seconds.
pub const ACCESS_SECONDS: i64 = 3599;
/// A refresh token not used for so long ends: 6 months.
pub const IDLE_MILLIS: i64 = 183 * 24 * 3600 * 1000;
/// Live refresh tokens an account and client may have; the oldest ends silently.
pub const MAX_REFRESH: usize = 100;

/// Scopes by their long names.
pub type Scopes = BTreeSet<String>;

/// A code that waits for its exchange, or had it.
#[derive(Debug, Clone)]
pub struct Code {
    account: Id,
    scopes: Scopes,
    redirect_uri: String,
    challenge: Option<(String, String)>,
    nonce: Option<String>,
    offline: bool,
    at: i64,
    used: bool,
}

/// An access token.
#[derive(Debug, Clone)]
pub struct Access {
    account: Id,
    scopes: Scopes,
    expires: i64,
    code: Option<String>,
    /// A service account got it, in the name of the account.
    delegated: bool,
}

/// A refresh token.
#[derive(Debug, Clone)]
pub struct Refresh {
    account: Id,
    scopes: Scopes,
    used: i64,
    code: String,
    order: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub struct OAuth {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    /// What each account has granted to the project.
    grants: BTreeMap<Id, Scopes>,
    /// Service accounts by address.
    service_accounts: BTreeMap<String, assertion::ServiceAccount>,
    /// Everything secret that was ever handed out.
    issued: Vec<(&'static str, String)>,
    order: u64,
}

impl OAuth {
    /// Every secret ever handed out, with what it is.
    pub fn issued(&self) -> Value {
        let of = |kind: &str| -> Vec<&str> {
            self.issued
                .iter()
                .filter(|(known, _)| *known == kind)
                .map(|(_, secret)| secret.as_str())
                .collect()
        };
        json!({
            "codes": of("code"), "access_tokens": of("access"),
            "refresh_tokens": of("refresh"), "id_tokens": of("id"),
            "private_keys": of("key"),
        })
    }

    /// Takes scopes out of what an account granted, and out of what its tokens can do.
    pub fn withdraw(&mut self, id: &str, scopes: &Scopes) {
        let access = self.access.values_mut();
        let access = access.filter(|access| !access.delegated && *access.account == *id);
        let refresh = self.refresh.values_mut();
        let refresh = refresh.filter(|refresh| *refresh.account == *id);
        let tokens = access.map(|access| &mut access.scopes);
        let tokens = tokens.chain(refresh.map(|refresh| &mut refresh.scopes));
        for held in tokens.chain(self.grants.get_mut(id)) {
            held.retain(|scope| !scopes.contains(scope));
        }
    }

    /// Ends every access token; refresh tokens live on.
    pub fn expire_access(&mut self) -> usize {
        let count = self.access.len();
        self.access.clear();
        count
    }
}

/// Someone who can sign in.
#[derive(Debug, Clone)]
struct Account {
    id: Id,
    email: Id,
    name: String,
    given: String,
    family: String,
    domain: Option<String>,
    suspended: bool,
    error: Option<String>,
}

fn account(world: &World, key: &str) -> Option<Account> {
    if let Some(consumer) = world
        .consumers
        .iter()
        .find(|consumer| *consumer.id == *key || consumer.email.eq_ignore_ascii_case(key))
    {
        let (given, family) = consumer
            .name
            .split_once(' ')
            .unwrap_or((&consumer.name, ""));
        return Some(Account {
            id: consumer.id.clone(),
            email: consumer.email.clone(),
            name: consumer.name.clone(),
            given: given.to_owned(),
            family: family.to_owned(),
            domain: None,
            suspended: false,
            error: None,
        });
    }
    let Some(Owner::User(id)) = world.resolve(key) else {
        return None;
    };
    let user = world.users.get(&id)?;
    Some(Account {
        id,
        email: user.email.clone(),
        name: user.full_name(),
        given: user.given.clone(),
        family: user.family.clone(),
        domain: Some(world.customers[user.customer].primary_domain().to_owned()),
        suspended: user.suspended.is_some(),
        error: user.authorize_error.clone(),
    })
}

/// A scope's full name: Google answers with it even where a short one was asked for.
pub fn long_scope(scope: &str) -> String {
    match scope {
        "openid" => scope.to_owned(),
        "email" | "profile" => format!("https://www.googleapis.com/auth/userinfo.{scope}"),
        _ if scope.contains("://") => scope.to_owned(),
        _ => format!("https://www.googleapis.com/auth/{scope}"),
    }
}

/// Scopes that need no tick on the consent page.
fn sign_in(scope: &str) -> bool {
    scope == "openid" || scope.contains("/auth/userinfo.")
}

/// The name of the OAuth method that a request calls.
pub fn identify(call: &Call) -> Option<&'static str> {
    match call.path.as_str() {
        "/o/oauth2/v2/auth" => Some("oauth.auth"),
        "/token" => Some("oauth.token"),
        "/revoke" => Some("oauth.revoke"),
        "/v1/userinfo" => Some("oauth.userinfo"),
        "/oauth2/v3/certs" => Some("oauth.certs"),
        "/.well-known/openid-configuration" => Some("oauth.configuration"),
        _ => None,
    }
}

/// Answers a request that is OAuth's.
pub fn answer(state: &mut State, id: &str, call: &Call) -> Option<Reply> {
    let reply = match (id, call.verb.as_str()) {
        ("oauth.auth", "GET") => consent::page(state, call),
        ("oauth.auth", "POST") => consent::decide(state, call),
        ("oauth.token", "POST") => token::exchange(state, call),
        ("oauth.revoke", "POST") => token::revoke(state, call),
        ("oauth.userinfo", "GET" | "POST") => {
            userinfo(state, call).unwrap_or_else(ApiError::into_reply)
        }
        ("oauth.certs", "GET") => Reply::json(200, keys::jwks()),
        ("oauth.configuration", "GET") => configuration(state),
        (id, _) if id.starts_with("oauth.") => Reply::empty(405),
        _ => return None,
    };
    Some(reply)
}

/// The account and scopes of a request's bearer token.
///
/// # Errors
/// 401 without a token, or with one that isn't good.
pub fn bearer(state: &State, call: &Call) -> Result<(Id, Scopes), ApiError> {
    let token = call.bearer().ok_or_else(ApiError::no_token)?;
    match state.oauth.access.get(token) {
        Some(access) if access.expires > state.now() => {
            let known = account(&state.world, &access.account).ok_or_else(ApiError::bad_token)?;
            if known.suspended {
                return Err(ApiError::bad_token());
            }
            Ok((access.account.clone(), access.scopes.clone()))
        }
        _ => Err(ApiError::bad_token()),
    }
}

/// The address of a request's account, for the log.
pub fn account_of(state: &State, call: &Call) -> Option<String> {
    let access = state.oauth.access.get(call.bearer()?)?;
    account(&state.world, &access.account).map(|account| account.email.to_string())
}

/// Ends the request's access token.
pub fn expire_bearer(state: &mut State, call: &Call) {
    if let Some(token) = call.bearer() {
        state.oauth.access.remove(token);
    }
}

fn userinfo(state: &State, call: &Call) -> Result<Reply, ApiError> {
    let (id, scopes) = bearer(state, call)?;
    let account = account(&state.world, &id).ok_or_else(ApiError::bad_token)?;
    if !scopes.iter().any(|scope| sign_in(scope)) {
        return Err(ApiError::scope_missing("oauth.userinfo", "openid"));
    }
    Ok(Reply::json(200, claims(&account, &scopes)))
}

/// What an account's scopes let an application know of it.
fn claims(account: &Account, scopes: &Scopes) -> Value {
    let mut claims = json!({"sub": &*account.id});
    if scopes.contains(&long_scope("email")) {
        claims["email"] = json!(&*account.email);
        claims["email_verified"] = json!(true);
    }
    if scopes.contains(&long_scope("profile")) {
        claims["name"] = json!(account.name);
        claims["given_name"] = json!(account.given);
        claims["family_name"] = json!(account.family);
        claims["picture"] = json!("https://lh3.googleusercontent.com/a/default=s96-c");
    }
    if let Some(domain) = &account.domain {
        claims["hd"] = json!(domain);
    }
    claims
}

fn configuration(state: &State) -> Reply {
    let at = &state.base_url;
    Reply::json(
        200,
        json!({
            "issuer": state.options.issuer,
            "authorization_endpoint": format!("{at}/o/oauth2/v2/auth"),
            "token_endpoint": format!("{at}/token"),
            "userinfo_endpoint": format!("{at}/v1/userinfo"),
            "revocation_endpoint": format!("{at}/revoke"),
            "jwks_uri": format!("{at}/oauth2/v3/certs"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": [
                "authorization_code", "refresh_token",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
        }),
    )
}
