//! A backup holds the state of one commit, whatever is written while it is taken.

use super::put_row;
use crate::{
    model::ManualClock,
    store::{
        Error, Options, SealingKey, Store,
        backup::{Bounds, Capturing},
        tables::{Read, Table},
        verify,
    },
};
use proptest::{collection::vec, prelude::*};
use std::{collections::BTreeMap, sync::Arc};

/// Two tables far from each other, of which none holds anything in a new store.
const TABLES: [Table; 2] = [Table::Links, Table::Schedule];
const BOUNDS: Bounds = Bounds {
    records: 3,
    bytes: 1 << 20,
    aside: 1 << 20,
};

type Writes = Vec<(usize, u8, Option<u8>)>;
type State = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

async fn store(dir: &std::path::Path) -> Store {
    let options = Options {
        path: dir.join("data"),
        key: SealingKey::load_or_create(&dir.join("key")).unwrap(),
        clock: Arc::new(ManualClock::default()),
    };
    Store::open(options).await.unwrap()
}

async fn commit(store: &Store, writes: Writes) {
    let write = store.write(move |txn| {
        for (table, key, value) in writes {
            match value {
                Some(value) => txn.put_raw(TABLES[table], vec![key], vec![value; 9])?,
                None => txn.delete_raw(TABLES[table], vec![key]),
            }
        }
        Ok::<_, Error>(())
    });
    write.await.unwrap();
}

async fn begin(store: &Store, bounds: Bounds) -> Result<Capturing, Error> {
    let core = store.core().unwrap();
    store
        .write(move |txn| Capturing::begin(core, txn.now(), bounds))
        .await
}

fn state(store: &Store) -> State {
    let core = store.core().unwrap();
    let rows = Table::ALL.iter().flat_map(|table| {
        let rows = core.durable.prefix(*table, &[]).map(Result::unwrap);
        rows.map(|(key, value)| ((*table, key.to_vec()), value.to_vec()))
            .collect::<Vec<_>>()
    });
    rows.collect()
}

fn add(to: &mut State, begun: &Capturing) -> bool {
    let Some(block) = begun.block().unwrap() else {
        return false;
    };
    for (table, key, value) in block {
        let place = (table, key.to_vec());
        assert!(to.last_key_value().is_none_or(|(last, _)| *last < place));
        to.insert(place, value.to_vec());
    }
    true
}

fn writes() -> impl Strategy<Value = Writes> {
    vec((0..2usize, 0..40u8, any::<Option<u8>>()), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_backup_is_the_state_in_which_it_began(before in writes(), during in vec(writes(), 0..40)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path()).await;
            commit(&store, before).await;
            let expected = state(&store);
            let begun = begin(&store, BOUNDS).await.unwrap();
            let mut taken = State::new();
            for writes in during {
                commit(&store, writes).await;
                add(&mut taken, &begun);
            }
            while add(&mut taken, &begun) {}
            assert_eq!(taken, expected);
        });
    }
}

#[tokio::test]
async fn a_backup_that_would_take_too_much_memory_is_given_up_and_the_commits_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let bounds = Bounds {
        aside: 1000,
        ..BOUNDS
    };
    let begun = begin(&store, bounds).await.unwrap();
    assert!(matches!(begin(&store, bounds).await, Err(Error::Busy(_))));
    commit(&store, (0..30).map(|key| (0, key, Some(1))).collect()).await;
    assert!(matches!(begun.block(), Err(Error::Busy(_))));
    drop(begun);
    let core = store.core().unwrap();
    assert_eq!(core.durable.prefix(Table::Links, &[]).count(), 30);
    drop(core);
    // The next one begins anew.
    let begun = begin(&store, bounds).await.unwrap();
    let mut taken = State::new();
    while add(&mut taken, &begun) {}
    assert_eq!(taken, state(&store));
}

#[tokio::test]
async fn a_store_that_is_closed_does_not_wait_for_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let begun = begin(&store, BOUNDS).await.unwrap();
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    let ended = tokio::task::spawn_blocking(move || {
        while !matches!(begun.block(), Err(Error::Io(_))) {
            std::thread::yield_now();
        }
    });
    ended.await.unwrap();
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn indexes_that_do_not_agree_are_noticed() {
    for table in [Table::Emails, Table::MemberOf, Table::Parts] {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path()).await;
        let durable = &store.core().unwrap().durable;
        verify::indexes(durable).unwrap();
        let key = b"acme\0\x01\x02x\0".to_vec();
        // A packed row with one item, of which the others know nothing.
        put_row(durable, table, &key, &[1, 0x0a, 3, 0x0a, 1, b'y']);
        assert!(verify::indexes(durable).is_err(), "{table:?}");
    }
}
