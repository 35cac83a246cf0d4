//! The subcommands about backups: `export` and `import`.
//!
//! Owns how they find what they work on: a daemon that runs is asked, as any client would; the store of one that does not
//! run is opened here. May use `config`, `store` and the generated client. Deliberately knows nothing of what is in a
//! backup: `store` makes, checks and reads it.

pub use crate::store::BackupInfo;
use crate::{
    config::Config,
    model::{Secret, SystemClock},
    proto::v1::{
        BackupHeader, BackupRequest, BackupResponse, admin_service_client::AdminServiceClient,
        backup_response::Part,
    },
    store::{self, Incoming, SealingKey, Store},
};
use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    sync::Arc,
};
use tonic::{
    Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use url::{Host, Url};

/// A backup can't be taken or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store, or the file.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is nothing to back up where it was looked for.
    #[error(
        "there is no store in {}: name another with --data or --config, or a daemon that runs with --address", .0.display()
    )]
    NoStore(PathBuf),
    /// What was given can't be used.
    #[error("{0}")]
    Given(String),
    /// The daemon can't be reached.
    #[error("no daemon can be reached at {0}: {1}; name another with --address")]
    Unreachable(Url, String),
    /// The daemon refused.
    #[error("the daemon at {0} refused ({1:?}): {2}")]
    Refused(Url, tonic::Code, String),
    /// The daemon has another store than the one that is meant, which another process has.
    #[error(
        "the daemon at {0} has another store: name the one that has this store open with --address, or by its configuration with --config"
    )]
    OtherStore(Url),
    /// The daemon's stream ended too early, or is not one.
    #[error("the daemon's answer was cut off: try again; nothing was kept")]
    CutOff,
}

/// A daemon that runs.
#[derive(Debug, Clone, Default)]
pub struct Daemon {
    /// Its internal listener; none = the one of the configuration.
    pub address: Option<Url>,
    /// Holds the caller's token.
    pub token_file: Option<PathBuf>,
    /// Holds the authority by which its certificate is to be proved, PEM; without one it is asked in plain.
    pub ca_file: Option<PathBuf>,
}

/// Takes a backup into a new file: of the daemon that is named or runs, else of its closed store.
///
/// # Errors
/// What is wrong and what to do; no file is left then.
pub async fn export(config: &Config, to: &Path, daemon: &Daemon) -> Result<BackupInfo, Error> {
    if let Some(address) = &daemon.address {
        return download(address, to, daemon, None).await;
    }
    let dir = &config.store.path;
    let path = dir.clone();
    if !path.exists() {
        return Err(Error::NoStore(path));
    }
    let opened = Store::open(store::Options {
        path,
        key: SealingKey::load(&config.sealing.key_file)?,
        clock: Arc::new(SystemClock),
    });
    match opened.await {
        Ok(store) => {
            let taken = store.backup_to(to).await;
            store.close().await?;
            Ok(taken?)
        }
        Err(store::Error::Locked(_)) => {
            let of = store::epoch_of(dir)?;
            download(&own_address(config)?, to, daemon, of.as_deref()).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the store of the configuration out of a backup. Its directory must be absent or empty.
///
/// # Errors
/// What is wrong with the backup, the key or the directory; nothing is left then.
pub async fn import(config: &Config, from: &Path) -> Result<BackupInfo, Error> {
    let key = SealingKey::load(&config.sealing.key_file)?;
    Ok(store::import(from, &config.store.path, &key).await?)
}

/// Reads a whole backup and says what it is.
///
/// # Errors
/// What is wrong with it.
pub async fn verify(file: &Path) -> Result<BackupInfo, Error> {
    Ok(store::verify_backup(file).await?)
}

/// Where the daemon of this configuration listens, as seen from this machine.
fn own_address(config: &Config) -> Result<Url, Error> {
    let mut address = config.grpc.listen;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let scheme = if config.grpc.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let url = Url::parse(&format!("{scheme}://{address}"));
    url.map_err(|error| Error::Given(format!("grpc.listen: {error}")))
}

/// The backup of a daemon that runs, if it is that of the store that is meant.
async fn download(
    address: &Url,
    to: &Path,
    daemon: &Daemon,
    of: Option<&str>,
) -> Result<BackupInfo, Error> {
    let token = daemon.token_file.as_deref().map(bearer).transpose()?;
    let channel = connect(address, daemon, token.is_some()).await?;
    let mut request = Request::new(BackupRequest {});
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token);
    }
    // Refused before anything is taken if the file can't be.
    let incoming = Incoming::create(to)?;
    let refused = |status: Status| {
        let (code, mut text) = (status.code(), status.message().to_owned());
        if code == tonic::Code::Unauthenticated {
            text.push_str(" (--token-file names the file that holds it)");
        }
        Error::Refused(address.clone(), code, text)
    };
    let mut client = AdminServiceClient::new(channel);
    let stream = client.backup(request).await.map_err(refused)?;
    let is_meant = |header: BackupHeader| match of {
        Some(of) if of != header.store_epoch => Err(Error::OtherStore(address.clone())),
        _ => Ok(()),
    };
    receive(stream.into_inner(), incoming, is_meant, refused).await
}

async fn receive(
    mut stream: Streaming<BackupResponse>,
    mut incoming: Incoming,
    is_meant: impl Fn(BackupHeader) -> Result<(), Error>,
    refused: impl Fn(Status) -> Error,
) -> Result<BackupInfo, Error> {
    while let Some(answer) = stream.message().await.map_err(&refused)? {
        match answer.part {
            Some(Part::Header(header)) => is_meant(header)?,
            Some(Part::Chunk(bytes)) => incoming
                .write_all(&bytes)
                .map_err(|error| Error::Given(format!("can't write the backup: {error}")))?,
            Some(Part::Summary(summary)) => return Ok(incoming.finish(&summary.digest)?),
            None => break,
        }
    }
    Err(Error::CutOff)
}

fn read(file: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(file);
    text.map_err(|error| Error::Given(format!("can't read {}: {error}", file.display())))
}

fn bearer(file: &Path) -> Result<MetadataValue<Ascii>, Error> {
    let token = Secret::new(read(file)?.trim().to_owned());
    let value = format!("Bearer {}", token.expose()).parse();
    let mut value: MetadataValue<Ascii> =
        value.map_err(|_| Error::Given(format!("{} holds no token", file.display())))?;
    value.set_sensitive(true);
    Ok(value)
}

async fn connect(address: &Url, daemon: &Daemon, secret: bool) -> Result<Channel, Error> {
    let unreachable =
        |error: tonic::transport::Error| Error::Unreachable(address.clone(), reason(&error));
    let mut endpoint = Endpoint::from_shared(address.to_string()).map_err(unreachable)?;
    match (address.scheme(), &daemon.ca_file) {
        ("https", Some(file)) => {
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(file)?));
            endpoint = endpoint.tls_config(tls).map_err(unreachable)?;
        }
        ("https", None) => {
            return Err(Error::Given(format!(
                "{address} is proved by the authority that issued its certificate: name the file that holds it with --ca-file"
            )));
        }
        ("http", _) if !secret || is_here(address) => {}
        ("http", _) => {
            return Err(Error::Given(format!(
                "a token is sent to {address} in plain for all to read: give an https address and --ca-file"
            )));
        }
        _ => {
            return Err(Error::Given(format!(
                "{address} is no address of a daemon: give one such as http://127.0.0.1:50051"
            )));
        }
    }
    endpoint.connect().await.map_err(unreachable)
}

fn is_here(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What an error says, down to its cause.
fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
