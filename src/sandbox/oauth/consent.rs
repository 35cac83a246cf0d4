//! The consent page and what its form does.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use url::{Host, Url};

use super::super::call::{Call, Pairs};
use super::super::options::Options;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::random;
use super::{Code, Scopes, account, long_scope, sign_in};

/// A request for authorization that is in order.
struct Request {
    redirect_uri: Url,
    redirect_text: String,
    scopes: Vec<String>,
    state: Option<String>,
    nonce: Option<String>,
    offline: bool,
    prompt: Vec<String>,
    challenge: Option<(String, String)>,
    granted_too: bool,
}

/// `GET`: the page.
pub fn page(state: &State, call: &Call) -> Reply {
    let request = match read(&state.options, &call.query) {
        Ok(request) => request,
        Err((error, detail)) => return refusal(&error, &detail),
    };
    if request.prompt.iter().any(|word| word == "none") {
        return back(&request, &[("error", "interaction_required")]);
    }
    let hint = call.query.given("login_hint").unwrap_or_default();
    let mut accounts: Vec<(String, String)> = Vec::new();
    for customer in &state.world.customers {
        let known = customer
            .users
            .values()
            .filter_map(|id| state.world.users.get(id));
        let special = |name: &str| {
            ["admin@", "delegated@", "nonadmin@"]
                .iter()
                .any(|begin| name.starts_with(begin))
        };
        accounts.extend(
            known
                .filter(|user| user.is_admin || user.is_delegated || special(&user.email))
                .map(|user| (user.email.to_string(), user.full_name())),
        );
    }
    let private = &state.world.consumers;
    accounts.extend(
        private
            .iter()
            .map(|one| (one.email.to_string(), one.name.clone())),
    );
    let mut choices = String::new();
    for (index, (email, name)) in accounts.iter().enumerate() {
        let chosen = hint.eq_ignore_ascii_case(email) || (hint.is_empty() && index == 0);
        let _infallible = write!(
            choices,
            "<label><input type=\"radio\" name=\"account\" value=\"{0}\"{2}> {1} &lt;{0}&gt;</label><br>\n",
            escape(email),
            escape(name),
            if chosen { " checked" } else { "" },
        );
    }
    let mut ticks = String::new();
    for scope in &request.scopes {
        let fixed = if sign_in(&long_scope(scope)) {
            " disabled"
        } else {
            ""
        };
        let _infallible = write!(
            ticks,
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{0}\" checked{fixed}> {0}</label><br>\n",
            escape(scope),
        );
    }
    Reply::html(
        200,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in - simulated Google</title></head>\n\
             <body><h1>{name} wants access to your account</h1>\n\
             <form method=\"post\" action=\"/o/oauth2/v2/auth?{query}\">\n\
             <h2>Choose an account</h2>\n{choices}\
             <h2>Select what {name} can access</h2>\n{ticks}\
             <button name=\"action\" value=\"deny\">Cancel</button>\n\
             <button name=\"action\" value=\"allow\">Continue</button>\n</form></body></html>\n",
            name = escape(&state.options.app_name),
            query = escape(&call.raw_query),
        ),
    )
}

