//! All integration tests in one binary.

#[cfg(feature = "dev")]
mod dev;
#[cfg(feature = "dev")]
mod google;
#[cfg(feature = "dev")]
mod sandbox;
#[cfg(feature = "dev")]
mod smoke;
mod store;
#[cfg(feature = "dev")]
mod support;
mod tidy;
