//! Compares the listing of one group with the memberships that this integration applied before: pure.

use super::members::{Listing, Standing};
use crate::connector::SourceMember;
use crate::model::{
    AppliedMember, EntityId, Kind, MemberCounters, MemberOrigin, MemberState, MemberWrite, Reason,
    SourceId, Uid,
};
use std::collections::{HashMap, HashSet};

/// One membership: what is written and what is remembered of it stand or fall together.
pub(super) struct Step {
    pub(super) write: Option<MemberWrite>,
    /// Whether somebody is told of: who was deleted in the directory neither joins nor leaves before he is had back.
    pub(super) told: bool,
    pub(super) memory: Memory,
}

pub(super) enum Memory {
    Keep(AppliedMember),
    Forget(SourceId),
}

/// What is to be done about the memberships of one group.
#[derive(Default)]
pub(super) struct Joining {
    pub(super) steps: Vec<Step>,
    /// Whether any member is remembered afterwards.
    pub(super) remains: bool,
    pub(super) joined: Vec<String>,
    pub(super) left: Vec<String>,
    /// Members outside the customer: never provisioned.
    pub(super) external: Vec<String>,
    pub(super) counters: MemberCounters,
    /// Why those who left stay for now.
    pub(super) held: Option<Reason>,
}

/// Members that were deleted in the directory, and whether they can be had back.
pub(super) type Gone = HashMap<(Kind, EntityId), bool>;

/// For which integration memberships are compared, how many percent a group may lose, and who of the members is gone.
#[derive(Clone, Copy)]
pub(super) struct Terms<'t> {
    pub(super) uid: Uid,
    pub(super) limit: u32,
    pub(super) gone: &'t Gone,
}

impl Terms<'_> {
    /// None = it is there.
    fn gone(self, kind: Kind, member: &EntityId) -> Option<bool> {
        if self.gone.is_empty() {
            return None;
        }
        self.gone.get(&(kind, member.clone())).copied()
    }
}

/// The wanted members: source id -> (kind, label, directory object if there is one).
pub(super) type Targets = HashMap<SourceId, (Kind, String, Option<EntityId>)>;

pub(super) fn count_unchanged(listing: &Listing) -> MemberCounters {
    let mut counters = MemberCounters::default();
    for (_, standing) in &listing.members {
        counters.considered += 1;
        match standing {
            Standing::Linked(_) | Standing::Everyone => counters.unchanged += 1,
            Standing::Pending(_) => counters.pending += 1,
            Standing::External => counters.skipped += 1,
        }
    }
    counters
}

pub(super) fn compare(
    terms: Terms<'_>,
    group: &EntityId,
    listing: &Listing,
    remembered: Vec<AppliedMember>,
    targets: &Targets,
) -> Joining {
    let mut joining = Joining {
        counters: count_unchanged(listing),
        external: external(listing),
        ..Joining::default()
    };
    let before: Before = remembered
        .into_iter()
        .map(|member| (member.source, (member.kind, member.state)))
        .collect();
    let write = |kind: Kind, member: &EntityId, add: bool| MemberWrite {
        group: group.clone(),
        kind,
        member: member.clone(),
        origin: MemberOrigin::Integration(terms.uid),
        add,
    };
    leave(terms, &mut joining, &before, targets, &write);
    let applied = |(kind, state): &&(Kind, MemberState)| match state {
        MemberState::Applied(member) => terms.gone(*kind, member).is_none(),
        MemberState::Pending => false,
    };
    hold(
        terms.limit,
        &mut joining,
        before.values().filter(applied).count(),
    );
    joining.remains = before.len() > joining.steps.len() || !targets.is_empty();
    joining.counters.considered += joining.left.len() as u64;
    joining.counters.removed = joining.left.len() as u64;
    join(terms, &mut joining, &before, targets, &write);
    let standing = |(_, standing): &&(_, Standing)| {
        matches!(standing, Standing::Linked(_) | Standing::Everyone)
    };
    let listed = listing.members.iter().filter(standing).count() as u64;
    let added = (joining.joined.len() as u64).min(listed);
    joining.counters.added = added;
    joining.counters.unchanged -= added;
    joining
}

