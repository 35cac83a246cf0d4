//! A provider: the consent page, and the exchange of codes and refresh tokens for access tokens.

use super::{
    Error,
    http::{Http, down},
    identity::Keys,
};
use crate::model::{Clock, Secret};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpClientError, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
        BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// How often a request is repeated while the provider is down.
const REPEATS: u32 = 3;
/// Taken for the life of an access token when the provider does not tell.
pub(super) const SHORT_LIFE: Duration = Duration::from_secs(300);

/// A provider, and who we are to it.
#[derive(Debug, Clone)]
pub struct ProviderOptions {
    /// Our client id.
    pub client_id: String,
    /// Our client secret.
    pub client_secret: Secret,
    /// The consent page.
    pub auth_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Where tokens are given back.
    pub revoke_url: Url,
    /// Address and name of who consented.
    pub userinfo_url: Url,
    /// The keys that sign id tokens.
    pub jwks_url: Url,
    /// Issuer of id tokens, with its scheme; accepted without it too, as Google sends it.
    pub issuer: String,
    /// Wait before a request is repeated while the provider is down; doubles each time.
    pub backoff: Duration,
}

/// An authorization that was begun: what to show, and what to keep until the answer comes.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The consent page.
    pub url: Url,
    /// Comes back with the answer; 256 random bits.
    pub state: Secret,
    /// PKCE verifier; proves at the exchange that we began it.
    pub verifier: Secret,
    /// Comes back in the id token; 256 random bits.
    pub nonce: Secret,
}

/// What a code or refresh token was exchanged for.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For the system's API.
    pub access: Secret,
    /// For how long the access token is good.
    pub lifetime: Duration,
    /// For more access tokens, if one was given.
    pub refresh: Option<Secret>,
    /// Scopes granted, sorted, in the long form (`email` and `profile` have two); as asked for if the provider does not tell.
    pub scopes: Vec<String>,
    /// Who consented, signed by the provider.
    pub id_token: Option<Secret>,
}

