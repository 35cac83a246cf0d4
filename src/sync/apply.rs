//! Carries plans out, slice by slice: look, plan, write; if somebody else was quicker, look again.

use super::{
    error::Stop,
    job::{Filling, Job},
    lane::{Beside, Part},
    merge::OWNED_BY,
    plan::{self, Item, Plan, Planned, What, wanted_email},
    record::Count,
    table::target_hash,
};
use crate::{
    connector::{Prepared, Write},
    model::{Change, Entity, EntityId, Found, Kind, Link, LinkOrigin, ObjectRef, Outcome, Reason},
    store::{Error, Remembered, Slice},
};
use futures_util::{Stream, StreamExt, future::ready};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

/// Objects in a slice (semantics 19).
pub(super) const SLICE: usize = 100;
/// Slices under way at once: the store commits those that wait together.
const IN_FLIGHT: usize = 20;
/// How often a slice is planned anew because what it was based on changed meanwhile.
const ATTEMPTS: usize = 8;

/// Cuts items into slices.
pub(super) fn slices(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut slices = Vec::new();
    let mut rest = items.into_iter().peekable();
    while rest.peek().is_some() {
        slices.push(rest.by_ref().take(SLICE).collect());
    }
    slices
}

/// Applies slices of items of one kind, several at once; adds those items to `parked` that have to wait until the
/// listing is complete: for an address, or for who is about the same object.
pub(super) async fn apply(
    job: &Job,
    kind: Kind,
    slices: impl Stream<Item = Vec<Item>>,
    parked: &mut Vec<Item>,
) -> Result<(), Stop> {
    let failed = AtomicBool::new(false);
    let applied = slices
        .take_while(|_| ready(!failed.load(Ordering::Relaxed)))
        .map(|slice| one_slice(job, kind, slice))
        .buffered(IN_FLIGHT);
    let mut applied = std::pin::pin!(applied);
    let mut first = None;
    // What is under way is waited for though another failed: it is written all the same, or was counted and must be taken back.
    while let Some(done) = applied.next().await {
        match done {
            Ok(wait) => parked.extend(wait),
            Err(stop) => {
                failed.store(true, Ordering::Relaxed);
                first.get_or_insert(stop);
            }
        }
    }
    first.map_or(Ok(()), Err)
}

async fn one_slice(job: &Job, kind: Kind, mut items: Vec<Item>) -> Result<Vec<Item>, Stop> {
    let mut parked = Vec::new();
    for attempt in 0..ATTEMPTS {
        if job.cancel.is_cancelled() {
            let reason = Reason::new("CANCELLED", "the run was stopped before this object's turn");
            items.extend(parked);
            defer(job, &items, &reason);
            return Ok(Vec::new());
        }
        leave_outrun(job, &mut items).await?;
        parked.extend(items.extract_if(.., |item| beside(job, item) == Beside::UnderWay));
        if items.is_empty() {
            return Ok(parked);
        }
        let blind = attempt == 0 && job.seems_free(&items);
        let found = if blind {
            vec![Found::default(); items.len()]
        } else {
            job.find(kind, &items).await?
        };
        let context = job.context();
        let mut claimed = HashSet::new();
        let (mut decided, mut plans) = (Vec::new(), Vec::new());
        for (item, found) in items.drain(..).zip(&found) {
            match plan::plan(&item, found, &context) {
                Planned::Do(plan) if claims_anew(&plan, found, &item, &mut claimed) => {
                    decided.push(item);
                    plans.push(*plan);
                }
                Planned::Do(_) | Planned::Park => parked.push(item),
            }
        }
        if write(job, kind, &decided, plans).await?.is_ok() {
            return Ok(parked);
        }
        items = decided;
        if blind {
            job.met_others();
        }
    }
    let reason = Reason::new("BUSY", "others kept changing this object at the same time");
    defer(job, &items, &reason);
    Ok(parked)
}

fn beside(job: &Job, item: &Item) -> Beside {
    job.beside(item.kind, &item.source, Part::Object)
}

/// Commits a slice that depends on nothing that could have changed meanwhile.
pub(super) async fn note(job: &Job, slice: Slice, counts: &[(&Item, &Count)]) -> Result<(), Stop> {
    match job.commit(slice, counts).await? {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::Changed("what was only noted".to_owned()).into()),
    }
}

