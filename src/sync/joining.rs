//! Applies the listing of one group: who joined is added, who left is taken away, within the limit.

use super::{
    error::Stop,
    job::{Filling, Job},
    members::{Listing, Standing},
    plan::{Item, What},
    record::Count,
};
use crate::model::{
    Action, AppliedMember, Attribute, Change, Diff, EntityId, Fingerprint, Kind, Link,
    MemberCounters, MemberOrigin, MemberState, MemberWrite, ObjectRef, Outcome, Reason, SourceId,
    Uid, Value,
};
use std::collections::{HashMap, HashSet};

/// Memberships in a slice.
const SLICE: usize = 400;
/// Names that a change record lists; the number of the others is given.
const NAMES: usize = 50;

/// One membership: what is written and what is remembered of it stand or fall together.
struct Step {
    write: Option<MemberWrite>,
    memory: Memory,
}

enum Memory {
    Keep(AppliedMember),
    Forget(SourceId),
}

/// What is to be done about the memberships of one group.
#[derive(Default)]
struct Joining {
    steps: Vec<Step>,
    /// Whether any member is remembered afterwards.
    remains: bool,
    joined: Vec<String>,
    left: Vec<String>,
    counters: MemberCounters,
    /// Why those who left stay for now.
    held: Option<Reason>,
}

/// Brings one group's memberships up to date.
pub(super) async fn apply(job: &Job, group: Filling, listing: Listing) -> Result<(), Stop> {
    if job.table(Kind::Group).members(&group.source) == listing.fingerprint
        || listing_is_void(job, &group, &listing)
    {
        let counters = count_unchanged(&listing);
        let mut ledger = job.ledger();
        ledger.count_members(&counters);
        ledger.count(group.rule.as_ref(), &group.count);
        return Ok(());
    }
    let uid = job.integration.uid;
    let link = job
        .store
        .links_of(uid, Kind::Group, vec![group.source.clone()])
        .await?
        .into_iter()
        .next()
        .flatten();
    let Some((link, target)) =
        link.and_then(|link| link.target.clone().map(|(target, _)| (link, target)))
    else {
        let reason = Reason::new("NOT_LINKED", "the group is not provisioned");
        return record(
            job,
            &group,
            Count::Skipped(reason.clone()),
            Outcome::Skipped,
            reason,
            &MemberCounters::default(),
        )
        .await;
    };
    let remembered = job.store.remembered(uid, &group.source).await?;
    let targets = targets(job, &listing, &remembered).await?;
    let terms = Terms {
        uid,
        limit: job.integration.limits.member_loss_percent(),
    };
    let joining = compare(terms, &target, &listing, remembered, &targets);
    write(job, &group, link, listing.fingerprint, joining).await
}

/// A group that never had a member and has none.
fn listing_is_void(job: &Job, group: &Filling, listing: &Listing) -> bool {
    listing.members.is_empty()
        && !job
            .table(Kind::Group)
            .get(&group.source)
            .is_some_and(|entry| entry.has_members)
}

