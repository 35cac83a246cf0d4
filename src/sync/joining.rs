//! Applies the listing of one group: who joined is added, who left is taken away, within the limit.

use super::{
    apply::{aside, note, outrun_reason},
    compare::{Gone, Joining, Memory, Targets, Terms, compare, count_unchanged},
    error::Stop,
    job::{Filling, Job},
    lane::{Beside, Part},
    left,
    members::{Listing, Standing},
    naming,
    plan::{Item, What},
    record::Count,
    table::{Entry, Table, target_hash},
};
use crate::{
    model::{
        Action, AppliedMember, Attribute, Change, Diff, EntityId, Fingerprint, Kind, Link,
        MemberCounters, MemberState, ObjectRef, Outcome, Reason, SourceId, Value,
    },
    store::LinkPart,
};
use std::collections::{HashMap, HashSet};

/// Memberships in a slice.
const SLICE: usize = 400;

/// Brings one group's memberships up to date; puts it back if somebody else is about it.
pub(super) async fn apply(job: &Job, group: Filling, listing: Listing) -> Result<(), Stop> {
    if is_as_listed(job, &group, &listing) {
        let counters = count_unchanged(&listing);
        {
            let mut ledger = job.ledger();
            ledger.count_members(&counters);
            ledger.count(group.rule.as_ref(), &group.count);
        }
        job.tell_progress();
        return Ok(());
    }
    let link = job.link_of(Kind::Group, &group.source).await?;
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
    let joining = joining(job, &group, &listing, &target).await?;
    if !write(job, &group, link, listing.fingerprint, joining).await? {
        job.groups_to_fill().push(group);
    }
    Ok(())
}

fn is_as_listed(job: &Job, group: &Filling, listing: &Listing) -> bool {
    let table = job.table(Kind::Group);
    let told = table.get(&group.source).is_some_and(|entry| entry.told);
    let same = table.members(&group.source) == listing.fingerprint;
    !told && (same || is_void(&table, group, listing))
}

async fn joining(
    job: &Job,
    group: &Filling,
    listing: &Listing,
    target: &EntityId,
) -> Result<Joining, Stop> {
    let remembered = job.remembered(&group.source).await?;
    let targets = targets(job, listing, &remembered).await?;
    let gone = gone(job, &remembered, &targets).await?;
    let terms = Terms {
        uid: job.integration.uid,
        limit: job.integration.limits.member_loss_percent(),
        gone: &gone,
    };
    let mut joining = compare(terms, target, listing, remembered, &targets);
    naming::name(job, &mut joining).await?;
    Ok(joining)
}

/// Those of the members that were deleted in the directory, as far as it matters: who joins now, and, if anybody leaves, all
/// who were members before.
async fn gone(job: &Job, remembered: &[AppliedMember], targets: &Targets) -> Result<Gone, Stop> {
    let mut all = HashSet::new();
    let mut joining: HashMap<&SourceId, _> = targets.iter().collect();
    let mut leaves = false;
    for member in remembered {
        if let MemberState::Applied(id) = &member.state {
            leaves |= !targets.contains_key(&member.source);
            joining.remove(&member.source);
            all.insert((member.kind, id.clone()));
        }
    }
    if !leaves {
        all.clear();
    }
    for (source, (kind, _, target)) in joining {
        let target = target.as_ref();
        // What a preview makes is nowhere yet.
        if let Some(id) = target.filter(|id| !job.is_planned(*kind, source, id)) {
            all.insert((*kind, id.clone()));
        }
    }
    let company = &job.integration.company;
    Ok(job.store.absent_among(company, all).await?)
}

/// How a group is accounted for with what becomes of its memberships.
fn count(group: &Filling, joining: &Joining) -> Count {
    let changed = !joining.joined.is_empty() || !joining.left.is_empty();
    match (&group.count, &joining.held) {
        (Count::Added, _) => Count::Added,
        (Count::Modified, _) => Count::Modified,
        _ if changed => Count::Modified,
        (_, Some(reason)) => Count::Skipped(reason.clone()),
        (other, None) => other.clone(),
    }
}

/// A group that never had a member and has none.
fn is_void(table: &Table, group: &Filling, listing: &Listing) -> bool {
    let has_members = |entry: Entry| entry.has_members;
    listing.members.is_empty() && !table.get(&group.source).is_some_and(has_members)
}

/// The directory objects of members as they are remembered, of those who have them still.
fn known<'m>(job: &Job, remembered: &'m [AppliedMember]) -> HashMap<&'m SourceId, &'m EntityId> {
    let known = remembered.iter().filter_map(|member| {
        let MemberState::Applied(target) = &member.state else {
            return None;
        };
        let entry = job.table(member.kind).get(&member.source)?;
        (entry.target == target_hash(target)).then_some((&member.source, target))
    });
    known.collect()
}

