//! Tests of what only the room itself can see.

mod backup;
mod committer;
mod keys;
mod packing;
mod rows;
mod values;

use super::{
    tables::{Table, Trees},
    txn::{Finished, Txn},
};
use crate::model::Time;
use std::collections::HashMap;

/// Trees in memory.
fn trees() -> (sled::Db, Trees) {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let trees = Trees::open(&db).unwrap();
    (db, trees)
}

/// Runs operations and writes what they put.
fn write<R>(trees: &Trees, run: impl FnOnce(&mut Txn<'_>) -> R) -> R {
    let mut sequences = HashMap::new();
    let mut txn = Txn::new(trees, Time::UNIX_EPOCH, &mut sequences);
    let result = run(&mut txn);
    let Finished { buffers, .. } = txn.finish();
    for (table, buffer) in Table::ALL.iter().zip(buffers) {
        for (key, value) in buffer {
            match value {
                Some(value) => trees.tree(*table).insert(key, value).unwrap(),
                None => trees.tree(*table).remove(key).unwrap(),
            };
        }
    }
    result
}
