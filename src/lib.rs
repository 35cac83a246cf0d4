//! `provisiond`: see the README.

pub mod config;
pub mod connector;
pub mod directory;
pub mod http;
pub mod integrations;
pub mod model;
pub mod oauth;
pub mod rules;

#[rustfmt::skip]
#[allow(missing_docs)]
pub mod store;
