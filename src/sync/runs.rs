//! The door: everything that starts work asks here. One bulk run at a time for each integration; requests that wait merge,
//! and previews take their turns.

mod due;
mod request;

pub(super) use self::due::Called;
pub(super) use self::request::ready;
use self::request::{Request, new_run};
use super::{
    Error, Retention,
    events::Feed,
    execute::{Tools, execute},
    lane::Lanes,
    queue::{MOST_PREVIEWS, Queue, merge},
    schedule,
};
use crate::{
    integrations::Integrations,
    model::{
        Clock, CompanyId, EventBody, Integration, IntegrationId, IntegrationState, RequestKey,
        RuleId, Run, RunId, RunState, Trigger,
    },
    store::Store,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

mod deletion;
mod object;

pub use object::ObjectRequest;

/// Interruptions in a row after which an integration is paused (semantics 18).
const INTERRUPTIONS: u32 = 3;

/// How much runs at once, and what is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Runs going on at once in the whole daemon; at least 1.
    pub at_once: usize,
    /// How long after a due time that was missed it is still made up; none = until the next one.
    pub catch_up: Option<Duration>,
}

/// Handle of the door; cheap to clone.
#[derive(Debug, Clone)]
pub struct Runs {
    tools: Tools,
    commands: mpsc::Sender<Command>,
    feed: Feed,
    stopping: CancellationToken,
    tasks: TaskTracker,
    objects: Arc<Semaphore>,
}

#[derive(Debug)]
enum Command {
    Start(Request, oneshot::Sender<Result<Run, Error>>),
    Cancel(
        CompanyId,
        IntegrationId,
        RunId,
        oneshot::Sender<Result<Run, Error>>,
    ),
    Due(Called, oneshot::Sender<Result<(), Error>>),
    Resume(Run),
    Finished(Run),
}

impl Runs {
    /// Opens the door: spawns the loop that guards it.
    pub fn open(
        store: Store,
        integrations: Integrations,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Self {
        let (commands, inbox) = mpsc::channel(256);
        let feed = Feed::new(store.clone(), Arc::clone(&clock));
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let tools = Tools {
            store,
            integrations,
            clock,
            feed: feed.clone(),
            stopping: stopping.clone(),
            lanes: Lanes::default(),
        };
        let door = Door {
            tools: tools.clone(),
            queue: Queue::new(options.at_once.max(1)),
            catch_up: options.catch_up,
            tasks: tasks.clone(),
            back: commands.downgrade(),
        };
        tasks.spawn(door.guard(inbox));
        Self {
            tools,
            commands,
            feed,
            stopping,
            tasks,
            objects: Arc::new(Semaphore::new(object::AT_ONCE)),
        }
    }

    /// Asks for a run of the automatic lookup rules, or of those named, or for its preview; answers at once with the run,
    /// or with the one that waits already and now covers this request too, which no preview does (semantics 17).
    ///
    /// # Errors
    /// `NotReady`, `BadRule`, `Missing`; `TooManyPreviews` if so many wait that no other may.
    pub async fn start(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        rules: Vec<RuleId>,
        preview: bool,
        requested_by: String,
        key: Option<RequestKey>,
    ) -> Result<Run, Error> {
        let (company, integration) = (company.clone(), integration.clone());
        let request = Request {
            company,
            integration,
            rules,
            preview,
            trigger: Trigger::Manual,
            requested_by,
            key,
        };
        self.ask(|answer| Command::Start(request, answer)).await
    }

    /// Stops a run at its next object; what it has not tried is deferred. A run that is over stays as it is.
    pub async fn cancel(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        run: &RunId,
    ) -> Result<Run, Error> {
        self.ask(|answer| {
            Command::Cancel(company.clone(), integration.clone(), run.clone(), answer)
        })
        .await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.commands
            .send(command(answer))
            .await
            .map_err(|_| Error::Stopping)?;
        answered.await.map_err(|_| Error::Stopping)?
    }

    /// After a start: runs that were going on are shown as interrupted and asked for anew (semantics 18), those that
    /// waited go on waiting.
    pub async fn recover(&self, store: &Store, clock: &dyn Clock) -> Result<(), Error> {
        for mut run in store.unfinished_runs().await? {
            if run.state == RunState::Queued {
                self.commands
                    .send(Command::Resume(run))
                    .await
                    .map_err(|_| Error::Stopping)?;
                continue;
            }
            tracing::warn!(run = %run.id, integration = %run.integration, "a run was interrupted");
            // Asked for anew before it is shown as interrupted: killed in between, it is done once more, never lost. Who
            // asked for a single object got no answer, and asks again.
            if run.object.is_none() && !self.interrupted_too_often(store, &run).await? {
                self.again(&run).await?;
            }
            run.state = RunState::Interrupted;
            run.phase = None;
            run.end_time = Some(clock.now());
            store.save_run(run, Some(EventBody::RunFinished)).await?;
        }
        Ok(())
    }

    /// Asks for an interrupted run anew, of those of its rules that are still there and active.
    async fn again(&self, run: &Run) -> Result<(), Error> {
        let rules = self.tools.store.rules(&run.company, &run.integration);
        let rules = rules.await?;
        let mut named = run.rules.clone();
        named.retain(|name| rules.iter().any(|rule| rule.id == *name && rule.active));
        if named.is_empty() && !run.rules.is_empty() {
            tracing::warn!(run = %run.id, "the interrupted run is not done again: its rules are gone or not active");
            return Ok(());
        }
        let request = Request {
            company: run.company.clone(),
            integration: run.integration.clone(),
            rules: named,
            preview: run.preview,
            trigger: Trigger::Recovery,
            requested_by: String::new(),
            key: None,
        };
        if let Err(error) = self.ask(|answer| Command::Start(request, answer)).await {
            tracing::warn!(%error, "the interrupted run can't be done again");
        }
        Ok(())
    }

    /// Counts the interruption; pauses the integration at the third in a row.
    async fn interrupted_too_often(&self, store: &Store, run: &Run) -> Result<bool, Error> {
        let count = |integration: &mut Integration| {
            integration.interruptions += 1;
            if integration.interruptions < INTERRUPTIONS {
                return Ok(None);
            }
            integration.state = IntegrationState::Paused(format!(
                "{INTERRUPTIONS} runs in a row were interrupted by the daemon's end; activate the integration again when the cause is found"
            ));
            Ok(Some(
                EventBody::IntegrationChanged as fn(Integration) -> EventBody,
            ))
        };
        let integration = store
            .update_integration(&run.company, &run.integration, count)
            .await?;
        Ok(matches!(integration.state, IntegrationState::Paused(_)))
    }

    /// From now on asks for runs when integrations are due. To be called once, after `recover`.
    pub fn keep_schedule(&self, store: Store, clock: Arc<dyn Clock>) {
        let keeper = schedule::Keeper::new(store, clock, self.clone());
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = keeper.keep() => {}
            }
        });
    }

    /// From now on lets history go that is older than it is kept for. To be called once.
    pub fn keep_history(&self, store: Store, clock: Arc<dyn Clock>, retention: Retention) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = super::retention::keep(store, clock, retention) => {}
            }
        });
    }

    /// News about runs.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Ends all runs at their next object and waits for them, at most so long. They are done again after the start.
    pub async fn stop(&self, grace: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "some runs did not end in time; they are done again after the next start"
            );
        }
    }
}

