//! The internal listener: gRPC services, health and reflection.
//!
//! Owns the translation between messages and plain types, and what surrounds every request. May use `model`, `store`
//! (plain reads), `directory`, `integrations` and `sync`. Deliberately decides nothing: a method reads its request, asks
//! one room, and answers.

mod admin;
mod callers;
mod catalogue;
mod checking;
mod choices;
mod consent;
mod directory;
mod durable;
mod fields;
mod from_proto;
mod integration;
mod layers;
mod mask;
mod names;
mod provisioning;
mod report;
mod request_id;
mod status;
mod sync;
mod to_proto;
mod tokens;
mod update;
mod watching;

use crate::{
    directory::Directory,
    integrations::Integrations,
    model::{Caller, Clock, ServerTls},
    proto::{
        DESCRIPTOR,
        v1::{
            admin_service_server::{self, AdminServiceServer},
            directory_service_server::{self, DirectoryServiceServer},
            integration_service_server::{self, IntegrationServiceServer},
            sync_service_server::{self, SyncServiceServer},
        },
    },
    store::Store,
    sync::Runs,
};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    codec::CompressionEncoding,
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use watching::Streams;

/// Largest message taken, in bytes. Larger ones are refused with `OUT_OF_RANGE`.
const LARGEST_REQUEST: usize = 1 << 20;
/// The same for the directory: 500 users, each as large as one may be.
const LARGEST_BATCH: usize = 4 << 20;
/// Largest message sent, in bytes: a page of 1,000 users at 4 KiB.
const LARGEST_ANSWER: usize = 16 << 20;
/// Requests under way at once on one connection; more are refused.
const AT_ONCE: usize = 256;

/// What the services speak for.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// The store, for plain reads.
    pub store: Store,
    /// Tells how long somebody has not read on.
    pub clock: Arc<dyn Clock>,
    /// The AppsCo directory.
    pub directory: Directory,
    /// Integrations.
    pub integrations: Integrations,
    /// Runs.
    pub runs: Runs,
}

/// Who may call, and how both sides prove who they are.
#[derive(Debug, Clone)]
pub struct Access {
    /// Without any, everybody may do everything.
    pub callers: Vec<Caller>,
    /// None = plain.
    pub tls: Option<ServerTls>,
}

/// The server can't be set up, or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The descriptors of `proto/` can't be served.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The listener failed.
    #[error("the gRPC listener failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves until `stopping`; streams end at once then, other requests get their answer.
pub async fn serve(
    listener: TcpListener,
    rooms: Rooms,
    access: Access,
    stopping: CancellationToken,
) -> Result<(), Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let durable = durable::Durable(rooms.store.clone());
    let routes = routes(rooms, &stopping)?.add_service(health_service);
    report(&health, ServingStatus::Serving).await;
    let incoming = TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(Some(Duration::from_secs(60)));
    let mut server = Server::builder();
    if let Some(tls) = &access.tls {
        server = server.tls_config(tls_config(tls))?;
    }
    server
        .layer(layers::Around)
        .layer(callers::Gate::new(access.callers))
        .layer(durable)
        .concurrency_limit_per_connection(AT_ONCE)
        .load_shed(true)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .http2_max_header_list_size(16 << 10)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stopped(health, stopping))
        .await?;
    Ok(())
}

/// A client certificate is verified if one is shown; who shows none needs a token.
fn tls_config(tls: &ServerTls) -> ServerTlsConfig {
    let identity = Identity::from_pem(&tls.certificate, tls.key.expose());
    let config = ServerTlsConfig::new().identity(identity);
    match &tls.client_ca {
        Some(authority) => config
            .client_ca_root(Certificate::from_pem(authority))
            .client_auth_optional(true),
        None => config,
    }
}

/// The services whose health can be asked for; the empty one is the daemon as a whole.
const HEALTH_OF: [&str; 5] = [
    "",
    integration_service_server::SERVICE_NAME,
    sync_service_server::SERVICE_NAME,
    directory_service_server::SERVICE_NAME,
    admin_service_server::SERVICE_NAME,
];

async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in HEALTH_OF {
        health.set_service_status(service, status).await;
    }
}

/// Waits for the stop; who watches our health is told, and his stream ends, so that it holds nothing up.
async fn stopped(mut health: HealthReporter, stopping: CancellationToken) {
    stopping.cancelled().await;
    report(&health, ServingStatus::NotServing).await;
    for service in HEALTH_OF {
        health.clear_service_status(service).await;
    }
}

macro_rules! limited {
    ($server:expr, $largest:expr) => {
        $server
            .max_decoding_message_size($largest)
            .max_encoding_message_size(LARGEST_ANSWER)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    };
}

fn routes(rooms: Rooms, stopping: &CancellationToken) -> Result<Routes, Error> {
    let Rooms {
        store,
        clock,
        directory,
        integrations,
        runs,
    } = rooms;
    let integration = IntegrationServiceServer::new(integration::Service {
        integrations: integrations.clone(),
        runs: runs.clone(),
    });
    let admin = admin::Service::new(store.clone(), clock, stopping.clone());
    let admin = AdminServiceServer::new(admin);
    let streams = Streams::new(store.clone(), runs.feed().clone(), stopping.clone());
    let sync = SyncServiceServer::new(sync::Service {
        store,
        runs,
        streams: streams.clone(),
    });
    let directory = DirectoryServiceServer::new(directory::Service {
        directory,
        integrations,
        streams,
    });
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // Without them grpcurl shows the details of errors as bytes.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let mut routes = Routes::builder();
    routes
        .add_service(limited!(integration, LARGEST_REQUEST))
        .add_service(limited!(sync, LARGEST_REQUEST))
        .add_service(limited!(directory, LARGEST_BATCH))
        .add_service(limited!(admin, LARGEST_REQUEST))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    let router = routes.routes().into_axum_router();
    Ok(Routes::from(router.fallback(|| async {
        status::unimplemented().into_http::<axum::body::Body>()
    })))
}