/// Finds the directory objects of all wanted members.
async fn targets(
    job: &Job,
    listing: &Listing,
    remembered: &[AppliedMember],
) -> Result<Targets, Stop> {
    let known = known(job, remembered);
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
        let links = job.links_of(kind, sources).await?;
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
        let links = job.links(Kind::User, after.take(), 1000).await?;
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

/// Whether it was written, or need not be; else somebody is about it.
pub(super) async fn write(
    job: &Job,
    group: &Filling,
    mut link: Link,
    fingerprint: Fingerprint,
    mut joining: Joining,
) -> Result<bool, Stop> {
    let count = count(group, &joining);
    let mut records = records(job, group, &link, &joining);
    let held = joining.held.as_ref();
    let told = held.map_or(Fingerprint::NONE, |reason| left::told(reason, fingerprint));
    let still = joining.joined.is_empty() && joining.left.is_empty();
    if still && is_on_record(job, &link, told) {
        records.clear();
    }
    loop {
        let _slice = job.lane_slice().await;
        match job.beside(Kind::Group, &group.source, Part::Members) {
            Beside::Nothing => {}
            Beside::UnderWay => return Ok(false),
            Beside::Done => return outrun(job, group).await.map(|()| true),
        }
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
        if !keep.is_empty() || !forget.is_empty() {
            slice.remembered = vec![(group.source.clone(), keep, forget)];
        }
        // Until the last part is written nothing may say that the memberships are as listed.
        let has_members = joining.remains || !last;
        let complete = last && joining.held.is_none();
        let members_fingerprint = if complete {
            fingerprint
        } else {
            Fingerprint::NONE
        };
        let before = link.clone();
        (link.members_fingerprint, link.has_members) = (members_fingerprint, has_members);
        // Until then it is not on record.
        link.told = if last { told } else { Fingerprint::NONE };
        if link != before {
            slice.parts = vec![(Kind::Group, link.clone(), LinkPart::Members)];
        }
        let item = item(group);
        let mut counts = Vec::new();
        if last {
            slice.changes.append(&mut records);
            job.ledger().count_members(&joining.counters);
            counts.push((&item, &count));
        }
        if let Err(which) = job.commit(slice, &counts).await? {
            tracing::error!(?which, group = %group.source, "a slice of memberships conflicts");
            job.ledger().count(
                group.rule.as_ref(),
                &Count::Failed(Reason::new("BUSY", "the group kept changing")),
            );
            return Ok(true);
        }
        job.table(Kind::Group).learn(&link);
        if last {
            return Ok(true);
        }
    }
}

/// Whether this is on record of a group already, and nobody asked.
fn is_on_record(job: &Job, link: &Link, told: Fingerprint) -> bool {
    told != Fingerprint::NONE && link.told == told && !job.context().asked
}

/// Leaves a group to what was done about its memberships meanwhile.
async fn outrun(job: &Job, group: &Filling) -> Result<(), Stop> {
    let (skipped, none) = (outrun_reason(), MemberCounters::default());
    let count = Count::Skipped(skipped.clone());
    // What was recorded of the group itself says it already.
    if group.count == count {
        job.ledger().count(group.rule.as_ref(), &count);
        return Ok(());
    }
    record(job, group, count, Outcome::Skipped, skipped, &none).await
}

/// The group itself, to be accounted for.
pub(super) fn item(group: &Filling) -> Item {
    let what = What::Observe(group.count.clone());
    Item {
        kind: Kind::Group,
        source: group.source.clone(),
        label: group.label.clone(),
        unlinked: false,
        rule: group.rule.clone(),
        size: None,
        what,
    }
}

/// What is recorded: who joined and left, or why nobody may leave; and who is never provisioned.
fn records(job: &Job, group: &Filling, link: &Link, joining: &Joining) -> Vec<Change> {
    let (joined, left) = (naming::names(&joining.joined), naming::names(&joining.left));
    let mut records = Vec::new();
    let changed = joined.is_some() || left.is_some();
    if changed || joining.held.is_some() {
        let outcome = match changed {
            true => Outcome::Applied,
            false => Outcome::Skipped,
        };
        let held = joining.held.clone();
        records.push(describe(job, group, link, outcome, held, (left, joined)));
    }
    if let Some(outside) = naming::names(&joining.external) {
        let text = format!("{} members are not of this company", joining.external.len());
        let reason = Some(Reason::new("EXTERNAL", text));
        records.push(describe(
            job,
            group,
            link,
            Outcome::Skipped,
            reason,
            (None, Some(outside)),
        ));
    }
    records
}

fn describe(
    job: &Job,
    group: &Filling,
    link: &Link,
    outcome: Outcome,
    reason: Option<Reason>,
    (old, new): (Option<Value>, Option<Value>),
) -> Change {
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
        outcome,
        reason,
        diffs: vec![Diff {
            attribute: Attribute::new("members"),
            old,
            new,
        }],
        time: job.clock.now(),
    }
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
    let item = item(group);
    let mut slice = job.slice();
    slice.changes.push(aside(job, &item, outcome, reason));
    job.ledger().count_members(members);
    note(job, slice, &[(&item, &count)]).await?;
    Ok(())
}
