//! The simulator of Google, judged over HTTP by Google's own documents and client.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod assertions;
pub mod client;
mod directory;
mod discovery;
mod faults;
mod group_writes;
mod judged;
mod oauth;
mod search;
mod writes;
