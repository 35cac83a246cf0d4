//! The run's compact table: what of the links a run must know about every object, in about 40 bytes each.

use crate::model::{EntityId, Fingerprint, Link, SourceId};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hasher},
};

/// The keys are hashes already.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

/// What is known about one source object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) fingerprint: Fingerprint,
    /// Hash of the target object that is linked; 0 = there is none.
    pub(super) target: u32,
    /// The source says active, or does not say.
    pub(super) active: bool,
    /// A group of which members are remembered.
    pub(super) has_members: bool,
    /// That the source no longer lists it was recorded before.
    pub(super) absent: bool,
    /// Why it was left as it is was recorded before.
    pub(super) told: bool,
    /// This run has read it.
    pub(super) seen: bool,
}

impl Entry {
    /// Whether a target object is linked.
    pub(super) fn is_linked(&self) -> bool {
        self.target != 0
    }
}

/// Stable hash of the id of a target; never 0.
pub(super) fn target_hash(id: &EntityId) -> u32 {
    // FNV-1a: it only has to differ from that of the target before.
    let mixed = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    id.as_str().bytes().fold(0x811c_9dc5, mixed).max(1)
}

/// Objects of one kind, by a hash of their source id, 64 bits of which are kept: among a million objects there are two of one
/// hash in one directory of 37 million. Of those the run takes the second for the first, read again, and leaves it out.
#[derive(Default)]
pub(super) struct Table {
    entries: ByHash<Entry>,
    members: ByHash<Fingerprint>,
}

/// Where an object is in a table. It goes into what [`Table::everyone`] tells, so that another hash, as another version of the
/// standard library may have, makes a run compare such groups once more.
fn key(id: &SourceId) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(id.as_str().as_bytes());
    hasher.finish()
}

/// Stable hash of a source id.
pub(super) fn id_hash(id: &SourceId) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(id.as_str().as_bytes());
    Fingerprint::of(&hasher).0
}

impl Table {
    /// Takes in what a link says.
    pub(super) fn learn(&mut self, link: &Link) {
        let key = key(&link.source);
        let entry = self.entries.entry(key).or_default();
        entry.fingerprint = link.fingerprint;
        entry.target = link.target.as_ref().map_or(0, |(id, _)| target_hash(id));
        entry.active = link.active;
        entry.has_members = link.has_members;
        entry.absent = link.absent;
        entry.told = link.told != Fingerprint::NONE;
        if link.members_fingerprint != Fingerprint::NONE {
            self.members.insert(key, link.members_fingerprint);
        } else {
            self.members.remove(&key);
        }
    }

    /// What is known about an object; none if it was never observed.
    pub(super) fn get(&self, id: &SourceId) -> Option<Entry> {
        self.entries.get(&key(id)).copied()
    }

    /// Hash of the memberships last applied to a group in full.
    pub(super) fn members(&self, id: &SourceId) -> Fingerprint {
        self.members.get(&key(id)).copied().unwrap_or_default()
    }

    /// Marks an object as read by this run; tells what was known about it before, or `None` if this run has read it
    /// already (rows repeat when the source changes between pages).
    pub(super) fn see(&mut self, id: &SourceId) -> Option<Option<Entry>> {
        match self.entries.entry(key(id)) {
            std::collections::hash_map::Entry::Occupied(mut known) if !known.get().seen => {
                let before = *known.get();
                known.get_mut().seen = true;
                Some(Some(before))
            }
            std::collections::hash_map::Entry::Occupied(_) => None,
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(Entry {
                    seen: true,
                    ..Entry::default()
                });
                Some(None)
            }
        }
    }

    /// How many linked objects this run has not read.
    pub(super) fn absent(&self) -> u64 {
        self.entries
            .values()
            .filter(|entry| entry.is_linked() && !entry.seen)
            .count() as u64
    }

    /// Order-independent hash of all linked active objects and their targets: what a member "everyone" stands for.
    pub(super) fn everyone(&self) -> u64 {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.is_linked() && entry.active)
            .fold(0u64, |sum, (key, entry)| {
                let mixed = key.rotate_left(17) ^ u64::from(entry.target);
                sum.wrapping_add(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SourceId {
        SourceId::try_new(text).unwrap()
    }

    fn link(text: &str, linked: bool) -> Link {
        let target = linked.then(|| (EntityId::generate(), crate::model::LinkOrigin::Created));
        Link {
            source: id(text),
            target,
            fingerprint: Fingerprint(7),
            members_fingerprint: Fingerprint::NONE,
            active: true,
            has_members: false,
            absent: false,
            told: Fingerprint::NONE,
        }
    }

    #[test]
    fn a_row_that_repeats_is_seen_once() {
        let mut table = Table::default();
        assert!(matches!(table.see(&id("a")), Some(None)));
        assert!(table.see(&id("a")).is_none());
    }

    #[test]
    fn only_linked_objects_that_were_not_read_are_absent() {
        let mut table = Table::default();
        for link in [
            link("read", true),
            link("gone", true),
            link("observed", false),
        ] {
            table.learn(&link);
        }
        table.see(&id("read"));
        assert_eq!(table.absent(), 1);
    }

    #[test]
    fn everyone_depends_on_who_is_linked_and_not_on_the_order() {
        let (mut one, mut other) = (Table::default(), Table::default());
        let (a, b) = (link("a", true), link("b", true));
        [&a, &b].into_iter().for_each(|l| one.learn(l));
        [&b, &a].into_iter().for_each(|l| other.learn(l));
        assert_eq!(one.everyone(), other.everyone());
        // The same source object, and another object of the directory.
        let before = one.everyone();
        one.learn(&link("a", true));
        assert_ne!(one.everyone(), before);
        other.learn(&link("c", true));
        assert_ne!(one.everyone(), other.everyone());
    }
}
