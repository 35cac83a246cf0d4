//! Adding and removing members by hand.

use super::{Service, named, one};
use crate::{
    grpc::{callers, fields::Notes, names, status, to_proto},
    model::Violation,
    proto::v1,
};
use tonic::Status;

impl Service {
    /// Makes somebody a member.
    pub(super) async fn join(&self, request: v1::AddMemberRequest) -> Result<v1::Member, Status> {
        let v1::AddMemberRequest { parent, member } = request;
        let mut notes = Notes::default();
        let group = notes.take(names::parse_entity(
            "parent",
            &parent,
            crate::model::Kind::Group,
        ));
        let member = notes.take(names::parse_user_or_group("member", &member));
        let Some(((company, group), (of, kind, id))) = group.zip(member) else {
            return Err(status::invalid(notes.0));
        };
        if of != company {
            let text = "must be of the same company as the group";
            return Err(one(Violation::new("member", text)));
        }
        let added = self
            .directory
            .add_member(&company, &group, (kind, &id), &callers::name())
            .await;
        let (member, entity) = added.map_err(status::directory)?;
        let known = self.integrations(&company).await?;
        let name = |uid| named(&known, uid);
        Ok(to_proto::member(&group, &member, &entity, &name))
    }

    /// Ends a membership.
    pub(super) async fn leave(&self, name: &str) -> Result<(), Status> {
        let (company, group, kind, id) = names::parse_member("name", name).map_err(one)?;
        let removed = self
            .directory
            .remove_member(&company, &group, (kind, &id), &callers::name())
            .await;
        let holders = removed.map_err(status::directory)?;
        if holders.is_empty() {
            return Ok(());
        }
        let known = self.integrations(&company).await?;
        let texts = holders.into_iter().map(|uid| {
            let holder = named(&known, uid);
            format!("{name} was added by {holder}: remove it in its system")
        });
        Err(status::owned(texts.collect()))
    }
}
