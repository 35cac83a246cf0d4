//! `provisiond`: see the README.

pub mod model;