fn count_unchanged(listing: &Listing) -> MemberCounters {
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

/// The wanted members: source id -> (kind, label, directory object if there is one).
type Targets = HashMap<SourceId, (Kind, String, Option<EntityId>)>;

/// For which integration memberships are compared, and how many percent a group may lose.
#[derive(Clone, Copy)]
struct Terms {
    uid: Uid,
    limit: u32,
}

/// Finds the directory objects of all wanted members.
async fn targets(
    job: &Job,
    listing: &Listing,
    remembered: &[AppliedMember],
) -> Result<Targets, Stop> {
    let known: HashMap<&SourceId, &EntityId> = remembered
        .iter()
        .filter_map(|member| match &member.state {
            MemberState::Applied(target) => Some((&member.source, target)),
            MemberState::Pending => None,
        })
        .collect();
    let mut targets = Targets::new();
    let mut unknown: HashMap<Kind, Vec<SourceId>> = HashMap::new();
    for (member, standing) in &listing.members {
        let label = member
            .email
            .clone()
            .unwrap_or_else(|| member.id.to_string());
        match standing {
            Standing::Linked(kind) => {
                let target = known.get(&member.id).map(|target| (*target).clone());
                if target.is_none() {
                    unknown.entry(*kind).or_default().push(member.id.clone());
                }
                targets.insert(member.id.clone(), (*kind, label, target));
            }
            Standing::Pending(kind) => {
                targets.insert(member.id.clone(), (*kind, label, None));
            }
            Standing::Everyone => everyone(job, &mut targets).await?,
            Standing::External => {}
        }
    }
    for (kind, sources) in unknown {
        let links = job
            .store
            .links_of(job.integration.uid, kind, sources)
            .await?;
        for link in links.into_iter().flatten() {
            if let (Some((target, _)), Some(wanted)) = (link.target, targets.get_mut(&link.source))
            {
                wanted.2 = Some(target);
            }
        }
    }
    Ok(targets)
}

/// Adds all linked active users.
async fn everyone(job: &Job, targets: &mut Targets) -> Result<(), Stop> {
    let mut after = None;
    loop {
        let links = job
            .store
            .links(job.integration.uid, Kind::User, after.take(), 1000)
            .await?;
        let Some(last) = links.last() else {
            return Ok(());
        };
        after = Some(last.source.clone());
        for link in links.into_iter().filter(|link| link.active) {
            if let Some((target, _)) = link.target {
                let label = link.source.to_string();
                targets
                    .entry(link.source)
                    .or_insert((Kind::User, label, Some(target)));
            }
        }
    }
}

fn compare(
    terms: Terms,
    group: &EntityId,
    listing: &Listing,
    remembered: Vec<AppliedMember>,
    targets: &Targets,
) -> Joining {
    let origin = MemberOrigin::Integration(terms.uid);
    let mut joining = Joining {
        counters: count_unchanged(listing),
        ..Joining::default()
    };
    let before: HashMap<SourceId, (Kind, MemberState)> = remembered
        .into_iter()
        .map(|member| (member.source, (member.kind, member.state)))
        .collect();
    let wanted: HashSet<&EntityId> = targets
        .values()
        .filter_map(|(_, _, target)| target.as_ref())
        .collect();
    let applied = before
        .values()
        .filter(|(_, state)| matches!(state, MemberState::Applied(_)))
        .count();
    for (source, (kind, state)) in &before {
        if targets.contains_key(source) {
            continue;
        }
        let mut step = Step {
            write: None,
            memory: Memory::Forget(source.clone()),
        };
        if let MemberState::Applied(target) = state {
            // Somebody whose source object was made again is still wanted, under the new id.
            if !wanted.contains(target) {
                let (group, member, origin) = (group.clone(), target.clone(), origin.clone());
                step.write = Some(MemberWrite {
                    group,
                    kind: *kind,
                    member,
                    origin,
                    add: false,
                });
                joining.left.push(target.to_string());
            }
        }
        joining.steps.push(step);
    }
    hold(terms.limit, &mut joining, applied);
    joining.remains = before.len() > joining.steps.len() || !targets.is_empty();
    joining.counters.considered += joining.left.len() as u64;
    joining.counters.removed = joining.left.len() as u64;
    for (source, (kind, label, target)) in targets {
        let state = target
            .clone()
            .map_or(MemberState::Pending, MemberState::Applied);
        if before.get(source).is_some_and(|(_, known)| *known == state) {
            continue;
        }
        let memory = Memory::Keep(AppliedMember {
            kind: *kind,
            source: source.clone(),
            state,
        });
        let write = target.clone().map(|member| {
            joining.joined.push(label.clone());
            MemberWrite {
                group: group.clone(),
                kind: *kind,
                member,
                origin: origin.clone(),
                add: true,
            }
        });
        joining.steps.push(Step { write, memory });
    }
    let listed = listing
        .members
        .iter()
        .filter(|(_, standing)| matches!(standing, Standing::Linked(_) | Standing::Everyone));
    let added = (joining.joined.len() as u64).min(listed.count() as u64);
    joining.counters.added = added;
    joining.counters.unchanged -= added;
    joining
}

/// Holds those who left back if a group would lose more than the limit allows: nothing of it is forgotten.
fn hold(limit: u32, joining: &mut Joining, applied: usize) {
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

async fn write(
    job: &Job,
    group: &Filling,
    link: Link,
    fingerprint: Fingerprint,
    mut joining: Joining,
) -> Result<(), Stop> {
    let changed = !joining.joined.is_empty() || !joining.left.is_empty();
    let count = match (&group.count, &joining.held) {
        (Count::Added, _) => Count::Added,
        (Count::Modified, _) => Count::Modified,
        _ if changed => Count::Modified,
        (_, Some(reason)) => Count::Skipped(reason.clone()),
        (other, None) => other.clone(),
    };
    let change =
        (changed || joining.held.is_some()).then(|| describe(job, group, &link, &joining, changed));
    loop {
        let mut slice = job.slice();
        let rest = joining.steps.split_off(joining.steps.len().min(SLICE));
        let (mut keep, mut forget) = (Vec::new(), Vec::new());
        for step in std::mem::replace(&mut joining.steps, rest) {
            slice.members.extend(step.write);
            match step.memory {
                Memory::Keep(member) => keep.push(member),
                Memory::Forget(source) => forget.push(source),
            }
        }
        let last = joining.steps.is_empty();
        slice.remembered = vec![(group.source.clone(), keep, forget)];
        // Until the last part is written nothing may say that the memberships are as listed.
        let has_members = joining.remains || !last;
        let complete = last && joining.held.is_none();
        let members_fingerprint = if complete {
            fingerprint
        } else {
            Fingerprint::NONE
        };
        slice.links = vec![(
            Kind::Group,
            Link {
                members_fingerprint,
                has_members,
                ..link.clone()
            },
        )];
        let links = slice.links.clone();
        let item = item(group);
        let mut counts = Vec::new();
        if last {
            slice.changes.extend(change.clone());
            job.ledger().count_members(&joining.counters);
            counts.push((&item, &count));
        }
        if let Err(which) = job.commit(slice, &counts).await? {
            tracing::error!(?which, group = %group.source, "a slice of memberships conflicts");
            job.ledger().count(
                group.rule.as_ref(),
                &Count::Failed(Reason::new("BUSY", "the group kept changing")),
            );
            return Ok(());
        }
        links
            .iter()
            .for_each(|(_, link)| job.table(Kind::Group).learn(link));
        if last {
            return Ok(());
        }
    }
}

fn item(group: &Filling) -> Item {
    let what = What::Observe(group.count.clone());
    Item {
        kind: Kind::Group,
        source: group.source.clone(),
        label: group.label.clone(),
        rule: group.rule.clone(),
        size: None,
        what,
    }
}

fn describe(job: &Job, group: &Filling, link: &Link, joining: &Joining, changed: bool) -> Change {
    let target = link
        .target
        .as_ref()
        .map(|(id, _)| id.to_string())
        .unwrap_or_default();
    Change {
        rule: group.rule.clone(),
        action: Some(Action::Modify),
        source: ObjectRef {
            kind: Kind::Group,
            id: group.source.to_string(),
            label: group.label.clone(),
        },
        target: Some(ObjectRef {
            kind: Kind::Group,
            id: target,
            label: group.label.clone(),
        }),
        outcome: if changed {
            Outcome::Applied
        } else {
            Outcome::Skipped
        },
        reason: joining.held.clone(),
        diffs: vec![Diff {
            attribute: Attribute::new("members"),
            old: names(&joining.left),
            new: names(&joining.joined),
        }],
        time: job.clock.now(),
    }
}

fn names(all: &[String]) -> Option<Value> {
    let mut names: Vec<String> = all.iter().take(NAMES).cloned().collect();
    names.sort();
    if all.len() > NAMES {
        names.push(format!("and {} more", all.len() - NAMES));
    }
    (!names.is_empty()).then_some(Value::List(names))
}

/// Records a group whose memberships were not brought up to date.
pub(super) async fn record(
    job: &Job,
    group: &Filling,
    count: Count,
    outcome: Outcome,
    reason: Reason,
    members: &MemberCounters,
) -> Result<(), Stop> {
    let source = ObjectRef {
        kind: Kind::Group,
        id: group.source.to_string(),
        label: group.label.clone(),
    };
    let change = Change {
        rule: group.rule.clone(),
        outcome,
        ..job.undecided(source, None, reason)
    };
    let mut slice = job.slice();
    slice.changes.push(change);
    job.ledger().count_members(members);
    let item = item(group);
    job.commit(slice, &[(&item, &count)]).await?.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
