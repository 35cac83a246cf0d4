//! The composition root: what the daemon is made of, bottom up, and the visible list of its tasks.

use crate::{
    config::{self, Config},
    connector::{
        self, AccessTokens, Backoff, Connector, Governors, Http, HttpOptions,
        google::{Google, GoogleOptions, MY_CUSTOMER},
    },
    directory::Directory,
    grpc, http,
    integrations::{self, ActsAs, Background, Connectors, Integrations, SystemSetup},
    model::{Clock, SystemClock, SystemId},
    oauth::{self, AssertionOptions, Assertions, Provider, ProviderOptions},
    store::{self, BackupSchedule, SealingKey, Store},
    sync::{self, Runs},
};
use futures_util::future::BoxFuture;
use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;
use url::Url;

/// The daemon can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address can't be listened on.
    #[error(
        "can't listen on {0}: {1}; stop what listens there, or choose another address in the configuration"
    )]
    Listen(SocketAddr, std::io::Error),
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The HTTP client can't be set up.
    #[error(transparent)]
    Connector(#[from] connector::Error),
    /// A provider is configured wrongly.
    #[error("{0}")]
    Provider(String),
    /// What was interrupted can't be done again.
    #[error(transparent)]
    Sync(#[from] sync::Error),
    /// The internal listener failed.
    #[error(transparent)]
    Grpc(#[from] grpc::Error),
    /// The public listener failed.
    #[error("the public listener failed: {0}")]
    Http(std::io::Error),
}

/// What tests put in the place of the real.
#[derive(Debug, Clone)]
pub struct Substitutes {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How requests to systems are repeated.
    pub backoff: Backoff,
}

impl Default for Substitutes {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            backoff: Backoff::default(),
        }
    }
}

/// The daemon, built and bound, not yet serving.
#[derive(Debug)]
pub struct App {
    store: Store,
    clock: Arc<dyn Clock>,
    rooms: grpc::Rooms,
    access: grpc::Access,
    grpc: TcpListener,
    http: TcpListener,
    tasks: TaskTracker,
    retention: sync::Retention,
    backups: Option<BackupSchedule>,
    grace: Duration,
}

/// What a request began and must not leave half-done.
#[derive(Debug)]
struct Carrier(TaskTracker);

impl Background for Carrier {
    fn carry(&self, work: BoxFuture<'static, ()>) {
        self.0.spawn(work.in_current_span());
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Error::Listen(address, error))
}

fn bound(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(Error::Http)
}

impl App {
    /// Binds (so as to fail early), opens the store, and builds everything on top of it.
    pub async fn open(config: Config, substitutes: Substitutes) -> Result<Self, Error> {
        // Whoever was first to install a provider installed this one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (grpc, http) = (
            bind(config.grpc.listen).await?,
            bind(config.http.listen).await?,
        );
        let public_url = match config.http.public_url.clone() {
            Some(url) => url,
            None => own_url(bound(&http)?)?,
        };
        let Substitutes { clock, backoff } = substitutes;
        let path = config.store.path.clone();
        let key = SealingKey::of_store(&config.sealing.key_file, &path)?;
        let store = Store::open(store::Options {
            path,
            key,
            clock: Arc::clone(&clock),
        })
        .await?;
        let tasks = TaskTracker::new();
        let integrations = Integrations::new(integrations::Options {
            store: store.clone(),
            clock: Arc::clone(&clock),
            systems: setups(&config, &clock, backoff.base)?,
            connectors: Arc::new(Systems::new(&config, backoff)?),
            public_url,
            return_origins: config.http.return_urls.clone(),
            background: Arc::new(Carrier(tasks.clone())),
        });
        let directory = Directory::new(store.clone(), Arc::clone(&clock));
        let options = sync::Options {
            at_once: config.sync.runs_at_once,
            catch_up: config.sync.catch_up,
        };
        let runs = Runs::open(
            store.clone(),
            integrations.clone(),
            Arc::clone(&clock),
            options,
        );
        let rooms = grpc::Rooms {
            store: store.clone(),
            clock: Arc::clone(&clock),
            directory,
            integrations,
            runs,
        };
        let access = grpc::Access {
            callers: config.callers,
            tls: config.grpc.tls,
        };
        Ok(Self {
            store,
            clock,
            rooms,
            access,
            grpc,
            http,
            tasks,
            retention: retention(config.retention),
            backups: backups(config.backup),
            grace: config.shutdown.grace,
        })
    }

    /// Address of the internal listener.
    pub fn grpc_address(&self) -> Result<SocketAddr, Error> {
        bound(&self.grpc)
    }

    /// Address of the public listener.
    pub fn http_address(&self) -> Result<SocketAddr, Error> {
        bound(&self.http)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Serves until `stopping`, or until a task fails; then stops accepting, ends streams, stops runs at their next
    /// object, and closes the store, within the grace period.
    pub async fn run(self, stopping: CancellationToken) -> Result<(), Error> {
        let Self {
            store,
            clock,
            rooms,
            access,
            grpc,
            http,
            tasks,
            retention,
            backups,
            grace,
        } = self;
        let runs = rooms.runs.clone();
        runs.resume_deletions().await?;
        runs.recover(&store, clock.as_ref()).await?;
        runs.keep_schedule(store.clone(), Arc::clone(&clock));
        runs.keep_history(store.clone(), Arc::clone(&clock), retention);
        if let Some(backups) = backups {
            let taking = backups.keep(store.clone(), clock);
            tasks.spawn(stopping.clone().run_until_cancelled_owned(taking));
        }
        if access.callers.is_empty() {
            tracing::info!(
                "no callers are configured: everybody on this machine may do everything, and the daemon answers calls on loopback only"
            );
        }
        tracing::info!(grpc = %bound(&grpc)?, http = %bound(&http)?, "ready");
        let public = http::router(rooms.integrations.clone());
        let internal = Box::pin(async {
            let ended = grpc::serve(grpc, rooms, access, stopping.clone()).await;
            stopping.cancel();
            ended.map_err(Error::Grpc)
        });
        let public = async {
            let until = stopping.clone().cancelled_owned();
            let ended = axum::serve(http, public)
                .with_graceful_shutdown(until)
                .await;
            stopping.cancel();
            ended.map_err(Error::Http)
        };
        let listeners = async {
            let (internal, public) = tokio::join!(internal, public);
            tasks.close();
            tasks.wait().await;
            internal.and(public)
        };
        // A daemon that can't write ends, so that whoever watches over it starts it again.
        let broken = async {
            tokio::select! {
                () = store.failed() => stopping.cancel(),
                () = stopping.cancelled() => {}
            }
        };
        let runs_end = async {
            stopping.cancelled().await;
            runs.stop(grace).await;
        };
        let (ended, (), ()) = tokio::join!(bounded(listeners, &stopping, grace), runs_end, broken);
        store.close().await?;
        tracing::info!("stopped");
        ended
    }
}

