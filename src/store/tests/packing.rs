use super::{in_memory, write};
use crate::store::{
    Error, large,
    packed::{Changes, MOST, Set},
    rows::{PackedItem, PackedRow},
    tables::{Durable, Read, Rows, Table},
    txn::MAX_VALUE,
};
use proptest::prelude::*;
use std::{cell::Cell, collections::BTreeMap, ops::Bound};

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

/// Reads while others write: it can happen at each look, after a row is read.
struct Beside<'d> {
    durable: &'d Durable,
    looks: Cell<usize>,
    write: &'d dyn Fn(usize),
}

impl Beside<'_> {
    fn look(&self) {
        let look = self.looks.get();
        self.looks.set(look + 1);
        (self.write)(look);
    }
}

impl Read for Beside<'_> {
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<sled::IVec>, Error> {
        self.look();
        self.durable.raw(table, key)
    }

    fn last_began(&self, integration: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.durable.last_began(integration)
    }

    fn range(
        &self,
        table: Table,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
        down: bool,
    ) -> Rows<'_> {
        let rows = self.durable.range(table, from, to, down);
        Box::new(rows.inspect(|_| self.look()))
    }
}

/// So many rows of so many items each, two of which are one row if an item of each goes, and two again when those come back.
const ROWS: u32 = 64;
const ITEMS: u32 = 25;

fn numbered(numbers: impl Iterator<Item = u32>, add: bool) -> Changes {
    let item = |n: u32| (n.to_be_bytes().to_vec(), add.then(|| vec![1; 114]));
    numbers.map(item).collect()
}

/// A set that is written while it is read.
struct Scene {
    durable: Durable,
    set: Set,
    /// The first row of which an item goes and comes: which rows are joined, and whether they are in one page of the tree.
    first: u32,
    _db: sled::Db,
}

impl Scene {
    fn new(first: u32) -> Self {
        let (set, (db, durable)) = (set(b"group\0"), in_memory());
        let all = numbered(0..ROWS * ITEMS, true);
        write(&durable, |txn| set.apply(txn, all).unwrap());
        let scene = Self {
            durable,
            set,
            first,
            _db: db,
        };
        assert_eq!(scene.rows(), 64);
        scene.change(false);
        assert!((32..=33).contains(&scene.rows()));
        scene.change(true);
        assert_eq!(scene.rows(), 64);
        scene
    }

    fn rows(&self) -> usize {
        let rows = self.durable.prefix(self.set.table, &self.set.prefix);
        rows.count()
    }

    fn change(&self, add: bool) {
        let changed = (self.first..ROWS).map(|row| row * ITEMS);
        let changed = numbered(changed, add);
        write(&self.durable, |txn| self.set.apply(txn, changed).unwrap());
    }

    fn stay(&self) -> impl Iterator<Item = u32> {
        let goes = |n: &u32| n.is_multiple_of(ITEMS) && *n >= self.first * ITEMS;
        (0..ROWS * ITEMS).filter(move |n| !goes(n))
    }

    /// Checks what a reader was told of those above one: who stays all along is among them, and nobody is twice.
    fn check(&self, told: Vec<PackedItem>, after: Option<u32>, how: &str) {
        let number = |item: PackedItem| u32::from_be_bytes(item.key.try_into().unwrap());
        let mut told: Vec<u32> = told.into_iter().map(number).collect();
        assert!(told.is_sorted_by(|a, b| a < b), "{how}: {told:?}");
        let stay = self.stay().filter(|n| after.is_none_or(|after| *n > after));
        let stay: Vec<u32> = stay.collect();
        told.retain(|n| stay.binary_search(n).is_ok());
        assert_eq!(told, stay, "{how}");
    }
}

/// Has a set read again and again, with one write at a later look each time: the set shrinks by it, or grows.
fn beside<R>(read: impl Fn(&Set, &Beside<'_>) -> R, check: impl Fn(&Scene, R, &str)) {
    for (first, grows) in [(0, false), (0, true), (1, false), (1, true)] {
        let scene = Scene::new(first);
        for at in 0.. {
            scene.change(!grows);
            let beside = Beside {
                durable: &scene.durable,
                looks: Cell::new(0),
                write: &|look| {
                    if look == at {
                        scene.change(grows);
                    }
                },
            };
            let read = read(&scene.set, &beside);
            check(&scene, read, &format!("{first}, {grows}, {at}"));
            if beside.looks.get() < at {
                break;
            }
        }
    }
}

#[test]
fn who_is_in_a_set_all_along_is_told_once_whenever_a_write_comes_between() {
    for after in [None, Some(555)] {
        let key = after.map(u32::to_be_bytes);
        let key = key.as_ref().map(<[u8; 4]>::as_slice);
        let list = |set: &Set, beside: &Beside<'_>| set.list(beside, key, usize::MAX).unwrap();
        beside(list, |scene, told, how| scene.check(told, after, how));
    }
}

#[test]
fn who_reads_a_set_page_by_page_misses_nobody_whenever_a_write_comes_between() {
    let pages = |set: &Set, beside: &Beside<'_>| {
        let mut told: Vec<PackedItem> = Vec::new();
        loop {
            let after = told.last().map(|last| last.key.as_slice());
            let page = set.list(beside, after, 30).unwrap();
            if page.is_empty() {
                return told;
            }
            told.extend(page);
        }
    };
    beside(pages, |scene, told, how| scene.check(told, None, how));
}

#[test]
fn who_is_in_a_set_all_along_is_counted_whenever_a_write_comes_between() {
    let count = |set: &Set, beside: &Beside<'_>| set.count(beside).unwrap();
    beside(count, |scene, count, how| {
        let least = scene.stay().count() as u64;
        let most = u64::from(ROWS * ITEMS);
        assert!((least..=most).contains(&count), "{how}: {count}");
    });
}

#[test]
fn who_is_in_a_set_all_along_is_told_once_though_a_write_comes_at_each_look() {
    let scene = Scene::new(1);
    for every in 1..8 {
        let beside = Beside {
            durable: &scene.durable,
            looks: Cell::new(0),
            write: &|look| {
                if look % every == 0 {
                    scene.change((look / every) % 2 == 1);
                }
            },
        };
        let told = scene.set.list(&beside, None, usize::MAX).unwrap();
        scene.check(told, None, &format!("every {every}"));
    }
}
