//! The simulator of Google that `provisiond dev`, tests and benchmarks talk to.
//!
//! **Owns** an invented company (see `world/generate.rs`), the accounts that may consent, every
//! code and token issued, and the faults that a test asked for; all in memory, deterministic by
//! seed. One listener serves Google's paths: the consent page and token endpoints (`oauth/`), the
//! Directory API (`directory/`), and the tests' own control paths (`control/`).
//!
//! **May use** the HTTP server and nothing of the daemon: it judges the daemon, so sharing code
//! with it would hide mistakes made twice.
//!
//! **Deliberately does not** push notifications, batch, photos, schemas or the Reports API: what
//! is not simulated answers 404, as an unknown path does.
//!
//! # Consent
//! `GET /o/oauth2/v2/auth?...` answers the page; its form posts to the same URL, query included,
//! the fields `account` (an e-mail), `action` (`allow` or `deny`) and `scope`, once for each scope
//! that is ticked. Sign-in scopes (`openid`, `email`, `profile`) are granted without a tick. The
//! answer is 302 to the redirect URI, or 400 with a page that names the error.
//!
//! # Control, JSON, no authorization
//! | request | effect |
//! |---|---|
//! | `GET /sandbox/state[?customer=C..]` | customer id, domains, counts, users, groups, members by group id |
//! | `GET`, `DELETE /sandbox/requests` | log since the last `DELETE`, and counts by method id; clear it |
//! | `POST /sandbox/users`, `PATCH`, `DELETE /sandbox/users/{key}` | change a user; `?raw=true` skips every check, `?purge=true` leaves no deleted user behind |
//! | `POST /sandbox/users/{id}/undelete` | bring a deleted user back |
//! | the same on `/sandbox/groups[/{key}]` and `/sandbox/groups/{key}/members[/{key}]` | change a group or a membership |
//! | `POST /sandbox/orgunits/rename` | `{"from": "/Staff", "to": "/People"}`: its people move along |
//! | `POST`, `PUT`, `DELETE /sandbox/faults` | add rules (see `faults.rs`); replace them; forget them all |
//! | `POST /sandbox/accounts/{email}` | `is_admin`, `is_delegated_admin`, `resells` (may read users of every customer), `suspended`, `authorize_error` |
//! | `POST /sandbox/revoke` | `{"email"}`: every token of that account answers `invalid_grant`; with `"scopes": [..]` only these are taken out of what it granted and its tokens can do |
//! | `POST /sandbox/service-accounts` | `{"delegated": {"acme.test": [scopes]}}`: makes one with a key; answers its key file |
//! | `PATCH`, `DELETE /sandbox/service-accounts/{email}` | change what it may do, by domain; delete it |
//! | `POST /sandbox/service-accounts/{email}/keys`, `DELETE .../keys/{id}` | another key file; delete a key |
//! | `POST /sandbox/clock` | `{"advance_seconds"}`: moves the sandbox's time on |
//! | `POST /sandbox/expire-access-tokens` | access tokens answer 401, refresh tokens live on |
//! | `GET /sandbox/secrets` | every code, token and private key ever issued, and the client secret |
//!
//! Names of methods in logs and faults are Google's (`directory.users.list`), and `oauth.auth`,
//! `oauth.token`, `oauth.revoke`, `oauth.userinfo`, `oauth.certs`, `oauth.configuration`.

mod args;
mod call;
mod connection;
mod control;
mod directory;
mod error;
mod faults;
mod fields;
mod log;
mod oauth;
mod options;
mod paging;
mod reply;
mod schema;
mod server;
mod state;
mod wire;
mod world;

pub use args::Args;
pub use options::Options;
pub use server::{Sandbox, run};
