//! Slices of a run: outcomes of up to a hundred objects, durable together or not at all.

use super::{
    Error, Seen, Slice, SliceError, Store, aside,
    changes::{self, Chunk},
    entities::{self, Prepared},
    links, runs,
    txn::Txn,
};
use crate::model::{CompanyId, Uid};
use std::future::Future;

/// Whether a link leads still to what it was seen to lead to.
fn is_so(txn: &Txn<'_>, company: &CompanyId, integration: Uid, seen: &Seen) -> Result<bool, Error> {
    let Seen {
        kind,
        source,
        target,
        revision,
    } = seen;
    let link = links::get(txn, integration, *kind, source.clone())?;
    let found = entities::get(txn, company, *kind, target)?;
    let own = found.filter(|entity| entity.linked_to(integration) == Some(source));
    Ok(link.is_some_and(|link| links::leads_to(&link, target))
        && own.map_or(0, |entity| entity.revision) == *revision)
}

fn commit(
    txn: &mut Txn<'_>,
    slice: Slice,
    entities: Vec<Prepared>,
    chunks: Vec<Chunk>,
) -> Result<(), SliceError> {
    let Slice {
        run,
        seen,
        entities: _,
        links,
        parts,
        members,
        remembered,
        changes: _,
    } = slice;
    let mut conflicts = Vec::new();
    for (i, seen) in seen.iter().enumerate() {
        if !is_so(txn, &run.company, run.integration_uid, seen)? {
            conflicts.push(entities.len() + i);
        }
    }
    if conflicts.is_empty() {
        conflicts = entities::put_all(txn, &run.company, entities)?;
    }
    if !conflicts.is_empty() {
        return Err(SliceError::Conflicts(conflicts));
    }
    links::put_all(txn, run.integration_uid, &links)?;
    links::put_parts(txn, run.integration_uid, parts)?;
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
