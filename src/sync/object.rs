//! The object lane: one object, now, read afresh and decided as a bulk run would (semantics 16); or only explained.

use super::{
    Error,
    apply::{self, aside},
    error::Stop,
    execute::{AGAIN, Tools},
    fate::{Fate, elsewhere, fate, why},
    job::Job,
    knowledge,
    lane::{Part, Taken},
    members, read,
    record::{Count, Ended},
    run::{explain, panicked},
    runs::ObjectRequest,
};
use crate::{
    connector::Connector,
    integrations,
    model::{
        Change, ErrorKind, EventBody, Integration, Kind, Object, Outcome, PageRequest, Reason,
        RuleId, Run, RunId, RunState, SourceId, Tally, Trigger,
    },
    rules::{RuleSet, Verdict},
    store::ChangeFilter,
};
use futures_util::{FutureExt as _, stream};
use std::{panic::AssertUnwindSafe, sync::Arc};

/// What became of one object; of a preview, what would.
#[derive(Debug, Clone)]
pub struct Provisioned {
    /// How it was accounted for.
    pub fate: Fate,
    /// Why, where there is a why.
    pub reason: Option<Reason>,
    /// The run that it was; none of a preview.
    pub run: Option<Run>,
    /// The object as it was read; none if the source has it no more.
    pub object: Option<Object>,
    /// What each rule about its kind has to do with it, in the order in which they are tried.
    pub rules: Vec<Verdict>,
    /// What was recorded, with the sequences by which it is known; of a preview what would be, with 0.
    pub changes: Vec<(u64, Change)>,
}

/// Provisions one object, or explains what would be done.
pub(super) async fn provision(tools: &Tools, request: ObjectRequest) -> Result<Provisioned, Error> {
    let (company, id) = (&request.company, &request.integration);
    let integration = tools.integrations.get(company, id).await?;
    let rules = tools.store.rules(company, id).await?;
    let active = rules.iter().filter(|rule| rule.active);
    let named: Vec<RuleId> = active.map(|rule| rule.id.clone()).collect();
    if !request.preview {
        super::runs::ready(&integration, &rules, &named, false)?;
    }
    let source = tools.integrations.connect(company, id).await?;
    let cancel = tools.stopping.child_token();
    let rules =
        RuleSet::compile(rules, &named).map_err(|error| Error::BadRule(error.to_string()))?;
    let job = |run: Run, source: Arc<dyn Connector>| {
        let parts = tools.parts(integration.clone(), source, rules, cancel, None);
        Job::new(parts, run)
    };
    let job = job(new_run(tools, &integration, &request), source);
    let asked = async {
        let known = locate(&job, &request).await?;
        // Until it is done nobody else provisions it by itself, and no bulk run overwrites it.
        let lane = tools.lanes.of(integration.uid);
        let mut taken = if request.preview {
            None
        } else {
            Some(lane.take(request.kind, &known).await)
        };
        let read = look(&job, request.kind, &known).await?;
        taken.iter_mut().for_each(Taken::is_read);
        if matches!(read, Look::There(_)) {
            knowledge::read(&job).await?;
        }
        let done = match read {
            Look::There(object) => carry_out(tools, &job, object, &mut taken).await,
            Look::Absent | Look::Gone(_) => {
                done(&mut taken, &[Part::Object, Part::Members]);
                match read {
                    Look::Gone(reason) => Ok(gone(reason)),
                    _ => return Err(Failure::Absent),
                }
            }
        };
        drop(taken);
        done.map_err(Failure::from)
    };
    match asked.await {
        Ok(provisioned) => Ok(provisioned),
        Err(Failure::Absent) => Err(Error::Missing(format!(
            "the {} {} at {}",
            request.kind, request.object, integration.system
        ))),
        Err(Failure::Stop(stop)) => Err(refusal(tools, &integration, stop).await?),
    }
}

enum Failure {
    /// There is no such object, and never was.
    Absent,
    Stop(Stop),
}

impl<E: Into<Stop>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Stop(error.into())
    }
}

