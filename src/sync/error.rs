//! What can go wrong at the door of the runs.

use crate::{
    connector, integrations,
    model::{CompanyId, ErrorKind, IntegrationId},
    rules, store,
};

/// Why a request about runs was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Something must be done first: `(code, text)` of each.
    #[error("{}", .0.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("; "))]
    NotReady(Vec<(String, String)>),
    /// A rule was named that can't be run by hand.
    #[error("{0}")]
    BadRule(String),
    /// So many previews of the integration wait already.
    #[error(
        "{0} previews of this integration wait already: wait until one of them has begun (WatchRuns tells), or call CancelRun with one that is not needed"
    )]
    TooManyPreviews(usize),
    /// There is no such thing: its resource name, if it is one that has any.
    #[error("{0} does not exist")]
    Missing(String),
    /// A stream position that is no longer kept, or never was.
    #[error("{0}")]
    BadPosition(String),
    /// The system failed.
    #[error(transparent)]
    System(connector::Error),
    /// The daemon stops.
    #[error("the daemon is stopping; try again in a moment")]
    Stopping,
    /// About the integration.
    #[error(transparent)]
    Integration(#[from] integrations::Error),
    /// About the store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// There is nothing of this name within an integration.
    pub(super) fn missing(company: &CompanyId, integration: &IntegrationId, name: &str) -> Self {
        Self::Missing(format!(
            "companies/{company}/integrations/{integration}/{name}"
        ))
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotReady(_) => ErrorKind::Precondition,
            Self::BadRule(_) => ErrorKind::Invalid,
            Self::TooManyPreviews(_) => ErrorKind::Exhausted,
            Self::Missing(_) => ErrorKind::NotFound,
            Self::BadPosition(_) => ErrorKind::OutOfRange,
            Self::System(error) => error.kind(),
            Self::Stopping => ErrorKind::Unavailable,
            Self::Integration(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

/// Why a run's pipe stopped before its end.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Stop {
    /// The system failed in a way that repeating did not cure.
    #[error(transparent)]
    System(#[from] connector::Error),
    /// The integration could not be opened.
    #[error(transparent)]
    Integration(#[from] integrations::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A rule's expression is none any more.
    #[error(transparent)]
    Rule(#[from] rules::Unusable),
    /// Somebody stopped the run.
    #[error("cancelled")]
    Cancelled,
}

impl Stop {
    /// Whether the system does not let us in any more, so that nothing at all can be read.
    pub(super) fn is_consent_lost(&self) -> bool {
        matches!(self, Self::System(error) if error.is_authorization_lost())
    }

    /// Of two, the one to tell: the first, unless the other says that the consent is lost.
    pub(super) fn worse(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match other {
            Some(lost) if lost.is_consent_lost() => Some(lost),
            other => one.or(other),
        }
    }
}
