//! What can keep `provisiond dev` from ending well.

use std::io;
use std::net::SocketAddr;

/// Each says what to do about it, where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port is not free.
    #[error(
        "{address}, where the daemon listens for {what}, is taken by another program: end that one, or choose another \
         address with {flag} (port 0 takes a free one)"
    )]
    Taken {
        /// The address.
        address: SocketAddr,
        /// What it is for.
        what: &'static str,
        /// Which flag chooses another.
        flag: &'static str,
    },
    /// The directory for the data could not be made.
    #[error("no directory for the data could be made in {place}: {error}")]
    Workspace {
        /// Where it was tried.
        place: String,
        /// What went wrong.
        error: io::Error,
    },
    /// Signals can't be waited for.
    #[error("signals can't be waited for: {0}")]
    Signals(io::Error),
    /// The simulated Google did not start, or ended.
    #[error("the simulated Google Workspace {0}")]
    Google(String),
    /// A flag is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::Error),
    /// The daemon did not start, or ended.
    #[error("the daemon {0}")]
    Daemon(String),
    /// The daemon does not answer.
    #[error("the daemon can't be reached: {0}")]
    Connect(#[from] tonic::transport::Error),
    /// The daemon refused a call.
    #[error("{call} was refused: {} ({:?})", status.message(), status.code())]
    Call {
        /// The method.
        call: &'static str,
        /// The answer.
        status: tonic::Status,
    },
    /// The consent did not come about.
    #[error("the consent did not come about: {0}")]
    Consent(String),
    /// The run did not end as it should.
    #[error("the run {name} did not succeed: {text}")]
    Run {
        /// Its resource name.
        name: String,
        /// How it ended, and why.
        text: String,
    },
    /// A signal came before the sync had ended.
    #[error("stopped before the sync had ended")]
    Interrupted,
}

impl Error {
    /// For `map_err`: the daemon refused this call.
    pub(super) fn call(call: &'static str) -> impl FnOnce(tonic::Status) -> Self {
        move |status| Self::Call { call, status }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Consent(error.to_string())
    }
}