/// Takes those items out that were provisioned by themselves since this run began to read, and accounts for them: what was
/// read here may be older (semantics 16). Memberships that were not done with their group are still to be done.
pub(super) async fn leave_outrun(job: &Job, items: &mut Vec<Item>) -> Result<(), Stop> {
    let outrun = items.extract_if(.., |item| beside(job, item) == Beside::Done);
    let outrun: Vec<Item> = outrun.collect();
    if outrun.is_empty() {
        return Ok(());
    }
    let reason = outrun_reason();
    let count = Count::Skipped(reason.clone());
    let mut slice = job.slice();
    slice.changes = outrun
        .iter()
        .map(|item| aside(job, item, Outcome::Skipped, reason.clone()))
        .collect();
    let to_fill = |item: &&Item| {
        let provisioned = matches!(item.what, What::Provision { .. });
        let group = item.kind == Kind::Group && provisioned;
        group && job.beside(item.kind, &item.source, Part::Members) != Beside::Done
    };
    let (later, now): (Vec<&Item>, Vec<&Item>) = outrun.iter().partition(to_fill);
    let counts: Vec<_> = now.into_iter().map(|item| (item, &count)).collect();
    note(job, slice, &counts).await?;
    let later = later.into_iter();
    let later = later.map(|item| Filling::of(item, count.clone()));
    job.groups_to_fill().extend(later);
    Ok(())
}

/// Why a bulk run leaves alone what the other lane has done.
pub(super) fn outrun_reason() -> Reason {
    Reason::new(
        "PROVISIONED_MEANWHILE",
        "it was provisioned by itself since this run began to read, from what may be newer",
    )
}

/// A record for an item that is left as it is, or not decided.
pub(super) fn aside(job: &Job, item: &Item, outcome: Outcome, reason: Reason) -> Change {
    let source = ObjectRef {
        kind: item.kind,
        id: item.source.to_string(),
        label: item.label.clone(),
    };
    Change {
        rule: item.rule.clone(),
        outcome,
        ..job.undecided(source, None, reason)
    }
}

/// Whether no other item of the slice claims the address that this one would take.
fn claims_anew(plan: &Plan, found: &Found, item: &Item, claimed: &mut HashSet<String>) -> bool {
    let holds = found
        .target
        .as_ref()
        .map(|target| crate::model::fold_email(target.email()));
    let email = wanted_email(item);
    plan.write.is_none() || holds.as_ref() == Some(&email) || claimed.insert(email)
}

/// Writes the plans of items as one slice. The inner error says that somebody else was quicker, in the store or in the other
/// lane, and in the store also about which items: nothing was written.
pub(super) async fn write(
    job: &Job,
    kind: Kind,
    items: &[Item],
    mut plans: Vec<Plan>,
) -> Result<Result<(), Vec<usize>>, Stop> {
    let _slice = job.lane_slice().await;
    if items
        .iter()
        .any(|item| beside(job, item) != Beside::Nothing)
    {
        return Ok(Err(Vec::new()));
    }
    let (who, writes): (Vec<usize>, Vec<Write>) = plans
        .iter_mut()
        .enumerate()
        .filter_map(|(i, plan)| Some((i, plan.write.take()?)))
        .unzip();
    let mut slice = job.slice();
    // Which items the slice's objects are about, and behind them what was seen.
    let mut about = Vec::new();
    let seen = plans.iter_mut().enumerate();
    let seen = seen.filter_map(|(i, plan)| Some((i, plan.seen.take()?)));
    let (looked_at, seen): (Vec<usize>, _) = seen.unzip();
    slice.seen = seen;
    for (i, prepared) in who.into_iter().zip(job.writer()?.apply(writes).await?) {
        let Prepared::Entity(entity) = prepared;
        let Some(plan) = plans.get_mut(i) else {
            continue;
        };
        match crate::store::check_size(&entity) {
            Ok(()) => {
                name_target(plan, &entity);
                slice.entities.push(entity);
                about.push(i);
            }
            Err(error) => plan.give_up(Reason::new("TOO_LARGE", error.to_string())),
        }
    }
    about.extend(looked_at);
    if kind == Kind::Group {
        slice.remembered = inherited(job, &mut plans).await?;
    }
    let written = plans.iter_mut().filter_map(|plan| plan.link.take());
    slice.links.extend(written.map(|link| (kind, link)));
    let unlinked = plans.iter_mut().filter_map(|plan| plan.unlinks.take());
    slice.links.extend(unlinked.map(|link| (kind, link)));
    slice.changes = plans
        .iter_mut()
        .filter_map(|plan| plan.change.take())
        .collect();
    let links: Vec<Link> = slice.links.iter().map(|(_, link)| link.clone()).collect();
    // A group is accounted for once its memberships are done.
    let (later, now): (Vec<_>, Vec<_>) = items
        .iter()
        .zip(plans.iter().map(|plan| &plan.count))
        .partition(|(item, count)| waits(item, count));
    let answer = job.commit(slice, &now).await?;
    if answer.is_ok() {
        let mut table = job.table(kind);
        links.iter().for_each(|link| table.learn(link));
        job.groups_to_fill().extend(
            later
                .into_iter()
                .map(|(item, count)| Filling::of(item, count.clone())),
        );
    }
    let item = |index: usize| about.get(index).copied();
    Ok(answer.map_err(|which| which.into_iter().filter_map(item).collect()))
}

