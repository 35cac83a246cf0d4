//! Configuration: file, environment and flags become one validated, defaulted [`Config`].
//!
//! Owns every key, its default and what is allowed. Secrets come from files only. May use `model`. Deliberately does not
//! open, bind or fetch anything: it only reads the files that it is told of.

mod backup;
mod callers;
mod raw;
mod retention;
mod sync;
mod systems;
#[cfg(test)]
mod tests;

use crate::model::{Caller, ServerTls};
pub use backup::Backup;
pub use callers::{NoRandom, new_token};
use raw::Raw;
pub use retention::Retention;
pub use sync::Sync;
pub use systems::{Client, System};

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use url::{Host, Url};

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `http.public_url`; for a file that can't be read, its path.
    pub key: String,
    /// Where the value comes from: a file, an environment variable or a flag; empty for a value that is missing.
    pub origin: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin.as_str() {
            "" => write!(f, "{}: {}", self.key, self.text),
            origin => write!(f, "{} ({origin}): {}", self.key, self.text),
        }
    }
}

/// The configuration can't be used: everything that is wrong with it, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Never empty.
    pub problems: Vec<Problem>,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration can't be used")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// The internal listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grpc {
    /// `grpc.listen`, default `127.0.0.1:50051`; beyond loopback only with callers and TLS.
    pub listen: SocketAddr,
    /// `grpc.tls_cert_file`, `grpc.tls_key_file`, `grpc.tls_client_ca_file`. None = plain.
    pub tls: Option<ServerTls>,
}

/// The public listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// `http.listen`, default `127.0.0.1:8480`.
    pub listen: SocketAddr,
    /// `http.public_url`: under which the world reaches `listen`. None = `http://` and the loopback address that is bound.
    pub public_url: Option<Url>,
    /// `http.return_urls`: origins to which a browser may be sent back, such as `https://console.example.com`.
    pub return_urls: Vec<String>,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// `store.path`, default `provisiond-data` in the working directory.
    pub path: PathBuf,
}

/// How secrets are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    /// `sealing.key_file`, default `<store.path>.key`; never inside the data directory.
    pub key_file: PathBuf,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// Text.
    Text,
    /// JSON, one object a line.
    Json,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `log.format`: `auto` (default), `text` or `json`.
    pub format: LogFormat,
    /// `log.filter`, default `info`: as `RUST_LOG` has it, such as `info,provisiond::sync=debug`.
    pub filter: String,
}

