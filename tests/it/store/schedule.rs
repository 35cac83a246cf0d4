//! When which integration is due.

use super::fixtures::*;
use provisiond::{
    model::{EventBody, IntegrationId, RunState, Time},
    store::{Due, Error, Store},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn at(second: i64) -> Time {
    Time::from_second(second).unwrap()
}

/// Makes an integration that is due then.
async fn due_at(store: &Store, of: &str, id: &str, next: Option<Time>) -> Due {
    let mut given = integration(&company(of), id);
    given.next_sync = next;
    store.create_integration(given, None).await.unwrap();
    Due {
        time: next.unwrap_or(Time::MAX),
        company: company(of),
        integration: IntegrationId::try_new(id).unwrap(),
    }
}

#[tokio::test]
async fn integrations_are_found_in_the_order_in_which_they_are_due_also_after_a_restart() {
    let home = Home::new();
    let store = home.open().await;
    let late = due_at(&store, "acme", "late", Some(at(300))).await;
    let early = due_at(&store, "zeta", "early", Some(at(100))).await;
    due_at(&store, "acme", "never", None).await;
    let same = due_at(&store, "acme", "same", Some(at(100))).await;
    store.close().await.unwrap();
    let store = home.open().await;
    let due = |until| store.due(None, at(until), 10);
    assert_eq!(due(99).await.unwrap(), []);
    assert_eq!(due(100).await.unwrap(), [same.clone(), early.clone()]);
    let all = [same.clone(), early.clone(), late.clone()];
    assert_eq!(due(300).await.unwrap(), all);
    assert_eq!(store.due(None, Time::MAX, 1).await.unwrap(), all[..1]);
    let rest = store.due(Some(same), Time::MAX, 10).await.unwrap();
    assert_eq!(rest, all[1..]);
}

#[tokio::test]
async fn a_due_time_follows_its_integration_and_whoever_waits_is_woken() {
    let home = Home::new();
    let store = home.open().await;
    let due = due_at(&store, "acme", "main", Some(at(100))).await;
    let mut changed = store.subscribe_due();
    let set = |next: Option<Time>| {
        store.update_integration(&due.company, &due.integration, move |integration| {
            integration.title.push('!');
            integration.next_sync = next;
            Ok(None)
        })
    };
    set(Some(at(100))).await.unwrap();
    assert!(!changed.has_changed().unwrap(), "only the title did");
    set(Some(at(200))).await.unwrap();
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
    let now = store.due(None, Time::MAX, 10).await.unwrap();
    assert_eq!(
        now.iter().map(|due| due.time).collect::<Vec<_>>(),
        [at(200)]
    );
    set(None).await.unwrap();
    assert!(changed.has_changed().unwrap());
    assert_eq!(store.due(None, Time::MAX, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_due_time_is_taken_once_together_with_its_run() {
    let home = Home::new();
    let store = home.open().await;
    let due = due_at(&store, "acme", "main", Some(at(100))).await;
    let found = store.integration(&due.company, &due.integration).await;
    let integration = found.unwrap().unwrap();
    let first = run(&integration);
    let next = due.time + DAY;
    store
        .take_due(due.clone(), next, first.clone())
        .await
        .unwrap();
    let again = store.take_due(due.clone(), next, run(&integration)).await;
    assert!(matches!(again, Err(Error::Changed(_))), "{again:?}");
    let runs = store.runs(&due.company, None, &page(10)).await.unwrap();
    assert_eq!(runs.items, std::slice::from_ref(&first));
    let mut due = store.due(None, Time::MAX, 10).await.unwrap().remove(0);
    assert_eq!(due.time, next);
    // The next finds it waiting still, and the one after that can't run.
    let mut merged = first;
    merged.scheduled_time = Some(next);
    store
        .take_due(due.clone(), next + DAY, merged.clone())
        .await
        .unwrap();
    due.time = next + DAY;
    let mut skipped = run(&integration);
    skipped.state = RunState::Failed;
    store
        .take_due(due, next + DAY * 2, skipped.clone())
        .await
        .unwrap();
    let runs = store
        .runs(&integration.company, None, &page(10))
        .await
        .unwrap();
    assert_eq!(runs.items, [skipped.clone(), merged.clone()]);
    assert_eq!(store.unfinished_runs().await.unwrap(), [merged]);
    let events = store.events(&integration.company, 0, 10).await.unwrap();
    assert_eq!(events.last().unwrap().body, EventBody::RunFinished(skipped));
    assert_eq!(events.len(), 3, "made, queued, finished");
}

#[tokio::test]
async fn only_a_due_time_of_which_its_integration_knows_nothing_is_forgotten() {
    let home = Home::new();
    let store = home.open().await;
    let due = due_at(&store, "acme", "main", Some(at(100))).await;
    store.forget_due(due.clone()).await.unwrap();
    assert_eq!(store.due(None, Time::MAX, 10).await.unwrap(), [due]);
}