/// What was remembered of the members of groups that were deleted and made again goes over to the new source id, so that
/// who is no longer among them leaves. Of a group that gets another target, those are remembered who are members of that.
async fn inherited(job: &Job, plans: &mut [Plan]) -> Result<Vec<Remembered>, Stop> {
    let mut moved = Vec::new();
    for plan in plans {
        if let Some(link) = &mut plan.link
            && let Some(target) = another_target(job, link)
        {
            let before = job.remembered(&link.source).await?.into_iter();
            let before = before.map(|member| member.source).collect();
            let made = job.made_members(&target).await?;
            link.has_members = !made.is_empty();
            moved.push((link.source.clone(), made, before));
        }
        let (Some(gone), Some(new)) = (&plan.unlinks, &plan.link) else {
            continue;
        };
        let members = job.remembered(&gone.source).await?;
        let sources = members.iter().map(|member| member.source.clone());
        moved.push((gone.source.clone(), Vec::new(), sources.collect()));
        moved.push((new.source.clone(), members, Vec::new()));
    }
    Ok(moved)
}

/// The directory object that a group is to stand for from now on, if it is another one than before.
fn another_target(job: &Job, link: &Link) -> Option<EntityId> {
    let before = job.table(Kind::Group).get(&link.source)?;
    let (target, _) = link.target.as_ref()?;
    let another = before.is_linked() && target_hash(target) != before.target;
    another.then(|| target.clone())
}

/// Whether this is a group of which the memberships are still to be done.
fn waits(item: &Item, count: &Count) -> bool {
    let goes_on = match count {
        Count::Failed(_) | Count::Deferred(_) => false,
        // Whoever owns its name: its members are each integration's own.
        Count::Skipped(reason) => reason.code == OWNED_BY,
        Count::OutOfScope | Count::Unchanged | Count::Added | Count::Modified => true,
    };
    goes_on && item.kind == Kind::Group && matches!(item.what, What::Provision { .. })
}

/// Says in link and change record which object was made.
fn name_target(plan: &mut Plan, entity: &Entity) {
    if let Some(link) = plan.link.as_mut().filter(|link| link.target.is_none()) {
        link.target = Some((entity.id.clone(), LinkOrigin::Created));
    }
    if let Some(change) = plan.change.as_mut() {
        change.target = Some(ObjectRef {
            kind: entity.kind,
            id: entity.id.to_string(),
            label: entity.email().to_owned(),
        });
    }
}

/// Accounts for items that are not tried now.
pub(super) fn defer(job: &Job, items: &[Item], reason: &Reason) {
    let mut ledger = job.ledger();
    for item in items {
        match &item.what {
            What::Observe(count) => ledger.count(item.rule.as_ref(), count),
            What::Defect(_) | What::Protected | What::Unclear(_) | What::Provision { .. } => {
                ledger.count(item.rule.as_ref(), &Count::Deferred(reason.clone()));
            }
        }
    }
}
