//! Rows that share records are rows like any others.

use super::{in_memory, put_row, write};
use crate::store::{
    tables::{Durable, Read, Row, Table},
    txn::Buffer,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Bound};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Keys of a few letters, so that they meet; values of any size, some of which begin as a record of several rows does.
fn changes() -> impl Strategy<Value = BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
    let key = prop::collection::vec(b'a'..b'e', 0..5);
    let value = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(any::<u8>(), 300..900),
        1 => (0..3000_usize).prop_map(|length| vec![4; length]),
    ];
    prop::collection::btree_map(key, prop::option::weighted(0.7, value), 0..60)
}

fn apply(durable: &Durable, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
    let changes = changes.iter();
    let changes: Buffer = changes
        .map(|(key, value)| (key.as_slice().into(), value.as_deref().map(Into::into)))
        .collect();
    durable.apply([(Table::Emails, changes)]).unwrap();
}

fn range(durable: &Durable, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>, down: bool) -> Vec<Vec<u8>> {
    let rows = durable.range(Table::Emails, from, to, down);
    rows.map(|row| row.unwrap().0.to_vec()).collect()
}

/// How many records of the tree the table takes.
fn records(db: &sled::Db) -> usize {
    let tree = db.open_tree("rows").unwrap();
    tree.scan_prefix([Table::Emails as u8]).count()
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    let key = || prop::collection::vec(b'a'..b'f', 0..5);
    prop_oneof![
        key().prop_map(Bound::Included),
        key().prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_grouped_table_is_a_map_whatever_is_put_and_deleted(
        steps in prop::collection::vec(changes(), 1..8),
        bounds in prop::collection::vec((bound(), bound(), any::<bool>()), 8),
        looks in prop::collection::vec(prop::collection::vec(b'a'..b'f', 0..5), 40),
    ) {
        let (_db, durable) = in_memory();
        // Neighbours in the tree, which are nobody's business here.
        put_row(&durable, Table::Entities, &[255; 9], &[1]);
        put_row(&durable, Table::Members, &[], &[1]);
        let mut model = Model::new();
        for changes in &steps {
            for (key, value) in changes {
                match value {
                    Some(value) => model.insert(key.clone(), value.clone()),
                    None => model.remove(key),
                };
            }
            apply(&durable, changes);
            for key in changes.keys().chain(model.keys()) {
                let read = durable.raw(Table::Emails, key).unwrap();
                prop_assert_eq!(read.as_deref(), model.get(key).map(Vec::as_slice));
            }
            // One after the other, in any order and in theirs.
            let mut in_order = looks.clone();
            in_order.sort();
            for looks in [&looks, &in_order] {
                let read = write(&durable, |txn| {
                    let looks = looks.iter();
                    looks.map(|key| txn.raw(Table::Emails, key).unwrap()).collect::<Vec<_>>()
                });
                for (key, read) in looks.iter().zip(read) {
                    prop_assert_eq!(read.as_deref(), model.get(key).map(Vec::as_slice));
                }
            }
        }
        let whole: Vec<_> = durable.prefix(Table::Emails, &[]).map(|row| {
            let (key, value) = row.unwrap();
            (key.to_vec(), value.to_vec())
        }).collect();
        prop_assert_eq!(whole, model.clone().into_iter().collect::<Vec<_>>());
        for (from, to, down) in bounds {
            let within = |key: &&Vec<u8>| {
                let above = match &from {
                    Bound::Included(from) => *key >= from,
                    Bound::Excluded(from) => *key > from,
                    Bound::Unbounded => true,
                };
                above && match &to {
                    Bound::Included(to) => *key <= to,
                    Bound::Excluded(to) => *key < to,
                    Bound::Unbounded => true,
                }
            };
            let mut expected: Vec<_> = model.keys().filter(within).cloned().collect();
            if down {
                expected.reverse();
            }
            prop_assert_eq!(range(&durable, from, to, down), expected);
        }
        let nothing = model.into_keys().map(|key| (key, None)).collect();
        apply(&durable, &nothing);
        prop_assert_eq!(records(&_db), 0);
    }
}

fn numbered(numbers: impl Iterator<Item = u32>) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let row = |n: u32| (n.to_be_bytes().to_vec(), Some(vec![1; 20]));
    numbers.map(row).collect()
}

#[test]
fn rows_that_are_put_in_order_fill_their_records() {
    let (db, durable) = in_memory();
    for part in 0..10 {
        apply(&durable, &numbered(part * 100..part * 100 + 100));
    }
    assert_eq!(records(&db), 63, "16 of 1,000 in each");
}

#[test]
fn rows_that_are_put_in_any_order_mostly_share_records() {
    let (db, durable) = in_memory();
    for n in 0..1000_u32 {
        apply(&durable, &numbered([n.reverse_bits()].into_iter()));
    }
    let records = records(&db);
    assert!((63..=125).contains(&records), "{records} records");
}

