//! What callers change in the directory, each in one transaction.

use super::{Error, Store, entities, links, members, txn::Txn};
use crate::model::{
    Attribute, Attributes, CompanyId, Edit, Entity, EntityId, Kind, Member, MemberOrigin,
    MemberWrite, fold_email,
};
use std::collections::BTreeSet;

fn update(txn: &mut Txn<'_>, mut entity: Entity, reconsider: bool) -> Result<Entity, Error> {
    let (company, kind, id) = (entity.company.clone(), entity.kind, entity.id.clone());
    let name = || entities::name(&company, kind, &id);
    let stored = entities::get(txn, &company, kind, &id)?.ok_or_else(|| Error::Missing(name()))?;
    if stored.revision != entity.revision {
        return Err(Error::Changed(name()));
    }
    if let Some((other, holder)) = entities::holder(txn, &company, &fold_email(entity.email()))?
        && (other, &holder) != (kind, &id)
    {
        return Err(Error::taken(
            "email",
            entities::name(&company, other, &holder),
        ));
    }
    if !entities::put(txn, &company, vec![entity.clone()])?.is_empty() {
        return Err(Error::Changed(name()));
    }
    entity.revision += 1;
    let changed = changed(&stored.attributes, &entity.attributes);
    let caller = entities::writer(&entity).to_owned();
    entities::tell(txn, &entity, Edit::Updated(changed), &caller)?;
    if reconsider {
        for link in &entity.links {
            links::reconsider(txn, link.integration, kind, &link.source)?;
        }
    }
    Ok(entity)
}

/// The attributes that differ.
fn changed(before: &Attributes, after: &Attributes) -> Vec<Attribute> {
    let names = before.iter().chain(after.iter()).map(|(name, _)| name);
    let differ = names.filter(|name| before.get(name) != after.get(name));
    let names: BTreeSet<&Attribute> = differ.collect();
    names.into_iter().cloned().collect()
}

fn there(txn: &Txn<'_>, company: &CompanyId, kind: Kind, id: &EntityId) -> Result<Entity, Error> {
    let found = entities::get(txn, company, kind, id)?;
    found.ok_or_else(|| Error::Missing(entities::name(company, kind, id)))
}

fn by_caller(group: &EntityId, kind: Kind, member: &EntityId, add: bool) -> MemberWrite {
    MemberWrite {
        group: group.clone(),
        kind,
        member: member.clone(),
        origin: MemberOrigin::Caller,
        add,
    }
}

impl Store {
    /// Writes a changed object, whose revision is the one read; answers it with its new one. With `reconsider`, the next run
    /// of each integration that provisions it looks at it again.
    ///
    /// # Errors
    /// `Missing`; `Changed` if its revision is another one; `Taken` (`email`); `Refused` if it does not fit ([`super::check_size`]).
    pub async fn update_entity(&self, entity: Entity, reconsider: bool) -> Result<Entity, Error> {
        self.write(move |txn| update(txn, entity, reconsider)).await
    }

    /// Makes a user or group a member for a caller; answers the membership as it then is. Idempotent.
    ///
    /// # Errors
    /// `Missing` if there is no such group or no such object to add.
    pub async fn add_member(
        &self,
        company: &CompanyId,
        group: &EntityId,
        (kind, member): (Kind, &EntityId),
        caller: &str,
    ) -> Result<Member, Error> {
        let (company, group, id) = (company.clone(), group.clone(), member.clone());
        let caller = caller.to_owned();
        self.write(move |txn| {
            let of = there(txn, &company, Kind::Group, &group)?;
            let member = there(txn, &company, kind, &id)?;
            let was = members::get(txn, &company, &group, (kind, &id))?;
            members::put_all(txn, &company, vec![by_caller(&group, kind, &id, true)])?;
            if was.is_none() {
                let joined = Edit::Joined(member.email().to_owned());
                entities::tell(txn, &of, joined, &caller)?;
            }
            members::get(txn, &company, &group, (kind, &id))?
                .ok_or_else(|| Error::unreadable("the members of a group"))
        })
        .await
    }

    /// Takes a member out of a group, unless an integration made it one; answers the membership as it was, if there was one.
    ///
    /// # Errors
    /// `Missing` if there is no such group.
    pub async fn remove_member(
        &self,
        company: &CompanyId,
        group: &EntityId,
        (kind, member): (Kind, &EntityId),
        caller: &str,
    ) -> Result<Option<Member>, Error> {
        let (company, group, id) = (company.clone(), group.clone(), member.clone());
        let caller = caller.to_owned();
        self.write(move |txn| {
            // Its members are kept for when it is had back.
            let Some(of) = entities::get(txn, &company, Kind::Group, &group)? else {
                return Ok(None);
            };
            let was = members::get(txn, &company, &group, (kind, &id))?;
            let by_hand = |was: &Member| was.origins == [MemberOrigin::Caller];
            if was.as_ref().is_some_and(by_hand) {
                members::put_all(txn, &company, vec![by_caller(&group, kind, &id, false)])?;
                if let Some(member) = entities::get(txn, &company, kind, &id)? {
                    let left = Edit::Left(member.email().to_owned());
                    entities::tell(txn, &of, left, &caller)?;
                }
            }
            Ok(was)
        })
        .await
    }
}
