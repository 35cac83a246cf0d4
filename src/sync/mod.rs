//! Runs: the one door through which all work starts, the pipe that carries a run out, and the news about it.
//!
//! Owns when a run starts and may start, what it decides, that every outcome is recorded in the same transaction as what it did,
//! and that the counts add up. May use `model`, `store`, `connector`, `rules`, `directory` and `integrations`. Deliberately
//! knows no gRPC and no system by name: it asks the two connectors of an integration.

mod apply;
mod compare;
mod error;
mod events;
mod execute;
mod fate;
mod job;
mod joining;
mod knowledge;
mod lane;
mod left;
mod lookup;
#[cfg(test)]
mod meanwhile;
mod members;
mod merge;
mod naming;
mod object;
mod plan;
mod provision;
mod queue;
mod read;
mod record;
mod rehearsal;
mod retention;
mod run;
mod runs;
mod schedule;
mod swap;
mod table;

pub use crate::rules::{Answer, Part, Tested, Verdict};
pub use error::Error;
pub use events::{Feed, From, News, NewsItem, Scope, Told, Watcher};
pub use fate::Fate;
pub use object::Provisioned;
pub use retention::Retention;
pub use runs::{ObjectRequest, Options, Runs};
