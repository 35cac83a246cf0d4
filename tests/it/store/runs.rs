//! Runs and what they recorded.

use super::fixtures::*;
use provisiond::{
    model::{
        Change, Counters, EventBody, MemberCounters, Outcome, PageRequest, Phase, RuleCounters,
        RuleId, Run, RunError, RunId, RunState, Time, Trigger,
    },
    store::{ChangeFilter, Error, Store},
};
use std::time::Duration;

fn counters(from: u64) -> Counters {
    Counters {
        considered: from,
        out_of_scope: from + 1,
        unchanged: from + 2,
        added: from + 3,
        modified: from + 4,
        skipped: from + 5,
        failed: from + 6,
        deferred: u64::MAX,
    }
}

/// A run in which every field says something, larger than a row may be.
fn full(integration: &provisiond::model::Integration) -> Run {
    let mut run = run(integration);
    let rules = || (0..100).map(|n| RuleId::try_new(&format!("{n:063}")).unwrap());
    run.rules = rules().collect();
    run.trigger = Trigger::Recovery;
    run.state = RunState::Failed;
    run.phase = Some(Phase::Applying);
    run.tally.objects = counters(1);
    run.tally.members = MemberCounters {
        considered: 1,
        unchanged: 2,
        added: 3,
        removed: 4,
        pending: 5,
        skipped: 6,
        failed: 7,
    };
    run.tally.rules = rules()
        .map(|rule| RuleCounters {
            rule,
            counters: counters(1 << 40),
        })
        .collect();
    run.tally.skips = [("EXTERNAL".to_owned(), 3), ("TAKEN".to_owned(), 1)].into();
    run.requests.by_method = [("directory.users.list".to_owned(), 21)].into();
    run.requests.retries = 4;
    run.requests.throttled = Duration::new(12, 345_678_901);
    run.start_time = Some(moment());
    run.end_time = Some(moment());
    run.error = Some(RunError {
        code: "LISTING".to_owned(),
        text: "the listing could not be completed".to_owned(),
    });
    run
}

#[tokio::test]
async fn a_run_larger_than_a_row_comes_back_as_it_was_given() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let given = full(&integration);
    store.create_run(given.clone(), None).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    let company = acme();
    let get = || store.run(&company, &integration.id, &given.id);
    assert_eq!(get().await.unwrap(), Some(given.clone()));
    let events = store.events(&acme(), 2, 10).await.unwrap();
    assert_eq!(events[0].body, EventBody::RunQueued(given.clone()));
    // Smaller again, then larger: no part of the other remains.
    let mut small = given.clone();
    small.tally.rules.clear();
    small.rules.clear();
    store.save_run(small.clone(), None).await.unwrap();
    assert_eq!(get().await.unwrap(), Some(small));
    store.save_run(given.clone(), None).await.unwrap();
    assert_eq!(get().await.unwrap(), Some(given.clone()));
}

#[tokio::test]
async fn a_run_in_which_nothing_changed_costs_eight_records_with_a_request_id() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let before = store.writes();
    let mut run = run(&integration);
    store
        .create_run(run.clone(), request("r", 1))
        .await
        .unwrap();
    run.state = RunState::Running;
    run.phase = Some(Phase::Reading);
    run.start_time = Some(Time::now());
    store
        .save_run(run.clone(), Some(EventBody::RunStarted))
        .await
        .unwrap();
    run.phase = Some(Phase::Applying);
    store
        .save_run(run.clone(), Some(EventBody::RunPhase))
        .await
        .unwrap();
    run.phase = None;
    run.state = RunState::Succeeded;
    store
        .save_run(run.clone(), Some(EventBody::RunFinished))
        .await
        .unwrap();
    assert_eq!(store.writes() - before, 8);
    let read = store.integration(&acme(), &integration.id).await.unwrap();
    assert_eq!(read.unwrap().last_run, Some(run.id));
}

/// The run that answered a request.
async fn answering(store: &Store, id: &str, body: u8) -> Result<Option<Run>, Error> {
    let key = request(id, body).unwrap();
    store.run_answering(&acme(), &key).await
}

