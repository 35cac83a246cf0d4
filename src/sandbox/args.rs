//! The flags of `provisiond sandbox google`.

use std::net::SocketAddr;
use std::time::Duration;

use super::Options;

/// Flags; what is not given has the default of [`Options`].
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Number of users in the company
    #[arg(long, value_name = "N")]
    pub users: Option<usize>,
    /// Number of groups in the company
    #[arg(long, value_name = "N")]
    pub groups: Option<usize>,
    /// Number of memberships over all groups, about
    #[arg(long, value_name = "N")]
    pub memberships: Option<usize>,
    /// Milliseconds added to each request
    #[arg(long, value_name = "MS")]
    pub latency: Option<u64>,
    /// The same seed makes the same company
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Requests a minute and account before Google's rate limit answers; 0 is no limit
    #[arg(long, value_name = "N")]
    pub quota_per_minute: Option<u32>,
    /// OAuth client id
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// OAuth client secret
    #[arg(long, value_name = "SECRET")]
    pub client_secret: Option<String>,
    /// A registered redirect URI (repeatable); without any, every http URI on loopback is one
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
}

impl From<Args> for Options {
    fn from(args: Args) -> Self {
        let defaults = Self::default();
        Self {
            listen: args.listen.unwrap_or(defaults.listen),
            users: args.users.unwrap_or(defaults.users),
            groups: args.groups.unwrap_or(defaults.groups),
            memberships: args.memberships.or(defaults.memberships),
            latency: args.latency.map_or(defaults.latency, Duration::from_millis),
            seed: args.seed.unwrap_or(defaults.seed),
            client_id: args.client_id.unwrap_or(defaults.client_id),
            client_secret: args.client_secret.unwrap_or(defaults.client_secret),
            redirect_uris: args.redirect_uris,
            quota_per_minute: args.quota_per_minute.unwrap_or(defaults.quota_per_minute),
            issuer: defaults.issuer,
            app_name: defaults.app_name,
        }
    }
}
