//! All integration tests in one binary.

#[cfg(feature = "dev")]
mod google;
#[cfg(feature = "dev")]
mod sandbox;
mod store;
mod tidy;
