//! Links: what of the source corresponds to what at the target.

use super::{Entity, EntityId, Fingerprint, Kind, MemberOrigin, SourceId};

/// How a link came about; adopted objects are never deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkOrigin {
    /// The integration made the target object.
    Created,
    /// The target object was there already, with the same primary address.
    Adopted,
}

/// The remembered pair source object <-> target object. There is one for every object observed (semantics 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The system's id.
    pub source: SourceId,
    /// The directory's id; none while the object is only observed.
    pub target: Option<(EntityId, LinkOrigin)>,
    /// Hash of the desired attributes last applied in full; [`Fingerprint::NONE`] if that has not happened.
    pub fingerprint: Fingerprint,
    /// For a group: hash of the memberships last applied in full.
    pub members_fingerprint: Fingerprint,
    /// For a user: whether the source says active. What a member "everyone" means (semantics 14).
    pub active: bool,
    /// For a group: whether any member is remembered.
    pub has_members: bool,
    /// Whether a run has recorded that the source no longer lists it; it is recorded once, and counted by every run.
    pub absent: bool,
    /// Hash of why a run left it as it is, as that is on record: recorded once, and counted by every run;
    /// [`Fingerprint::NONE`] if it was not left so. For a group that was provisioned, why its members were.
    pub told: Fingerprint,
}

impl Link {
    /// The link of an object that is only observed.
    pub fn observed(source: SourceId) -> Self {
        Self {
            source,
            target: None,
            fingerprint: Fingerprint::NONE,
            members_fingerprint: Fingerprint::NONE,
            active: true,
            has_members: false,
            absent: false,
            told: Fingerprint::NONE,
        }
    }
}

/// Whether a remembered member is already a membership of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberState {
    /// This integration applied it.
    Applied(EntityId),
    /// The member is not provisioned yet.
    Pending,
}

/// A member of a group as this integration remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMember {
    /// User or group.
    pub kind: Kind,
    /// The system's id of the member.
    pub source: SourceId,
    /// Whether it is applied.
    pub state: MemberState,
}

/// What is asked of the target about one source object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The source object.
    pub source: SourceId,
    /// The address it is to have.
    pub email: String,
}

/// What the target knows about one source object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The link of this integration.
    pub link: Option<Link>,
    /// The target object linked.
    pub target: Option<Entity>,
    /// The object of any kind that holds the wanted address, if that is another one than `target`.
    pub holder: Option<Entity>,
}

/// A membership to add or take away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberWrite {
    /// The group.
    pub group: EntityId,
    /// What the member is.
    pub kind: Kind,
    /// The member.
    pub member: EntityId,
    /// For whom.
    pub origin: MemberOrigin,
    /// Whether it is added; else it is taken away.
    pub add: bool,
}
