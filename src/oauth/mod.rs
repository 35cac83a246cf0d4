//! OAuth 2.0 authorization code with PKCE (RFC 6749, 7636), OpenID Connect id tokens, assertions signed with a service
//! account's key (RFC 7523), and access tokens renewed once for all who wait.
//!
//! Owns the conversation with a provider: the consent page's URL, the exchange of codes, refresh tokens and assertions, who
//! consented. May use `model` and `connector`. Deliberately knows no integration: what is asked for, what is kept
//! and what a refusal means for people is decided above. Every URL is given.

mod assertion;
mod error;
mod http;
mod identity;
mod provider;
mod source;
#[cfg(test)]
mod tests;

pub use assertion::{AssertionOptions, Assertions, Delegate, is_usable_key};
pub use error::{Blame, Error};
pub use identity::Identity;
pub use provider::{Begun, Provider, ProviderOptions, Tokens, missing};
pub use source::{Grant, Kept, TokenSource};
