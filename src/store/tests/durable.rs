//! What is told of the store is durable.

use super::committer::{acme, keys, publish, put, store};
use crate::{
    model::{IntegrationId, RunId},
    store::{
        Error, Store,
        began::Noted,
        blocking,
        keys::run as run_key,
        tables::{Read as _, Table},
        txn::Txn,
    },
};
use futures_util::FutureExt as _;

/// What is told of the rows that [`put`] puts.
async fn told(store: &Store) -> Result<Vec<u8>, Error> {
    let rows = store.read(|durable| {
        let rows = durable.prefix(Table::Links, &[]);
        rows.map(|row| Ok(row?.0[0])).collect()
    });
    rows.await
}

/// Waits until rows are in the tables, durable or not.
async fn applied(store: &Store, wanted: &[u8]) {
    while keys(store).await != wanted {
        tokio::task::yield_now().await;
    }
}

/// Time enough for whatever is not held up.
async fn a_while() {
    for _ in 0..20 {
        blocking(|| Ok(())).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_read_is_told_once_it_is_durable() {
    let (_dir, store) = store().await;
    store.write(put(1)).await.unwrap();
    let go = store.core().unwrap().stall_disk();
    let written = store.write(put(2));
    applied(&store, &[1, 2]).await;
    let mut reading = Box::pin(told(&store));
    for _ in 0..5 {
        assert!(reading.as_mut().now_or_never().is_none());
        a_while().await;
    }
    drop(go);
    assert_eq!(reading.await, Ok(vec![1, 2]));
    written.await.unwrap();
    assert_eq!(told(&store).await, Ok(vec![1, 2]));
}

#[tokio::test]
async fn who_reads_often_to_tell_once_waits_once() {
    let (_dir, store) = store().await;
    let go = store.core().unwrap().stall_disk();
    let written = store.write(put(1));
    applied(&store, &[1]).await;
    let done = std::cell::Cell::new(false);
    let work = async {
        for _ in 0..3 {
            assert_eq!(told(&store).await, Ok(vec![1]));
        }
        done.set(true);
    };
    let mut telling = Box::pin(store.once_durable(work));
    while !done.get() {
        assert!(telling.as_mut().now_or_never().is_none());
        a_while().await;
    }
    a_while().await;
    assert!(telling.as_mut().now_or_never().is_none());
    // Who tells nobody does not wait at all.
    assert_eq!(Store::ahead(told(&store)).await, Ok(vec![1]));
    drop(go);
    assert_eq!(telling.await, Ok(()));
    written.await.unwrap();
}

#[tokio::test]
async fn what_never_becomes_durable_is_told_to_nobody() {
    let (_dir, store) = store().await;
    store.write(put(1)).await.unwrap();
    let core = store.core().unwrap();
    let go = core.stall_disk();
    core.break_disk();
    drop(core);
    let written = store.write(put(2));
    applied(&store, &[1, 2]).await;
    // What it finds can't be told apart from what is durable.
    let refused = store.write(|txn| match txn.raw(Table::Links, &[2])? {
        Some(_) => Err(Error::Missing("what the other took away".to_owned())),
        None => Ok(()),
    });
    let reading = told(&store);
    drop(go);
    let error = written.await.unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error:?}");
    assert_eq!(reading.await, Err(error.clone()));
    assert_eq!(refused.await, Err(error.clone()));
    assert_eq!(told(&store).await, Err(error));
}

#[tokio::test]
async fn a_run_is_among_those_going_on_before_the_event_that_it_began_is_shown() {
    let (_dir, store) = store().await;
    let core = store.core().unwrap();
    let integration = IntegrationId::generate();
    let key = run_key(&acme(), &integration, &RunId::generate());
    let mut run = Noted::gone(key.clone(), &acme(), &integration);
    run.going_on = true;
    let written = {
        let going_on = core.hold_unfinished();
        let written = store.write(move |txn: &mut Txn<'_>| {
            txn.note_run(run);
            publish(1)(txn)
        });
        while core.shown_sequence(&acme()).is_none() {
            std::thread::yield_now();
        }
        // The disk is done with it long since.
        for _ in 0..50 {
            core.sync().unwrap();
            assert_eq!(core.shown_sequence(&acme()), Some(0));
        }
        drop(going_on);
        written
    };
    written.await.unwrap();
    assert_eq!(core.unfinished(), [key]);
    assert_eq!(core.shown_sequence(&acme()), None);
}
