//! What can go wrong with a system, and the only decision about trying again.

use crate::model::ErrorKind;
use std::time::Duration;

/// Whether an error may be answered by trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Try again after a backoff, but not before this has passed.
    After(Duration),
    /// Once more with a new access token; a second time it is final.
    Reauthenticate,
    /// Trying again changes nothing.
    Never,
}

/// A failed request to a system. Texts are for people and logs: they hold no token and no personal data but addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many requests; the system may say how long to wait.
    #[error("the system throttles: {text}")]
    Throttled {
        /// `Retry-After`, if it was sent.
        after: Option<Duration>,
        /// What the system said.
        text: String,
    },
    /// The system, or the way there, is down. Also when repetitions are used up.
    #[error("the system can't be reached: {0}")]
    Unavailable(String),
    /// The access token is not accepted.
    #[error("the system does not accept the access token: {0}")]
    Unauthorized(String),
    /// The consent is gone (revoked, expired, account deleted), or good for nothing any more (scopes withdrawn, the account
    /// no administrator any more): only a new one helps.
    #[error("the authorization is no longer valid: {0}")]
    ConsentLost(String),
    /// The admin, who is still one, may not do this, or the object is another customer's.
    #[error("the system forbids it: {0}")]
    Forbidden(String),
    /// There is no such object, or it was deleted.
    #[error("the system has no such object: {0}")]
    NotFound(String),
    /// Something else changes the same thing, or it exists already.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The request makes no sense to the system.
    #[error("the system refused the request: {0}")]
    Rejected(String),
    /// The listing can't be continued; it must start again.
    #[error("the listing can't be continued: {0}")]
    CursorLost(String),
    /// The answer makes no sense: nothing may be concluded from it.
    #[error("the system's answer makes no sense: {0}")]
    Protocol(String),
}

impl Error {
    /// The only retry decision.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Throttled { after, .. } => Retry::After(after.unwrap_or_default()),
            Self::Unavailable(_) | Self::Conflict(_) => Retry::After(Duration::ZERO),
            Self::Unauthorized(_) => Retry::Reauthenticate,
            Self::ConsentLost(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Rejected(_)
            | Self::CursorLost(_)
            | Self::Protocol(_) => Retry::Never,
        }
    }

    /// Whether the system does not let us in any more: nothing can be read until it is authorized anew.
    pub fn is_authorization_lost(&self) -> bool {
        matches!(self, Self::ConsentLost(_) | Self::Unauthorized(_))
    }

    /// What a caller of the API can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Throttled { .. } | Self::Unavailable(_) | Self::Conflict(_) => {
                ErrorKind::Unavailable
            }
            Self::Unauthorized(_) | Self::ConsentLost(_) | Self::Forbidden(_) => {
                ErrorKind::Precondition
            }
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Rejected(_) | Self::CursorLost(_) | Self::Protocol(_) => ErrorKind::Unavailable,
        }
    }

    /// A stable code for records of runs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "SYSTEM_THROTTLES",
            Self::Unavailable(_) => "SYSTEM_UNAVAILABLE",
            Self::Unauthorized(_) => "ACCESS_TOKEN_REFUSED",
            Self::ConsentLost(_) => "REAUTHORIZATION_REQUIRED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Conflict(_) => "CONFLICT",
            Self::Rejected(_) => "REJECTED",
            Self::CursorLost(_) => "LISTING_LOST",
            Self::Protocol(_) => "PROTOCOL",
        }
    }
}
