//! All integration tests in one binary.

#[cfg(feature = "dev")]
mod between_runs;
#[cfg(feature = "dev")]
mod changes;
#[cfg(feature = "dev")]
mod consent;
#[cfg(feature = "dev")]
mod crash;
#[cfg(feature = "dev")]
mod dev;
#[cfg(feature = "dev")]
mod equality;
#[cfg(feature = "dev")]
mod google;
#[cfg(feature = "dev")]
mod grpc;
#[cfg(feature = "dev")]
mod grpcurl;
#[cfg(feature = "dev")]
mod malformed;
#[cfg(feature = "dev")]
mod sandbox;
#[cfg(feature = "dev")]
mod secrecy;
#[cfg(feature = "dev")]
mod smoke;
#[cfg(feature = "dev")]
mod stops;
mod store;
#[cfg(feature = "dev")]
mod support;
mod tidy;
