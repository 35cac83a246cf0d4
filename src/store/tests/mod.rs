//! Tests of what only the room itself can see.

mod backup;
mod committer;
mod durable;
mod keys;
mod packing;
mod rows;
mod values;

use super::{
    tables::{Durable, Table},
    txn::{Finished, Txn},
};
use crate::model::Time;
use std::collections::HashMap;

/// Tables in memory.
fn in_memory() -> (sled::Db, Durable) {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let durable = Durable::open(&db).unwrap();
    (db, durable)
}

/// Runs operations and writes what they put.
fn write<R>(durable: &Durable, run: impl FnOnce(&mut Txn<'_>) -> R) -> R {
    let mut sequences = HashMap::new();
    let mut txn = Txn::new(durable, Time::UNIX_EPOCH, &mut sequences);
    let result = run(&mut txn);
    let Finished { buffers, .. } = txn.finish();
    let rows = Table::ALL.iter().zip(buffers).flat_map(|(table, buffer)| {
        let rows = buffer.into_iter();
        rows.map(|(key, value)| (*table, key, value))
    });
    durable.apply(rows).unwrap();
    result
}

/// Puts a raw row.
fn put_row(durable: &Durable, table: Table, key: &[u8], value: &[u8]) {
    let row = (table, key.into(), Some(value.into()));
    durable.apply([row]).unwrap();
}
