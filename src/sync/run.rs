//! The pipe, top to bottom: load what is known, list and apply each kind, fill the groups, close the books.

use super::{
    error::Stop,
    job::Job,
    knowledge, members, read,
    record::{Count, Ended},
};
use crate::{
    connector::Error,
    integrations,
    model::{Kind, Phase, Reason, Run, RunError},
};

/// Carries a run out; tells how it ended. Everything counted is in the job's books.
pub(super) async fn pipe(job: &Job) -> Ended {
    let mut first_failure = None;
    match stages(job, &mut first_failure).await {
        Ok(()) => {}
        Err(Stop::Cancelled) => {
            account_for_the_rest(
                job,
                "CANCELLED",
                "the run was stopped before this group's turn",
            );
            return Ended::Cancelled;
        }
        Err(stop) => first_failure = Stop::worse(first_failure, Some(stop)),
    }
    let Some(stop) = first_failure else {
        return Ended::Complete;
    };
    account_for_the_rest(job, "RUN_FAILED", "the run failed before this group's turn");
    Ended::Failed(explain(&job.snapshot(), &stop))
}

async fn stages(job: &Job, first_failure: &mut Option<Stop>) -> Result<(), Stop> {
    let kinds = job.rules.kinds();
    knowledge::read(job).await?;
    let mut groups_complete = false;
    for kind in [Kind::User, Kind::Group] {
        if !kinds.contains(&kind) {
            // Memberships need to know users and groups, whichever kinds the rules mention.
            read::load(job, kind).await?;
            continue;
        }
        match read::kind(job, kind).await {
            Ok(()) => groups_complete |= kind == Kind::Group,
            // One kind that can't be listed does not stop the other, unless nothing can be read at all (semantics 24).
            Err(stop @ Stop::System(_)) if !stop.is_consent_lost() => {
                tracing::warn!(%kind, error = %stop, "the listing could not be completed");
                first_failure.get_or_insert(stop);
            }
            Err(stop) => return Err(stop),
        }
    }
    job.enter(Phase::Applying).await?;
    members::fill(job, groups_complete).await
}

/// Whether the run ended because the consent is gone.
pub(super) fn consent_lost(stop: &RunError) -> bool {
    stop.code == Error::ConsentLost(String::new()).code()
        || stop.code == Error::Unauthorized(String::new()).code()
}

/// Groups that were read and did not get their turn are accounted for, too.
fn account_for_the_rest(job: &Job, code: &str, text: &str) {
    let rest = std::mem::take(&mut *job.groups_to_fill());
    let mut ledger = job.ledger();
    for group in rest {
        let count = match group.count {
            count @ (Count::Added | Count::Modified) => count,
            _ => Count::Deferred(Reason::new(code, text)),
        };
        ledger.count(group.rule.as_ref(), &count);
    }
}

/// What a failed run says about why.
pub(super) fn explain(run: &Run, stop: &Stop) -> RunError {
    let (code, text) = match stop {
        Stop::System(error) => (error.code(), error.to_string()),
        Stop::Rule(_) => ("NOT_READY", stop.to_string()),
        Stop::Integration(integrations::Error::Store(error)) | Stop::Store(error) => {
            tracing::error!(%error, "the store failed in a run");
            (
                "INTERNAL",
                "the daemon could not write its store; its log says more".to_owned(),
            )
        }
        Stop::Integration(error) => ("NOT_READY", error.to_string()),
        Stop::Cancelled => ("CANCELLED", "the run was stopped".to_owned()),
    };
    RunError {
        code: code.to_owned(),
        text: text + aftermath(run),
    }
}

/// What a run that failed left.
fn aftermath(run: &Run) -> &'static str {
    match run.preview {
        true => ". Nothing was written; nothing absent was concluded.",
        false => ". What was applied stands; nothing absent was concluded.",
    }
}

/// Why a run failed, without what it left.
pub(super) fn cause<'e>(run: &Run, error: &'e RunError) -> &'e str {
    let text = error.text.strip_suffix(aftermath(run));
    text.unwrap_or(&error.text)
}

/// Why a run ended that panicked.
pub(super) fn panicked() -> RunError {
    tracing::error!("a run panicked; this is a defect of the daemon");
    RunError {
        code: "INTERNAL".to_owned(),
        text: "the daemon has a defect here; its log says more. What was applied stands."
            .to_owned(),
    }
}
