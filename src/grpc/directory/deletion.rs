//! Deleting users and groups, having them back, and showing both those that are there and those that are not.

use super::{Service, one};
use crate::{
    directory::{Filter, Order},
    grpc::{
        callers,
        fields::Notes,
        names, status,
        to_proto::{self, time},
    },
    model::{CompanyId, Deleted, Entity, Kind, Listed, PageRequest, Violation},
    proto::v1,
};
use tonic::Status;

/// A user or group, whether it is there or was deleted.
pub(super) enum Shown {
    There(Entity),
    Deleted(Deleted),
}

/// Which ones to list.
pub(super) enum Wanted {
    There(Filter, Order),
    Deleted,
}

pub(super) fn wanted(
    notes: &mut Notes,
    kind: Kind,
    deleted: bool,
    (filter, order): (&str, &str),
) -> Option<Wanted> {
    if deleted {
        let given = [("filter", filter), ("order_by", order)];
        let given = given.iter().filter(|(_, text)| !text.is_empty());
        let text = "must be empty if the deleted ones are asked for";
        let wrong = given.map(|(field, _)| Violation::new(*field, text));
        let before = notes.0.len();
        notes.0.extend(wrong);
        return (notes.0.len() == before).then_some(Wanted::Deleted);
    }
    let filter = Filter::parse(kind, filter).map_err(|text| Violation::new("filter", text));
    let order = Order::parse(kind, order).map_err(|text| Violation::new("order_by", text));
    let (filter, order) = (notes.take(filter), notes.take(order));
    Some(Wanted::There(filter?, order?))
}

pub(super) fn user(shown: &Shown) -> v1::User {
    match shown {
        Shown::There(entity) => to_proto::user(entity),
        Shown::Deleted(deleted) => v1::User {
            delete_time: Some(time(deleted.delete_time)),
            expire_time: Some(time(deleted.expire_time)),
            ..to_proto::user(&deleted.entity)
        },
    }
}

impl Service {
    pub(super) async fn any_group(&self, shown: &Shown) -> Result<v1::Group, Status> {
        match shown {
            Shown::There(entity) => self.group(entity).await,
            Shown::Deleted(deleted) => Ok(v1::Group {
                delete_time: Some(time(deleted.delete_time)),
                expire_time: Some(time(deleted.expire_time)),
                ..self.group(&deleted.entity).await?
            }),
        }
    }

    /// What is named, also if it was deleted.
    pub(super) async fn any(&self, name: &str, kind: Kind) -> Result<Shown, Status> {
        let (company, id) = names::parse_entity("name", name, kind).map_err(one)?;
        match self.directory.get(&company, kind, &id).await {
            Ok(entity) => Ok(Shown::There(entity)),
            Err(absent) => {
                let deleted = self.directory.deleted(&company, kind, &id).await;
                let deleted = deleted.map_err(status::directory)?;
                deleted
                    .map(Shown::Deleted)
                    .ok_or_else(|| status::directory(absent))
            }
        }
    }

    pub(super) async fn list(
        &self,
        company: &CompanyId,
        kind: Kind,
        wanted: Wanted,
        page: &PageRequest,
    ) -> Result<Listed<Shown>, Status> {
        let (items, next) = match wanted {
            Wanted::There(filter, order) => {
                let listed = self.directory.list(company, kind, &filter, &order, page);
                let listed = listed.await.map_err(status::directory)?;
                let items = listed.items.into_iter().map(Shown::There);
                (items.collect(), listed.next)
            }
            Wanted::Deleted => {
                let listed = self.directory.all_deleted(company, kind, page).await;
                let listed = listed.map_err(status::directory)?;
                let items = listed.items.into_iter().map(Shown::Deleted);
                (items.collect(), listed.next)
            }
        };
        Ok(Listed { items, next })
    }

    pub(super) async fn delete(&self, kind: Kind, name: &str, etag: &str) -> Result<Shown, Status> {
        let (company, id) = names::parse_entity("name", name, kind).map_err(one)?;
        let seen = match etag {
            "" => None,
            etag => {
                let seen = self.directory.get(&company, kind, &id).await;
                let seen = seen.map_err(status::directory)?;
                if etag != to_proto::entity_etag(&seen) {
                    return Err(status::changed(name));
                }
                Some(seen.revision)
            }
        };
        let caller = callers::name();
        let deleted = self
            .directory
            .delete(&company, kind, &id, seen, &caller)
            .await;
        deleted.map(Shown::Deleted).map_err(status::directory)
    }

    pub(super) async fn undelete(&self, kind: Kind, name: &str) -> Result<Entity, Status> {
        let (company, id) = names::parse_entity("name", name, kind).map_err(one)?;
        let back = self
            .directory
            .undelete(&company, kind, &id, &callers::name())
            .await;
        back.map_err(status::directory)
    }
}