/// What a caller is told of what kept the object from being decided; a lost consent is noted.
async fn refusal(tools: &Tools, integration: &Integration, stop: Stop) -> Result<Error, Error> {
    let lost = stop.is_consent_lost();
    Ok(match stop {
        Stop::System(error) if lost => {
            let text = error.to_string();
            let lost = tools.integrations.authorization_lost(integration, &text);
            let lost = lost.await?;
            let gap = integrations::Gap::reauthorization(&lost);
            Error::NotReady(vec![(gap.code().to_owned(), gap.text())])
        }
        Stop::System(error) if error.kind() == ErrorKind::Precondition => {
            Error::NotReady(vec![(error.code().to_owned(), error.to_string())])
        }
        Stop::System(error) => Error::System(error),
        Stop::Integration(error) => error.into(),
        Stop::Store(error) => error.into(),
        Stop::Rule(error) => Error::BadRule(error.to_string()),
        Stop::Cancelled => Error::Stopping,
    })
}

fn new_run(tools: &Tools, integration: &Integration, request: &ObjectRequest) -> Run {
    let now = tools.clock.now();
    Run {
        company: integration.company.clone(),
        integration: integration.id.clone(),
        integration_uid: integration.uid,
        id: RunId::generate(),
        rules: Vec::new(),
        object: None,
        trigger: Trigger::Manual,
        state: RunState::Running,
        phase: None,
        tally: Tally::default(),
        requests: crate::model::RequestCounts::default(),
        requested_by: request.requested_by.clone(),
        create_time: now,
        start_time: Some(now),
        end_time: None,
        error: None,
        scheduled_time: None,
        made_up: false,
        preview: request.preview,
    }
}

/// The id of what is asked for, which may be named by its address.
async fn locate(job: &Job, request: &ObjectRequest) -> Result<SourceId, Failure> {
    let object = request.object.as_str();
    let id = if object.contains('@') {
        let asked = job.reader()?.locate(request.kind, object);
        match job.unless_cancelled(asked).await? {
            None => once(job, request.kind, object).await?,
            found => found,
        }
    } else {
        SourceId::try_new(object)
    };
    id.ok_or(Failure::Absent)
}

/// The source object that an address was provisioned from, which the source may have no more.
async fn once(job: &Job, kind: Kind, address: &str) -> Result<Option<SourceId>, Stop> {
    let Integration { company, uid, .. } = &job.integration;
    let holder = job.store.entity_by_email(company, address).await?;
    let holder = holder.filter(|holder| holder.kind == kind);
    Ok(holder.and_then(|holder| holder.linked_to(*uid).cloned()))
}

enum Look {
    There(Object),
    /// It was provisioned once.
    Gone(Reason),
    Absent,
}

/// Reads the object and what its link says.
async fn look(job: &Job, kind: Kind, id: &SourceId) -> Result<Look, Stop> {
    let link = job.link_of(kind, id).await?;
    if let Some(link) = &link {
        job.table(kind).learn(link);
    }
    let read = job.unless_cancelled(job.reader()?.get(kind, id)).await?;
    Ok(match (read, link) {
        (Some(object), _) => Look::There(object),
        (None, Some(link)) if link.target.is_some() => Look::Gone(Reason::new(
            "ABSENT_AT_SOURCE",
            "the source has it no more; it is kept, for nothing removes it yet",
        )),
        (None, _) => Look::Absent,
    })
}

fn gone(reason: Reason) -> Provisioned {
    Provisioned {
        fate: Fate::Skipped,
        reason: Some(reason),
        run: None,
        object: None,
        rules: Vec::new(),
        changes: Vec::new(),
    }
}

/// From here on a bulk run that has read it before leaves it alone.
fn done(taken: &mut Option<Taken>, parts: &[Part]) {
    if let Some(taken) = taken {
        parts.iter().for_each(|part| taken.done(*part));
    }
}

