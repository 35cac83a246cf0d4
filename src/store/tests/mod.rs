//! Tests of what only the room itself can see.

mod backup;
mod committer;
mod durable;
mod grouped;
mod keys;
mod packing;
mod rows;
mod values;

use super::{
    tables::{Durable, Table},
    txn::{Buffer, Finished, Txn},
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
    let tables = Table::ALL.iter().copied();
    durable.apply(tables.zip(buffers)).unwrap();
    result
}

/// Puts a raw row.
fn put_row(durable: &Durable, table: Table, key: &[u8], value: &[u8]) {
    let row = (key.into(), Some(value.into()));
    let changes = Buffer::from([row]);
    durable.apply([(table, changes)]).unwrap();
}
