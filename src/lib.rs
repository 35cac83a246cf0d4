//! `provisiond`: see the README.

pub mod connector;
pub mod model;
pub mod store;
