//! Deleting users and groups by hand, and having them back.

use super::{Directory, Error};
use crate::model::{CompanyId, Deleted, Entity, EntityId, Kind, Listed, PageRequest};
use jiff::SignedDuration;

/// So long what was deleted can be had back (semantics 32).
const KEPT: SignedDuration = SignedDuration::from_hours(20 * 24);

impl Directory {
    /// Deletes a user or group: as it is, or as it was `seen` (its revision). Its address is free then, it is in no group, and
    /// no run makes it again. Fails if it changed since it was seen.
    pub async fn delete(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
        seen: Option<u64>,
        caller: &str,
    ) -> Result<Deleted, Error> {
        let now = self.clock.now();
        let until = now.checked_add(KEPT).unwrap_or(now);
        let of = (company, kind, id);
        Ok(self.store.delete_entity(of, seen, until, caller).await?)
    }

    /// Has a deleted user or group back, in those groups that it would still be in. Fails with `Taken` if its address was
    /// given away meanwhile, or it was not deleted.
    pub async fn undelete(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
        caller: &str,
    ) -> Result<Entity, Error> {
        let back = self.store.undelete_entity(company, kind, id, caller);
        Ok(back.await?)
    }

    /// A deleted user or group.
    pub async fn deleted(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
    ) -> Result<Option<Deleted>, Error> {
        Ok(self.store.deleted(company, kind, id).await?)
    }

    /// The deleted users or groups of a company, in order of id.
    pub async fn all_deleted(
        &self,
        company: &CompanyId,
        kind: Kind,
        page: &PageRequest,
    ) -> Result<Listed<Deleted>, Error> {
        Ok(self.store.all_deleted(company, kind, page).await?)
    }
}
