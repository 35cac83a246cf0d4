//! What can go wrong in the store.

use crate::model::ErrorKind;

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id, title, request id or address is taken; by whom or what, for people.
    #[error("{what} is taken: {holder}")]
    Taken {
        /// `id`, `title`, `email`, `request_id`, `customer`, `position`.
        what: &'static str,
        /// The resource name of the holder where it may be told, else a description.
        holder: String,
    },
    /// There is no such thing.
    #[error("{0} does not exist")]
    Missing(String),
    /// What the write was based on has changed: read again. Nothing was written.
    #[error("changed meanwhile: {0}")]
    Changed(String),
    /// A page token or sequence that can't be used (any more).
    #[error("{0}")]
    BadPosition(String),
    /// A change refused: by the closure given (see `update_integration`), or because it does not fit; the text says which.
    #[error("{0}")]
    Refused(String),
    /// The integration of this name is being deleted: nothing about it can be changed.
    #[error("{0} is being deleted; it is gone when it is no longer found")]
    Deleting(String),
    /// The store is damaged: the text says what to do.
    #[error("{0}")]
    Damaged(String),
    /// The store is sound but can't be opened as configured (wrong key, newer format): the text says what to do.
    #[error("{0}")]
    Unusable(String),
    /// I/O fails. The store takes no more writes until the daemon is restarted.
    #[error("the store can't write: {0}")]
    Io(String),
    /// The disk is nearly full: nothing is written until there is room again.
    #[error("{0}")]
    Full(String),
    /// Something that can be done by one at a time is being done, or too much else was: wait, then try again.
    #[error("{0}")]
    Busy(String),
    /// A backup that can't be used: the text says why.
    #[error("{0}")]
    Backup(String),
    /// Another process holds the store.
    #[error("{0}")]
    Locked(String),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Taken { .. } => ErrorKind::AlreadyExists,
            Self::Missing(_) => ErrorKind::NotFound,
            Self::Changed(_) => ErrorKind::Conflict,
            Self::BadPosition(_) => ErrorKind::OutOfRange,
            Self::Refused(_) | Self::Deleting(_) => ErrorKind::Precondition,
            Self::Full(_) | Self::Busy(_) => ErrorKind::Unavailable,
            Self::Damaged(_)
            | Self::Unusable(_)
            | Self::Io(_)
            | Self::Backup(_)
            | Self::Locked(_) => ErrorKind::Internal,
        }
    }

    pub(super) fn io(doing: &str, error: &std::io::Error) -> Self {
        Self::Io(format!("{doing}: {error}"))
    }

    pub(super) fn taken(what: &'static str, holder: impl Into<String>) -> Self {
        Self::Taken {
            what,
            holder: holder.into(),
        }
    }

    /// A row that can't be understood.
    pub(super) fn unreadable(what: &str) -> Self {
        Self::Damaged(format!(
            "the store is damaged ({what} can't be read): stop the daemon, keep a copy of its data directory, and restore a backup"
        ))
    }

    pub(super) fn closed() -> Self {
        Self::Io("the store is closed".to_owned())
    }
}

impl From<sled::Error> for Error {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Corruption { .. } => Self::unreadable("a page"),
            other => Self::Io(other.to_string()),
        }
    }
}
