//! What one object takes that is provisioned by itself, while a run over all is going on: each within the goal, and before
//! the run is over.

use super::{
    Daemon, Google,
    stage::{INTEGRATION, user_ids},
};
use provisiond::proto::v1::{
    GetRunRequest, Kind, ProvisionObjectRequest, StartRunRequest, provision_object_response,
    run::State,
};
use std::time::{Duration, Instant};

const OBJECTS: usize = 40;
/// What it may take beyond the latency of the system, which is asked once: it is known by its id.
const GOAL: Duration = Duration::from_secs(1);

/// Objects one after the other, in the middle of a first sync.
pub async fn measure(users: usize, latency: u64) {
    let google = Google::start(users, latency).await;
    let home = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&google, home.path()).await;
    daemon.set_up().await;
    let ids = user_ids(&google).await;
    let start = StartRunRequest {
        parent: INTEGRATION.to_owned(),
        ..StartRunRequest::default()
    };
    let bulk = daemon.sync.start_run(start).await.unwrap().into_inner();
    let (mut times, mut beside) = (Vec::new(), 0);
    // From the end of the listing, which the run has not read yet.
    for id in ids.iter().rev().step_by(ids.len() / OBJECTS).take(OBJECTS) {
        let request = ProvisionObjectRequest {
            parent: INTEGRATION.to_owned(),
            kind: Kind::User.into(),
            object: id.clone(),
            preview: false,
        };
        let began = Instant::now();
        let answer = daemon.sync.provision_object(request).await.unwrap();
        let took = began.elapsed();
        use provision_object_response::State::{Added, Unchanged};
        assert!(matches!(answer.into_inner().state(), Added | Unchanged));
        let name = bulk.name.clone();
        let run = daemon.sync.get_run(GetRunRequest { name }).await.unwrap();
        if run.into_inner().state() == State::Running {
            beside += 1;
            times.push(took.saturating_sub(Duration::from_millis(latency)));
        }
    }
    times.sort();
    let slowest = times.last().copied().unwrap_or_default();
    println!(
        "\n{users} users, {latency} ms added to each request; of {OBJECTS} objects by themselves {beside} were done before the run over all was, beyond the latency in {} ms (median), {} ms (slowest)",
        times.get(beside / 2).map_or(0, Duration::as_millis),
        slowest.as_millis(),
    );
    verdict(
        "one object while a run goes on, under 1 s",
        beside > 0 && slowest < GOAL,
    );
    verdict("all objects before the run was over", beside == OBJECTS);
}

fn verdict(what: &str, reached: bool) {
    let verdict = if reached { "reached" } else { "MISSED" };
    println!("{what:<58} {verdict}");
}
