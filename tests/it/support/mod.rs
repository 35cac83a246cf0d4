//! The real daemon over real gRPC and HTTP against the sandbox, for whichever test wants one.

#![allow(clippy::unwrap_used, clippy::panic)]

mod browser;
mod google;
mod world;

pub use google::Google;
pub use world::{SYSTEM, World, company, integration};
