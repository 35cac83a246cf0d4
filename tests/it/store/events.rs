//! Events.

use super::fixtures::*;
use provisiond::{
    model::{EventBody, Integration, Outcome},
    store::{Error, Store, Topic},
};

#[tokio::test]
async fn changes_are_events_in_their_order_and_can_be_read_from_any_place() {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let mut given = slice(&run);
    given.changes = (0..250)
        .map(|n| change(&n.to_string(), "someone@acme.example", Outcome::Applied))
        .collect();
    store.commit(given.clone()).await.unwrap();
    let phase = store.tell_run(run.clone(), EventBody::RunPhase);
    phase.await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    store
        .save_run(run.clone(), Some(EventBody::RunFinished))
        .await
        .unwrap();
    assert_eq!(store.last_sequence(&acme()).await.unwrap(), 254);
    let all = store.events(&acme(), 0, 10_000).await.unwrap();
    let sequences: Vec<_> = all.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=254).collect::<Vec<_>>());
    for (event, change) in all[2..252].iter().zip(&given.changes) {
        let expected = EventBody::Change {
            integration: integration.id.clone(),
            run: run.id.clone(),
            change: change.clone(),
        };
        assert_eq!((event.time, &event.body), (change.time, &expected));
    }
    assert_eq!(all[252].body, EventBody::RunPhase(run.clone()));
    assert_eq!(all[253].body, EventBody::RunFinished(run));
    for (after, limit) in [(0, 1), (1, 2), (2, 1), (100, 7), (251, 3), (253, 9)] {
        let part = store.events(&acme(), after, limit).await.unwrap();
        let from = usize::try_from(after).unwrap();
        assert_eq!(part, all[from..(from + limit).min(254)], "{after} {limit}");
    }
    assert!(store.events(&acme(), 254, 5).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_position_that_was_never_reached_is_refused() {
    let home = Home::new();
    let (store, _, _) = with_run(&home).await;
    let ahead = store.events(&acme(), 3, 10).await;
    assert!(matches!(ahead, Err(Error::BadPosition(_))), "{ahead:?}");
    let nobody = company("nobody");
    assert_eq!(store.last_sequence(&nobody).await.unwrap(), 0);
    assert!(store.events(&nobody, 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn companies_have_sequences_of_their_own() {
    let home = Home::new();
    let (store, _, _) = with_run(&home).await;
    for name in ["acme-2", "a", "acm"] {
        let given = integration(&company(name), "main");
        store.create_integration(given, None).await.unwrap();
        assert_eq!(store.last_sequence(&company(name)).await.unwrap(), 1);
    }
    assert_eq!(store.last_sequence(&acme()).await.unwrap(), 2);
}

#[tokio::test]
async fn who_waits_is_woken_when_the_event_can_be_read() {
    let home = Home::new();
    let (store, _, run) = with_run(&home).await;
    let mut news = store.subscribe(Topic::all(&acme()));
    news.borrow_and_update();
    let reader = {
        let store = store.clone();
        tokio::spawn(async move {
            news.changed().await.unwrap();
            store.events(&acme(), 2, 10).await.unwrap()
        })
    };
    store.save_run(run.clone(), None).await.unwrap();
    store
        .save_run(run.clone(), Some(EventBody::RunStarted))
        .await
        .unwrap();
    let read = within(20, reader).await.unwrap();
    assert_eq!(read[0].body, EventBody::RunStarted(run));
}

#[tokio::test]
async fn the_epoch_stays_with_the_store() {
    let home = Home::new();
    let store = home.open().await;
    let epoch = store.epoch();
    store.close().await.unwrap();
    assert_eq!(home.open().await.epoch(), epoch);
    assert_ne!(Home::new().open().await.epoch(), epoch);
}

#[tokio::test]
async fn nobody_is_woken_by_what_is_taken_back() {
    let home = Home::new();
    let (store, _, run) = with_run(&home).await;
    let news = store.subscribe(Topic::all(&acme()));
    let started = |store: Store| {
        let run = run.clone();
        async move { store.save_run(run, Some(EventBody::RunStarted)).await }
    };
    started(store.rehearsal()).await.unwrap();
    assert!(!news.has_changed().unwrap());
    // Also if it shares a commit with what is kept.
    let (kept, taken_back) = (started(store.clone()), started(store.rehearsal()));
    let (kept, taken_back) = tokio::join!(kept, taken_back);
    kept.and(taken_back).unwrap();
    assert_eq!(*news.borrow(), 3);
}

#[tokio::test]
async fn who_waits_for_a_topic_is_woken_by_it_alone_and_reads_it_alone() {
    let home = Home::new();
    let (store, main, run) = with_run(&home).await;
    let other = integration(&acme(), "other");
    store.create_integration(other.clone(), None).await.unwrap();
    let topic = |integration: Option<&Integration>, changes| Topic {
        company: acme(),
        integration: integration.map(|of| of.id.clone()),
        changes,
    };
    // The topics, and whether changes of the first integration, and whether other events of it are among them.
    let topics = [
        (Topic::all(&acme()), true, true),
        (topic(None, false), false, true),
        (topic(Some(&main), true), true, true),
        (topic(Some(&main), false), false, true),
        (topic(Some(&other), true), false, false),
        (topic(Some(&other), false), false, false),
        (Topic::all(&company("nobody")), false, false),
    ];
    let subscribe = |(topic, ..): &(Topic, bool, bool)| store.subscribe(topic.clone());
    let mut news: Vec<_> = topics.iter().map(subscribe).collect();
    let mut given = slice(&run);
    given.changes = vec![change("1", "someone@acme.example", Outcome::Applied); 3];
    store.commit(given).await.unwrap();
    for (news, (topic, changes, _)) in news.iter_mut().zip(&topics) {
        assert_eq!(news.has_changed().unwrap(), *changes, "{topic:?}");
        assert_eq!(*news.borrow_and_update(), if *changes { 6 } else { 0 });
    }
    store
        .save_run(run, Some(EventBody::RunFinished))
        .await
        .unwrap();
    for (news, (topic, changes, others)) in news.iter_mut().zip(&topics) {
        assert_eq!(news.has_changed().unwrap(), *others, "{topic:?}");
        assert_eq!(*news.borrow_and_update(), if *others { 7 } else { 0 });
        if topic.company != acme() {
            continue;
        }
        let (told, upto) = store.news(topic, 3, 10).await.unwrap();
        let told: Vec<_> = told.iter().map(|event| event.sequence).collect();
        let expected = match (changes, others) {
            (true, _) => vec![4, 5, 6, 7],
            (false, true) => vec![7],
            (false, false) => vec![],
        };
        assert_eq!((told, upto), (expected, 7), "{topic:?}");
    }
}