/// Waits for the listeners to end; once they are told to stop, no longer than the grace period.
async fn bounded(
    listeners: impl Future<Output = Result<(), Error>>,
    stopping: &CancellationToken,
    grace: Duration,
) -> Result<(), Error> {
    let late = async {
        stopping.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = listeners => ended,
        () = late => {
            tracing::warn!("some requests did not end in time and are cut");
            Ok(())
        }
    }
}

fn retention(kept: config::Retention) -> sync::Retention {
    let days = |days: u32| jiff::SignedDuration::from_hours(24 * i64::from(days));
    sync::Retention {
        events: days(kept.events_days),
        runs: days(kept.runs_days),
    }
}

fn backups(config: config::Backup) -> Option<BackupSchedule> {
    let config::Backup {
        directory,
        every,
        keep,
    } = config;
    directory.map(|directory| BackupSchedule {
        directory,
        every,
        keep,
    })
}

fn own_url(address: SocketAddr) -> Result<Url, Error> {
    Url::parse(&format!("http://{address}"))
        .map_err(|error| Error::Provider(format!("http.public_url: {error}")))
}

fn setups(
    config: &Config,
    clock: &Arc<dyn Clock>,
    backoff: Duration,
) -> Result<Vec<SystemSetup>, Error> {
    config
        .systems
        .iter()
        .map(|system| setup(system, clock, backoff))
        .collect()
}

fn setup(
    system: &config::System,
    clock: &Arc<dyn Clock>,
    backoff: Duration,
) -> Result<SystemSetup, Error> {
    let failed = |error: oauth::Error| Error::Provider(error.to_string());
    let options = AssertionOptions {
        token_url: system.token_url.clone(),
        audience: system.audience.to_owned(),
        backoff,
    };
    let assertions = Assertions::new(options, Arc::clone(clock)).map_err(failed)?;
    let provider = system.client.as_ref().map(|client| {
        let options = provider(system, client, backoff);
        Provider::new(options, Arc::clone(clock))
    });
    Ok(SystemSetup {
        id: system.id.clone(),
        provider: provider.transpose().map_err(failed)?,
        assertions,
    })
}

fn provider(
    system: &config::System,
    client: &config::Client,
    backoff: Duration,
) -> ProviderOptions {
    ProviderOptions {
        client_id: client.id.clone(),
        client_secret: client.secret.clone(),
        auth_url: system.auth_url.clone(),
        token_url: system.token_url.clone(),
        revoke_url: system.revoke_url.clone(),
        userinfo_url: system.userinfo_url.clone(),
        jwks_url: system.jwks_url.clone(),
        issuer: system.issuer.clone(),
        backoff,
    }
}

/// Opens connectors: where the systems' addresses and what they share are known.
#[derive(Debug)]
struct Systems {
    http: Http,
    api_urls: HashMap<SystemId, Url>,
}

impl Systems {
    fn new(config: &Config, backoff: Backoff) -> Result<Self, Error> {
        let api_urls = config
            .systems
            .iter()
            .map(|system| (system.id.clone(), system.api_url.clone()))
            .collect();
        let options = HttpOptions {
            backoff,
            ..HttpOptions::default()
        };
        let http = Http::new(options, Governors::default())?;
        Ok(Self { http, api_urls })
    }
}

impl Connectors for Systems {
    fn open(
        &self,
        system: &SystemId,
        customer: Option<&str>,
        account: ActsAs<'_>,
        tokens: Arc<dyn AccessTokens>,
    ) -> Result<Arc<dyn Connector>, connector::Error> {
        let unknown = || connector::Error::Rejected(format!("there is no system {system}"));
        let api_url = self.api_urls.get(system).ok_or_else(unknown)?.clone();
        let options = GoogleOptions {
            api_url,
            customer: customer.unwrap_or(MY_CUSTOMER).to_owned(),
            principal: account.id.to_owned(),
            address: account.address.to_owned(),
        };
        Ok(Arc::new(Google::open(options, &self.http, tokens)?))
    }
}