#[tokio::test]
async fn a_repeated_request_starts_no_second_run_also_after_a_restart() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let mut running = store
        .create_run(run(&integration), request("r", 1))
        .await
        .unwrap();
    running.state = RunState::Running;
    store.save_run(running.clone(), None).await.unwrap();
    for n in 0..5 {
        let key = request(&format!("other-{n}"), 1);
        store.create_run(run(&integration), key).await.unwrap();
    }
    let merged = request("merged", 3);
    store.merge_run(running.clone(), merged).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    for (id, body) in [("r", 1), ("merged", 3)] {
        let again = answering(&store, id, body).await.unwrap();
        assert_eq!(again.as_ref(), Some(&running), "{id}");
    }
    let misused = answering(&store, "r", 2).await;
    assert!(matches!(
        misused,
        Err(Error::Taken {
            what: "request_id",
            ..
        })
    ));
    home.clock.advance(Duration::from_secs(24 * 3600 + 60));
    assert_eq!(answering(&store, "r", 2).await.unwrap(), None);
}

async fn listed(store: &Store, of: Option<&provisiond::model::Integration>) -> Vec<RunId> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { size: 3, token };
        let part = store
            .runs(&acme(), of.map(|of| &of.id), &page)
            .await
            .unwrap();
        assert!(part.items.len() <= 3);
        all.extend(part.items.into_iter().map(|run| run.id));
        token = part.next;
        if token.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn runs_are_listed_newest_first_of_one_integration_or_of_all() {
    let home = Home::new();
    let store = home.open().await;
    let (a, b) = (integration(&acme(), "a"), integration(&acme(), "b"));
    for given in [&a, &b] {
        store.create_integration(given.clone(), None).await.unwrap();
    }
    let (mut all, mut of_b) = (Vec::new(), Vec::new());
    for n in 0..11 {
        let of = if n % 3 == 0 { &b } else { &a };
        let made = store.create_run(run(of), None).await.unwrap();
        all.insert(0, made.id.clone());
        if n % 3 == 0 {
            of_b.insert(0, made.id);
        }
    }
    assert_eq!(listed(&store, None).await, all);
    assert_eq!(listed(&store, Some(&b)).await, of_b);
}

#[tokio::test]
async fn the_last_run_is_the_newest_that_began() {
    let home = Home::new();
    let (store, integration, mut first) = with_run(&home).await;
    let last = || async {
        let read = store.integration(&acme(), &integration.id).await.unwrap();
        read.unwrap().last_run
    };
    assert_eq!(last().await, None);
    first.start_time = Some(moment());
    store
        .save_run(first.clone(), Some(EventBody::RunStarted))
        .await
        .unwrap();
    let waiting = run(&integration);
    store.create_run(waiting, None).await.unwrap();
    assert_eq!(last().await, Some(first.id));
}

#[tokio::test]
async fn unfinished_runs_are_those_that_wait_or_run_oldest_first_also_after_a_restart() {
    let home = Home::new();
    let (store, integration, mut first) = with_run(&home).await;
    let second = store.create_run(run(&integration), None).await.unwrap();
    let third = store.create_run(run(&integration), None).await.unwrap();
    first.state = RunState::Running;
    store.save_run(first.clone(), None).await.unwrap();
    let mut over = second;
    over.state = RunState::Interrupted;
    store.save_run(over, None).await.unwrap();
    let expected = [first.clone(), third];
    assert_eq!(store.unfinished_runs().await.unwrap(), expected);
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.unfinished_runs().await.unwrap(), expected);
    first.state = RunState::Cancelled;
    let mut given = slice(&first);
    given.run = first;
    store.commit(given).await.unwrap();
    assert_eq!(store.unfinished_runs().await.unwrap(), expected[1..]);
}

#[tokio::test]
async fn a_run_that_is_not_there_can_t_be_saved() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let saved = store.save_run(run(&integration), None).await;
    assert!(matches!(saved, Err(Error::Missing(_))));
    let mut elsewhere = run(&integration);
    elsewhere.company = company("other");
    let made = store.create_run(elsewhere, None).await;
    assert!(matches!(made, Err(Error::Missing(_))));
}

