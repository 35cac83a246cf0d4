//! What a read through the API costs, to a call that does nothing.

use super::{Daemon, Google, median};
use provisiond::proto::v1::{
    GetUserRequest, ListUsersRequest, directory_service_client::DirectoryServiceClient,
};
use std::time::Instant;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const CALLS: usize = 2_000;
const ROUNDS: usize = 5;

/// An empty service, in this process: health, which answers from memory.
async fn nothing() -> HealthClient<Channel> {
    let (_, service) = tonic_health::server::health_reporter();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(incoming));
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    HealthClient::new(endpoint.connect().await.unwrap())
}

pub async fn measure() {
    let google = Google::start(1_000, 0).await;
    let home = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&google, home.path()).await;
    daemon.set_up().await;
    daemon.run().await;
    let mut directory = DirectoryServiceClient::connect(daemon.grpc.clone())
        .await
        .unwrap();
    let list = ListUsersRequest {
        parent: "companies/acme".to_owned(),
        page_size: 1,
        ..ListUsersRequest::default()
    };
    let user = directory
        .list_users(list)
        .await
        .unwrap()
        .into_inner()
        .users
        .remove(0);
    let mut nothing = nothing().await;
    let mut ratios = Vec::new();
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..CALLS {
            nothing.check(HealthCheckRequest::default()).await.unwrap();
        }
        let empty = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        for _ in 0..CALLS {
            let get = GetUserRequest {
                name: user.name.clone(),
            };
            directory.get_user(get).await.unwrap();
        }
        let full = begun.elapsed().as_secs_f64();
        ratios.push(full / empty);
        times.0.push(empty / CALLS as f64 * 1e6);
        times.1.push(full / CALLS as f64 * 1e6);
    }
    println!(
        "\none call after the other: empty service {:.0} µs, GetUser {:.0} µs, {:.2}x",
        median(times.0),
        median(times.1),
        median(ratios),
    );
}
