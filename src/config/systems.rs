//! `[systems.*]`: how each external system is reached, and as which OAuth client.

use super::raw::Raw;
use crate::model::{Secret, SystemId};
use std::path::PathBuf;
use url::Url;

/// The OAuth client that the operator registered with a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// `client_id`
    pub id: String,
    /// What `client_secret_file` holds.
    pub secret: Secret,
}

/// An external system. Every URL is configuration, so that a simulator can stand in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Which.
    pub id: SystemId,
    /// Without one, nobody can consent in a browser; service accounts need none.
    pub client: Option<Client>,
    /// `auth_url`: the consent page.
    pub auth_url: Url,
    /// `token_url`: codes, refresh tokens and what service accounts sign are exchanged there.
    pub token_url: Url,
    /// To whom service accounts address what they sign: the system's own token endpoint, wherever `token_url` leads.
    pub audience: &'static str,
    /// `revoke_url`: tokens are given back there.
    pub revoke_url: Url,
    /// `userinfo_url`: address and name of who consented.
    pub userinfo_url: Url,
    /// `jwks_url`: the keys that sign id tokens.
    pub jwks_url: Url,
    /// `issuer` of id tokens.
    pub issuer: String,
    /// `api_url`: base of the system's API; ends with a slash.
    pub api_url: Url,
}

struct Defaults {
    id: &'static str,
    auth_url: &'static str,
    token_url: &'static str,
    revoke_url: &'static str,
    userinfo_url: &'static str,
    jwks_url: &'static str,
    issuer: &'static str,
    api_url: &'static str,
}

const SYSTEMS: &[Defaults] = &[Defaults {
    id: "google-workspace",
    auth_url: "https://accounts.google.com/o/oauth2/v2/auth",
    token_url: "https://oauth2.googleapis.com/token",
    revoke_url: "https://oauth2.googleapis.com/revoke",
    userinfo_url: "https://openidconnect.googleapis.com/v1/userinfo",
    jwks_url: "https://www.googleapis.com/oauth2/v3/certs",
    issuer: "https://accounts.google.com",
    api_url: "https://admin.googleapis.com/",
}];

const NAMES: &[&str] = &[
    "api_url",
    "auth_url",
    "client_id",
    "client_secret_file",
    "issuer",
    "jwks_url",
    "revoke_url",
    "token_url",
    "userinfo_url",
];

/// All keys of this part.
pub(super) fn keys() -> impl Iterator<Item = String> {
    SYSTEMS
        .iter()
        .flat_map(|system| NAMES.iter().map(|name| key(system, name)))
}

/// Every system there is, configured or by default.
pub(super) fn read(raw: &mut Raw) -> Vec<System> {
    SYSTEMS
        .iter()
        .filter_map(|defaults| system(raw, defaults))
        .collect()
}

fn key(system: &Defaults, name: &str) -> String {
    format!("systems.{}.{name}", system.id)
}

/// None only if a built-in default is no URL, which the test of the defaults excludes.
fn system(raw: &mut Raw, defaults: &Defaults) -> Option<System> {
    let mut url = |name: &str, default: &str| {
        raw.url(&key(defaults, name))
            .or_else(|| Url::parse(default).ok())
    };
    let auth_url = url("auth_url", defaults.auth_url)?;
    let token_url = url("token_url", defaults.token_url)?;
    let revoke_url = url("revoke_url", defaults.revoke_url)?;
    let userinfo_url = url("userinfo_url", defaults.userinfo_url)?;
    let jwks_url = url("jwks_url", defaults.jwks_url)?;
    let mut api_url = url("api_url", defaults.api_url)?;
    if !api_url.path().ends_with('/') {
        let path = format!("{}/", api_url.path());
        api_url.set_path(&path);
    }
    let issuer = raw
        .text(&key(defaults, "issuer"))
        .unwrap_or_else(|| defaults.issuer.to_owned());
    Some(System {
        id: SystemId::try_new(defaults.id).ok()?,
        client: client(raw, defaults),
        auth_url,
        token_url,
        audience: defaults.token_url,
        revoke_url,
        userinfo_url,
        jwks_url,
        issuer,
        api_url,
    })
}

fn client(raw: &mut Raw, system: &Defaults) -> Option<Client> {
    let (id_key, file_key) = (key(system, "client_id"), key(system, "client_secret_file"));
    match (raw.text(&id_key), raw.text(&file_key)) {
        (Some(id), Some(file)) => Some(Client {
            id,
            secret: secret(raw, &file_key, file)?,
        }),
        (Some(_), None) if !raw.has(&file_key) => {
            raw.refuse(&file_key, &format!("must be set when {id_key} is: give the path of a file that holds the client secret and nothing else"));
            None
        }
        (None, Some(_)) if !raw.has(&id_key) => {
            raw.refuse(&id_key, &format!("must be set when {file_key} is: give the id of the OAuth client that the secret belongs to"));
            None
        }
        _ => None,
    }
}

fn secret(raw: &mut Raw, key: &str, file: String) -> Option<Secret> {
    let path = PathBuf::from(file);
    let name = path.display().to_string();
    match std::fs::read_to_string(&path).map(|text| Secret::new(text.trim().to_owned())) {
        Ok(secret) if secret.expose().is_empty() => {
            raw.refuse(
                key,
                &format!("{name} is empty: put the client secret into it"),
            );
            None
        }
        Ok(secret) => Some(secret),
        Err(error) => {
            raw.refuse(key, &format!("{name} can't be read ({error}): give the path of a file that the daemon may read"));
            None
        }
    }
}
