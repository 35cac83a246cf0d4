//! Request ids: what a request made is remembered for 24 h, so that its repetition makes nothing new (AIP-155).
//!
//! The id counts within its company, whatever the method; the hash of the body tells methods apart.

use super::{
    Error,
    keys::Key,
    large,
    rows::{Moment, RequestRow},
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{CompanyId, RequestKey, Time};
use std::ops::Bound;

/// How long a request is remembered.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// At each new request so many others are looked at, and removed if they are over.
const LOOKED_AT: usize = 8;

fn key(company: &CompanyId, request: &RequestKey) -> Vec<u8> {
    Key::company(company)
        .raw(blake3::hash(request.id.as_bytes()).as_bytes())
        .done()
}

/// The error of a request id used for something else.
pub(super) fn taken() -> Error {
    Error::taken("request_id", "another request of the last 24 hours used it")
}

/// The key of what this request made before. Fails if another one used the id.
pub(super) fn made_before(
    txn: &Txn<'_>,
    company: &CompanyId,
    request: Option<&RequestKey>,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(request) = request else {
        return Ok(None);
    };
    let row: Option<RequestRow> = large::get(txn, Table::Requests, &key(company, request))?;
    match row {
        Some(row) if !is_over(&row, txn.now())? => {
            if row.body == request.body {
                Ok(Some(row.made))
            } else {
                Err(taken())
            }
        }
        _ => Ok(None),
    }
}

/// Remembers what a request made, and forgets some that are over.
pub(super) fn remember(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    request: Option<&RequestKey>,
    made: &[u8],
) -> Result<(), Error> {
    let Some(request) = request else {
        return Ok(());
    };
    let key = key(company, request);
    let expire_time = txn.now().checked_add(REMEMBERED).unwrap_or(Time::MAX);
    let row = RequestRow {
        body: request.body.to_vec(),
        made: made.to_vec(),
        expire_time: Some(Moment::row(expire_time)),
    };
    // Ids are hashed, so those behind this one are any.
    let mut over = Vec::new();
    let behind = txn.range(
        Table::Requests,
        Bound::Excluded(key.clone()),
        Bound::Unbounded,
        false,
    );
    let first = txn.range(
        Table::Requests,
        Bound::Unbounded,
        Bound::Excluded(key.clone()),
        false,
    );
    for found in behind.chain(first).take(LOOKED_AT) {
        let (other, raw) = found?;
        let row = large::decode::<RequestRow>(txn, Table::Requests, &other, &raw)?;
        if row.is_some_and(|row| is_over(&row, txn.now()).unwrap_or(false)) {
            over.push(other.to_vec());
        }
    }
    for other in over {
        txn.delete_raw(Table::Requests, other);
    }
    txn.put(Table::Requests, key, &row)
}

fn is_over(row: &RequestRow, now: Time) -> Result<bool, Error> {
    Ok(Moment::must(row.expire_time)? <= now)
}
