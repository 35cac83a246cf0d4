//! `provisiond`: see the README.

pub mod config;
pub mod connector;
pub mod model;
pub mod oauth;

#[rustfmt::skip]
#[allow(missing_docs)]
pub mod store;