#[test]
fn a_record_is_of_no_more_than_two_kilobytes_unless_it_is_one_row() {
    let (db, durable) = in_memory();
    let rows = (0..100_u8).map(|n| (vec![n], Some(vec![1; usize::from(n) * 60])));
    apply(&durable, &rows.collect());
    let tree = db.open_tree("rows").unwrap();
    for record in tree.scan_prefix([Table::Emails as u8]) {
        let (key, value) = record.unwrap();
        let alone = value.len() == usize::from(key[1]) * 60;
        assert!(alone || value.len() <= 2048 + 1, "{} bytes", value.len());
    }
}

#[test]
fn rows_that_an_earlier_version_put_are_read_and_grouped_when_something_beside_them_is_written() {
    let (db, durable) = in_memory();
    let tree = db.open_tree("rows").unwrap();
    for n in [10_u8, 20, 30] {
        tree.insert([Table::Emails as u8, n], &[1, n]).unwrap();
    }
    for n in [10, 20, 30] {
        let read = durable.raw(Table::Emails, &[n]).unwrap();
        assert_eq!(read.as_deref(), Some(&[1, n][..]));
    }
    assert!(durable.raw(Table::Emails, &[15]).unwrap().is_none());
    apply(&durable, &[(vec![15], Some(vec![1, 15]))].into());
    assert_eq!(records(&db), 3);
    let all = range(&durable, Bound::Unbounded, Bound::Unbounded, false);
    assert_eq!(all, [[10], [15], [20], [30]]);
}

/// Rows of half a record and more, so that each is alone in its own, in several pages of the tree.
fn alone(numbers: impl Iterator<Item = u32>) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let row = |n: u32| (n.to_be_bytes().to_vec(), Some(vec![1; 1500]));
    numbers.map(row).collect()
}

#[test]
fn who_reads_on_while_records_are_cut_is_told_each_row_once() {
    // Whichever record is the first of a page: what was told of the one before may come to lie in that page.
    for place in 1..40_u32 {
        let (_db, durable) = in_memory();
        apply(&durable, &alone((0..40).map(|n| n * 100)));
        apply(
            &durable,
            &[((place * 100).to_be_bytes().to_vec(), None)].into(),
        );
        apply(&durable, &numbered((1..11).map(|n| place * 100 + n * 2)));
        let mut rows = durable.range(Table::Emails, Bound::Unbounded, Bound::Unbounded, false);
        let mut told = Vec::new();
        let mut tell = |row: Row| {
            let key = row.unwrap().0.to_vec();
            told.push(u32::from_be_bytes(key.try_into().unwrap()));
        };
        rows.by_ref().take(place as usize).for_each(&mut tell);
        // The record that is being told is cut within what was put into it last.
        apply(&durable, &numbered((1..8).map(|n| place * 100 + n * 2 + 1)));
        rows.for_each(&mut tell);
        let there = (0..40).filter(|n| *n != place).map(|n| n * 100);
        let mut there: Vec<_> = there.chain((1..11).map(|n| place * 100 + n * 2)).collect();
        there.sort_unstable();
        assert!(told.is_sorted_by(|a, b| a < b), "{place}: {told:?}");
        told.retain(|n| there.contains(n));
        assert_eq!(told, there, "{place}");
    }
}

#[test]
fn nobody_who_reads_misses_a_row_that_is_moved_into_another_page() {
    // Two rows a record, the second of which may come to lie in the next page once it is the first.
    let key = |place: u8, second: bool| match second {
        false => vec![place, 200],
        true => vec![place + 1, 10],
    };
    for (place, down) in (1..40).flat_map(|place| [(place, false), (place, true)]) {
        let (_db, durable) = in_memory();
        let rows = (0..41).flat_map(|place| [key(place, false), key(place, true)]);
        let mut there: Vec<_> = rows
            .clone()
            .filter(|row| *row != key(place, false))
            .collect();
        apply(
            &durable,
            &rows.map(|key| (key, Some(vec![1; 1000]))).collect(),
        );
        let mut rows = durable.range(Table::Emails, Bound::Unbounded, Bound::Unbounded, down);
        let neighbour = match down {
            true => key(place + 1, false),
            false => key(place - 1, true),
        };
        let mut told = Vec::new();
        while told.last() != Some(&neighbour) {
            told.push(rows.next().unwrap().unwrap().0.to_vec());
        }
        apply(&durable, &[(key(place, false), None)].into());
        told.extend(rows.map(|row| row.unwrap().0.to_vec()));
        if down {
            there.reverse();
        }
        told.retain(|row| *row != key(place, false));
        assert_eq!(told, there, "{place} {down}");
    }
}

#[test]
fn a_record_that_is_cut_off_is_damage() {
    let (db, durable) = in_memory();
    apply(&durable, &numbered(0..3));
    let tree = db.open_tree("rows").unwrap();
    let (key, value) = tree
        .scan_prefix([Table::Emails as u8])
        .next()
        .unwrap()
        .unwrap();
    for length in 1..value.len() {
        tree.insert(&key, &value[..length]).unwrap();
        let first = durable.prefix(Table::Emails, &[]).next().unwrap();
        // What ends after a whole row is not noticed here: the index then lacks an address, which verifying tells.
        let whole = (length - 1) % 28 == 0 && length > 1;
        assert_eq!(first.is_ok(), whole, "{length}");
    }
}
