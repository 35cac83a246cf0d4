//! `provisiond`: see the README.

pub mod connector;
pub mod model;

#[rustfmt::skip]
#[allow(missing_docs)]
pub mod store;
