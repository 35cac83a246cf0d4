use super::{in_memory, put_row, write};
use crate::store::tables::{Read, Table};
use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Bound};

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(1), Just(255)], 0..4)
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        Just(Bound::Unbounded),
        key().prop_map(Bound::Included),
        key().prop_map(Bound::Excluded),
    ]
}

proptest! {
    #[test]
    fn a_write_reads_what_is_durable_overlaid_with_what_it_put(
        stored in prop::collection::btree_map(key(), any::<u8>(), 0..20),
        put in prop::collection::vec((key(), prop::option::of(any::<u8>())), 0..20),
        from in bound(),
        to in bound(),
        down: bool,
        prefix in key(),
    ) {
        let (_db, durable) = in_memory();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (key, value) in stored {
            put_row(&durable, Table::Links, &key, &[value]);
            model.insert(key, vec![value]);
        }
        write(&durable, |txn| {
            for (key, value) in put {
                match value {
                    Some(value) => {
                        txn.put_raw(Table::Links, key.clone(), vec![value]).unwrap();
                        model.insert(key, vec![value]);
                    }
                    None => {
                        txn.delete_raw(Table::Links, key.clone());
                        model.remove(&key);
                    }
                }
            }
            let above = |key: &Vec<u8>| match &from {
                Bound::Unbounded => true,
                Bound::Included(from) => key >= from,
                Bound::Excluded(from) => key > from,
            };
            let below = |key: &Vec<u8>| match &to {
                Bound::Unbounded => true,
                Bound::Included(to) => key <= to,
                Bound::Excluded(to) => key < to,
            };
            let mut expected: Vec<_> = model
                .iter()
                .filter(|(key, _)| above(key) && below(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            if down {
                expected.reverse();
            }
            let read: Vec<_> = txn
                .range(Table::Links, from.clone(), to.clone(), down)
                .map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap())
                .collect();
            prop_assert_eq!(read, expected);
            let under = txn.prefix(Table::Links, &prefix).count();
            let expected = model.keys().filter(|key| key.starts_with(&prefix)).count();
            prop_assert_eq!(under, expected);
            Ok(())
        })?;
    }
}

#[test]
fn an_operation_that_fails_takes_back_only_what_it_did_itself() {
    let (_db, durable) = in_memory();
    let company = crate::model::CompanyId::try_new("acme").unwrap();
    write(&durable, |txn| {
        txn.put_raw(Table::Links, b"a".to_vec(), vec![1]).unwrap();
        assert_eq!(txn.take_sequences(&company, 3).unwrap(), 1);
        txn.end_operation(true);
        txn.put_raw(Table::Links, b"a".to_vec(), vec![2]).unwrap();
        txn.put_raw(Table::Links, b"a".to_vec(), vec![3]).unwrap();
        txn.put_raw(Table::Links, b"b".to_vec(), vec![4]).unwrap();
        txn.delete_raw(Table::Links, b"a".to_vec());
        assert_eq!(txn.take_sequences(&company, 2).unwrap(), 4);
        assert_eq!(txn.take_sequences(&company, 2).unwrap(), 6);
        txn.end_operation(false);
        assert_eq!(txn.take_sequences(&company, 1).unwrap(), 4);
    });
    let rows: Vec<_> = durable
        .prefix(Table::Links, b"")
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows, [(b"a".into(), sled::IVec::from(vec![1]))]);
}
