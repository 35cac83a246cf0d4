//! What streams cost a run: 200 that are idle, and 10 that nobody reads.

use super::{Daemon, Google, median, ratio, seconds, show};
use provisiond::proto::v1::{
    WatchRunsRequest, WatchRunsResponse, sync_service_client::SyncServiceClient,
};
use std::time::Duration;
use tonic::Streaming;

const IDLE: usize = 200;
const STALLED: usize = 10;

/// Pairs of first syncs, one without and one with streams, in either order in turn.
pub async fn measure(users: usize, pairs: usize) {
    let google = Google::start(users, 0).await;
    let mut cost = [Cost::default(), Cost::default()];
    for pair in 0..pairs {
        let first = pair % 2 == 1;
        for watched in [first, !first] {
            let home = tempfile::tempdir().unwrap();
            let mut daemon = Daemon::start(&google, home.path()).await;
            daemon.set_up().await;
            daemon.create("idle").await;
            let _streams = match watched {
                true => open(&daemon).await,
                false => Vec::new(),
            };
            let before = (daemon.processor(), google.processor());
            let cost = &mut cost[usize::from(watched)];
            cost.times.push(daemon.run().await.time);
            cost.busy += (daemon.processor() - before.0) / pairs as f64;
            cost.google.push(google.processor() - before.1);
        }
    }
    let [alone, with] = cost;
    println!(
        "\n{users} users, first sync alone {:.2} s, with {IDLE} idle and {STALLED} stalled streams {:.2} s; \
         processor time of the daemon {:.2} and {:.2} s",
        seconds(&alone.times),
        seconds(&with.times),
        alone.busy,
        with.busy,
    );
    println!(
        "processor time of the simulated Google: alone {:.2} s, with streams {:.2} s",
        median(alone.google.clone()),
        median(with.google.clone()),
    );
    println!(
        "first sync watched / alone, as it was                     {:>6.3}x",
        ratio(&with.times, &alone.times)
    );
    let ratio = ratio(&with.steady(), &alone.steady());
    show("the same, the machine's speed taken out", ratio, 1.05);
}

/// What first syncs cost.
#[derive(Default)]
struct Cost {
    times: Vec<Duration>,
    /// Mean processor time of the daemon, in seconds.
    busy: f64,
    /// Processor time of the simulated Google in each, in seconds.
    google: Vec<f64>,
}

impl Cost {
    /// The times by how fast the machine was meanwhile, which varies by a tenth from one to the next. What the simulated Google has to do
    /// is the same in each, so the processor time that it takes tells; waiting for a processor does not count in it.
    fn steady(&self) -> Vec<Duration> {
        let each = self.times.iter().zip(&self.google);
        each.map(|(time, google)| time.div_f64(google.max(0.01)))
            .collect()
    }
}

/// Opens the streams. Idle ones watch another integration of the company; stalled ones ask for everything and read nothing.
async fn open(daemon: &Daemon) -> Vec<Streaming<WatchRunsResponse>> {
    let idle = "companies/acme/integrations/idle";
    let mut streams = Vec::new();
    for n in 0..IDLE + STALLED {
        let client = SyncServiceClient::connect(daemon.grpc.clone());
        let watch = WatchRunsRequest {
            parent: if n < IDLE { idle } else { "companies/acme" }.to_owned(),
            include_changes: true,
            ..WatchRunsRequest::default()
        };
        let stream = client.await.unwrap().watch_runs(watch).await.unwrap();
        streams.push(stream.into_inner());
    }
    streams
}
