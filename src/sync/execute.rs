//! Carries out one run from its turn to its closed books.

use super::{
    error::Stop,
    events::Feed,
    job::{Job, Parts},
    lane::{Bulk, Lane, Lanes},
    record::{Ended, Ledger},
    run::{cause, consent_lost, explain, panicked, pipe},
};
use crate::{
    connector::{Connector, catalogue},
    directory::DirectoryConnector,
    integrations::{Gap, Integrations, halted},
    model::{
        Attribute, Clock, EventBody, Integration, IntegrationState, Kind, Phase, RequestCounts,
        Run, RunId, RunState, SystemId, Tally, Trigger,
    },
    rules::RuleSet,
    store::Store,
};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between attempts to store how a run ended.
pub(super) const AGAIN: Duration = Duration::from_secs(5);
/// How often those who watch are told at least how far the run is.
const LOOK: Duration = Duration::from_millis(250);

/// What every run needs.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    pub(super) store: Store,
    pub(super) integrations: Integrations,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    pub(super) stopping: CancellationToken,
    pub(super) lanes: Lanes,
}

/// Carries a run out; gives it back as it ended. A run that could not begin before the daemon stops stays queued.
pub(super) async fn execute(tools: Tools, run: Run, cancel: CancellationToken) -> Run {
    if tools.stopping.is_cancelled() {
        return run;
    }
    let began = run.clone();
    let carried = AssertUnwindSafe(carry_out(&tools, run, &cancel))
        .catch_unwind()
        .await;
    let (mut run, seen) = carried.unwrap_or_else(|_| {
        (
            Run {
                state: RunState::Failed,
                error: Some(panicked()),
                ..began
            },
            None,
        )
    });
    run.phase = None;
    run.end_time = Some(tools.clock.now());
    tools.feed.forget(&run);
    while let Err(error) = close(&tools, &run, seen.as_ref()).await {
        tracing::error!(%error, "the end of the run could not be stored; it is tried again");
        tokio::select! {
            () = tools.stopping.cancelled() => break,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    tracing::info!(state = ?run.state, considered = run.tally.objects.considered, "the run is over");
    run
}

/// Carries it out; tells also the integration as it was when its system was connected.
async fn carry_out(
    tools: &Tools,
    mut run: Run,
    cancel: &CancellationToken,
) -> (Run, Option<Integration>) {
    if cancel.is_cancelled() && !tools.stopping.is_cancelled() {
        run.state = RunState::Cancelled;
        return (run, None);
    }
    run.state = RunState::Running;
    run.phase = Some(Phase::Reading);
    run.start_time = Some(tools.clock.now());
    tracing::info!(trigger = ?run.trigger, "the run begins");
    let bulk = tools.lanes.of(run.integration_uid).begin();
    let job = match open(tools, &run, cancel, &bulk).await {
        Ok(job) => job,
        Err(stop) => {
            let ended = match stop {
                Stop::Cancelled => Ended::Cancelled,
                stop => Ended::Failed(explain(&run, &stop)),
            };
            let mut ledger = Ledger::open(run, std::iter::empty());
            ledger.close(ended);
            return (ledger.run, None);
        }
    };
    let mut ended = told_of_waiting(&job).await;
    if tools.stopping.is_cancelled() && ended == Ended::Cancelled {
        ended = Ended::Interrupted;
    }
    if let Ended::Failed(error) = &ended {
        tracing::warn!(code = error.code, text = error.text, "the run failed");
    }
    job.ledger().close(ended);
    (job.snapshot(), Some(job.integration.clone()))
}

/// Carries the pipe to its end. While it waits, those who watch are told so: the system may throttle.
async fn told_of_waiting(job: &Job) -> Ended {
    let mut pipe = Box::pin(pipe(job));
    loop {
        tokio::select! {
            ended = &mut pipe => return ended,
            () = tokio::time::sleep(LOOK) => job.tell_progress(),
        }
    }
}

/// Stores that the run began, and opens both ends.
async fn open(
    tools: &Tools,
    run: &Run,
    cancel: &CancellationToken,
    bulk: &Bulk,
) -> Result<Job, Stop> {
    tools
        .store
        .save_run(run.clone(), Some(EventBody::RunStarted))
        .await?;
    let integration = tools
        .integrations
        .get(&run.company, &run.integration)
        .await?;
    // It may have been paused or deleted while the run waited.
    let bars = |gap: &Gap| !run.preview || gap.bars_previews();
    match halted(&integration).filter(bars) {
        // Whoever deletes it is about to cancel this run.
        Some(Gap::Deleting) => return Err(Stop::Cancelled),
        Some(gap) => return Err(Stop::Integration(gap.into())),
        None => {}
    }
    let source = tools
        .integrations
        .connect(&run.company, &run.integration)
        .await?;
    let rules = tools.store.rules(&run.company, &run.integration).await?;
    let rules = RuleSet::compile(rules, &run.rules)?;
    // They may have been deleted or switched off while the run waited.
    if rules.written().next().is_none() {
        return Err(Stop::Integration(Gap::NoActiveRules.into()));
    }
    let lane = Some(Arc::clone(bulk.lane()));
    let parts = tools.parts(integration, source, rules, cancel.clone(), lane);
    Ok(Job::new(parts, run.clone()))
}

impl Tools {
    /// What a job over this integration is made of.
    pub(super) fn parts(
        &self,
        integration: Integration,
        source: Arc<dyn Connector>,
        rules: RuleSet,
        cancel: CancellationToken,
        lane: Option<Arc<Lane>>,
    ) -> Parts {
        let clock = Arc::clone(&self.clock);
        let target = DirectoryConnector::new(self.store.clone(), clock, &integration);
        Parts {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            feed: self.feed.clone(),
            mapped: [Kind::User, Kind::Group].map(|kind| mapped(&integration.system, kind)),
            integration,
            source,
            target: Arc::new(target),
            rules,
            cancel,
            lane,
        }
    }
}

/// Stores how the run ended, and what follows from it.
async fn close(tools: &Tools, run: &Run, seen: Option<&Integration>) -> Result<(), Stop> {
    if run.state == RunState::Interrupted {
        // Before it is shown as interrupted: killed in between, it is done once more, never lost.
        tools.store.create_run(again(tools, run), None).await?;
    }
    let lost = run.error.as_ref().filter(|error| consent_lost(error));
    if let (Some(error), Some(seen)) = (lost, seen) {
        tools
            .integrations
            .authorization_lost(seen, cause(run, error))
            .await?;
    }
    tools
        .store
        .save_run(run.clone(), Some(EventBody::RunFinished))
        .await?;
    // Of a preview nothing follows.
    if run.state == RunState::Interrupted || run.preview {
        return Ok(());
    }
    let (company, id) = (&run.company, &run.integration);
    let Some(integration) = tools.store.integration(company, id).await? else {
        return Ok(());
    };
    if integration.interruptions > 0 && integration.state != IntegrationState::Deleting {
        let reset = |integration: &mut Integration| {
            integration.interruptions = 0;
            Ok(None)
        };
        tools
            .store
            .update_integration(&run.company, &run.integration, reset)
            .await?;
    }
    Ok(())
}

/// The run that does an interrupted one again, after the next start.
fn again(tools: &Tools, run: &Run) -> Run {
    Run {
        id: RunId::generate(),
        trigger: Trigger::Recovery,
        state: RunState::Queued,
        tally: Tally::default(),
        requests: RequestCounts::default(),
        requested_by: String::new(),
        create_time: tools.clock.now(),
        start_time: None,
        end_time: None,
        error: None,
        scheduled_time: None,
        made_up: false,
        ..run.clone()
    }
}

/// Attributes that the standard mapping carries over from a kind of a system's objects.
fn mapped(system: &SystemId, kind: Kind) -> Vec<Attribute> {
    let info = catalogue::find(system).and_then(|system| system.kind(kind));
    let attributes = info.map_or(&[][..], |info| info.attributes);
    attributes.iter().map(|a| a.attribute.clone()).collect()
}
