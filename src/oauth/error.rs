//! What can go wrong with a provider.

use crate::connector;

/// Where the fault lies when what is signed with a service account's key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The service account may not act for others with these scopes.
    Delegation,
    /// The key, or its account, is deleted, disabled or another.
    Key,
    /// As whom it is to act: there is no such account, or it can't be used.
    Subject,
    /// The organisation's policy.
    Policy,
}

/// A failed conversation with a provider. Texts are for logs: they hold no code, token or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The provider, or the way there, is down; repetitions are used up.
    #[error("the provider can't be reached: {0}")]
    Unavailable(String),
    /// The code or refresh token is not, or no longer, accepted: only a new consent helps.
    #[error("the provider refuses the grant: {0}")]
    Grant(String),
    /// What is signed with a service account's key is not, or no longer, accepted: an administrator must see to it.
    #[error("the provider refuses the service account: {1}")]
    Assertion(Blame, String),
    /// The provider finds what we signed too old or too new: the daemon's clock is wrong. Nothing is lost by it.
    #[error("the provider finds the daemon's clock wrong: {0}")]
    Clock(String),
    /// The provider does not accept this client or its requests: the operator must correct the configuration.
    #[error("the provider does not accept the client: {0}")]
    Client(String),
    /// The id token can't be trusted.
    #[error("the id token can't be trusted: {0}")]
    Identity(String),
    /// The answer makes no sense.
    #[error("the provider's answer makes no sense: {0}")]
    Protocol(String),
    /// What was given to be kept could not be read or kept.
    #[error("{0}")]
    Kept(String),
}

impl Error {
    /// By the answer of a token endpoint to what was signed with a service account's key (RFC 7523 3.1). Google tells the
    /// trouble by its description alone where the code is `invalid_grant`; the texts are those that GAM knows.
    pub(super) fn of_assertion(code: &str, description: Option<&str>) -> Self {
        let text = told(code, description);
        let says = |part: &str| description.is_some_and(|said| said.contains(part));
        let blame = match code {
            code if is_passing(code) => return Self::Unavailable(text),
            "unsupported_grant_type" => return Self::Client(text),
            "unauthorized_client" | "invalid_scope" => Blame::Delegation,
            "access_denied" | "admin_policy_enforced" | "invalid_account" => Blame::Policy,
            "invalid_request" => Blame::Subject,
            "invalid_grant" if says("reasonable timeframe") => return Self::Clock(text),
            "invalid_grant" if says("JWT") || says("account not found") => Blame::Key,
            "invalid_grant" => Blame::Subject,
            _ => Blame::Key,
        };
        Self::Assertion(blame, text)
    }

    /// By the `error` of a token endpoint's answer (RFC 6749 5.2, and what Google adds).
    pub(super) fn of_answer(code: &str, description: Option<&str>) -> Self {
        let text = told(code, description);
        match code {
            code if is_passing(code) => Self::Unavailable(text),
            "invalid_grant"
            | "access_denied"
            | "invalid_account"
            | "admin_policy_enforced"
            | "invalid_rapt"
            | "interaction_required" => Self::Grant(text),
            _ => Self::Client(text),
        }
    }
}

/// Codes of what passes by itself.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "internal_failure" | "temporarily_unavailable" | "server_error" | "rate_limit_exceeded"
    )
}

fn told(code: &str, description: Option<&str>) -> String {
    let code = shortened(code);
    description.map_or_else(
        || code.clone(),
        |description| format!("{code}: {}", shortened(description)),
    )
}

/// Enough of a foreign text to understand it, on one line.
fn shortened(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(200).collect()
}

impl From<Error> for connector::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Grant(text) => Self::ConsentLost(text),
            Error::Assertion(..) => Self::ConsentLost(error.to_string()),
            Error::Unavailable(text) | Error::Kept(text) => Self::Unavailable(text),
            Error::Client(_) | Error::Clock(_) => Self::Rejected(error.to_string()),
            Error::Identity(_) | Error::Protocol(_) => Self::Protocol(error.to_string()),
        }
    }
}
