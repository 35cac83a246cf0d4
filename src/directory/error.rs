//! What can go wrong with the directory.

use crate::{model::Violation, store};

/// What can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// These fields of the request are wrong; never empty.
    #[error("{}", texts(.0))]
    Invalid(Vec<Violation>),
    /// There is no such object, or it is another company's; the resource name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// An id, an address or a request id is taken.
    #[error("{what} is taken: {holder}")]
    Taken {
        /// `id`, `email` or `request_id`.
        what: &'static str,
        /// The resource name of the holder where it may be told, else a description.
        holder: String,
    },
    /// Integrations keep these up to date: the field of the request and the resource name of its owner; never empty.
    #[error("{}", owners(.0))]
    Owned(Vec<(String, String)>),
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

fn owners(owned: &[(String, String)]) -> String {
    let each = owned
        .iter()
        .map(|(field, owner)| format!("{field} is kept up to date by {owner}"));
    each.collect::<Vec<_>>().join("; ")
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Taken { what, holder } => Self::Taken { what, holder },
            store::Error::Missing(name) => Self::NotFound(name),
            // The only positions that the directory takes are page tokens.
            store::Error::BadPosition(text) => {
                Self::Invalid(vec![Violation::new("page_token", text)])
            }
            other => Self::Store(other),
        }
    }
}
