//! Links.

use super::{Error, codes, entity_id};
use crate::{
    model::{Fingerprint, Link, LinkOrigin, SourceId},
    store::keys,
};

codes!(LinkOrigin, origin_code, origin_of, Created = 1, Adopted = 2);

/// A link; integration, kind and source id are in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct LinkRow {
    #[prost(bytes = "vec", tag = "1")]
    target: Vec<u8>,
    #[prost(uint32, tag = "2")]
    origin: u32,
    #[prost(fixed64, tag = "3")]
    fingerprint: u64,
    #[prost(fixed64, tag = "4")]
    members_fingerprint: u64,
    #[prost(bool, tag = "5")]
    active: bool,
    #[prost(bool, tag = "6")]
    has_members: bool,
    #[prost(bool, tag = "7")]
    absent: bool,
    #[prost(fixed64, tag = "9")]
    told: u64,
}

impl LinkRow {
    pub(in crate::store) fn row(link: &Link) -> Self {
        let Link {
            source: _,
            target,
            fingerprint,
            members_fingerprint,
            active,
            has_members,
            absent,
            told,
        } = link;
        let (target, origin) = match target {
            Some((id, origin)) => (keys::pack(id.as_str()), origin_code(*origin)),
            None => (Vec::new(), 0),
        };
        Self {
            target,
            origin,
            fingerprint: fingerprint.0,
            members_fingerprint: members_fingerprint.0,
            active: *active,
            has_members: *has_members,
            absent: *absent,
            told: told.0,
        }
    }

    pub(in crate::store) fn model(self, source: SourceId) -> Result<Link, Error> {
        let target = match super::optional(&self.target, entity_id)? {
            Some(id) => Some((id, origin_of(self.origin)?)),
            None => None,
        };
        Ok(Link {
            source,
            target,
            fingerprint: Fingerprint(self.fingerprint),
            members_fingerprint: Fingerprint(self.members_fingerprint),
            active: self.active,
            has_members: self.has_members,
            absent: self.absent,
            told: Fingerprint(self.told),
        })
    }
}
