//! What streams cost a run: 200 that are idle, and 10 that nobody reads.

use super::{Daemon, Google, ratio, seconds, show};
use provisiond::proto::v1::{WatchRunsRequest, sync_service_client::SyncServiceClient};

const IDLE: usize = 200;
const STALLED: usize = 10;

/// Rounds of first syncs, in turn without and with streams.
pub async fn measure(users: usize, rounds: usize) {
    let google = Google::start(users, 0).await;
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for round in 0..rounds * 2 {
        let home = tempfile::tempdir().unwrap();
        let mut daemon = Daemon::start(&google, home.path()).await;
        daemon.set_up().await;
        daemon.create("idle").await;
        let mut streams = Vec::new();
        if round % 2 == 1 {
            for n in 0..IDLE + STALLED {
                let mut client = SyncServiceClient::connect(daemon.grpc.clone())
                    .await
                    .unwrap();
                // Idle ones watch another integration of the company; stalled ones ask for everything and read nothing.
                let watch = WatchRunsRequest {
                    parent: if n < IDLE {
                        "companies/acme/integrations/idle"
                    } else {
                        "companies/acme"
                    }
                    .to_owned(),
                    include_changes: true,
                    ..WatchRunsRequest::default()
                };
                streams.push(client.watch_runs(watch).await.unwrap());
            }
        }
        let time = daemon.run().await.time;
        if streams.is_empty() {
            &mut alone
        } else {
            &mut watched
        }
        .push(time);
    }
    println!(
        "\n{users} users, first sync alone {:.2} s, with {IDLE} idle and {STALLED} stalled streams {:.2} s",
        seconds(&alone),
        seconds(&watched),
    );
    show("first sync watched / alone", ratio(&watched, &alone), 1.05);
}
