//! External systems behind one set of traits, so that a direction is nothing but which end is source and which is target.
//!
//! Owns what a connector is, the catalogue of systems, the HTTP client all of them share, and each system's own folder.
//! May use `model`. Deliberately does not know what a run, a rule or the store is; the AppsCo directory, the other end,
//! implements the same traits in `directory`.

pub mod catalogue;
mod error;
pub mod google;
mod governor;
mod http;
mod retry;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod traits;

pub use error::{Error, Retry};
pub use governor::{GovernorKey, Governors, Pace};
pub use http::{Http, HttpOptions};
pub use retry::Backoff;
pub use traits::{
    AccessTokens, Answer, Connector, Coverage, Cursor, Domain, MemberKind, OrgUnit, Page, Prepared,
    Reader, SourceMember, Standing, Write, Writer,
};