/// How the daemon stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shutdown {
    /// `shutdown.grace`, default `25s`, at most 10 minutes: how long what is under way may take to end.
    pub grace: Duration,
}

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[grpc]`
    pub grpc: Grpc,
    /// `[callers.*]`, by name. None at all = whoever reaches the internal listener may do everything.
    pub callers: Vec<Caller>,
    /// `[http]`
    pub http: Http,
    /// `[store]`
    pub store: StoreConfig,
    /// `[sealing]`
    pub sealing: Sealing,
    /// `[systems.*]`: one for each system there is, configured or not.
    pub systems: Vec<System>,
    /// `[backup]`
    pub backup: Backup,
    /// `[retention]`
    pub retention: Retention,
    /// `[sync]`
    pub sync: Sync,
    /// `[log]`
    pub log: Log,
    /// `[shutdown]`
    pub shutdown: Shutdown,
}

impl Config {
    /// Reads the file (if one is given), lays the environment over it and `overrides` (key and value; the flags) over
    /// both. Variables are `PROVISIOND_` and the key with two underscores between its parts; others are ignored.
    /// Fails naming everything that is wrong at once.
    pub fn load(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        overrides: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut raw = Raw::merge(path, env, overrides)?;
        let store = StoreConfig {
            path: raw.path("store.path", Path::new("provisiond-data")),
        };
        let callers = callers::read(&mut raw);
        let config = Self {
            grpc: grpc(&mut raw, &callers),
            callers,
            http: http(&mut raw),
            sealing: sealing(&mut raw, &store),
            systems: systems::read(&mut raw),
            sync: sync::read(&mut raw),
            retention: retention::read(&mut raw),
            backup: backup::read(&mut raw, &store),
            log: log(&mut raw),
            shutdown: shutdown(&mut raw),
            store,
        };
        raw.finish(config)
    }

    /// Where logs would go on a terminal or not: what `auto` means.
    pub fn log_as_json(&self, terminal: bool) -> bool {
        match self.log.format {
            LogFormat::Auto => !terminal,
            LogFormat::Text => false,
            LogFormat::Json => true,
        }
    }
}

fn grpc(raw: &mut Raw, known: &[Caller]) -> Grpc {
    let listen = address(raw, "grpc.listen", ([127, 0, 0, 1], 50051));
    let tls = callers::tls(raw);
    let missing = match (known, &tls) {
        _ if listen.ip().is_loopback() => None,
        ([], None) => Some("callers ([callers.<name>]) and TLS (grpc.tls_cert_file)"),
        ([], Some(_)) => Some("callers ([callers.<name>])"),
        (_, None) => Some("TLS (grpc.tls_cert_file)"),
        _ => None,
    };
    if let Some(missing) = missing {
        raw.refuse(
            "grpc.listen",
            &format!(
                "without callers and TLS the daemon answers calls on loopback only: \
                 configure {missing}, or give an address such as 127.0.0.1:50051"
            ),
        );
    }
    Grpc { listen, tls }
}

fn http(raw: &mut Raw) -> Http {
    let listen = address(raw, "http.listen", ([127, 0, 0, 1], 8480));
    let public_url = raw.url("http.public_url");
    match &public_url {
        None if !listen.ip().is_loopback() && !raw.has("http.public_url") => raw.refuse(
            "http.public_url",
            "must be set when http.listen is not a loopback address: \
             give the https URL under which browsers reach the daemon",
        ),
        Some(url) if url.query().is_some() || url.fragment().is_some() => raw.refuse(
            "http.public_url",
            "must have no query and no fragment: give scheme, host and, if need be, port and path",
        ),
        _ => {}
    }
    Http {
        listen,
        public_url,
        return_urls: return_urls(raw),
    }
}

fn return_urls(raw: &mut Raw) -> Vec<String> {
    let mut origins = Vec::new();
    for text in raw.list("http.return_urls") {
        match Url::parse(&text) {
            Ok(url) if is_safe(&url) && is_bare_origin(&url) => {
                origins.push(url.origin().ascii_serialization());
            }
            _ => raw.refuse(
                "http.return_urls",
                &format!(
                    "'{text}' is not an origin: give scheme, host and, if need be, port, such as \
                     https://console.example.com (https except on loopback; no path)"
                ),
            ),
        }
    }
    origins
}

fn is_bare_origin(url: &Url) -> bool {
    url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn sealing(raw: &mut Raw, store: &StoreConfig) -> Sealing {
    let mut beside = store.path.as_os_str().to_owned();
    beside.push(".key");
    let key_file = raw.path("sealing.key_file", Path::new(&beside));
    if key_file.starts_with(&store.path) {
        raw.refuse(
            "sealing.key_file",
            "must not be inside store.path, where a copy of the data would hold the key to it: put it beside or elsewhere",
        );
    }
    Sealing { key_file }
}

fn log(raw: &mut Raw) -> Log {
    let format = match raw.text("log.format").as_deref() {
        None | Some("auto") => LogFormat::Auto,
        Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => {
            raw.refuse(
                "log.format",
                &format!("'{other}' is none of auto, text, json: give one of these"),
            );
            LogFormat::Auto
        }
    };
    let filter = raw.text("log.filter").unwrap_or_else(|| "info".to_owned());
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&filter) {
        raw.refuse(
            "log.filter",
            &format!("{error}: give a level (error, warn, info, debug, trace) or a list such as info,provisiond::sync=debug"),
        );
    }
    Log { format, filter }
}

fn shutdown(raw: &mut Raw) -> Shutdown {
    let default = Duration::from_secs(25);
    let Some(text) = raw.text("shutdown.grace") else {
        return Shutdown { grace: default };
    };
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    let grace = parsed
        .and_then(|grace| Duration::try_from(grace).ok())
        .filter(|grace| *grace <= Duration::from_secs(600));
    if grace.is_none() {
        raw.refuse(
            "shutdown.grace",
            &format!("'{text}' is not a time from 0s to 10m: give one such as 25s"),
        );
    }
    Shutdown {
        grace: grace.unwrap_or(default),
    }
}

fn address(raw: &mut Raw, key: &str, default: ([u8; 4], u16)) -> SocketAddr {
    let Some(text) = raw.text(key) else {
        return default.into();
    };
    text.parse().unwrap_or_else(|_| {
        raw.refuse(
            key,
            &format!("'{text}' is not an address: give IP and port, such as 127.0.0.1:50051 or [::1]:50051"),
        );
        default.into()
    })
}

/// Whether what is sent there can't be read on the way: https, or plain http on this machine.
fn is_safe(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        ("http", Some(Host::Ipv4(ip))) => IpAddr::from(ip).is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => IpAddr::from(ip).is_loopback(),
        _ => false,
    }
}
