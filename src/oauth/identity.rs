//! Who consented: the id token (OpenID Connect Core 3.1.3.7), and userinfo for what it lacks.

use super::{Error, Provider, Tokens, http::Http};
use crate::model::{Secret, Time};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

/// Keys are asked for again after this, so that withdrawn ones are no longer trusted.
const KEYS_LIVE_SECONDS: i64 = 6 * 3600;
/// An unknown key makes us ask for the keys again, but not more often than this.
const KEYS_ASK_SECONDS: i64 = 10;
/// By how much clocks may differ.
const LEEWAY_SECONDS: i64 = 300;

/// Who consented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's stable id of the account (`sub`).
    pub subject: String,
    /// Address; may change over time.
    pub email: String,
    /// Name; empty if the provider does not tell.
    pub name: String,
    /// Domain of the organisation (`hd`), if it is the account of one. Shown, never trusted for identity.
    pub domain: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    iat: Option<i64>,
    nonce: Option<String>,
    azp: Option<String>,
    email: Option<String>,
    name: Option<String>,
    hd: Option<String>,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    name: Option<String>,
    hd: Option<String>,
}

/// The keys that sign id tokens, as last asked for.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<Option<(Time, JwkSet)>>);

impl Keys {
    /// The key of that id. One asks for all who wait.
    async fn find(&self, kid: &str, http: &Http, url: &Url, now: Time) -> Result<Jwk, Error> {
        let mut cached = self.0.lock().await;
        let age = cached
            .as_ref()
            .map(|(at, _)| now.as_second() - at.as_second());
        let known = cached
            .as_ref()
            .and_then(|(_, keys)| keys.find(kid).cloned());
        match (known, age) {
            (Some(key), Some(age)) if (0..KEYS_LIVE_SECONDS).contains(&age) => return Ok(key),
            (None, Some(age)) if (0..KEYS_ASK_SECONDS).contains(&age) => return Err(unknown_key()),
            _ => {}
        }
        let keys: JwkSet = http.json(url, None).await?;
        let found = keys.find(kid).cloned();
        *cached = Some((now, keys));
        found.ok_or_else(unknown_key)
    }
}

fn unknown_key() -> Error {
    Error::Identity("it is signed with a key that the provider does not publish".to_owned())
}

impl Provider {
    /// Who consented: checks the id token's signature, issuer, audience, life and nonce; asks userinfo for an address that
    /// it lacks.
    pub async fn identify(&self, tokens: &Tokens, nonce: &Secret) -> Result<Identity, Error> {
        let token = tokens
            .id_token
            .as_ref()
            .ok_or_else(|| Error::Protocol("there is no id token".to_owned()))?;
        let claims = self.verify(token, nonce).await?;
        let mut identity = Identity {
            subject: claims.sub,
            email: claims.email.unwrap_or_default(),
            name: claims.name.unwrap_or_default(),
            domain: claims.hd.filter(|domain| !domain.is_empty()),
        };
        if identity.email.is_empty() {
            let url = &self.inner().options.userinfo_url;
            let info: UserInfo = self.inner().http.json(url, Some(&tokens.access)).await?;
            if info.sub != identity.subject {
                return Err(Error::Identity(
                    "userinfo tells of another account".to_owned(),
                ));
            }
            identity.email = info.email.unwrap_or_default();
            identity.domain = identity.domain.or(info.hd);
            if identity.name.is_empty() {
                identity.name = info.name.unwrap_or_default();
            }
        }
        match identity.email.is_empty() {
            true => Err(Error::Protocol("the provider tells no address".to_owned())),
            false => Ok(identity),
        }
    }

    async fn verify(&self, token: &Secret, nonce: &Secret) -> Result<Claims, Error> {
        let inner = self.inner();
        let now = inner.clock.now();
        let header = decode_header(token.expose())
            .map_err(|_| Error::Identity("it is no signed token".to_owned()))?;
        let kid = header
            .kid
            .ok_or_else(|| Error::Identity("it names no key".to_owned()))?;
        let key = inner
            .keys
            .find(&kid, &inner.http, &inner.options.jwks_url, now)
            .await?;
        let key = DecodingKey::from_jwk(&key)
            .map_err(|_| Error::Protocol("a published key can't be used".to_owned()))?;
        let issuer = inner.options.issuer.as_str();
        let bare = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        // Life is checked below, against the clock passed in.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer, bare]);
        validation.set_audience(&[&inner.options.client_id]);
        let claims = decode::<Claims>(token.expose(), &key, &validation)
            .map_err(|error| Error::Identity(format!("{:?}", error.kind())))?
            .claims;
        check(&claims, &inner.options.client_id, nonce, now)?;
        Ok(claims)
    }
}

fn check(claims: &Claims, client_id: &str, nonce: &Secret, now: Time) -> Result<(), Error> {
    let now = now.as_second();
    let wrong = if claims.exp + LEEWAY_SECONDS < now {
        "it is no longer valid"
    } else if claims.iat.is_some_and(|iat| iat - LEEWAY_SECONDS > now) {
        "it is from the future: are the clocks right?"
    } else if claims.nonce.as_deref() != Some(nonce.expose()) {
        "it answers another request (nonce)"
    } else if claims.azp.as_deref().is_some_and(|azp| azp != client_id) {
        "it was issued to another client (azp)"
    } else if claims.sub.is_empty() || claims.sub.len() > 255 {
        "it names nobody"
    } else {
        return Ok(());
    };
    Err(Error::Identity(wrong.to_owned()))
}
