//! Packed sets: many small items in one row.

use super::{Error, entity_id, kind_code, kind_of, uid};
use crate::{
    model::{AppliedMember, EntityId, Kind, Member, MemberOrigin, MemberState, SourceId, Uid},
    store::keys::{self, Key},
};

/// One item of a set: its key, by which it is ordered, and what is known of it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(in crate::store) struct PackedItem {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::store) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::store) value: Vec<u8>,
}

/// Some items of a set, in order.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct PackedRow {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::store) items: Vec<PackedItem>,
}

/// What is known of a membership.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct MemberRow {
    #[prost(bool, tag = "1")]
    caller: bool,
    #[prost(bytes = "vec", repeated, tag = "2")]
    integrations: Vec<Vec<u8>>,
}

impl MemberRow {
    pub(in crate::store) fn row(origins: &[MemberOrigin]) -> Self {
        let integrations = origins.iter().filter_map(|origin| match origin {
            MemberOrigin::Caller => None,
            MemberOrigin::Integration(Uid(uuid)) => Some(uuid.as_bytes().to_vec()),
        });
        Self {
            caller: origins.contains(&MemberOrigin::Caller),
            integrations: integrations.collect(),
        }
    }

    pub(in crate::store) fn origins(&self) -> Result<Vec<MemberOrigin>, Error> {
        let caller = self.caller.then_some(Ok(MemberOrigin::Caller));
        let integrations = self
            .integrations
            .iter()
            .map(|bytes| uid(bytes).map(MemberOrigin::Integration));
        caller.into_iter().chain(integrations).collect()
    }
}

/// The key of a member within its group's set.
pub(in crate::store) fn member_key(kind: Kind, id: &EntityId) -> Vec<u8> {
    Key::default().kind(kind).id(id.as_str()).done()
}

/// The membership of an item.
pub(in crate::store) fn member(item: &PackedItem) -> Result<Member, Error> {
    let mut key = keys::Parse(&item.key);
    let kind = key.kind()?;
    let row: MemberRow = decode(&item.value)?;
    Ok(Member {
        kind,
        id: entity_id(key.0)?,
        origins: row.origins()?,
    })
}

fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, Error> {
    M::decode(bytes).map_err(|_| Error::unreadable("a packed item"))
}

/// The origins of a membership's value.
pub(in crate::store) fn origins(value: &[u8]) -> Result<Vec<MemberOrigin>, Error> {
    decode::<MemberRow>(value)?.origins()
}

/// What an integration remembers of a member.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct RememberedRow {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    applied: Vec<u8>,
}

impl RememberedRow {
    pub(in crate::store) fn row(member: &AppliedMember) -> Self {
        let AppliedMember {
            kind,
            source: _,
            state,
        } = member;
        Self {
            kind: kind_code(*kind),
            applied: match state {
                MemberState::Applied(id) => keys::pack(id.as_str()),
                MemberState::Pending => Vec::new(),
            },
        }
    }
}

/// The remembered member of an item.
pub(in crate::store) fn remembered(item: &PackedItem) -> Result<AppliedMember, Error> {
    let source = std::str::from_utf8(&item.key)
        .ok()
        .and_then(SourceId::try_new);
    let row: RememberedRow = decode(&item.value)?;
    Ok(AppliedMember {
        kind: kind_of(row.kind)?,
        source: super::present(source, "a remembered member")?,
        state: match super::optional(&row.applied, entity_id)? {
            Some(id) => MemberState::Applied(id),
            None => MemberState::Pending,
        },
    })
}
