//! Reads a request for authorization, as strictly as Google does.

use url::{Host, Url};

use super::super::call::Pairs;
use super::super::options::Options;

/// A request for authorization that is in order.
#[derive(Debug)]
pub struct Request {
    /// Where the answer goes.
    pub redirect_uri: Url,
    /// The same, letter for letter.
    pub redirect_text: String,
    /// As asked for.
    pub scopes: Vec<String>,
    /// Echoed.
    pub state: Option<String>,
    /// For the id token.
    pub nonce: Option<String>,
    /// Whether a refresh token is wanted.
    pub offline: bool,
    /// Words of `prompt`.
    pub prompt: Vec<String>,
    /// PKCE challenge and method.
    pub challenge: Option<(String, String)>,
    /// `include_granted_scopes`.
    pub granted_too: bool,
}

/// An error's name and what is wrong.
type Refusal = (&'static str, String);

fn wrong(detail: impl Into<String>) -> Refusal {
    ("invalid_request", detail.into())
}

/// Reads the query.
///
/// # Errors
/// The error that Google's page would name, with a detail.
pub fn read(options: &Options, query: &Pairs) -> Result<Request, Refusal> {
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ] {
        if query.all(name).count() > 1 {
            return Err(wrong(format!("Parameter {name} is repeated")));
        }
    }
    if required(query, "client_id")? != options.client_id {
        return Err((
            "invalid_client",
            "The OAuth client was not found.".to_owned(),
        ));
    }
    let redirect_text = required(query, "redirect_uri")?;
    let redirect_uri = registered(options, redirect_text).ok_or_else(|| {
        (
            "redirect_uri_mismatch",
            "The redirect URI isn't registered for this client.".to_owned(),
        )
    })?;
    if required(query, "response_type")? != "code" {
        return Err(wrong("Invalid response_type"));
    }
    Ok(Request {
        redirect_uri,
        redirect_text: redirect_text.to_owned(),
        scopes: scopes(required(query, "scope")?)?,
        state: query.get("state").map(str::to_owned),
        nonce: query.given("nonce").map(str::to_owned),
        offline: match query.given("access_type") {
            Some("offline") => true,
            None | Some("online") => false,
            Some(_) => return Err(wrong("Invalid access_type")),
        },
        prompt: prompt(query.given("prompt").unwrap_or_default())?,
        challenge: challenge(query)?,
        granted_too: query.truthy("include_granted_scopes"),
    })
}

fn required<'q>(query: &'q Pairs, name: &str) -> Result<&'q str, Refusal> {
    query
        .given(name)
        .ok_or_else(|| wrong(format!("Missing required parameter: {name}")))
}

fn scopes(text: &str) -> Result<Vec<String>, Refusal> {
    let known = |scope: &str| {
        matches!(scope, "openid" | "email" | "profile")
            || scope.starts_with("https://www.googleapis.com/auth/")
    };
    text.split(' ')
        .filter(|scope| !scope.is_empty())
        .map(|scope| {
            if known(scope) {
                Ok(scope.to_owned())
            } else {
                Err((
                    "invalid_scope",
                    format!("Some requested scopes were invalid: {scope}"),
                ))
            }
        })
        .collect()
}

fn prompt(text: &str) -> Result<Vec<String>, Refusal> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let known = words
        .iter()
        .all(|word| matches!(word.as_str(), "none" | "consent" | "select_account"));
    let alone = words.len() == 1 || !words.iter().any(|word| word == "none");
    if known && alone {
        Ok(words)
    } else {
        Err(wrong("Invalid prompt"))
    }
}

fn challenge(query: &Pairs) -> Result<Option<(String, String)>, Refusal> {
    // Without a method, a challenge is compared as it is.
    let method = query.given("code_challenge_method").unwrap_or("plain");
    match (query.given("code_challenge"), method) {
        (None, _) => Ok(None),
        (Some(text), "S256") if text.len() != 43 => Err(wrong("Invalid code_challenge")),
        (Some(text), "S256" | "plain") => Ok(Some((text.to_owned(), method.to_owned()))),
        _ => Err(wrong("Invalid code_challenge_method")),
    }
}

/// The URI, if the client may be sent there: letter for letter one of the registered, or loopback.
fn registered(options: &Options, text: &str) -> Option<Url> {
    let uri = Url::parse(text).ok()?;
    if uri.fragment().is_some() || !uri.username().is_empty() {
        return None;
    }
    if !options.redirect_uris.is_empty() {
        return options
            .redirect_uris
            .iter()
            .any(|known| known == text)
            .then_some(uri);
    }
    let loopback = match uri.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    (loopback && uri.scheme() == "http").then_some(uri)
}
