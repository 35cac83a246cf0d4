//! All integration tests in one binary.

#[cfg(feature = "dev")]
mod backup;
mod callers;
mod changes;
#[cfg(feature = "dev")]
mod consent;
#[cfg(feature = "dev")]
mod crash;
#[cfg(feature = "dev")]
mod credentials;
#[cfg(feature = "dev")]
mod dev;
#[cfg(feature = "dev")]
mod equality;
#[cfg(feature = "dev")]
mod faults;
#[cfg(feature = "dev")]
mod google;
#[cfg(feature = "dev")]
mod grpc;
#[cfg(feature = "dev")]
mod grpcurl;
#[cfg(feature = "dev")]
mod history;
mod malformed;
mod methods;
#[cfg(feature = "dev")]
mod oidc;
#[cfg(feature = "dev")]
mod reauthorizing;
#[cfg(feature = "dev")]
mod sandbox;
#[cfg(feature = "dev")]
mod schedule;
#[cfg(feature = "dev")]
mod secrecy;
#[cfg(feature = "dev")]
mod set_up;
#[cfg(feature = "dev")]
mod stops;
mod store;
#[cfg(feature = "dev")]
mod support;
mod tidy;
