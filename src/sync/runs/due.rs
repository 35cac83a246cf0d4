//! What the schedule asks: an integration is due, so it runs, or it is told why it does not. The run and the next due
//! time are written together: whatever happens in between, a period has one run.

use super::{
    Command, Door, Runs,
    request::{Request, new_run, ready},
};
use crate::{
    model::{Integration, RunError, RunState, Time, Trigger},
    store::{self, Due},
    sync::{
        Error,
        queue::{self, merge},
    },
};
use std::time::Duration;

/// A run that is asked for so soon after its due time is not late: the daemon may have been restarted just then, or be
/// busy with asking for others.
const PUNCTUAL: Duration = Duration::from_secs(15 * 60);

/// An integration is due.
#[derive(Debug)]
pub(in crate::sync) struct Called {
    /// Which, and since when.
    pub(in crate::sync) due: Due,
    /// The present moment, as the schedule sees it.
    pub(in crate::sync) now: Time,
}

/// What is to be done for a due time.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    /// The last due time that has come.
    time: Time,
    /// Whether it was missed, or one before it was.
    made_up: bool,
    /// Whether it was missed so long ago that it is not made up.
    too_late: bool,
}

impl Runs {
    /// An integration is due: asks for a run, unless that is not so any more.
    pub(in crate::sync) async fn due(&self, called: Called) -> Result<(), Error> {
        self.ask(|answer| Command::Due(called, answer)).await
    }
}

impl Door {
    pub(super) async fn due(&mut self, called: Called) -> Result<(), Error> {
        let store = self.tools.store.clone();
        let (company, id) = (&called.due.company, &called.due.integration);
        let found = store.integration(company, id).await?;
        let Some(integration) =
            found.filter(|integration| integration.next_sync == Some(called.due.time))
        else {
            return Ok(store.forget_due(called.due).await?);
        };
        let rules = store.rules(company, id).await?;
        let request = Request {
            company: company.clone(),
            integration: id.clone(),
            rules: Vec::new(),
            preview: false,
            trigger: Trigger::Schedule,
            requested_by: String::new(),
            key: None,
        };
        let verdict = self.judge(&integration, &called);
        let refused = if verdict.too_late {
            Some(self.too_late(&verdict))
        } else {
            refusal(ready(&integration, &rules, &request.rules, false))?
        };
        let mut run = new_run(&integration, &request, called.now);
        let waiting = match refused {
            None => self.queue.waiting(&queue::key(&run)),
            Some(error) => {
                tracing::warn!(integration = %id, %company, code = error.code, text = error.text, "a scheduled run is skipped");
                run.state = RunState::Failed;
                run.end_time = Some(called.now);
                run.error = Some(error);
                None
            }
        };
        if let Some(waiting) = &waiting {
            run = (*waiting).clone();
            run.rules = merge(&run.rules, &request.rules, &rules);
        }
        run.scheduled_time = Some(verdict.time);
        run.made_up |= verdict.made_up;
        let next = integration.schedule.next_after(called.now);
        match store.take_due(called.due, next, run).await {
            Ok(run) => match waiting {
                Some(waiting) => *waiting = run,
                None if run.state.is_final() => {}
                None => self.queue.admit(run),
            },
            // A caller was faster, and has changed when it is due.
            Err(store::Error::Changed(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn judge(&self, integration: &Integration, called: &Called) -> Verdict {
        let due = called.due.time;
        let time = integration.schedule.last_until(called.now).max(due);
        let ago = Duration::try_from(called.now.duration_since(time)).unwrap_or_default();
        let late = ago > PUNCTUAL;
        Verdict {
            time,
            made_up: late || time != due,
            too_late: late && self.catch_up.is_some_and(|window| ago > window),
        }
    }

    fn too_late(&self, verdict: &Verdict) -> RunError {
        let window = self.catch_up.unwrap_or_default();
        RunError {
            code: "MISSED".to_owned(),
            text: format!(
                "the daemon was not running at {}, and by now that is longer ago than sync.catch_up ({window:?}); call StartRun if it is to be made up",
                verdict.time
            ),
        }
    }
}

/// Why an integration that is due can't run.
fn refusal(ready: Result<(), Error>) -> Result<Option<RunError>, Error> {
    match ready {
        Ok(()) => Ok(None),
        Err(Error::NotReady(missing)) => {
            let codes = missing.iter().map(|(code, _)| code.clone());
            let texts: Vec<_> = missing.iter().map(|(_, text)| text.as_str()).collect();
            Ok(codes.into_iter().next().map(|code| RunError {
                code,
                text: texts.join("; "),
            }))
        }
        Err(error) => Err(error),
    }
}