/// The loop behind the door: it alone decides what runs and what waits.
struct Door {
    tools: Tools,
    queue: Queue,
    catch_up: Option<Duration>,
    tasks: TaskTracker,
    back: mpsc::WeakSender<Command>,
}

impl Door {
    async fn guard(mut self, mut inbox: mpsc::Receiver<Command>) {
        let stopping = self.tools.stopping.clone();
        loop {
            let command = tokio::select! {
                () = stopping.cancelled() => return,
                command = inbox.recv() => command,
            };
            match command {
                None => return,
                Some(Command::Start(request, answer)) => {
                    let run = self.start(request).await;
                    // Who no longer waits for the answer finds the run in the list.
                    let _ = answer.send(run);
                }
                Some(Command::Cancel(company, integration, run, answer)) => {
                    let run = self.cancel(&company, &integration, &run).await;
                    let _ = answer.send(run);
                }
                Some(Command::Due(called, answer)) => {
                    let _ = answer.send(Store::ahead(self.due(called)).await);
                }
                Some(Command::Resume(run)) => self.queue.admit(run),
                Some(Command::Finished(run)) => self.queue.finished(&run),
            }
            while let Some((run, cancel)) = self.queue.next(&stopping) {
                self.launch(run, cancel);
            }
        }
    }

    async fn start(&mut self, request: Request) -> Result<Run, Error> {
        let store = self.tools.store.clone();
        if let Some(key) = &request.key
            && let Some(run) = store.run_answering(&request.company, key).await?
        {
            return Ok(run);
        }
        let integration = self
            .tools
            .integrations
            .get(&request.company, &request.integration)
            .await?;
        let rules = store.rules(&request.company, &request.integration).await?;
        ready(&integration, &rules, &request.rules, request.preview)?;
        let of = (request.company.clone(), request.integration.clone());
        if request.preview {
            // One that was interrupted was let in before.
            if request.trigger == Trigger::Manual && self.queue.is_full(&of) {
                return Err(Error::TooManyPreviews(MOST_PREVIEWS));
            }
        } else if let Some(waiting) = self.queue.waiting(&of) {
            let merged = merge(&waiting.rules, &request.rules, &rules);
            if waiting.rules != merged || request.key.is_some() {
                waiting.rules = merged;
                store.merge_run(waiting.clone(), request.key).await?;
            }
            return Ok(waiting.clone());
        }
        let run = new_run(&integration, &request, self.tools.clock.now());
        let run = store.create_run(run, request.key).await?;
        self.queue.admit(run.clone());
        Ok(run)
    }

    fn launch(&self, run: Run, cancel: CancellationToken) {
        let (tools, back) = (self.tools.clone(), self.back.clone());
        let span = tracing::error_span!("run", run_id = %run.id, integration = %run.integration, company = %run.company);
        let task = async move {
            // It tells of what it read by what it writes.
            let run = Store::ahead(Box::pin(execute(tools, run, cancel))).await;
            if let Some(back) = back.upgrade() {
                let _ = back.send(Command::Finished(run)).await;
            }
        };
        self.tasks.spawn(task.instrument(span));
    }

    async fn cancel(
        &mut self,
        company: &CompanyId,
        integration: &IntegrationId,
        id: &RunId,
    ) -> Result<Run, Error> {
        let run = self.tools.store.run(company, integration, id).await?;
        let missing = || Error::missing(company, integration, &format!("runs/{id}"));
        let mut run = run.ok_or_else(missing)?;
        if self.queue.drop_waiting(&run) {
            run.state = RunState::Cancelled;
            run.end_time = Some(self.tools.clock.now());
            self.tools
                .store
                .save_run(run.clone(), Some(EventBody::RunFinished))
                .await?;
        } else if !run.state.is_final() {
            self.queue.cancel(&run);
        }
        Ok(run)
    }
}
