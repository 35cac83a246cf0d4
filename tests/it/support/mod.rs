//! The real daemon over real gRPC and HTTP against the sandbox, for whichever test wants one.

#![allow(clippy::unwrap_used, clippy::panic)]

pub mod browser;
mod google;
mod process;
mod sums;
mod world;

pub use google::Google;
pub use process::{Daemon, refused};
pub use sums::sums_hold;
pub use world::{World, company, integration};
