//! Users and groups of the directory.

use super::{
    Error, Moment, attribute, entity_id, integration_id, kind_code, kind_of, name_row, source_id,
    uid,
    value::{AttributeRow, attribute_rows, attributes},
};
use crate::{
    model::{
        CompanyId, Deleted, Entity, EntityId, EntityLink, IntegrationId, Kind, Time, Uid, WrittenBy,
    },
    store::keys,
};
use std::collections::BTreeMap;

/// The attributes that one integration owns.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct OwnerRow {
    #[prost(bytes = "vec", tag = "1")]
    integration: Vec<u8>,
    #[prost(uint32, repeated, tag = "2")]
    codes: Vec<u32>,
    #[prost(string, repeated, tag = "3")]
    names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct EntityLinkRow {
    #[prost(bytes = "vec", tag = "1")]
    integration: Vec<u8>,
    #[prost(string, tag = "2")]
    source: String,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(in crate::store) enum Writer {
    #[prost(string, tag = "5")]
    Caller(String),
    #[prost(bytes, tag = "6")]
    Integration(Vec<u8>),
}

/// A user or group; company, kind and id are in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct EntityRow {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<AttributeRow>,
    #[prost(message, repeated, tag = "2")]
    owners: Vec<OwnerRow>,
    #[prost(message, repeated, tag = "3")]
    links: Vec<EntityLinkRow>,
    #[prost(bool, tag = "4")]
    deactivated_by_hand: bool,
    #[prost(oneof = "Writer", tags = "5, 6")]
    written_by: Option<Writer>,
    #[prost(uint64, tag = "7")]
    pub(in crate::store) revision: u64,
    #[prost(message, optional, tag = "8")]
    create_time: Option<Moment>,
    #[prost(message, optional, tag = "9")]
    update_time: Option<Moment>,
    /// Only if it is not the id: a caller chose that.
    #[prost(bytes = "vec", tag = "10")]
    uid: Vec<u8>,
}

