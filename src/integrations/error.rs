//! What can go wrong with integrations.

use super::Refused;
use crate::{
    connector,
    model::{ErrorKind, Violation},
    store,
};

/// What can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// These fields of the request are wrong; never empty.
    #[error("{}", texts(.0))]
    Invalid(Vec<Violation>),
    /// There is no such thing, or it is another company's; the resource name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// An id, a title, a position or a request id is taken.
    #[error("{what} is taken: {holder}")]
    Taken {
        /// `id`, `title`, `position` or `request_id`.
        what: &'static str,
        /// The resource name of the holder where it may be told, else a description.
        holder: String,
    },
    /// What the caller saw has changed meanwhile.
    #[error("changed meanwhile: {0}")]
    Changed(String),
    /// Something must be done first.
    #[error("{text}")]
    Precondition {
        /// Stable, in capitals, such as `NOT_AUTHORIZED`.
        code: &'static str,
        /// What, in words.
        text: String,
    },
    /// The consent could not be taken.
    #[error(transparent)]
    Refused(#[from] Box<Refused>),
    /// The system.
    #[error(transparent)]
    System(#[from] connector::Error),
    /// The store failed.
    #[error(transparent)]
    Store(store::Error),
}

fn texts(violations: &[Violation]) -> String {
    let each = violations
        .iter()
        .map(|v| format!("{}: {}", v.field, v.description));
    each.collect::<Vec<_>>().join("; ")
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Taken { .. } => ErrorKind::AlreadyExists,
            Self::Changed(_) => ErrorKind::Conflict,
            Self::Precondition { .. } => ErrorKind::Precondition,
            Self::Refused(refused) => refused.refusal.kind(),
            Self::System(error) => error.kind(),
            Self::Store(store::Error::Refused(_)) => ErrorKind::Precondition,
            Self::Store(_) => ErrorKind::Internal,
        }
    }

    /// The fields that are wrong, if that is the trouble.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(violations) => violations,
            _ => &[],
        }
    }

    /// The stable code of a precondition that is not met, if that is the trouble.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Precondition { code, .. } => Some(code),
            Self::Refused(refused) => Some(refused.refusal.code()),
            Self::System(error) => Some(error.code()),
            _ => None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Taken { what, holder } => Self::Taken { what, holder },
            store::Error::Missing(name) => Self::NotFound(name),
            store::Error::Changed(what) => Self::Changed(what),
            store::Error::Deleting(_) => Self::Precondition {
                code: "DELETING",
                text: error.to_string(),
            },
            // The only positions that are taken here are page tokens.
            store::Error::BadPosition(text) => {
                Self::Invalid(vec![Violation::new("page_token", text)])
            }
            other => Self::Store(other),
        }
    }
}
