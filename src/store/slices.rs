//! Slices of a run: outcomes of up to a hundred objects, durable together or not at all.

use super::{
    Slice, SliceError, Store, aside,
    changes::{self, Chunk},
    entities::{self, Prepared},
    links, runs,
    txn::Txn,
};
use std::future::Future;

fn commit(
    txn: &mut Txn<'_>,
    slice: Slice,
    entities: Vec<Prepared>,
    chunks: Vec<Chunk>,
) -> Result<(), SliceError> {
    let Slice {
        run,
        entities: _,
        links,
        members,
        remembered,
        changes: _,
    } = slice;
    let conflicts = entities::put_all(txn, &run.company, entities)?;
    if !conflicts.is_empty() {
        return Err(SliceError::Conflicts(conflicts));
    }
    links::put_all(txn, run.integration_uid, &links)?;
    aside::put_members(txn, &run.company, members)?;
    for (group, put, forget) in remembered {
        links::remember(txn, run.integration_uid, &group, &put, forget)?;
    }
    txn.publish_changes(&run, chunks)?;
    runs::put(txn, &run)?;
    Ok(())
}

impl Store {
    /// Writes a slice; all or nothing. Several slices may be under way at once; they commit in the order of the calls, whatever the order in
    /// which the answers are awaited, and even if an answer is not awaited.
    ///
    /// # Errors
    /// `Conflicts`: nothing was written, look again at those objects. `Store`: `Missing` if there is no such run, `Refused` if an object does
    /// not fit ([`super::check_size`]).
    pub fn commit(
        &self,
        mut slice: Slice,
    ) -> impl Future<Output = Result<(), SliceError>> + Send + use<> {
        // The committer is one thread: what can be done before it is its turn is done here.
        let chunks = changes::pack(std::mem::take(&mut slice.changes));
        let entities = entities::prepare(&slice.run.company, std::mem::take(&mut slice.entities));
        self.write(move |txn| commit(txn, slice, entities?, chunks))
    }
}
