//! Runs, changes and news as messages.

use super::{
    names,
    to_proto::{count, duration, kind, time},
};
use crate::{
    model::{
        Action, Change, CompanyId, Counters, Diff, EventBody, IntegrationId, MemberCounters,
        ObjectRef, Outcome, Phase, Progress, Reason, Run, RunId, RunState, Time, Trigger, Value,
    },
    proto::v1,
    sync::{News, NewsItem},
};

pub(super) fn counters(counters: &Counters) -> v1::Counters {
    v1::Counters {
        considered: count(counters.considered),
        out_of_scope: count(counters.out_of_scope),
        in_scope: count(counters.in_scope()),
        unchanged: count(counters.unchanged),
        added: count(counters.added),
        modified: count(counters.modified),
        skipped: count(counters.skipped),
        failed: count(counters.failed),
        deferred: count(counters.deferred),
    }
}

fn members(counters: &MemberCounters) -> v1::MembershipCounters {
    v1::MembershipCounters {
        considered: count(counters.considered),
        unchanged: count(counters.unchanged),
        added: count(counters.added),
        removed: count(counters.removed),
        pending: count(counters.pending),
        skipped: count(counters.skipped),
        failed: count(counters.failed),
    }
}

fn state(state: RunState) -> v1::run::State {
    match state {
        RunState::Queued => v1::run::State::Queued,
        RunState::Running => v1::run::State::Running,
        RunState::Succeeded => v1::run::State::Succeeded,
        RunState::SucceededWithFailures => v1::run::State::SucceededWithFailures,
        RunState::Failed => v1::run::State::Failed,
        RunState::Cancelled => v1::run::State::Cancelled,
        RunState::Interrupted => v1::run::State::Interrupted,
    }
}

fn phase(phase: Phase) -> v1::run::Phase {
    match phase {
        Phase::Reading => v1::run::Phase::Reading,
        Phase::Applying => v1::run::Phase::Applying,
    }
}

pub(super) fn run(run: &Run) -> v1::Run {
    let rule = |id| names::rule(&run.company, &run.integration, id);
    let tally = &run.tally;
    let by_rule = tally.rules.iter();
    let skips = tally.skips.iter();
    v1::Run {
        name: names::of_run(run),
        rules: run.rules.iter().map(rule).collect(),
        trigger: match run.trigger {
            Trigger::Manual => v1::run::Trigger::Manual,
            Trigger::Recovery => v1::run::Trigger::Recovery,
            Trigger::Schedule => v1::run::Trigger::Schedule,
        }
        .into(),
        state: state(run.state).into(),
        phase: run.phase.map(phase).unwrap_or_default().into(),
        counters: Some(counters(&tally.objects)),
        memberships: Some(members(&tally.members)),
        rule_counters: by_rule
            .map(|r| v1::RuleCounters {
                rule: rule(&r.rule),
                counters: Some(counters(&r.counters)),
            })
            .collect(),
        skipped_by_reason: skips
            .map(|(reason, n)| v1::ReasonCount {
                reason: reason.clone(),
                count: count(*n),
            })
            .collect(),
        requested_by: run.requested_by.clone(),
        requests: Some(v1::SystemRequests {
            by_method: run
                .requests
                .by_method
                .iter()
                .map(|(method, n)| (method.clone(), count(*n)))
                .collect(),
            retries: count(run.requests.retries),
            throttled_time: Some(duration(run.requests.throttled)),
        }),
        create_time: Some(time(run.create_time)),
        start_time: run.start_time.map(time),
        end_time: run.end_time.map(time),
        error: run.error.as_ref().map(|error| v1::RunError {
            reason: error.code.clone(),
            message: error.text.clone(),
        }),
        scheduled_time: run.scheduled_time.map(time),
        made_up: run.made_up,
        object: run.object.as_ref().map(object),
        preview: run.preview,
    }
}

pub(super) fn reason(reason: &Reason) -> v1::Reason {
    v1::Reason {
        code: reason.code.clone(),
        text: reason.text.clone(),
    }
}

fn object(object: &ObjectRef) -> v1::ObjectRef {
    v1::ObjectRef {
        kind: kind(object.kind).into(),
        id: object.id.clone(),
        label: object.label.clone(),
    }
}

fn diff(diff: &Diff) -> v1::Diff {
    let values = |value: &Option<Value>| match value {
        None => Vec::new(),
        Some(Value::Text(text)) => vec![text.clone()],
        Some(Value::Bool(yes)) => vec![yes.to_string()],
        Some(Value::List(items)) => items.clone(),
    };
    v1::Diff {
        attribute: diff.attribute.to_string(),
        old_values: values(&diff.old),
        new_values: values(&diff.new),
    }
}

