//! The AppsCo directory: a company's users, groups and memberships.
//!
//! Owns what a caller may do with the directory, what makes a user or group valid, and the directory as the end of an
//! integration that is written to. May use `model`, `store` and `connector`. Deliberately does not decide what an
//! integration writes (that is `sync`), does not keep addresses unique by itself (the store does, in the write's own
//! transaction), and starts nothing: who wants to know of a change reads the store's feed.

mod connector;
mod deletion;
mod edit;
mod error;
mod filter;
mod joining;
mod order;
mod sorting;
mod turns;
mod validate;

pub use connector::DirectoryConnector;
pub use error::Error;
pub use filter::Filter;
pub use order::Order;

use crate::{
    model::{
        Attribute, Attributes, Clock, CompanyId, Entity, EntityId, Kind, Listed, Member,
        PageRequest, RequestKey, Uid, Violation, WrittenBy,
    },
    store::{Created, Store},
};
use std::{collections::BTreeMap, sync::Arc};
use turns::Turns;

/// The directory of all companies: a cheap handle.
#[derive(Debug, Clone)]
pub struct Directory {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Turns of those for whom all objects are looked at.
    turns: Arc<Turns>,
}

/// A user or group that a caller wants to add.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct New {
    /// Its id, if the caller chose one: `[a-z0-9-]{1,63}`. Else it gets a new UUID.
    pub id: Option<String>,
    /// Its attributes by canonical name; `userName`, the primary address, is required.
    pub attributes: Attributes,
    /// What the edge found wrong already.
    pub bad: Vec<Violation>,
}

impl New {
    /// Everything that is wrong with it as an object of this kind, whichever company it is for.
    pub fn violations(self, kind: Kind) -> Vec<Violation> {
        validate::new(kind, self).err().unwrap_or_default()
    }
}

impl Directory {
    /// The directory kept in this store.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            turns: Arc::default(),
        }
    }

    /// The same, if what it writes is to be kept; else one that checks and answers alike, and changes nothing.
    #[must_use]
    pub fn keeping(&self, kept: bool) -> Self {
        if kept {
            return self.clone();
        }
        Self {
            store: self.store.rehearsal(),
            ..self.clone()
        }
    }

    /// Adds a user for a caller. The same `request` again gives the same user. Without a name to show, the user gets the
    /// given and family name, else the address; without `active` the user is active. Fails with every field that is wrong,
    /// or if id or address are taken, the address by a user or a group.
    pub async fn create_user(
        &self,
        company: &CompanyId,
        new: New,
        caller: &str,
        request: Option<RequestKey>,
    ) -> Result<Created<Entity>, Error> {
        self.create(company, Kind::User, new, caller, request).await
    }

    /// Adds a group without members for a caller; otherwise like [`Self::create_user`].
    pub async fn create_group(
        &self,
        company: &CompanyId,
        new: New,
        caller: &str,
        request: Option<RequestKey>,
    ) -> Result<Created<Entity>, Error> {
        self.create(company, Kind::Group, new, caller, request)
            .await
    }

    async fn create(
        &self,
        company: &CompanyId,
        kind: Kind,
        new: New,
        caller: &str,
        request: Option<RequestKey>,
    ) -> Result<Created<Entity>, Error> {
        let entity = made(company, kind, new, caller, self.clock.now())?;
        Ok(self.store.create_entity(entity, request).await?)
    }

    /// One user or group.
    pub async fn get(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
    ) -> Result<Entity, Error> {
        let found = self.store.entity(company, kind, id).await?;
        found.ok_or_else(|| Error::NotFound(name(company, kind, id)))
    }

    /// The user or group that has this primary address, if one does.
    pub async fn by_email(
        &self,
        company: &CompanyId,
        email: &str,
    ) -> Result<Option<Entity>, Error> {
        Ok(self.store.entity_by_email(company, email).await?)
    }

    /// Direct members of a group, each as it is now, in order of kind and id.
    pub async fn members(
        &self,
        company: &CompanyId,
        group: &EntityId,
        page: &PageRequest,
    ) -> Result<Listed<(Member, Entity)>, Error> {
        self.get(company, Kind::Group, group).await?;
        let members = self.store.members(company, group, page).await?;
        let mut items = Vec::with_capacity(members.items.len());
        for member in members.items {
            if let Some(entity) = self.store.entity(company, member.kind, &member.id).await? {
                items.push((member, entity));
            }
        }
        let next = members.next;
        Ok(Listed { items, next })
    }

    /// How many direct members a group has.
    pub async fn member_count(&self, company: &CompanyId, group: &EntityId) -> Result<u64, Error> {
        Ok(self.store.member_count(company, group).await?)
    }

    /// Groups of which a user or group is a direct member, in order of id.
    pub async fn groups_of(
        &self,
        company: &CompanyId,
        kind: Kind,
        member: &EntityId,
        page: &PageRequest,
    ) -> Result<Listed<Entity>, Error> {
        self.get(company, kind, member).await?;
        let groups = self.store.groups_of(company, kind, member, page).await?;
        let mut items = Vec::with_capacity(groups.items.len());
        for id in &groups.items {
            items.extend(self.store.entity(company, Kind::Group, id).await?);
        }
        let next = groups.next;
        Ok(Listed { items, next })
    }
}

/// Resource name of a user or group.
fn name(company: &CompanyId, kind: Kind, id: &EntityId) -> String {
    format!("companies/{company}/{kind}s/{id}")
}

/// What a caller's new object is to be in the store.
fn made(
    company: &CompanyId,
    kind: Kind,
    new: New,
    caller: &str,
    now: crate::model::Time,
) -> Result<Entity, Error> {
    let (id, attributes) = validate::new(kind, new).map_err(Error::Invalid)?;
    let uid = Uid::generate();
    Ok(Entity {
        company: company.clone(),
        kind,
        id: id.unwrap_or_else(|| EntityId::of(uid)),
        uid,
        // A person said so: sync never re-activates the user then (semantics 12).
        deactivated_by_hand: attributes.bool(&Attribute::ACTIVE) == Some(false),
        attributes,
        owners: BTreeMap::new(),
        links: Vec::new(),
        written_by: WrittenBy::Caller(caller.to_owned()),
        revision: 0,
        create_time: now,
        update_time: now,
    })
}