/// What a token endpoint sends beside the standard fields.
#[derive(Clone, Deserialize, Serialize)]
struct IdToken {
    id_token: Option<String>,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl ExtraTokenFields for IdToken {}

type Answer = StandardTokenResponse<IdToken, BasicTokenType>;
type OAuthClient = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;
type Failure = RequestTokenError<HttpClientError<reqwest::Error>, BasicErrorResponse>;

/// A conversation partner; cheap to clone.
#[derive(Debug, Clone)]
pub struct Provider(Arc<Inner>);

pub(super) struct Inner {
    pub(super) options: ProviderOptions,
    client: OAuthClient,
    pub(super) http: Http,
    pub(super) keys: Keys,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

impl Provider {
    /// Fails if no HTTP client can be made. Asks the provider nothing.
    pub fn new(options: ProviderOptions, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let client = Client::new(ClientId::new(options.client_id.clone()))
            .set_client_secret(ClientSecret::new(options.client_secret.expose().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(options.auth_url.clone()))
            .set_token_uri(TokenUrl::from_url(options.token_url.clone()));
        Ok(Self(Arc::new(Inner {
            client,
            http: Http::new()?,
            keys: Keys::default(),
            clock,
            options,
        })))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// The consent page for these scopes. Asks for a refresh token (`access_type=offline`) and always for consent, without
    /// which a second authorization would bring none. Scopes granted earlier are not included.
    pub fn begin(&self, scopes: &[&str], redirect_uri: &Url) -> Begun {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random_len(32).into_secret();
        let request = self
            .0
            .client
            .authorize_url(|| CsrfToken::new_random_len(32))
            .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_redirect_uri(std::borrow::Cow::Owned(RedirectUrl::from_url(
                redirect_uri.clone(),
            )))
            .set_pkce_challenge(challenge)
            .add_extra_param("access_type", "offline")
            .add_extra_param("prompt", "consent")
            .add_extra_param("nonce", nonce.clone());
        let (url, state) = request.url();
        Begun {
            url,
            state: Secret::new(state.into_secret()),
            verifier: Secret::new(verifier.into_secret()),
            nonce: Secret::new(nonce),
        }
    }

    /// Exchanges a code. Not repeated: a code is good once, and an answer that got lost has used it up.
    /// `asked` are the scopes that were asked for.
    pub async fn exchange(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect_uri: &Url,
        asked: &[&str],
    ) -> Result<Tokens, Error> {
        let answer = self
            .0
            .client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .set_redirect_uri(std::borrow::Cow::Owned(RedirectUrl::from_url(
                redirect_uri.clone(),
            )))
            .request_async(&self.0.http)
            .await
            .map_err(|failure| error_of(&failure))?;
        tokens(&answer, asked)
    }

    /// Exchanges a refresh token; repeated while the provider is down.
    pub async fn refresh(&self, token: &Secret) -> Result<Tokens, Error> {
        let token = RefreshToken::new(token.expose().to_owned());
        repeated(self.0.options.backoff, || self.refresh_once(&token)).await
    }

    /// Gives a token back: it and every other token of the same account for this client end. One that has ended already
    /// is no failure. Repeated while the provider is down.
    pub async fn revoke(&self, token: &Secret) -> Result<(), Error> {
        let url = &self.0.options.revoke_url;
        repeated(self.0.options.backoff, || self.0.http.revoke(url, token)).await
    }

    async fn refresh_once(&self, token: &RefreshToken) -> Result<Tokens, Error> {
        let request = self.0.client.exchange_refresh_token(token);
        let answer = request.request_async(&self.0.http).await;
        tokens(&answer.map_err(|failure| error_of(&failure))?, &[])
    }
}

/// Asks, and asks again while the provider is down.
pub(super) async fn repeated<T, F>(backoff: Duration, ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut wait = backoff;
    for _ in 0..REPEATS {
        match ask().await {
            Err(Error::Unavailable(_)) => tokio::time::sleep(wait).await,
            other => return other,
        }
        wait *= 2;
    }
    ask().await
}

fn tokens(answer: &Answer, asked: &[&str]) -> Result<Tokens, Error> {
    if *answer.token_type() != BasicTokenType::Bearer {
        return Err(Error::Protocol("the token is no bearer token".to_owned()));
    }
    let secret = |token: &AccessToken| Secret::new(token.secret().clone());
    let scopes = match answer.scopes() {
        Some(granted) => normalised(granted.iter().map(|scope| scope.as_str())),
        None => normalised(asked.iter().copied()),
    };
    Ok(Tokens {
        access: secret(answer.access_token()),
        lifetime: answer.expires_in().unwrap_or(SHORT_LIFE),
        refresh: answer
            .refresh_token()
            .map(|token| Secret::new(token.secret().clone())),
        scopes,
        id_token: answer.extra_fields().id_token.clone().map(Secret::new),
    })
}

/// Sorted, each once, in the long form.
pub(super) fn normalised<'a>(scopes: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scopes: Vec<String> = scopes
        .filter(|scope| !scope.is_empty())
        .map(|scope| match scope {
            "email" | "profile" => format!("https://www.googleapis.com/auth/userinfo.{scope}"),
            other => other.to_owned(),
        })
        .collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

impl Tokens {
    /// Which of the scopes needed were not granted: people may untick some.
    pub fn missing(&self, needed: &[&str]) -> Vec<String> {
        missing(&self.scopes, needed)
    }
}

/// Which of the scopes needed are not among those granted (in the long form).
pub fn missing(granted: &[String], needed: &[&str]) -> Vec<String> {
    let mut missing = normalised(needed.iter().copied());
    missing.retain(|scope| !granted.contains(scope));
    missing
}

fn error_of(failure: &Failure) -> Error {
    match failure {
        RequestTokenError::ServerResponse(answer) => Error::of_answer(
            answer.error().as_ref(),
            answer.error_description().map(String::as_str),
        ),
        RequestTokenError::Request(HttpClientError::Reqwest(error)) => down(error),
        RequestTokenError::Request(HttpClientError::Other(text)) => {
            Error::Unavailable(text.clone())
        }
        RequestTokenError::Request(_) => Error::Unavailable("the request can't be sent".to_owned()),
        // The bytes, and the parser's own words, may hold tokens.
        RequestTokenError::Parse(error, _) => {
            Error::Protocol(format!("not the JSON expected, at {}", error.path()))
        }
        RequestTokenError::Other(text) => Error::Protocol(text.clone()),
    }
}
