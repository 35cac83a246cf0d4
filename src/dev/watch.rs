//! Running the integration, and watching it run.

use super::{
    Error,
    client::{Client, INTEGRATION},
    progress::{Progress, Step},
};
use crate::proto::v1::{
    GetRunRequest, Run, RunProgress, StartRunRequest, WatchRunsRequest, run::Phase,
    watch_runs_response::Event,
};
use prost_types::Timestamp;
use std::time::{Duration, SystemTime};

/// Starts a run and shows its progress until it has ended; returns it as it then is. `expected` is how many objects there
/// will be, for as long as the daemon cannot know.
pub(super) async fn run(client: &mut Client, expected: u64) -> Result<Run, Error> {
    let request = StartRunRequest {
        parent: INTEGRATION.to_owned(),
        ..Default::default()
    };
    let run = client.sync.start_run(request).await;
    let name = run.map_err(Error::call("StartRun"))?.into_inner().name;
    let mut progress = Progress::new(expected);
    let shown = show(client, &name, &mut progress).await;
    progress.end();
    shown?;
    let run = client.sync.get_run(GetRunRequest { name }).await;
    Ok(run.map_err(Error::call("GetRun"))?.into_inner())
}

/// The stream of one run ends when the run has.
async fn show(client: &mut Client, run: &str, progress: &mut Progress) -> Result<(), Error> {
    let request = WatchRunsRequest {
        parent: run.to_owned(),
        ..Default::default()
    };
    let stream = client.sync.watch_runs(request).await;
    let mut stream = stream.map_err(Error::call("WatchRuns"))?.into_inner();
    while let Some(message) = stream.message().await.map_err(Error::call("WatchRuns"))? {
        match message.event {
            Some(Event::RunProgress(at)) => progress.show(&step(&at)),
            Some(Event::RunThrottled(throttled)) => {
                let wait = throttled.until_time.map(until).unwrap_or_default();
                progress.wait(wait);
            }
            Some(Event::AuthorizationLost(lost)) => progress.say(&lost.reason),
            _ => {}
        }
    }
    Ok(())
}

fn step(progress: &RunProgress) -> Step {
    let counters = progress.counters.unwrap_or_default();
    let memberships = progress.memberships.unwrap_or_default();
    Step {
        phase: phase(progress.phase()),
        objects: u64::try_from(counters.considered).unwrap_or(0),
        memberships: memberships.considered,
        total: progress.total.and_then(|total| u64::try_from(total).ok()),
        rate: progress.objects_per_second,
        left: progress.estimated_end_time.map(until),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Unspecified => "waiting",
        Phase::Reading => "reading",
        Phase::Applying => "applying",
    }
}

/// How long it is until then; nothing if that is past.
fn until(time: Timestamp) -> Duration {
    let time = SystemTime::try_from(time).unwrap_or(SystemTime::UNIX_EPOCH);
    time.duration_since(SystemTime::now()).unwrap_or_default()
}
