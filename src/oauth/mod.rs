//! OAuth 2.0 authorization code with PKCE (RFC 6749, 7636), OpenID Connect id tokens, and access tokens renewed once for
//! all who wait.
//!
//! Owns the conversation with a provider: the consent page's URL, the exchange of codes and refresh tokens, who
//! consented. May use `model`, `store` and `connector`. Deliberately knows no integration: what is asked for, what is kept
//! and what a refusal means for people is decided above. Every URL is given.

mod error;
mod http;
mod identity;
mod provider;
mod source;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use identity::Identity;
pub use provider::{Begun, Provider, ProviderOptions, Tokens, missing};
pub use source::{RefreshTokens, TokenSource};
