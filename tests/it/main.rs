//! All integration tests in one binary.

#[cfg(feature = "dev")]
mod dev;
#[cfg(feature = "dev")]
mod sandbox;
mod store;
mod tidy;
