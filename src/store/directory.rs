//! The AppsCo directory's users and groups.

use super::{Created, Error, Store, deleted, entities, requests, tables::Table, txn::Txn};
use crate::model::{CompanyId, Edit, Entity, EntityId, Kind, RequestKey, fold_email};

fn create(
    txn: &mut Txn<'_>,
    mut entity: Entity,
    request: Option<&RequestKey>,
) -> Result<Created<Entity>, Error> {
    let (company, kind, id) = (entity.company.clone(), entity.kind, entity.id.clone());
    if let Some(made) = requests::made_before(txn, &company, request)? {
        let prefix = entities::prefix(&company, kind);
        let made_id = made
            .strip_prefix(prefix.as_slice())
            .ok_or_else(requests::taken)?;
        let value = match super::tables::Read::raw(txn, Table::Entities, &made)? {
            Some(raw) => entities::decode(txn, &company, kind, made_id, &raw)?,
            None => None,
        };
        let value = value
            .ok_or_else(|| Error::Missing(format!("the {kind} that the same request made")))?;
        return Ok(Created {
            value,
            replayed: true,
        });
    }
    if entities::get(txn, &company, kind, &id)?.is_some() {
        return Err(Error::taken("id", entities::name(&company, kind, &id)));
    }
    // Its memberships are kept for it, and would be another's.
    if deleted::is_kept(txn, &company, kind, &id)? {
        let name = entities::name(&company, kind, &id);
        let holder = format!("{name}, which was deleted and can still be undeleted");
        return Err(Error::taken("id", holder));
    }
    if let Some((kind, id)) = entities::holder(txn, &company, &fold_email(entity.email()))? {
        return Err(Error::taken("email", entities::name(&company, kind, &id)));
    }
    entity.revision = 0;
    entities::put(txn, &company, vec![entity.clone()])?;
    entity.revision = 1;
    entities::tell(txn, &entity, Edit::Created, entities::writer(&entity))?;
    requests::remember(txn, &company, request, &entities::key(&company, kind, &id))?;
    Ok(Created {
        value: entity,
        replayed: false,
    })
}

impl Store {
    /// A new object by a caller; its revision is 1, whatever is given.
    ///
    /// # Errors
    /// `Taken` (`id`, also by one that was deleted and can be had back; `email`, over users and groups, without regard to case; `request_id`); `Refused` if it does not fit ([`super::check_size`]).
    pub async fn create_entity(
        &self,
        entity: Entity,
        request: Option<RequestKey>,
    ) -> Result<Created<Entity>, Error> {
        self.write(move |txn| create(txn, entity, request.as_ref()))
            .await
    }

    /// An object.
    pub async fn entity(
        &self,
        company: &CompanyId,
        kind: Kind,
        id: &EntityId,
    ) -> Result<Option<Entity>, Error> {
        let (company, id) = (company.clone(), id.clone());
        self.read(move |durable| entities::get(durable, &company, kind, &id))
            .await
    }

    /// The object of any kind that holds an address (folded inside).
    pub async fn entity_by_email(
        &self,
        company: &CompanyId,
        email: &str,
    ) -> Result<Option<Entity>, Error> {
        let (company, folded) = (company.clone(), fold_email(email));
        self.read(move |durable| entities::by_email(durable, &company, &folded))
            .await
    }
}
