//! `provisiond`: see the README.

pub mod connector;
pub mod model;
#[cfg(feature = "dev")]
pub mod sandbox;

#[rustfmt::skip]
#[allow(missing_docs)]
pub mod store;
