use super::*;
use crate::{
    model::{
        Action, Attributes, Clock, Integration, Kind, RequestCounts, RuleEvent, RunState, Tally,
        Time, Trigger, Uid,
    },
    store::{Options, SealingKey, Store},
};
use std::sync::Arc;

fn rule(id: &str, run_mode: RunMode) -> Rule {
    Rule {
        company: CompanyId::try_new("acme").unwrap(),
        integration: IntegrationId::try_new("google").unwrap(),
        id: RuleId::try_new(id).unwrap(),
        title: id.to_owned(),
        position: 1,
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        conditions: Vec::new(),
        action: Action::Add,
        target_kind: Kind::User,
        defaults: Attributes::default(),
        mappings: Vec::new(),
        run_mode,
        active: true,
        create_time: Time::UNIX_EPOCH,
        update_time: Time::UNIX_EPOCH,
    }
}

#[test]
fn waiting_requests_merge_into_the_union_of_their_rules() {
    let rules = [
        rule("a", RunMode::Automatic),
        rule("b", RunMode::Automatic),
        rule("m", RunMode::Manual),
    ];
    let ids = |names: &[&str]| {
        names
            .iter()
            .map(|name| RuleId::try_new(name).unwrap())
            .collect::<Vec<_>>()
    };
    let table: &[(&[&str], &[&str], &[&str])] = &[
        (&[], &[], &[]),
        (&["a"], &["a"], &["a"]),
        (&["a"], &["m"], &["a", "m"]),
        (&[], &["a"], &[]),
        (&["b"], &[], &[]),
        (&[], &["m"], &["a", "b", "m"]),
    ];
    for (one, other, union) in table {
        assert_eq!(
            merge(&ids(one), &ids(other), &rules),
            ids(union),
            "{one:?} and {other:?}"
        );
    }
}

pub(in crate::sync) fn run(company: &str, integration: &str) -> Run {
    Run {
        company: CompanyId::try_new(company).unwrap(),
        integration: IntegrationId::try_new(integration).unwrap(),
        integration_uid: Uid::generate(),
        id: RunId::generate(),
        rules: Vec::new(),
        object: None,
        trigger: Trigger::Manual,
        state: RunState::Queued,
        phase: None,
        tally: Tally::default(),
        requests: RequestCounts::default(),
        requested_by: String::new(),
        create_time: Time::UNIX_EPOCH,
        start_time: None,
        end_time: None,
        error: None,
        scheduled_time: None,
        made_up: false,
        preview: false,
    }
}

/// A store on disk, of no company yet.
pub(in crate::sync) async fn store(clock: Arc<dyn Clock>) -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(Options {
        path: home.path().join("data"),
        key: SealingKey::load_or_create(&home.path().join("key")).unwrap(),
        clock,
    });
    let store = store.await.unwrap();
    (home, store)
}

/// An integration in a store, and a run of it that waits: two events.
pub(in crate::sync) async fn stored(store: &Store) -> (Integration, Run) {
    let made = store.create_integration(Integration::example("google"), None);
    let integration = made.await.unwrap().value;
    let run = Run {
        integration_uid: integration.uid,
        ..run("acme", "google")
    };
    let run = store.create_run(run, None).await.unwrap();
    (integration, run)
}

fn next(queue: &mut Queue) -> Option<(Run, CancellationToken)> {
    queue.next(&CancellationToken::new())
}

#[test]
fn free_places_go_round_the_companies() {
    let mut queue = Queue::new(2);
    for integration in ["a", "b", "c", "d"] {
        queue.admit(run("large", integration));
    }
    queue.admit(run("small", "a"));
    queue.admit(run("tiny", "a"));
    let mut order = Vec::new();
    let mut going_on = Vec::new();
    loop {
        while let Some((run, _)) = next(&mut queue) {
            order.push(format!("{}/{}", run.company, run.integration));
            going_on.push(run);
        }
        assert!(going_on.len() <= 2);
        if going_on.is_empty() {
            break;
        }
        queue.finished(&going_on.remove(0));
    }
    let turns = [
        "large/a", "small/a", "tiny/a", "large/b", "large/c", "large/d",
    ];
    assert_eq!(order, turns.map(str::to_owned));
}

