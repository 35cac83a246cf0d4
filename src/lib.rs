//! `provisiond`: see the README.

pub mod connector;
pub mod directory;
pub mod model;
pub mod rules;

#[rustfmt::skip]
#[allow(missing_docs)]
pub mod store;
