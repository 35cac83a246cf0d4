//! The AppsCo directory's own objects.

use super::{Attribute, Attributes, CompanyId, EntityId, IntegrationId, Kind, SourceId, Time, Uid};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// Who wrote something last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenBy {
    /// A caller of the API, by name.
    Caller(String),
    /// An integration.
    Integration(IntegrationId),
}

/// That an integration provisions an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityLink {
    /// Which integration.
    pub integration: Uid,
    /// From which object of its system.
    pub source: SourceId,
}

/// A user or group of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Whose it is.
    pub company: CompanyId,
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: EntityId,
    /// What is its own for ever, unlike the id.
    pub uid: Uid,
    /// Its attributes; `userName`, the primary address, is always there.
    pub attributes: Attributes,
    /// Which integration owns which attribute (semantics 11).
    pub owners: BTreeMap<Attribute, IntegrationId>,
    /// Who provisions it.
    pub links: Vec<EntityLink>,
    /// Whether a person made it inactive: sync never re-activates it then (semantics 12).
    pub deactivated_by_hand: bool,
    /// Who wrote it last.
    pub written_by: WrittenBy,
    /// Counts its writes, from 1: what a write must have seen.
    pub revision: u64,
    /// When it was made.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

impl Entity {
    /// The primary address as it was given.
    pub fn email(&self) -> &str {
        self.attributes
            .text(&Attribute::USER_NAME)
            .unwrap_or_default()
    }

    /// From which object of that integration's system it is provisioned, if it is.
    pub fn linked_to(&self, integration: Uid) -> Option<&SourceId> {
        self.links
            .iter()
            .find(|link| link.integration == integration)
            .map(|link| &link.source)
    }
}

/// A user or group that a caller deleted, and can have back for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// As it was.
    pub entity: Entity,
    /// When it was deleted.
    pub delete_time: Time,
    /// From when on it can't be had back any more.
    pub expire_time: Time,
}

/// Who made somebody a member: as long as one of them stands, the membership does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberOrigin {
    /// A caller of the API.
    Caller,
    /// An integration.
    Integration(Uid),
}

/// A membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// User or group.
    pub kind: Kind,
    /// Its id.
    pub id: EntityId,
    /// Who made it a member; never empty.
    pub origins: Vec<MemberOrigin>,
}

/// The form in which addresses are compared: NFC, lower case, without blanks around.
pub fn fold_email(address: &str) -> String {
    let address = address.trim();
    if address.is_ascii() {
        return address.to_ascii_lowercase();
    }
    address.nfc().collect::<String>().to_lowercase()
}
