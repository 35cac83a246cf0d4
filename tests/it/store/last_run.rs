//! Which run of an integration is its last.

use super::fixtures::*;
use provisiond::{
    model::{Clock as _, EventBody, Integration, Kind, ObjectRef, Run, RunId, RunState},
    store::{Kept, SealingKey, Store, import},
};
use std::time::{Duration, Instant};

async fn last(store: &Store, integration: &Integration) -> Option<RunId> {
    let read = store.integration(&acme(), &integration.id).await.unwrap();
    let last = read.unwrap().last_run;
    let listed = store.integrations(&acme(), &page(10)).await.unwrap().items;
    let listed = listed.into_iter().find(|one| one.id == integration.id);
    assert_eq!(listed.unwrap().last_run, last, "listed and got alike");
    last
}

/// A run of a single object, that begins at once.
fn of_object(integration: &Integration) -> Run {
    Run {
        object: Some(ObjectRef {
            kind: Kind::User,
            id: "1".to_owned(),
            label: "someone@acme.example".to_owned(),
        }),
        state: RunState::Running,
        start_time: Some(moment()),
        ..run(integration)
    }
}

async fn begin(store: &Store, run: &Run) {
    let began = Run {
        state: RunState::Running,
        start_time: Some(moment()),
        ..run.clone()
    };
    store
        .save_run(began, Some(EventBody::RunStarted))
        .await
        .unwrap();
}

async fn end(store: &Store, run: &Run) {
    let over = Run {
        state: RunState::Succeeded,
        start_time: Some(moment()),
        end_time: Some(moment()),
        ..run.clone()
    };
    store
        .save_run(over, Some(EventBody::RunFinished))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_last_run_is_the_newest_over_all_objects_that_began_whatever_runs_of_one_there_are() {
    let home = Home::new();
    let (store, integration, first) = with_run(&home).await;
    assert_eq!(last(&store, &integration).await, None);
    store
        .create_run(of_object(&integration), None)
        .await
        .unwrap();
    assert_eq!(last(&store, &integration).await, None);
    begin(&store, &first).await;
    assert_eq!(last(&store, &integration).await, Some(first.id.clone()));
    // It waits while one of a single object is done, and begins then.
    let second = store.create_run(run(&integration), None).await.unwrap();
    let object = of_object(&integration);
    store.create_run(object.clone(), None).await.unwrap();
    end(&store, &object).await;
    end(&store, &first).await;
    assert_eq!(last(&store, &integration).await, Some(first.id.clone()));
    // What is only checked does not count.
    begin(&store.rehearsal(), &second).await;
    assert_eq!(last(&store, &integration).await, Some(first.id.clone()));
    begin(&store, &second).await;
    end(&store, &second).await;
    assert_eq!(last(&store, &integration).await, Some(second.id.clone()));
    // One that never begins changes nothing, nor does the end of an older one that is stored again.
    let never = store.create_run(run(&integration), None).await.unwrap();
    let never = Run {
        state: RunState::Cancelled,
        end_time: Some(moment()),
        ..never
    };
    store.save_run(never, None).await.unwrap();
    end(&store, &first).await;
    assert_eq!(last(&store, &integration).await, Some(second.id.clone()));

    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(last(&store, &integration).await, Some(second.id.clone()));
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("a.backup");
    store.backup_to(&file).await.unwrap();
    let key = SealingKey::load(&home.key_file()).unwrap();
    store.close().await.unwrap();
    std::fs::remove_dir_all(home.data()).unwrap();
    import(&file, &home.data(), &key).await.unwrap();
    let store = home.open().await;
    assert_eq!(last(&store, &integration).await, Some(second.id));
}

#[tokio::test]
async fn the_last_run_stays_when_history_goes_and_goes_with_its_integration() {
    let home = Home::new();
    let (store, integration, first) = with_run(&home).await;
    let first = Run {
        create_time: home.clock.now(),
        ..first
    };
    end(&store, &first).await;
    let old = |run: Run| Run {
        create_time: home.clock.now(),
        start_time: Some(home.clock.now()),
        end_time: Some(home.clock.now()),
        state: RunState::Succeeded,
        ..run
    };
    let mut runs = Vec::new();
    for n in 0..10 {
        let made = match n % 2 {
            0 => old(run(&integration)),
            _ => old(of_object(&integration)),
        };
        runs.push(store.create_run(made, None).await.unwrap().id);
    }
    home.clock.advance(Duration::from_secs(100 * 24 * 3600));
    let now = home.clock.now();
    let kept = Kept {
        events: now,
        runs: now,
    };
    while store.forget_history(&acme(), kept).await.unwrap() > 0 {}
    assert_eq!(last(&store, &integration).await, Some(runs[8].clone()));

    let doomed = store.begin_deletion(&acme(), &integration.id, None).await;
    let doomed = doomed.unwrap();
    while store.delete_slice(&doomed).await.unwrap() {}
    let again = store.create_integration(integration.clone(), None).await;
    let again = again.unwrap().value;
    assert_eq!(last(&store, &again).await, None);
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(last(&store, &again).await, None);
}

#[tokio::test]
async fn however_many_runs_of_one_object_came_after_it_the_last_run_is_known_at_once() {
    let home = Home::new();
    let (store, integration, first) = with_run(&home).await;
    begin(&store, &first).await;
    end(&store, &first).await;
    // The best of some attempts: the machine may be busy.
    let time = async || {
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let begun = Instant::now();
            for _ in 0..5 {
                let read = store.integration(&acme(), &integration.id).await.unwrap();
                assert_eq!(read.unwrap().last_run.as_ref(), Some(&first.id));
            }
            best = best.min(begun.elapsed());
        }
        best
    };
    let before = time().await;
    for _ in 0..30 {
        let made = (0..100).map(|_| store.create_run(of_object(&integration), None));
        futures_util::future::try_join_all(made).await.unwrap();
    }
    let after = time().await;
    assert!(
        after < before * 10 + Duration::from_millis(30),
        "{after:?} after {before:?}"
    );
}