/// The uid of an object whose row has none: its id, if that is a UUID. An object whose id a caller chose before uids were stored
/// has one made from what stays as long as the object does.
fn derived(company: &CompanyId, kind: Kind, id: &EntityId, create_time: Time) -> Uid {
    if let Some(uuid) = keys::canonical(id.as_str()) {
        return Uid(uuid);
    }
    let mut hasher = blake3::Hasher::new();
    let time = create_time.as_nanosecond().to_be_bytes();
    let parts = [company.as_str(), id.as_str()].map(str::as_bytes);
    for part in parts
        .into_iter()
        .chain([&time[..], &[kind_code(kind) as u8]])
    {
        hasher
            .update(&(part.len() as u64).to_be_bytes())
            .update(part);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    Uid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

impl EntityRow {
    /// The primary address.
    pub(in crate::store) fn email(&self) -> &str {
        self.attributes
            .iter()
            .find_map(AttributeRow::user_name)
            .unwrap_or_default()
    }

    pub(in crate::store) fn row(entity: Entity) -> Self {
        let Entity {
            company: _,
            kind: _,
            id,
            uid,
            attributes,
            owners,
            links,
            deactivated_by_hand,
            written_by,
            revision,
            create_time,
            update_time,
        } = entity;
        let is_id = keys::canonical(id.as_str()) == Some(uid.0);
        Self {
            uid: match is_id {
                true => Vec::new(),
                false => uid.0.as_bytes().to_vec(),
            },
            attributes: attribute_rows(attributes),
            owners: owner_rows(&owners),
            links: links
                .into_iter()
                .map(|link| EntityLinkRow {
                    integration: link.integration.0.as_bytes().to_vec(),
                    source: link.source.as_str().to_owned(),
                })
                .collect(),
            deactivated_by_hand,
            written_by: Some(match written_by {
                WrittenBy::Caller(name) => Writer::Caller(name),
                WrittenBy::Integration(id) => Writer::Integration(keys::pack(id.as_str())),
            }),
            revision,
            create_time: Some(Moment::row(create_time)),
            update_time: Some(Moment::row(update_time)),
        }
    }

    pub(in crate::store) fn model(
        self,
        company: CompanyId,
        kind: Kind,
        id: EntityId,
    ) -> Result<Entity, Error> {
        let create_time = Moment::must(self.create_time)?;
        let own = match super::optional(&self.uid, uid)? {
            Some(uid) => uid,
            None => derived(&company, kind, &id, create_time),
        };
        Ok(Entity {
            company,
            kind,
            id,
            uid: own,
            attributes: attributes(self.attributes)?,
            owners: owners(self.owners)?,
            links: self
                .links
                .into_iter()
                .map(|link| {
                    Ok(EntityLink {
                        integration: uid(&link.integration)?,
                        source: source_id(&link.source)?,
                    })
                })
                .collect::<Result<_, Error>>()?,
            deactivated_by_hand: self.deactivated_by_hand,
            written_by: match super::present(self.written_by, "who wrote an object")? {
                Writer::Caller(name) => WrittenBy::Caller(name),
                Writer::Integration(id) => WrittenBy::Integration(integration_id(&id)?),
            },
            revision: self.revision,
            create_time,
            update_time: Moment::must(self.update_time)?,
        })
    }
}

/// A user or group that was deleted; company, kind and id are in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct DeletedRow {
    #[prost(message, optional, tag = "1")]
    entity: Option<EntityRow>,
    #[prost(message, optional, tag = "2")]
    delete_time: Option<Moment>,
    #[prost(message, optional, tag = "3")]
    expire_time: Option<Moment>,
}

impl DeletedRow {
    pub(in crate::store) fn row(deleted: Deleted) -> Self {
        let Deleted {
            entity,
            delete_time,
            expire_time,
        } = deleted;
        Self {
            entity: Some(EntityRow::row(entity)),
            delete_time: Some(Moment::row(delete_time)),
            expire_time: Some(Moment::row(expire_time)),
        }
    }

    pub(in crate::store) fn model(
        self,
        company: CompanyId,
        kind: Kind,
        id: EntityId,
    ) -> Result<Deleted, Error> {
        let entity = super::present(self.entity, "what was deleted")?;
        Ok(Deleted {
            entity: entity.model(company, kind, id)?,
            delete_time: Moment::must(self.delete_time)?,
            expire_time: Moment::must(self.expire_time)?,
        })
    }
}

fn owner_rows(owners: &BTreeMap<crate::model::Attribute, IntegrationId>) -> Vec<OwnerRow> {
    let mut rows: BTreeMap<&IntegrationId, OwnerRow> = BTreeMap::new();
    for (name, owner) in owners {
        let row = rows.entry(owner).or_insert_with(|| OwnerRow {
            integration: keys::pack(owner.as_str()),
            codes: Vec::with_capacity(owners.len()),
            names: Vec::new(),
        });
        match name_row(name) {
            (0, name) => row.names.push(name),
            (code, _) => row.codes.push(code),
        }
    }
    rows.into_values().collect()
}

fn owners(rows: Vec<OwnerRow>) -> Result<BTreeMap<crate::model::Attribute, IntegrationId>, Error> {
    let mut owners = BTreeMap::new();
    for row in rows {
        let owner = integration_id(&row.integration)?;
        for code in row.codes {
            owners.insert(attribute(code, "")?, owner.clone());
        }
        for name in row.names {
            owners.insert(attribute(0, &name)?, owner.clone());
        }
    }
    Ok(owners)
}

/// Who holds an address.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct EmailRow {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
}

impl EmailRow {
    pub(in crate::store) fn row(kind: Kind, id: &EntityId) -> Self {
        Self {
            kind: kind_code(kind),
            id: keys::pack(id.as_str()),
        }
    }

    pub(in crate::store) fn model(&self) -> Result<(Kind, EntityId), Error> {
        Ok((kind_of(self.kind)?, entity_id(&self.id)?))
    }
}