fn external(listing: &Listing) -> Vec<String> {
    let outside = listing
        .members
        .iter()
        .filter(|(_, standing)| *standing == Standing::External);
    let label = |(member, _): &(SourceMember, Standing)| {
        member
            .email
            .clone()
            .unwrap_or_else(|| member.id.to_string())
    };
    outside.map(label).collect()
}

/// Memberships as they are remembered.
type Before = HashMap<SourceId, (Kind, MemberState)>;

/// The directory objects that are to be members.
fn wanted(targets: &Targets) -> HashSet<&EntityId> {
    let wanted = targets.values();
    wanted
        .filter_map(|(_, _, target)| target.as_ref())
        .collect()
}

/// Steps for those who are remembered and no longer listed.
fn leave(
    terms: Terms<'_>,
    joining: &mut Joining,
    before: &Before,
    targets: &Targets,
    write: &dyn Fn(Kind, &EntityId, bool) -> MemberWrite,
) {
    let wanted = wanted(targets);
    for (source, (kind, state)) in before {
        if targets.contains_key(source) {
            continue;
        }
        let mut step = Step {
            write: None,
            told: false,
            memory: Memory::Forget(source.clone()),
        };
        if let MemberState::Applied(target) = state {
            // Somebody whose source object was made again is still wanted, under the new id.
            if !wanted.contains(target) {
                step.write = Some(write(*kind, target, false));
                step.told = terms.gone(*kind, target).is_none();
                joining.left.extend(step.told.then(|| target.to_string()));
            }
        }
        joining.steps.push(step);
    }
}

/// Steps for those who are listed and not remembered so.
fn join(
    terms: Terms<'_>,
    joining: &mut Joining,
    before: &Before,
    targets: &Targets,
    write: &dyn Fn(Kind, &EntityId, bool) -> MemberWrite,
) {
    let wanted = wanted(targets);
    for (source, (kind, label, target)) in targets {
        let state = target
            .clone()
            .map_or(MemberState::Pending, MemberState::Applied);
        let known = before.get(source).map(|(_, known)| known);
        if known == Some(&state) {
            continue;
        }
        // Whoever it stood for before is a member no longer for its sake; nobody left.
        if let Some(MemberState::Applied(other)) = known
            && !wanted.contains(other)
        {
            joining.steps.push(Step {
                write: Some(write(*kind, other, false)),
                told: false,
                memory: Memory::Forget(source.clone()),
            });
        }
        let member = AppliedMember {
            kind: *kind,
            source: source.clone(),
            state,
        };
        let gone = target.as_ref().map(|target| terms.gone(*kind, target));
        // Who is gone for good is never a member; who can be had back will be one then.
        let joins = target.as_ref().filter(|_| gone != Some(Some(false)));
        let write = joins.map(|target| write(*kind, target, true));
        let told = gone == Some(None);
        joining.joined.extend(told.then(|| label.clone()));
        joining.steps.push(Step {
            write,
            told,
            memory: Memory::Keep(member),
        });
    }
}

/// Holds those who left back if a group would lose more than the limit allows: nothing of it is forgotten.
pub(super) fn hold(limit: u32, joining: &mut Joining, applied: usize) {
    let losing = joining.left.len();
    if losing == 0 || losing * 100 <= applied * limit as usize {
        return;
    }
    joining.held = Some(Reason::new(
        "MEMBER_LOSS_LIMIT",
        format!(
            "{losing} of {applied} members left at the source, more than the limit of {limit} %; they are kept"
        ),
    ));
    joining.counters.considered += losing as u64;
    joining.counters.skipped += losing as u64;
    joining.steps.clear();
    joining.left.clear();
}

#[cfg(test)]
mod tests;
