//! What a sandbox is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Size, seed and strictness of one sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Users of the primary customer, special accounts included; at least 3.
    pub users: usize,
    /// Groups of the primary customer.
    pub groups: usize,
    /// Memberships over all groups, about; five a user when absent.
    pub memberships: Option<usize>,
    /// Added to each of Google's requests, never to control requests.
    pub latency: Duration,
    /// The same seed and sizes make the same company, ids included.
    pub seed: u64,
    /// The only OAuth client there is.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Registered redirect URIs; when empty, any `http` URI on loopback.
    pub redirect_uris: Vec<String>,
    /// Requests a minute and account before 403 `userRateLimitExceeded`; 0 is no limit.
    pub quota_per_minute: u32,
    /// `iss` of id tokens.
    pub issuer: String,
    /// The name shown on the consent page.
    pub app_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            users: 200,
            groups: 20,
            memberships: None,
            latency: Duration::ZERO,
            seed: 1,
            client_id: "sandbox-client.apps.googleusercontent.test".to_owned(),
            client_secret: "GOCSPX-sandbox-client-secret".to_owned(),
            redirect_uris: Vec::new(),
            quota_per_minute: 0,
            issuer: "https://accounts.google.com".to_owned(),
            app_name: "AppsCo Provisioning".to_owned(),
        }
    }
}
