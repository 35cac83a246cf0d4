use crate::{
    model::{CompanyId, EventBody, Integration, IntegrationId, ManualClock, PageRequest},
    store::{
        Error, Options, SealingKey, Store, Topic,
        tables::{Read, Table},
        txn::Txn,
    },
};
use futures_util::FutureExt;
use std::sync::Arc;

pub(super) async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        path: dir.path().join("data"),
        key: SealingKey::load_or_create(&dir.path().join("key")).unwrap(),
        clock: Arc::new(ManualClock::default()),
    };
    let store = Store::open(options).await.unwrap();
    (dir, store)
}

pub(super) fn put(key: u8) -> impl FnOnce(&mut Txn<'_>) -> Result<(), Error> + Send + 'static {
    move |txn| txn.put_raw(Table::Links, vec![key], vec![key])
}

pub(super) async fn keys(store: &Store) -> Vec<u8> {
    let core = store.core().unwrap();
    let rows = core.durable.prefix(Table::Links, &[]);
    rows.map(|row| row.unwrap().0[0]).collect()
}

#[tokio::test]
async fn a_write_that_panics_is_an_error_and_the_next_is_done() {
    let (_dir, store) = store().await;
    let before = store.write(put(1));
    let panics = store.write(|txn| {
        txn.put_raw(Table::Links, vec![2], vec![2])?;
        if txn.records() > 0 {
            panic!("this write panics");
        }
        Ok::<_, Error>(())
    });
    let after = store.write(put(3));
    assert_eq!(before.await, Ok(()));
    assert!(matches!(panics.await, Err(Error::Io(_))));
    assert_eq!(after.await, Ok(()));
    assert!(store.failed().now_or_never().is_none());
    assert_eq!(keys(&store).await, [1, 3]);
}

#[tokio::test]
async fn after_an_io_error_nothing_is_written_any_more_and_nothing_read_is_vouched_for() {
    let (_dir, store) = store().await;
    store.write(put(1)).await.unwrap();
    store.core().unwrap().break_disk();
    let error = store.write(put(2)).await.unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error:?}");
    store.failed().await;
    let again = store.write(put(3)).await.unwrap_err();
    assert_eq!(again, error);
    assert!(!keys(&store).await.contains(&3));
    assert_eq!(store.writes(), 1);
    let page = PageRequest {
        size: 1,
        token: None,
    };
    let read = store.integrations(&acme(), &page).await;
    assert_eq!(read.unwrap_err(), error);
    assert_eq!(store.close().await, Err(error));
}

pub(super) fn acme() -> CompanyId {
    CompanyId::try_new("acme").unwrap()
}

/// Writes an event of a run that need not be there.
pub(super) fn publish(
    count: usize,
) -> impl FnOnce(&mut Txn<'_>) -> Result<(), Error> + Send + 'static {
    move |txn| {
        let integration = Integration::example("google");
        let event = EventBody::IntegrationChanged(integration);
        (0..count).try_for_each(|_| txn.publish(&acme(), &event))
    }
}

#[tokio::test]
async fn an_event_that_did_not_become_durable_is_never_shown() {
    let (_dir, store) = store().await;
    store.write(publish(2)).await.unwrap();
    let mut news = store.subscribe(Topic::all(&acme()));
    news.borrow_and_update();
    store.core().unwrap().break_disk();
    store.write(publish(3)).await.unwrap_err();
    let all = store.events(&acme(), 0, 100).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(store.last_sequence(&acme()).await.unwrap(), 2);
    let ahead = store.events(&acme(), 3, 100).await;
    assert!(matches!(ahead, Err(Error::BadPosition(_))));
    assert!(!news.has_changed().unwrap());
}

#[tokio::test]
async fn a_position_before_what_is_kept_is_refused_and_told_the_earliest() {
    let (_dir, store) = store().await;
    store.write(publish(9)).await.unwrap();
    store
        .write(|txn| {
            let rows = txn.prefix(Table::Events, b"acme").take(4);
            let old: Vec<_> = rows.map(|row| row.map(|(key, _)| key)).collect();
            for key in old {
                txn.delete(Table::Events, key?.to_vec())?;
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    let kept = store.events(&acme(), 4, 100).await.unwrap();
    let sequences: Vec<_> = kept.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [5, 6, 7, 8, 9]);
    match store.events(&acme(), 3, 100).await {
        Err(Error::BadPosition(text)) => assert!(text.ends_with("is 5"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn on_a_disk_that_is_nearly_full_nothing_is_written_until_there_is_room_again() {
    let (_dir, store) = store().await;
    let core = store.core().unwrap();
    core.set_least_free(u64::MAX);
    let full = store.write(put(1)).await.unwrap_err();
    assert!(matches!(full, Error::Full(_)), "{full:?}");
    assert_eq!(keys(&store).await, [0_u8; 0]);
    core.set_least_free(0);
    store.write(put(2)).await.unwrap();
    assert!(store.failed().now_or_never().is_none());
    assert_eq!(keys(&store).await, [2]);
}

#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let (_dir, store) = store().await;
    // The first holds the committer until all others wait.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = store.write(move |_| {
        let _ = wait.recv();
        Ok::<_, Error>(())
    });
    let others: Vec<_> = (0..60).map(|key| store.write(put(key))).collect();
    let commits = store.core().unwrap().commits();
    go.send(()).unwrap();
    first.await.unwrap();
    for other in others {
        other.await.unwrap();
    }
    assert_eq!(store.core().unwrap().commits(), commits + 1);
    assert_eq!(store.writes(), 60);
}

#[tokio::test]
async fn a_write_that_nobody_awaits_is_done_all_the_same() {
    let (_dir, store) = store().await;
    drop(store.write(put(1)));
    store.write(put(2)).await.unwrap();
    assert_eq!(keys(&store).await, [1, 2]);
}

#[tokio::test]
async fn a_reading_for_a_topic_ends_after_many_events_of_others_and_tells_how_far_it_got() {
    let (_dir, store) = store().await;
    for _ in 0..5 {
        store.write(publish(900)).await.unwrap();
    }
    let topic = Topic {
        integration: Some(IntegrationId::try_new("other").unwrap()),
        ..Topic::all(&acme())
    };
    let mut after = 0;
    for expected in [2000, 4000, 4500, 4500] {
        let (found, upto) = store.news(&topic, after, 200).await.unwrap();
        assert_eq!((found.len(), upto), (0, expected));
        after = upto;
    }
    assert_eq!(store.news(&topic, 0, 0).await.unwrap().1, 0);
    assert_eq!(store.events(&acme(), 0, 10_000).await.unwrap().len(), 4500);
}