/// Decides and writes, as a run of its own; a preview only decides.
async fn carry_out(
    tools: &Tools,
    job: &Job,
    object: Object,
    taken: &mut Option<Taken>,
) -> Result<Provisioned, Stop> {
    let rules = job.rules.explain(&object, job.knowledge());
    let elsewhere = elsewhere(job, &object);
    job.ledger().run.object = Some(crate::model::ObjectRef {
        kind: object.kind,
        id: object.id.to_string(),
        label: object.label().to_owned(),
    });
    if job.rehearsal.is_none() {
        tools.store.create_run(job.snapshot(), None).await?;
    }
    let piped = AssertUnwindSafe(pipe(job, object.clone(), taken))
        .catch_unwind()
        .await;
    let (ended, stop) = match piped {
        Ok(Ok(())) => (Ended::Complete, None),
        Ok(Err(stop)) => (Ended::Failed(explain(&job.snapshot(), &stop)), Some(stop)),
        Err(_) => (Ended::Failed(panicked()), None),
    };
    job.ledger().close(ended);
    let mut run = job.snapshot();
    run.end_time = Some(tools.clock.now());
    if job.rehearsal.is_none() {
        end(tools, &run).await?;
    }
    if let Some(stop) = stop {
        return Err(stop);
    }
    let changes = match &job.rehearsal {
        Some(rehearsal) => rehearsal.records().into_iter().map(|c| (0, c)).collect(),
        None => recorded(tools, &run).await?,
    };
    let fate = fate(&run.tally.objects);
    Ok(Provisioned {
        fate,
        reason: elsewhere.or_else(|| why(fate, &changes, run.error.as_ref())),
        run: job.rehearsal.is_none().then_some(run),
        object: Some(object),
        rules,
        changes,
    })
}

/// Stores how the run ended.
async fn end(tools: &Tools, run: &Run) -> Result<(), Stop> {
    tools.feed.forget(run);
    let event = Some(EventBody::RunFinished as fn(Run) -> EventBody);
    while let Err(error) = tools.store.save_run(run.clone(), event).await {
        tracing::error!(%error, "the end of the run could not be stored; it is tried again");
        tokio::select! {
            () = tools.stopping.cancelled() => return Err(error.into()),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    Ok(())
}

/// What the run recorded.
async fn recorded(tools: &Tools, run: &Run) -> Result<Vec<(u64, Change)>, Stop> {
    let filter = ChangeFilter {
        integration: Some(run.integration.clone()),
        run: Some(run.id.clone()),
        ..ChangeFilter::default()
    };
    let page = PageRequest {
        size: 1000,
        token: None,
    };
    let recorded = tools.store.changes(&run.company, &filter, &page).await?;
    let recorded = recorded.items.into_iter();
    Ok(recorded.map(|r| (r.sequence, r.change)).collect())
}

/// As a bulk run does with each object. What fails, or can't be decided here, is left to that.
async fn pipe(job: &Job, object: Object, taken: &mut Option<Taken>) -> Result<(), Stop> {
    let kind = object.kind;
    if let Some(item) = read::sort_out(job, kind, object) {
        let mut parked = Vec::new();
        let slices = stream::iter([vec![item]]);
        apply::apply(job, kind, slices, &mut parked).await?;
        for item in parked {
            let reason = Reason::new(
                "NOT_SETTLED",
                "another object of this integration has the address, and may have given it up: only a run over all objects can tell",
            );
            let count = Count::Deferred(reason.clone());
            let mut slice = job.slice();
            slice.changes = vec![aside(job, &item, Outcome::Deferred, reason)];
            apply::note(job, slice, &[(&item, &count)]).await?;
        }
    }
    let well = || {
        let counted = job.ledger().run.tally.objects;
        counted.failed + counted.deferred == 0
    };
    if well() {
        done(taken, &[Part::Object]);
    }
    taken.iter_mut().for_each(Taken::is_read);
    members::fill(job, false).await?;
    // Members who are not provisioned yet may be by the bulk run, which completes the group then.
    if well() && job.ledger().run.tally.members.pending == 0 {
        done(taken, &[Part::Members]);
    }
    Ok(())
}
