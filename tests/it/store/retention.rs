//! History that is let go.

use super::fixtures::*;
use provisiond::{
    model::{Clock as _, Integration, Outcome, Run, RunState, Time},
    store::{ChangeFilter, Error, Kept, Store},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A run of so many changes that is asked for, begins and ends now.
async fn history(store: &Store, integration: &Integration, now: Time, changes: usize) -> Run {
    use provisiond::model::EventBody;
    let asked = Run {
        create_time: now,
        ..run(integration)
    };
    let run = store.create_run(asked, None).await.unwrap();
    let mut given = slice(&run);
    given.changes = (0..changes)
        .map(|n| change(&n.to_string(), "someone@acme.example", Outcome::Applied))
        .collect();
    store.commit(given).await.unwrap();
    let over = Run {
        state: RunState::Succeeded,
        start_time: Some(now),
        end_time: Some(now),
        ..run
    };
    let finished = Some(EventBody::RunFinished as fn(Run) -> EventBody);
    store.save_run(over.clone(), finished).await.unwrap();
    over
}

/// Lets everything go that may; tells in how many slices and how many records.
async fn forget(store: &Store, kept: Kept) -> (usize, usize) {
    let (mut slices, mut records) = (0, 0);
    loop {
        let count = store.forget_history(&acme(), kept).await.unwrap();
        assert!(count <= 100, "{count}");
        if count == 0 {
            return (slices, records);
        }
        (slices, records) = (slices + 1, records + count);
    }
}

async fn kept_runs(store: &Store) -> Vec<Run> {
    let mut runs = store.runs(&acme(), None, &page(100)).await.unwrap().items;
    runs.reverse();
    runs
}

#[tokio::test]
async fn old_events_go_and_whoever_was_before_them_is_told_while_sequences_go_on() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let old = history(&store, &integration, home.clock.now(), 250).await;
    let before = store.last_sequence(&acme()).await.unwrap();
    home.clock.advance(8 * DAY);
    let now = home.clock.now();
    history(&store, &integration, now, 3).await;
    let last = store.last_sequence(&acme()).await.unwrap();
    let kept = Kept {
        events: now - DAY,
        runs: now - 90 * DAY,
    };
    let writes = store.writes();
    assert!(forget(&store, kept).await.0 >= 1);
    assert!(store.writes() > writes);
    let writes = store.writes();
    assert_eq!(forget(&store, kept).await, (0, 0));
    assert_eq!(store.writes(), writes, "letting nothing go costs no write");
    // What is kept is told whole, from the last one that went on.
    assert_eq!(store.before_earliest(&acme()).await, Ok(before));
    let all = store.events(&acme(), before, 1000).await.unwrap();
    let sequences: Vec<u64> = all.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (before + 1..=last).collect::<Vec<_>>());
    for gone in [0, 1, before - 1] {
        let Err(Error::BadPosition(text)) = store.events(&acme(), gone, 10).await else {
            panic!("{gone} is gone");
        };
        assert!(
            text.contains(&format!("the earliest kept is {}", before + 1)),
            "{text}"
        );
    }
    // The run and its changes are kept for longer.
    assert!(kept_runs(&store).await.contains(&old));
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.last_sequence(&acme()).await.unwrap(), last);
}

#[tokio::test]
async fn the_last_event_stays_however_old_so_that_no_sequence_is_given_twice() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    history(&store, &integration, home.clock.now(), 5).await;
    let last = store.last_sequence(&acme()).await.unwrap();
    home.clock.advance(400 * DAY);
    let now = home.clock.now();
    let kept = Kept {
        events: now,
        runs: now - DAY,
    };
    forget(&store, kept).await;
    let earliest = store.before_earliest(&acme()).await.unwrap();
    assert_eq!(store.events(&acme(), earliest, 10).await.unwrap().len(), 1);
    store.close().await.unwrap();
    let store = home.open().await;
    history(&store, &integration, now, 0).await;
    assert!(store.last_sequence(&acme()).await.unwrap() > last);
}

#[tokio::test]
async fn old_runs_go_with_their_changes_but_for_the_latest_and_those_that_are_not_over() {
    let home = Home::new();
    let (store, integration, waiting) = with_run(&home).await;
    let first = home.clock.now();
    let waiting = Run {
        create_time: first,
        ..waiting
    };
    store.save_run(waiting.clone(), None).await.unwrap();
    let old = history(&store, &integration, first, 1000).await;
    let began = history(&store, &integration, first, 7).await;
    // Due, but could not start: the latest, though not the latest that began.
    let never = Run {
        start_time: None,
        ..history(&store, &integration, first, 0).await
    };
    store.save_run(never.clone(), None).await.unwrap();
    home.clock.advance(91 * DAY);
    let now = home.clock.now();
    let kept = Kept {
        events: now - 7 * DAY,
        runs: now - 90 * DAY,
    };
    forget(&store, kept).await;
    assert_eq!(kept_runs(&store).await, [waiting, began.clone(), never]);
    let of = |run: &Run| ChangeFilter {
        integration: Some(integration.id.clone()),
        run: Some(run.id.clone()),
        ..ChangeFilter::default()
    };
    let changes = store.changes(&acme(), &of(&old), &page(100)).await.unwrap();
    assert!(changes.items.is_empty() && changes.next.is_none());
    let changes = store
        .changes(&acme(), &of(&began), &page(100))
        .await
        .unwrap();
    assert_eq!(changes.items.len(), 7);
    assert_eq!(
        store.run(&acme(), &integration.id, &old.id).await.unwrap(),
        None
    );
    assert_eq!(
        store.companies_with_history(None, 10).await.unwrap(),
        [acme()]
    );
    assert!(
        store
            .companies_with_history(Some(acme()), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_preview_is_no_last_run_and_does_not_stay_because_it_is_the_latest() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let first = home.clock.now();
    let run = history(&store, &integration, first, 3).await;
    let preview = Run {
        preview: true,
        ..history(&store, &integration, first, 2).await
    };
    store.save_run(preview.clone(), None).await.unwrap();
    let read = store.integration(&acme(), &integration.id).await.unwrap();
    assert_eq!(read.unwrap().last_run, Some(run.id.clone()));
    assert!(kept_runs(&store).await.contains(&preview));
    home.clock.advance(91 * DAY);
    let now = home.clock.now();
    let kept = Kept {
        events: now - 7 * DAY,
        runs: now - 90 * DAY,
    };
    forget(&store, kept).await;
    let kept = kept_runs(&store).await;
    assert!(kept.contains(&run) && !kept.contains(&preview), "{kept:?}");
}
