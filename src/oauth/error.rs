//! What can go wrong with a provider.

use crate::{connector, model::ErrorKind};

/// A failed conversation with a provider. Texts are for logs: they hold no code, token or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The provider, or the way there, is down; repetitions are used up.
    #[error("the provider can't be reached: {0}")]
    Unavailable(String),
    /// The code or refresh token is not, or no longer, accepted: only a new consent helps.
    #[error("the provider refuses the grant: {0}")]
    Grant(String),
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
    /// What a caller of the API can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) | Self::Protocol(_) => ErrorKind::Unavailable,
            Self::Grant(_) | Self::Client(_) | Self::Identity(_) => ErrorKind::Precondition,
            Self::Kept(_) => ErrorKind::Internal,
        }
    }

    /// By the `error` of a token endpoint's answer (RFC 6749 5.2, and what Google adds).
    pub(super) fn of_answer(code: &str, description: Option<&str>) -> Self {
        let text = match description {
            Some(description) => format!("{code}: {}", shortened(description)),
            None => shortened(code),
        };
        match code {
            "internal_failure"
            | "temporarily_unavailable"
            | "server_error"
            | "rate_limit_exceeded" => Self::Unavailable(text),
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

/// Enough of a foreign text to understand it, on one line.
fn shortened(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(200).collect()
}

impl From<Error> for connector::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Grant(text) => Self::ConsentLost(text),
            Error::Unavailable(text) | Error::Kept(text) => Self::Unavailable(text),
            Error::Client(_) => Self::Rejected(error.to_string()),
            Error::Identity(_) | Error::Protocol(_) => Self::Protocol(error.to_string()),
        }
    }
}
