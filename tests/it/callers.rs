//! Callers: who may ask for what, for which companies, and how they prove who they are.

#![allow(clippy::unwrap_used, clippy::panic)]

mod foreign;
mod matrix;
mod printed;
mod tls;

use crate::support::{Google, World};
use provisiond::{config, model::Secret, sandbox::Options};

/// A caller of the tests.
struct Caller {
    name: &'static str,
    role: &'static str,
    companies: &'static str,
    token: Secret,
    hash: String,
}

impl Caller {
    fn new(name: &'static str, role: &'static str, companies: &'static str) -> Self {
        let (token, hash) = config::new_token().unwrap();
        Self {
            name,
            role,
            companies,
            token,
            hash,
        }
    }

    /// Its settings, by dotted key.
    fn settings(&self) -> Vec<(String, String)> {
        let key = |key: &str, value: &str| {
            let key = format!("callers.{}.{key}", self.name);
            (key, value.to_owned())
        };
        vec![
            key("role", self.role),
            key("companies", self.companies),
            key("token_hash", &self.hash),
        ]
    }

    /// What it says of itself with each request.
    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.expose())
    }
}

/// A daemon that knows these callers, and nothing set up.
async fn world(settings: Vec<(String, String)>) -> World {
    let google = Google::start(Options {
        users: 3,
        groups: 1,
        ..Options::default()
    })
    .await;
    let (url, home) = (google.url(), tempfile::tempdir().unwrap());
    World::configured(&url, google, home, settings).await
}