/// `POST`: what the person decided.
pub fn decide(state: &mut State, call: &Call) -> Reply {
    let request = match read(&state.options, &call.query) {
        Ok(request) => request,
        Err((error, detail)) => return refusal(&error, &detail),
    };
    let form = call.form();
    let Some(account) = form
        .given("account")
        .and_then(|key| account(&state.world, key))
    else {
        return refusal("invalid_account", "Couldn't find your Google Account");
    };
    if account.suspended {
        return refusal("disabled_account", "Your account has been disabled");
    }
    if let Some(error) = &account.error {
        return back(&request, &[("error", error)]);
    }
    match form.get("action") {
        Some("allow") => {}
        Some("deny") => return back(&request, &[("error", "access_denied")]),
        _ => return refusal("invalid_request", "action must be allow or deny"),
    }
    let ticked: BTreeSet<String> = form
        .all("scope")
        .flat_map(str::split_whitespace)
        .map(long_scope)
        .collect();
    let mut scopes: Scopes = request
        .scopes
        .iter()
        .map(|scope| long_scope(scope))
        .filter(|scope| sign_in(scope) || ticked.contains(scope))
        .collect();
    let known = state.oauth.grants.get(&account.id);
    let fresh = known.is_none() || request.prompt.iter().any(|word| word == "consent");
    if request.granted_too {
        scopes.extend(known.into_iter().flatten().cloned());
    }
    let granted = state.oauth.grants.entry(account.id.clone()).or_default();
    granted.extend(scopes.iter().cloned());
    let code = format!("4/0A{}", random(40));
    state.oauth.issued.push(("code", code.clone()));
    let scope_text = scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let entry = Code {
        account: account.id.clone(),
        scopes,
        redirect_uri: request.redirect_text.clone(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        offline: request.offline && fresh,
        at: state.now(),
        used: false,
    };
    state.oauth.codes.insert(code.clone(), entry);
    let mut pairs = vec![
        ("code", code.as_str()),
        ("scope", &scope_text),
        ("authuser", "0"),
    ];
    if let Some(domain) = &account.domain {
        pairs.push(("hd", domain));
    }
    pairs.push(("prompt", if fresh { "consent" } else { "none" }));
    back(&request, &pairs)
}

fn read(options: &Options, query: &Pairs) -> Result<Request, (String, String)> {
    let refuse = |error: &str, detail: &str| (error.to_owned(), detail.to_owned());
    let required = |name: &str| {
        query.given(name).ok_or_else(|| {
            refuse(
                "invalid_request",
                &format!("Missing required parameter: {name}"),
            )
        })
    };
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ] {
        if query.all(name).count() > 1 {
            return Err(refuse(
                "invalid_request",
                &format!("Parameter {name} is repeated"),
            ));
        }
    }
    if required("client_id")? != options.client_id {
        return Err(refuse("invalid_client", "The OAuth client was not found."));
    }
    let redirect_text = required("redirect_uri")?;
    let redirect_uri = registered(options, redirect_text).ok_or_else(|| {
        refuse(
            "redirect_uri_mismatch",
            "The redirect URI isn't registered for this client.",
        )
    })?;
    if required("response_type")? != "code" {
        return Err(refuse("invalid_request", "Invalid response_type"));
    }
    let scopes: Vec<String> = required("scope")?
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    let known = |scope: &String| {
        matches!(scope.as_str(), "openid" | "email" | "profile")
            || scope.starts_with("https://www.googleapis.com/auth/")
    };
    if let Some(wrong) = scopes.iter().find(|scope| !known(scope)) {
        return Err(refuse(
            "invalid_scope",
            &format!("Some requested scopes were invalid: {wrong}"),
        ));
    }
    let offline = match query.given("access_type") {
        Some("offline") => true,
        None | Some("online") => false,
        Some(_) => return Err(refuse("invalid_request", "Invalid access_type")),
    };
    let prompt: Vec<String> = query
        .given("prompt")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let words = ["none", "consent", "select_account"];
    if prompt.iter().any(|word| !words.contains(&word.as_str()))
        || (prompt.len() > 1 && prompt.iter().any(|word| word == "none"))
    {
        return Err(refuse("invalid_request", "Invalid prompt"));
    }
    let challenge = match (
        query.given("code_challenge"),
        query.given("code_challenge_method").unwrap_or("plain"),
    ) {
        (None, _) => None,
        (Some(text), "S256") if text.len() != 43 => {
            return Err(refuse(
                "invalid_request",
                &format!("Invalid code_challenge of {} characters", text.len()),
            ));
        }
        (Some(text), method @ ("S256" | "plain")) => Some((text.to_owned(), method.to_owned())),
        _ => return Err(refuse("invalid_request", "Invalid code_challenge_method")),
    };
    Ok(Request {
        redirect_uri,
        redirect_text: redirect_text.to_owned(),
        scopes,
        state: query.get("state").map(str::to_owned),
        nonce: query.given("nonce").map(str::to_owned),
        offline,
        prompt,
        challenge,
        granted_too: query.truthy("include_granted_scopes"),
    })
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

fn back(request: &Request, pairs: &[(&str, &str)]) -> Reply {
    let mut target = request.redirect_uri.clone();
    {
        let mut query = target.query_pairs_mut();
        if let Some(state) = &request.state {
            query.append_pair("state", state);
        }
        query.extend_pairs(pairs);
    }
    Reply::empty(302)
        .with("location", target.as_str())
        .with("cache-control", "no-store")
}

fn refusal(error: &str, detail: &str) -> Reply {
    let status = if error == "invalid_client" { 401 } else { 400 };
    Reply::html(
        status,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Error {status}: {error}</title></head>\n\
             <body><h1>Access blocked</h1><p>Error {status}: {error}</p><p>{}</p></body></html>\n",
            escape(detail)
        ),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