/// Two runs with 450 changes each, in slices.
async fn with_changes(home: &Home) -> (Store, Vec<Run>) {
    let (store, integration, first) = with_run(home).await;
    let second = store.create_run(run(&integration), None).await.unwrap();
    let runs = vec![first, second];
    for (place, run) in runs.iter().enumerate() {
        for part in 0..3 {
            let mut given = slice(run);
            given.changes = (0..150)
                .map(|n| {
                    let n = part * 150 + n;
                    let outcome = match n % 3 {
                        0 => Outcome::Applied,
                        1 => Outcome::Skipped,
                        _ => Outcome::Deferred,
                    };
                    let mut change = change(
                        &format!("{place}-{n}"),
                        &format!("User{n}@acme.example"),
                        outcome,
                    );
                    if n % 2 == 0 {
                        change.rule = None;
                    }
                    change
                })
                .collect();
            store.commit(given).await.unwrap();
        }
    }
    (store, runs)
}

async fn search(store: &Store, filter: &ChangeFilter, size: usize) -> Vec<Change> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = PageRequest { size, token };
        let part = store.changes(&acme(), filter, &page).await.unwrap();
        assert!(part.items.len() <= size);
        all.extend(part.items.into_iter().map(|recorded| recorded.change));
        token = part.next;
        if token.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn changes_are_listed_by_run_newest_first_and_within_it_as_they_came() {
    let home = Home::new();
    let (store, runs) = with_changes(&home).await;
    let all = search(&store, &ChangeFilter::default(), 64).await;
    let sources: Vec<_> = all.into_iter().map(|change| change.source.id).collect();
    let expected: Vec<_> = (0..450)
        .map(|n| format!("1-{n}"))
        .chain((0..450).map(|n| format!("0-{n}")))
        .collect();
    assert_eq!(sources, expected);
    let of_first = ChangeFilter {
        run: Some(runs[0].id.clone()),
        ..ChangeFilter::default()
    };
    let sources: Vec<_> = search(&store, &of_first, 1000)
        .await
        .into_iter()
        .map(|change| change.source.id)
        .collect();
    assert_eq!(sources, expected[450..]);
}

#[tokio::test]
async fn changes_are_found_by_rule_outcome_and_object() {
    let home = Home::new();
    let (store, runs) = with_changes(&home).await;
    let count = |filter: ChangeFilter| {
        let store = store.clone();
        async move { search(&store, &filter, 7).await.len() }
    };
    let filter = ChangeFilter {
        rule: Some(RuleId::try_new("users").unwrap()),
        outcomes: vec![Outcome::Applied, Outcome::Deferred],
        ..ChangeFilter::default()
    };
    assert_eq!(count(filter).await, 300);
    let of = |object: &str| ChangeFilter {
        object: Some(object.to_owned()),
        ..ChangeFilter::default()
    };
    assert_eq!(count(of("uSER17@acme.example")).await, 2);
    assert_eq!(count(of("1-17")).await, 1);
    assert_eq!(count(of("nobody")).await, 0);
    let elsewhere = ChangeFilter {
        integration: Some(provisiond::model::IntegrationId::try_new("none").unwrap()),
        run: Some(runs[0].id.clone()),
        ..ChangeFilter::default()
    };
    assert_eq!(count(elsewhere).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_of_a_large_run_sees_one_write_or_the_other_never_parts_of_both() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let large = full(&integration);
    let mut other = full(&integration);
    other.id = large.id.clone();
    other.create_time = large.create_time;
    other.tally.rules.iter_mut().for_each(|counted| {
        counted.counters = counters(5);
    });
    store.create_run(large.clone(), None).await.unwrap();
    let writer = {
        let (store, runs) = (store.clone(), [other.clone(), large.clone()]);
        tokio::spawn(async move {
            for n in 0..200 {
                store.save_run(runs[n % 2].clone(), None).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let read = store
            .run(&acme(), &integration.id, &large.id)
            .await
            .unwrap()
            .unwrap();
        assert!(read == large || read == other);
    }
    writer.await.unwrap();
}
