//! What came of it, for people.

use super::{
    Error,
    client::Client,
    text::{count, number, some, time},
};
use crate::proto::v1::{
    Change, Counters, Group, Kind, Rule, Run, SystemRequests, User, run::State,
};
use std::time::{Duration, SystemTime};

mod table;

/// How many people are shown.
const PEOPLE: usize = 4;

/// A user, with the groups they are in.
pub(super) struct Person {
    /// The user.
    pub(super) user: User,
    /// Their groups.
    pub(super) groups: Vec<Group>,
}

/// What the AppsCo directory holds after a run.
pub(super) struct Arrived {
    users: i64,
    groups: i64,
    memberships: i64,
    /// A few, from all over the company.
    pub(super) people: Vec<Person>,
}

/// Asks the directory what it holds.
pub(super) async fn arrived(client: &mut Client) -> Result<Arrived, Error> {
    let users = client.users().await?;
    let groups = client.groups().await?;
    let counts = (number(users.len()), number(groups.len()));
    let mut people = Vec::new();
    let apart = (users.len() / PEOPLE).max(1);
    for user in users.into_iter().step_by(apart).take(PEOPLE) {
        let groups = client.groups_of(&user).await?;
        people.push(Person { user, groups });
    }
    Ok(Arrived {
        users: counts.0,
        groups: counts.1,
        memberships: groups.iter().map(|group| group.member_count).sum(),
        people,
    })
}

/// The run: how it ended, a table of what was synced, why something was skipped, what was asked of Google.
pub(super) fn of_run(run: &Run, rules: &[Rule]) -> String {
    let took = duration(run);
    let mut text = format!("{} in {}\n\n", ended(run.state()), time(took));
    text += &table::render(&rows(run, rules));
    if !run.skipped_by_reason.is_empty() {
        let reasons = run.skipped_by_reason.iter();
        let reasons: Vec<_> = reasons
            .map(|by| format!("{} {}", count(by.count), by.reason))
            .collect();
        text += &format!("\nSkipped: {}", reasons.join(", "));
    }
    text + &of_requests(&run.requests.clone().unwrap_or_default())
}

fn rows(run: &Run, rules: &[Rule]) -> Vec<table::Row> {
    let mut rows = Vec::new();
    for by in &run.rule_counters {
        let rule = rules.iter().find(|rule| rule.name == by.rule);
        let name = match rule.map(Rule::source_kind) {
            Some(Kind::User) => "users",
            Some(Kind::Group) => "groups",
            _ => by.rule.as_str(),
        };
        rows.push(table::Row::of_objects(
            name,
            &by.counters.unwrap_or_default(),
        ));
    }
    let out_of_scope = run.counters.unwrap_or_default().out_of_scope;
    if out_of_scope > 0 {
        let counters = Counters {
            considered: out_of_scope,
            out_of_scope,
            ..Default::default()
        };
        rows.push(table::Row::of_objects("no rule's", &counters));
    }
    rows.push(table::Row::of_memberships(
        &run.memberships.unwrap_or_default(),
    ));
    rows
}

fn of_requests(requests: &SystemRequests) -> String {
    let mut methods: Vec<_> = requests.by_method.iter().collect();
    methods.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
    let all = methods.iter().map(|(_, number)| **number).sum();
    let methods: Vec<_> = methods
        .iter()
        .map(|(method, number)| format!("{} {method}", count(**number)))
        .collect();
    let mut text = format!(
        "\nAsked of Google: {} ({})",
        some(all, "request"),
        methods.join(", ")
    );
    if requests.retries > 0 {
        text += &format!(", {} of them repeated", count(requests.retries));
    }
    let waited = requests
        .throttled_time
        .and_then(|waited| Duration::try_from(waited).ok());
    if let Some(waited) = waited.filter(|waited| !waited.is_zero()) {
        text += &format!(", throttled for {}", time(waited));
    }
    text + "\n"
}

/// Those for which it did not work, with the reasons.
pub(super) fn of_failures(failures: &[Change]) -> String {
    let mut text = String::new();
    for failure in failures {
        let object = failure.source.clone().unwrap_or_default();
        let reason = failure.reason.clone().unwrap_or_default();
        text += &format!("  ✗ {}: {} ({})\n", object.label, reason.text, reason.code);
    }
    text
}

/// What the directory holds after this run, and a few of the people who arrived.
pub(super) fn of_directory(arrived: &Arrived, run: &Run) -> String {
    let memberships = run.memberships.unwrap_or_default();
    let mut text = format!(
        "The AppsCo directory of acme now holds {}, {} and {}, among them\n",
        some(arrived.users, "user"),
        some(arrived.groups, "group"),
        some(arrived.memberships, "membership")
    );
    for Person { user, groups } in &arrived.people {
        text += &format!("  {} <{}>", user.display_name.trim(), user.user_name);
        let work = [&user.title, &user.department].map(|text| text.trim());
        let work: Vec<_> = work.into_iter().filter(|text| !text.is_empty()).collect();
        if !work.is_empty() {
            text += &format!(", {}", work.join(", "));
        }
        if user.active == Some(false) {
            text += ", suspended";
        }
        match groups.as_slice() {
            [] => {}
            [only] => text += &format!(", in {}", only.display_name),
            [first, others @ ..] => {
                text += &format!(
                    ", in {} and {}",
                    first.display_name,
                    some(number(others.len()), "other group")
                );
            }
        }
        text.push('\n');
    }
    if arrived.memberships > memberships.unchanged + memberships.added {
        text += "A member that stands for everybody in the company counts once in the table.\n";
    }
    text
}

/// Whether the run did what it was to do; the error says why not.
pub(super) fn judge(run: &Run) -> Result<(), Error> {
    if run.state() == State::Succeeded {
        return Ok(());
    }
    let counters = run.counters.unwrap_or_default();
    let text = match &run.error {
        Some(error) => format!(
            "{}: {} ({})",
            ended(run.state()),
            error.message,
            error.reason
        ),
        None => format!(
            "{}: {} failed, {} deferred",
            ended(run.state()),
            count(counters.failed),
            count(counters.deferred)
        ),
    };
    Err(Error::Run {
        name: run.name.clone(),
        text,
    })
}

fn ended(state: State) -> &'static str {
    match state {
        State::Unspecified | State::Queued | State::Running => "Not ended",
        State::Succeeded => "Synced",
        State::SucceededWithFailures => "Synced, with failures",
        State::Failed => "Failed",
        State::Cancelled => "Cancelled",
        State::Interrupted => "Interrupted",
    }
}

fn duration(run: &Run) -> Duration {
    let at = |time: Option<prost_types::Timestamp>| {
        time.and_then(|time| SystemTime::try_from(time).ok())
    };
    match (at(run.start_time), at(run.end_time)) {
        (Some(start), Some(end)) => end.duration_since(start).unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
