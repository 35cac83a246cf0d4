//! Access tokens for a service account that acts as somebody: assertions signed with its key (RFC 7523 2.1; Google's
//! "domain-wide delegation"). There is no refresh token: what is signed is exchanged again each time.

use super::{
    Error, Tokens,
    error::Blame,
    http::Http,
    provider::{SHORT_LIFE, normalised, repeated},
};
use crate::model::{Clock, Secret, ServiceAccount};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use url::Url;
use zeroize::Zeroizing;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Google takes none that lives longer than an hour.
const LIFE_SECONDS: i64 = 3600;
/// Assertions begin so long ago, so that a clock that is a little ahead does no harm.
const BEGUN_SECONDS: i64 = 10;
/// Bytes of the moduli that are taken: 2048 to 4096 bits. Google makes keys of 2048.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// Where assertions are exchanged.
#[derive(Debug, Clone)]
pub struct AssertionOptions {
    /// The token endpoint. Never what a key file says.
    pub token_url: Url,
    /// To whom assertions are addressed: the provider's own token endpoint, wherever `token_url` leads.
    pub audience: String,
    /// Wait before a request is repeated while the provider is down; doubles each time.
    pub backoff: Duration,
}

/// The conversation about service accounts with a provider; cheap to clone. Needs no client of ours.
#[derive(Debug, Clone)]
pub struct Assertions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: AssertionOptions,
    http: Http,
    clock: Arc<dyn Clock>,
}

/// A service account, its key, and as whom it acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate {
    /// The service account.
    pub account: ServiceAccount,
    /// Its private key: PKCS#8, in base64.
    pub private_key: Secret,
    /// Address of the account as which it acts.
    pub subject: String,
    /// For what.
    pub scopes: Vec<String>,
}

/// An access token. There is no other in the answer; what was asked for is granted, all or none of it.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<u64>,
    token_type: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure {
    error: String,
    error_description: Option<String>,
}

impl Assertions {
    /// Fails if no HTTP client can be made. Asks the provider nothing.
    pub fn new(options: AssertionOptions, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let http = Http::new()?;
        Ok(Self(Arc::new(Inner {
            options,
            http,
            clock,
        })))
    }

    /// To whom assertions are addressed.
    pub fn audience(&self) -> &str {
        &self.0.options.audience
    }

    /// An access token for who acts; repeated while the provider is down.
    pub async fn exchange(&self, delegate: &Delegate) -> Result<Tokens, Error> {
        let backoff = self.0.options.backoff;
        match repeated(backoff, || self.exchange_once(delegate)).await {
            // Google is known to refuse a good key for a moment (treasure-data/digdag repeats "Invalid JWT: No valid verifier
            // found for issuer."), and much hangs on its answer.
            Err(Error::Assertion(Blame::Key, _)) => {
                tokio::time::sleep(backoff).await;
                repeated(backoff, || self.exchange_once(delegate)).await
            }
            other => other,
        }
    }

    async fn exchange_once(&self, delegate: &Delegate) -> Result<Tokens, Error> {
        let assertion = self.assertion(delegate)?;
        let form = [
            ("grant_type", GRANT_TYPE),
            ("assertion", assertion.expose()),
        ];
        let url = &self.0.options.token_url;
        let (status, body) = self.0.http.form(url, &form).await?;
        let body = Zeroizing::new(body);
        if !status.is_success() {
            let said: Failure = serde_json::from_slice(&body).unwrap_or_default();
            return Err(match said.error.as_str() {
                "" => Error::Protocol(format!("status {status}, and no reason")),
                code => Error::of_assertion(code, said.error_description.as_deref()),
            });
        }
        // The parser's own words may hold the token.
        let odd = |_| Error::Protocol("not the JSON expected".to_owned());
        let answer: Answer = serde_json::from_slice(&body).map_err(odd)?;
        let access = Secret::new(answer.access_token);
        if !answer.token_type.eq_ignore_ascii_case("bearer") {
            return Err(Error::Protocol("the token is no bearer token".to_owned()));
        }
        Ok(Tokens {
            access,
            lifetime: answer.expires_in.map_or(SHORT_LIFE, Duration::from_secs),
            refresh: None,
            scopes: normalised(delegate.scopes.iter().map(String::as_str)),
            id_token: None,
        })
    }

    fn assertion(&self, delegate: &Delegate) -> Result<Secret, Error> {
        let begun = self.0.clock.now().as_second() - BEGUN_SECONDS;
        let claims = json!({
            "iss": delegate.account.email,
            "sub": delegate.subject,
            "scope": delegate.scopes.join(" "),
            "aud": self.0.options.audience,
            "iat": begun,
            "exp": begun + LIFE_SECONDS,
        });
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": delegate.account.key_id});
        signed(&delegate.private_key, &header, &claims)
            .ok_or_else(|| Error::Assertion(Blame::Key, "the key can't sign".to_owned()))
    }
}

/// A signed token (RFC 7515 3.1).
fn signed(key: &Secret, header: &Value, claims: &Value) -> Option<Secret> {
    let key = key_pair(key)?;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
        .ok()?;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Some(Secret::new(format!("{text}.{signature}")))
}

fn key_pair(key: &Secret) -> Option<KeyPair> {
    let der = Zeroizing::new(STANDARD.decode(key.expose()).ok()?);
    let pair = KeyPair::from_pkcs8(&der).ok()?;
    MODULUS.contains(&pair.public_modulus_len()).then_some(pair)
}

/// Whether this is a private key that can sign assertions: RSA of 2048 to 4096 bits, PKCS#8, in base64.
pub fn is_usable_key(key: &Secret) -> bool {
    key_pair(key).is_some_and(|pair| !pair.public_key().as_ref().is_empty())
}