#[test]
fn a_place_goes_to_who_has_the_fewest_though_others_came_before() {
    let mut queue = Queue::new(3);
    for integration in ["a", "b", "c", "d"] {
        queue.admit(run("large", integration));
    }
    let large: Vec<Run> = (0..3).map(|_| next(&mut queue).unwrap().0).collect();
    assert!(next(&mut queue).is_none());
    queue.admit(run("small", "a"));
    queue.admit(run("small", "b"));
    queue.finished(&large[0]);
    let small = next(&mut queue).unwrap().0;
    assert_eq!(small.company.as_str(), "small");
    queue.finished(&large[1]);
    // One each: whose turn was longest ago.
    assert_eq!(next(&mut queue).unwrap().0.company.as_str(), "large");
    queue.finished(&small);
    assert_eq!(next(&mut queue).unwrap().0.company.as_str(), "small");
    assert!(next(&mut queue).is_none() && queue.turns.is_empty());
}

#[test]
fn an_integration_runs_once_at_a_time_and_what_waits_keeps_its_order() {
    let mut queue = Queue::new(4);
    let (first, second, third) = (run("acme", "a"), run("acme", "a"), run("acme", "a"));
    for run in [&first, &second, &third] {
        queue.admit(run.clone());
    }
    assert_eq!(next(&mut queue).unwrap().0, first);
    assert!(next(&mut queue).is_none());
    queue.finished(&first);
    assert_eq!(next(&mut queue).unwrap().0, second);
    queue.finished(&second);
    assert_eq!(next(&mut queue).unwrap().0, third);
    queue.finished(&third);
    assert!(next(&mut queue).is_none() && queue.slots.is_empty());
}

#[test]
fn who_is_taken_out_of_the_queue_and_comes_again_is_let_in_once() {
    let mut queue = Queue::new(2);
    let (dropped, again) = (run("acme", "a"), run("acme", "a"));
    queue.admit(dropped.clone());
    assert!(queue.drop_waiting(&dropped) && !queue.drop_waiting(&dropped));
    queue.admit(again.clone());
    let (run, cancel) = next(&mut queue).unwrap();
    assert_eq!(run, again);
    assert!(next(&mut queue).is_none());
    queue.cancel(&run);
    assert!(cancel.is_cancelled());
    queue.finished(&run);
    assert!(next(&mut queue).is_none() && queue.slots.is_empty() && queue.held.is_empty());
    assert_eq!(queue.places, 2);
}

fn preview() -> Run {
    Run {
        preview: true,
        ..run("acme", "a")
    }
}

#[test]
fn requests_merge_with_what_waits_and_never_with_a_preview() {
    let mut queue = Queue::new(1);
    let of = key(&preview());
    let (first, sync, other) = (preview(), run("acme", "a"), preview());
    queue.admit(first.clone());
    assert!(queue.waiting(&of).is_none());
    queue.admit(sync.clone());
    queue.admit(other.clone());
    assert_eq!(queue.waiting(&of), Some(&mut sync.clone()));
    for run in [&first, &sync, &other] {
        assert_eq!(next(&mut queue).unwrap().0, *run);
        assert!(next(&mut queue).is_none());
        queue.finished(run);
    }
}

#[test]
fn eight_previews_wait_and_no_more_whatever_else_does() {
    let mut queue = Queue::new(1);
    let of = key(&preview());
    queue.admit(run("acme", "a"));
    queue.admit(run("acme", "b"));
    let mut previews: Vec<Run> = Vec::new();
    while !queue.is_full(&of) {
        previews.push(preview());
        queue.admit(previews.last().unwrap().clone());
    }
    assert_eq!(previews.len(), MOST_PREVIEWS);
    assert!(queue.drop_waiting(&previews.remove(3)));
    assert!(!queue.is_full(&of));
    queue.admit(preview());
    let (sync, _) = next(&mut queue).unwrap();
    assert!(!sync.preview && queue.is_full(&of));
    queue.finished(&sync);
    while let Some((run, _)) = next(&mut queue) {
        assert_eq!(queue.is_full(&of), !run.preview);
        queue.finished(&run);
    }
}
