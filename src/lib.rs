//! `provisiond`: see the README.

// Floor 0
pub mod model;
// Floor 1
pub mod connector;
pub mod rules;
pub mod store;
// Floor 2
pub mod directory;
pub mod oauth;
// Floor 3
pub mod integrations;
// Floor 4
pub mod sync;
// Floor 6
pub mod grpc;
pub mod http;
// Around them
pub mod app;
pub mod cli;
pub mod config;
pub mod proto;
#[cfg(feature = "dev")]
pub mod sandbox;
