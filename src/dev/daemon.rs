//! The daemon, in this process.

use super::Error;
use crate::{
    app::{App, Substitutes},
    config::Config,
};
use std::net::SocketAddr;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The running daemon.
pub(super) struct Daemon {
    grpc: SocketAddr,
    http: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<String>,
}

impl Daemon {
    /// Starts it; when this returns it answers.
    pub(super) async fn start(config: Config) -> Result<Self, Error> {
        let failed = |error: crate::app::Error| Error::Daemon(format!("did not start: {error}"));
        let app = App::open(config, Substitutes::default())
            .await
            .map_err(failed)?;
        let grpc = app.grpc_address().map_err(failed)?;
        let http = app.http_address().map_err(failed)?;
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        let task = tokio::spawn(async move {
            match app.run(until).await {
                Ok(()) => "ended".to_owned(),
                Err(error) => format!("ended: {error}"),
            }
        });
        Ok(Self {
            grpc,
            http,
            shutdown,
            task,
        })
    }

    /// Where its services are.
    pub(super) fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// Where its callback page is.
    pub(super) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Returns when it ends by itself.
    pub(super) async fn ended(&mut self) -> Error {
        let how = (&mut self.task).await;
        Error::Daemon(how.unwrap_or_else(|error| format!("is lost: {error}")))
    }

    /// Ends it and waits until it has put everything away.
    pub(super) async fn stop(&mut self) {
        self.shutdown.cancel();
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }
}
