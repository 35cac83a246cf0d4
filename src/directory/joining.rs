//! Memberships made and ended by hand (semantics 14).

use super::{Directory, Error, name};
use crate::model::{CompanyId, Entity, EntityId, Kind, Member, MemberOrigin, Uid, Violation};

impl Directory {
    /// Makes a user or group a direct member of a group; answers the membership and the member. Idempotent. Fails if one of
    /// them does not exist, or if a group is to contain itself directly; longer circles are allowed, and whoever follows
    /// memberships has to expect them.
    pub async fn add_member(
        &self,
        company: &CompanyId,
        group: &EntityId,
        (kind, id): (Kind, &EntityId),
        caller: &str,
    ) -> Result<(Member, Entity), Error> {
        if kind == Kind::Group && group == id {
            let text = "must be another group: a group can't be its own member";
            return Err(Error::Invalid(vec![Violation::new("member", text)]));
        }
        let member = self
            .store
            .add_member(company, group, (kind, id), caller)
            .await?;
        Ok((member, self.get(company, kind, id).await?))
    }

    /// Takes a direct member out of a group. Answers which integrations made it one: if any did, it stays. Fails if it is no
    /// member.
    pub async fn remove_member(
        &self,
        company: &CompanyId,
        group: &EntityId,
        (kind, id): (Kind, &EntityId),
        caller: &str,
    ) -> Result<Vec<Uid>, Error> {
        let was = self
            .store
            .remove_member(company, group, (kind, id), caller)
            .await?;
        let was = was.ok_or_else(|| {
            let group = name(company, Kind::Group, group);
            Error::NotFound(format!("{group}/members/{kind}s-{id}"))
        })?;
        let integrations = was.origins.into_iter().filter_map(|origin| match origin {
            MemberOrigin::Caller => None,
            MemberOrigin::Integration(uid) => Some(uid),
        });
        Ok(integrations.collect())
    }
}
