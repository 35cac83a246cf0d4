use super::{in_memory, write};
use crate::store::{
    large,
    packed::{Changes, MOST, Set},
    rows::PackedRow,
    tables::{Durable, Read, Table},
    txn::MAX_VALUE,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn set(prefix: &[u8]) -> Set {
    Set {
        table: Table::Members,
        prefix: prefix.to_vec(),
    }
}

/// Items of few keys, so that they meet, some with long values, so that rows overflow by size.
fn changes(most: usize) -> impl Strategy<Value = Changes> {
    let key = (0..600_u16).prop_map(|n| n.to_be_bytes().to_vec());
    let value = prop_oneof![
        2 => Just(None),
        4 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Some),
        1 => prop::collection::vec(any::<u8>(), 0..900).prop_map(Some),
    ];
    prop::collection::btree_map(key, value, 1..most)
}

/// Checks the rows of a set and answers its items.
fn items(durable: &Durable, set: &Set) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for (place, row) in durable.prefix(set.table, &set.prefix).enumerate() {
        let (key, raw) = row.unwrap();
        assert!(raw.len() <= MAX_VALUE);
        let bound = &key[set.prefix.len()..];
        assert_eq!(bound.is_empty(), place == 0, "the first row has no bound");
        let row: PackedRow = large::decode(durable, set.table, &key, &raw)
            .unwrap()
            .unwrap();
        assert!((1..=MOST).contains(&row.items.len()));
        for item in row.items {
            assert!(bound <= item.key.as_slice());
            all.push((item.key, item.value));
        }
    }
    assert!(all.is_sorted_by(|a, b| a.0 < b.0), "in order, each once");
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_packed_set_is_a_map_whatever_is_put_and_taken_away(
        steps in prop::collection::vec((changes(150), any::<bool>()), 1..12),
        limit in 1..70_usize,
    ) {
        let (_db, durable) = in_memory();
        let (set, other) = (set(b"group\0"), set(b"group\x01"));
        let mut model = BTreeMap::new();
        write(&durable, |txn| {
            other.apply(txn, [(vec![0], Some(vec![1]))].into()).unwrap();
        });
        let mut steps = steps.into_iter().peekable();
        while steps.peek().is_some() {
            // Several steps in one write: the later ones see what the earlier ones put.
            write(&durable, |txn| {
                for (changes, last) in steps.by_ref() {
                    for (key, value) in &changes {
                        match value {
                            Some(value) => model.insert(key.clone(), value.clone()),
                            None => model.remove(key),
                        };
                    }
                    set.apply(txn, changes).unwrap();
                    if last {
                        break;
                    }
                }
            });
            let expected: Vec<_> = model.clone().into_iter().collect();
            prop_assert_eq!(items(&durable, &set), expected);
        }
        prop_assert_eq!(set.count(&durable).unwrap(), model.len() as u64);
        prop_assert_eq!(items(&durable, &other), vec![(vec![0], vec![1])]);
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let part = set.list(&durable, after.as_deref(), limit).unwrap();
            let Some(last) = part.last() else { break };
            after = Some(last.key.clone());
            listed.extend(part.into_iter().map(|item| (item.key, item.value)));
        }
        prop_assert_eq!(listed, model.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_is_there_already_is_not_written_again(changes in changes(400)) {
        let (_db, durable) = in_memory();
        let set = set(b"group\0");
        write(&durable, |txn| set.apply(txn, changes.clone()).unwrap());
        let records = write(&durable, |txn| {
            set.apply(txn, changes).unwrap();
            txn.records()
        });
        prop_assert_eq!(records, 0);
    }
}

#[test]
fn five_thousand_members_take_at_most_a_hundred_rows() {
    let (_db, durable) = in_memory();
    let set = set(b"group\0");
    let all: Vec<u32> = (0..5000).map(|n: u32| n.reverse_bits()).collect();
    for part in all.chunks(100) {
        let changes = part
            .iter()
            .map(|n| (n.to_be_bytes().to_vec(), Some(vec![0; 25])));
        write(&durable, |txn| set.apply(txn, changes.collect()).unwrap());
    }
    assert_eq!(set.count(&durable).unwrap(), 5000);
    let rows = durable.prefix(set.table, &set.prefix).count();
    assert!((50..=100).contains(&rows), "{rows} rows");
    let gone = all.iter().map(|n| (n.to_be_bytes().to_vec(), None));
    write(&durable, |txn| set.apply(txn, gone.collect()).unwrap());
    assert_eq!(durable.prefix(set.table, &set.prefix).count(), 0);
}
