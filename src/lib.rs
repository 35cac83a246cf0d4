//! `provisiond`.
#[cfg(feature = "dev")]
pub mod sandbox;
