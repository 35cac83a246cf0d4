//! Pages of users and groups that meet a filter, in an order: along an index of the store, or picked out of all there are.

use super::{Directory, Error, Filter, Order, order::Place};
use crate::{
    model::{CompanyId, Entity, Kind, Listed, PageRequest, Violation},
    store::Along,
};
use std::collections::BinaryHeap;

/// After how many objects that do not meet a filter a search stops.
const SEARCHED: usize = 10_000;

impl Directory {
    /// The users or groups of a company that meet a filter, in an order. A page along an index may hold fewer than asked for,
    /// even none, and still have a next one: a search that finds nobody stops after 10,000 objects. A page in any other
    /// order is picked out of all there are.
    pub async fn list(
        &self,
        company: &CompanyId,
        kind: Kind,
        filter: &Filter,
        order: &Order,
        page: &PageRequest,
    ) -> Result<Listed<Entity>, Error> {
        if let Some(email) = filter.email() {
            let holder = self.store.entity_by_email(company, email).await?;
            let met = |entity: &Entity| entity.kind == kind && filter.is_met(&entity.attributes);
            let items = holder.into_iter().filter(met).collect();
            return Ok(Listed { items, next: None });
        }
        match order.along() {
            Some(along) => self.search(company, kind, filter, along, page).await,
            None => self.sort(company, kind, filter, order, page).await,
        }
    }

    async fn search(
        &self,
        company: &CompanyId,
        kind: Kind,
        filter: &Filter,
        along: Along,
        page: &PageRequest,
    ) -> Result<Listed<Entity>, Error> {
        let (mut page, mut seen) = (page.clone(), 0);
        loop {
            let listed = self.store.entities_along(company, kind, along, &page);
            let mut listed = listed.await?;
            seen += listed.items.len();
            // The store has looked long enough.
            let stopped = listed.items.len() < page.size;
            listed
                .items
                .retain(|entity| filter.is_met(&entity.attributes));
            let found = !listed.items.is_empty();
            if found || listed.next.is_none() || stopped || seen >= SEARCHED {
                return Ok(listed);
            }
            page.token = listed.next;
        }
    }

    async fn sort(
        &self,
        company: &CompanyId,
        kind: Kind,
        filter: &Filter,
        order: &Order,
        page: &PageRequest,
    ) -> Result<Listed<Entity>, Error> {
        let after = match &page.token {
            Some(token) => Some(order.read(token).ok_or_else(|| {
                let text = "is not one of this list: start without one";
                Error::Invalid(vec![Violation::new("page_token", text)])
            })?),
            None => None,
        };
        let mut best = Best {
            filter: filter.clone(),
            order: order.clone(),
            after,
            most: page.size.max(1),
            found: BinaryHeap::new(),
        };
        let line = self.turns.line(company);
        let mut looked_at = None;
        loop {
            // A thousand at a time, so that nobody waits for long.
            let look = self
                .store
                .look_at_entities(company, kind, looked_at, best, Best::look);
            (best, looked_at) = line.turn(look).await?;
            if looked_at.is_none() {
                return Ok(best.page());
            }
        }
    }
}

/// Of the objects looked at so far, the first ones of a page and the one after them.
struct Best {
    filter: Filter,
    order: Order,
    after: Option<Place>,
    most: usize,
    found: BinaryHeap<Found>,
}

/// An object and where it comes.
struct Found(Place, Entity);

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Best {
    fn look(&mut self, id: &[u8], entity: Entity) {
        if !self.filter.is_met(&entity.attributes) {
            return;
        }
        let place = self.order.place(id, &entity);
        let past = self.after.as_ref().is_some_and(|after| place <= *after);
        let full = self.found.len() > self.most;
        let last = self.found.peek().filter(|_| full);
        if past || last.is_some_and(|last| place > last.0) {
            return;
        }
        if full {
            self.found.pop();
        }
        self.found.push(Found(place, entity));
    }

    fn page(self) -> Listed<Entity> {
        let mut found = self.found.into_sorted_vec();
        let more = found.len() > self.most;
        found.truncate(self.most);
        let last = found.last().filter(|_| more);
        Listed {
            next: last.map(|Found(place, _)| place.token()),
            items: found.into_iter().map(|Found(_, entity)| entity).collect(),
        }
    }
}
