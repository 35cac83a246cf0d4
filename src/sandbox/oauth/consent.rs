//! The consent page and what its form does.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::random;
use super::request::{Request, read};
use super::{Code, Scopes, account, long_scope, sign_in};

/// `GET`: the page.
pub fn page(state: &State, call: &Call) -> Reply {
    let request = match read(&state.options, &call.query) {
        Ok(request) => request,
        Err((error, detail)) => return refusal(error, &detail),
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
        let _infallible = writeln!(
            choices,
            "<label><input type=\"radio\" name=\"account\" value=\"{0}\"{2}> {1} &lt;{0}&gt;</label><br>",
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
        let _infallible = writeln!(
            ticks,
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{0}\" checked{fixed}> {0}</label><br>",
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
        Err((error, detail)) => return refusal(error, &detail),
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