/// A recorded outcome.
pub(super) fn change(
    company: &CompanyId,
    integration: &IntegrationId,
    run: &RunId,
    id: u64,
    change: &Change,
) -> v1::Change {
    decision(company, integration, Some((run, id)), change)
}

/// An outcome, with its name if it was recorded.
pub(super) fn decision(
    company: &CompanyId,
    integration: &IntegrationId,
    recorded: Option<(&RunId, u64)>,
    change: &Change,
) -> v1::Change {
    let name = |(run, id): (&RunId, u64)| names::change(company, integration, run, id);
    v1::Change {
        name: recorded.map(name).unwrap_or_default(),
        rule: change
            .rule
            .as_ref()
            .map(|rule| names::rule(company, integration, rule))
            .unwrap_or_default(),
        action: change.action.map(action).unwrap_or_default().into(),
        source: Some(object(&change.source)),
        target: change.target.as_ref().map(object),
        outcome: match change.outcome {
            Outcome::Applied => v1::change::Outcome::Applied,
            Outcome::Skipped => v1::change::Outcome::Skipped,
            Outcome::Failed => v1::change::Outcome::Failed,
            Outcome::Deferred => v1::change::Outcome::Deferred,
            Outcome::Planned => v1::change::Outcome::Planned,
        }
        .into(),
        reason: change.reason.as_ref().map(reason),
        diffs: change.diffs.iter().map(diff).collect(),
        time: Some(time(change.time)),
    }
}

fn action(action: Action) -> v1::change::Action {
    match action {
        Action::Add => v1::change::Action::Add,
        Action::Modify => v1::change::Action::Modify,
    }
}

fn progress(company: &CompanyId, progress: &Progress, now: Time) -> v1::watch_runs_response::Event {
    use v1::watch_runs_response::Event;
    let run = names::run(company, &progress.integration, &progress.run);
    let later = |by: std::time::Duration| now.checked_add(by).ok().map(time);
    if let Some(wait) = progress.throttled_for {
        return Event::RunThrottled(v1::RunThrottled {
            run,
            until_time: later(wait),
        });
    }
    Event::RunProgress(v1::RunProgress {
        run,
        phase: phase(progress.phase).into(),
        counters: Some(counters(&progress.counters)),
        memberships: Some(members(&progress.members)),
        total: progress.total.map(count),
        objects_per_second: f64::from(u32::try_from(progress.per_second).unwrap_or(u32::MAX)),
        estimated_end_time: progress.remaining.and_then(later),
    })
}

/// A piece of news.
pub(super) fn news(company: &CompanyId, epoch: &str, news: &News) -> Option<v1::WatchRunsResponse> {
    use v1::watch_runs_response::Event as Out;
    let event = match &news.item {
        NewsItem::Snapshot(run) => Out::RunSnapshot(self::run(run)),
        NewsItem::Progress(progress) => self::progress(company, progress, news.time),
        NewsItem::Heartbeat => Out::Heartbeat(v1::Heartbeat {}),
        NewsItem::Event(told) => match &told.event.body {
            EventBody::RunQueued(run) => Out::RunQueued(self::run(run)),
            EventBody::RunStarted(run) => Out::RunStarted(self::run(run)),
            EventBody::RunPhase(run) => Out::RunPhaseChanged(v1::RunPhaseChanged {
                run: names::of_run(run),
                phase: run.phase.map(phase).unwrap_or_default().into(),
            }),
            EventBody::RunFinished(run) => Out::RunFinished(self::run(run)),
            EventBody::Change {
                integration,
                run,
                change,
            } => Out::Change(self::change(
                company,
                integration,
                run,
                news.sequence,
                change,
            )),
            EventBody::Directory(_) => return None,
            EventBody::IntegrationChanged(integration) => {
                Out::IntegrationChanged(v1::IntegrationChanged {
                    integration: names::of_integration(integration),
                })
            }
            EventBody::AuthorizationLost(integration) => {
                Out::AuthorizationLost(v1::AuthorizationLost {
                    integration: names::of_integration(integration),
                    reason: integration.authorization.reason.clone(),
                })
            }
        },
    };
    Some(v1::WatchRunsResponse {
        sequence: count(news.sequence),
        resume_token: format!("{epoch}.{}", news.sequence),
        time: Some(time(news.time)),
        event: Some(event),
    })
}
