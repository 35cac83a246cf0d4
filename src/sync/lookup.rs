//! What a run reads of the store once it has begun; a preview reads it as if what it has planned were there.

use super::{
    error::Stop,
    job::Job,
    plan::{Item, wanted_email},
};
use crate::model::{AppliedMember, EntityId, Found, Kind, Link, SourceId, Wanted};

impl Job {
    /// What link and target say about the items.
    pub(super) async fn find(&self, kind: Kind, items: &[Item]) -> Result<Vec<Found>, Stop> {
        let wanted: Vec<Wanted> = items
            .iter()
            .map(|item| Wanted {
                source: item.source.clone(),
                email: wanted_email(item),
            })
            .collect();
        let mut found = self.writer()?.find(kind, &wanted).await?;
        if let Some(rehearsal) = &self.rehearsal {
            rehearsal.correct(&wanted, &mut found);
        }
        Ok(found)
    }

    /// Links in order of source id, after `after`, at most `limit` (<= 1000).
    pub(super) async fn links(
        &self,
        kind: Kind,
        after: Option<SourceId>,
        limit: usize,
    ) -> Result<Vec<Link>, Stop> {
        let uid = self.integration.uid;
        let stored = self.store.links(uid, kind, after.clone(), limit).await?;
        Ok(match &self.rehearsal {
            Some(rehearsal) => rehearsal.merge(kind, after.as_ref(), limit, stored),
            None => stored,
        })
    }

    /// Links by source id, in their order.
    pub(super) async fn links_of(
        &self,
        kind: Kind,
        sources: Vec<SourceId>,
    ) -> Result<Vec<Option<Link>>, Stop> {
        let uid = self.integration.uid;
        let Some(rehearsal) = &self.rehearsal else {
            return Ok(self.store.links_of(uid, kind, sources).await?);
        };
        let stored = self.store.links_of(uid, kind, sources.clone()).await?;
        let links = sources.iter().zip(stored);
        let links = links.map(|(source, stored)| rehearsal.link(kind, source).or(stored));
        Ok(links.collect())
    }

    /// The link of one source object.
    pub(super) async fn link_of(
        &self,
        kind: Kind,
        source: &SourceId,
    ) -> Result<Option<Link>, Stop> {
        let links = self.links_of(kind, vec![source.clone()]).await?;
        Ok(links.into_iter().next().flatten())
    }

    /// Whether a directory object is none yet but in what a preview has planned for its source object.
    pub(super) fn is_planned(&self, kind: Kind, source: &SourceId, id: &EntityId) -> bool {
        let planned = self.rehearsal.as_ref();
        planned.is_some_and(|planned| planned.makes(kind, source, id))
    }

    /// All remembered members of a group.
    pub(super) async fn remembered(&self, group: &SourceId) -> Result<Vec<AppliedMember>, Stop> {
        let (company, uid) = (&self.integration.company, self.integration.uid);
        let planned = self.rehearsal.as_ref();
        let planned = planned.and_then(|planned| planned.link(Kind::Group, group)?.target);
        let Some((planned, _)) = planned else {
            return Ok(self.store.remembered(uid, group).await?);
        };
        // What is remembered of a group that was made anew is still kept under the id that its object is linked with.
        let stored = self.store.entity(company, Kind::Group, &planned).await?;
        if let Some(before) = stored.as_ref().and_then(|stored| stored.linked_to(uid)) {
            return Ok(self.store.remembered(uid, before).await?);
        }
        let links = self.store.links_of(uid, Kind::Group, vec![group.clone()]);
        let now = links.await?.into_iter().flatten();
        match now.filter_map(|link| link.target).next() {
            // It is to stand for another object: those are remembered who are members of that.
            Some((now, _)) if now != planned => self.made_members(&planned).await,
            _ => Ok(self.store.remembered(uid, group).await?),
        }
    }

    /// The members of a group of the directory that this integration made so.
    pub(super) async fn made_members(&self, group: &EntityId) -> Result<Vec<AppliedMember>, Stop> {
        let (company, uid) = (&self.integration.company, self.integration.uid);
        Ok(self.store.made_members(company, uid, group).await?)
    }

    /// The address of a directory object, which at the source goes by this name.
    pub(super) async fn address(
        &self,
        kind: Kind,
        id: &EntityId,
        name: &str,
    ) -> Result<Option<String>, Stop> {
        let stored = self.store.entity(&self.integration.company, kind, id);
        let stored = stored.await?;
        let planned = self.rehearsal.as_ref().and_then(|rehearsal| {
            let source = SourceId::try_new(name);
            rehearsal.address(kind, id, stored.as_ref(), source.as_ref())
        });
        Ok(planned.or_else(|| Some(stored?.email().to_owned())))
    }
}
