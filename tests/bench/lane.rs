//! What one object takes that is provisioned by itself, while a run over all is going on.

use super::{
    Daemon, Google,
    stage::{INTEGRATION, user_ids},
};
use provisiond::proto::v1::{
    Kind, ListRunsRequest, ProvisionObjectRequest, StartRunRequest, provision_object_response,
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
    daemon.sync.start_run(start).await.unwrap();
    let mut times = Vec::new();
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
        times.push(took.saturating_sub(Duration::from_millis(latency)));
    }
    let list = ListRunsRequest {
        parent: INTEGRATION.to_owned(),
        page_size: 1000,
        ..ListRunsRequest::default()
    };
    let runs = daemon.sync.list_runs(list).await.unwrap().into_inner().runs;
    let bulk = runs.iter().find(|run| run.object.is_none()).unwrap();
    let beside = match bulk.state() {
        State::Running => "all of them beside the run",
        _ => "the run was over before the last",
    };
    times.sort();
    let (median, slowest) = (times[OBJECTS / 2], times[OBJECTS - 1]);
    println!(
        "\n{users} users, {latency} ms added to each request: {OBJECTS} objects by themselves, {beside}; beyond the latency median {} ms, slowest {} ms   goal under {} ms: {}",
        median.as_millis(),
        slowest.as_millis(),
        GOAL.as_millis(),
        if slowest < GOAL { "reached" } else { "MISSED" },
    );
}
