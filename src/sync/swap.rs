//! Addresses that change hands within a run (semantics 13): decided when the listing is complete, and written together.

use super::{
    apply::{SLICE, defer, leave_outrun, write},
    error::Stop,
    job::Job,
    left,
    plan::{self, Context, Item, Plan, Planned, What, wanted_email},
    provision,
};
use crate::{
    connector::Write,
    model::{Entity, Found, Kind, Link, Reason, SourceId, fold_email},
    store,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{HashMap, HashSet, VecDeque};

/// How often a set is planned anew because somebody else was quicker.
const ATTEMPTS: usize = 8;
/// Holders that are asked for at once; the rate governor decides how fast.
const AT_ONCE: usize = 12;

/// Decides about the items that were parked, once nobody is about any of them. Those whose addresses change hands among each other are written together, the
/// others in slices.
pub(super) async fn settle(job: &Job, kind: Kind, items: Vec<Item>) -> Result<(), Stop> {
    if items.is_empty() {
        return Ok(());
    }
    let found = match job.find(kind, &items).await {
        Ok(found) => found,
        Err(stop) => return put_off(job, &items, stop),
    };
    let movers = movers(&items, &found, &job.context(), &HashSet::new());
    let (mut together, mut rest) = (Vec::new(), Vec::new());
    for (i, item) in items.into_iter().enumerate() {
        if movers.contains(&i) {
            together.push(item);
        } else {
            rest.push(item);
        }
    }
    let mut sets = VecDeque::from([together]);
    while !rest.is_empty() {
        let more = rest.split_off(rest.len().min(SLICE));
        sets.push_back(std::mem::replace(&mut rest, more));
    }
    let mut proofs = Proofs::default();
    while let Some(mut set) = sets.pop_front() {
        let mut aside = Vec::new();
        let settled = one_set(job, kind, &mut set, &mut aside, &mut proofs).await;
        if let Err(stop) = settled {
            set.extend(aside.into_iter().chain(sets.into_iter().flatten()));
            return put_off(job, &set, stop);
        }
        // Fewer than the set had, so this ends.
        if !aside.is_empty() {
            sets.push_back(aside);
        }
    }
    Ok(())
}

/// Accounts for items that are not decided in this run.
fn put_off(job: &Job, items: &[Item], stop: Stop) -> Result<(), Stop> {
    let reason = Reason::new(
        "NOT_SETTLED",
        "the run ended before it was clear who keeps the address",
    );
    defer(job, items, &reason);
    Err(stop)
}

/// Decides about a set. Those that others were quicker about are put aside with all who wait for their addresses, so that
/// nobody else waits for them; unless that is the whole set, which is planned anew.
async fn one_set(
    job: &Job,
    kind: Kind,
    items: &mut Vec<Item>,
    aside: &mut Vec<Item>,
    proofs: &mut Proofs,
) -> Result<(), Stop> {
    let (mut turns, mut attempts) = (Vec::new(), 0);
    while attempts < ATTEMPTS && !items.is_empty() {
        job.go_on()?;
        // Nobody else decides about them until they are written.
        let sources = items.iter().map(|item| &item.source);
        turns.extend(job.turns(kind, sources).await?);
        leave_outrun(job, items).await?;
        let found = job.find(kind, items).await?;
        let context = job.context();
        let moves = moves(items, &found, &context);
        let holders = found.iter().zip(&moves).filter(|(_, moves)| !**moves);
        let sources = holders.filter_map(|(found, _)| doubted(job, kind, found, &context));
        proofs.ask(job, kind, sources.cloned().collect()).await?;
        let mut plans = Vec::new();
        for ((item, found), &moves) in items.iter().zip(&found).zip(&moves) {
            let holder = doubted(job, kind, found, &context).filter(|_| !moves);
            let proof = holder.and_then(|source| proofs.0.get(source));
            plans.push(match proof {
                // Without proof nothing is taken from anybody.
                Some(Proof::None(why)) => {
                    let text = format!(
                        "it could not be asked whether the holder of the address is gone: {why}"
                    );
                    plan::fail(item, found, &context, Reason::new("NOT_PROVED", text))
                }
                Some(Proof::Gone(link)) => decide(item, found, &context, moves, Some(link)),
                Some(Proof::There) | None => decide(item, found, &context, moves, None),
            });
        }
        let Err(conflicts) = write(job, kind, items, plans).await? else {
            return Ok(());
        };
        let leaving = concerned(items, &found, &context, conflicts);
        if leaving.is_empty() || leaving.len() == items.len() {
            attempts += 1;
            continue;
        }
        let mut index = 0..;
        let leaves = |_: &mut Item| index.next().is_some_and(|i| leaving.contains(&i));
        aside.extend(items.extract_if(.., leaves));
    }
    let reason = Reason::new("BUSY", "others kept changing the address at the same time");
    defer(job, items, &reason);
    Ok(())
}

/// What is known about the source objects that holders of addresses came from.
#[derive(Default)]
struct Proofs(HashMap<SourceId, Proof>);

enum Proof {
    /// It is gone: absent from the complete listing, and absent when asked for directly. This was its link.
    Gone(Box<Link>),
    /// It is there, or has no link any more.
    There,
    /// It could not be asked for, for this reason.
    None(String),
}

impl Proofs {
    /// Asks for those not asked for before. Fails if the consent is lost, or somebody stops the run.
    async fn ask(&mut self, job: &Job, kind: Kind, mut sources: Vec<SourceId>) -> Result<(), Stop> {
        sources.retain(|source| !self.0.contains_key(source));
        let asked = stream::iter(sources)
            .map(|source| async move {
                let proof = prove(job, kind, &source).await?;
                Ok::<_, Stop>((source, proof))
            })
            .buffer_unordered(AT_ONCE);
        let proofs: Vec<(SourceId, Proof)> = asked.try_collect().await?;
        self.0.extend(proofs);
        Ok(())
    }
}

async fn prove(job: &Job, kind: Kind, source: &SourceId) -> Result<Proof, Stop> {
    match job.unless_cancelled(job.reader()?.get(kind, source)).await {
        Ok(Some(_)) => return Ok(Proof::There),
        Ok(None) => {}
        Err(Stop::System(error)) if !Stop::System(error.clone()).is_consent_lost() => {
            return Ok(Proof::None(error.to_string()));
        }
        Err(stop) => return Err(stop),
    }
    let link = job.link_of(kind, source).await?;
    Ok(link.map_or(Proof::There, |link| Proof::Gone(Box::new(link))))
}

/// Which items are planned as if nobody held their address: those whose holder gives it up in the same transaction, one for each
/// address, and those that claim nothing, since they keep the address they have.
fn moves(items: &[Item], found: &[Found], context: &Context) -> Vec<bool> {
    let asked = movers(items, found, context, &HashSet::new());
    let keeps = |i: &usize| {
        let (item, found) = (items.get(*i)?, found.get(*i)?);
        let keeps = keeps_address(&decide(item, found, context, true, None), found);
        keeps.then_some(*i)
    };
    let keeping: HashSet<usize> = asked.iter().filter_map(keeps).collect();
    let mut out: HashSet<usize> = rivals(items, found, &asked);
    out.extend(&keeping);
    let movers = match out.is_empty() {
        true => asked,
        false => movers(items, found, context, &out),
    };
    let moves = |i| movers.contains(&i) || keeping.contains(&i);
    (0..items.len()).map(moves).collect()
}

/// Of those who want the same address, all but one: whose own address others wait for has it, else the first.
fn rivals(items: &[Item], found: &[Found], movers: &HashSet<usize>) -> HashSet<usize> {
    let mut order: Vec<usize> = movers.iter().copied().collect();
    order.sort_unstable();
    let wanted = |i: &usize| items.get(*i).map(wanted_email);
    let all: HashSet<String> = order.iter().filter_map(wanted).collect();
    let is_waited_for = |i: &usize| {
        let target = found.get(*i).and_then(|found| found.target.as_ref());
        target.is_some_and(|target| all.contains(&fold_email(target.email())))
    };
    order.sort_by_key(|i| !is_waited_for(i));
    let mut taken = HashSet::new();
    let is_late = |i: &usize| wanted(i).is_some_and(|address| !taken.insert(address));
    order.into_iter().filter(is_late).collect()
}

/// Whether an object holds the same address once its plan is carried out: the plan is not about the address, or can't be
/// written.
fn keeps_address(plan: &Plan, found: &Found) -> bool {
    let Some(target) = &found.target else {
        return false;
    };
    match &plan.write {
        Some(Write::Update(entity)) => {
            let same = fold_email(entity.email()) == fold_email(target.email());
            same || store::check_size(entity).is_err()
        }
        Some(Write::Create { .. }) | None => true,
    }
}

/// For each item, which other one holds the address that it wants.
fn holders(items: &[Item], found: &[Found], context: &Context) -> Vec<Holder> {
    let by_source: HashMap<&SourceId, usize> = items
        .iter()
        .enumerate()
        .map(|(i, item)| (&item.source, i))
        .collect();
    let holder = |found: &Found| match &found.holder {
        None => Holder::Nobody,
        Some(holder) => holder
            .linked_to(context.uid)
            .and_then(|source| by_source.get(source))
            .map_or(Holder::Other, |i| Holder::Item(*i)),
    };
    found.iter().map(holder).collect()
}

/// Who holds an address.
#[derive(Clone, Copy)]
enum Holder {
    Nobody,
    /// One of the items.
    Item(usize),
    /// Somebody else.
    Other,
}

/// Which items can take their address because its holder gives it up in the same transaction: the largest set without
/// those that keep theirs in which every holder is one of the set, or none.
fn movers(
    items: &[Item],
    found: &[Found],
    context: &Context,
    keeping: &HashSet<usize>,
) -> HashSet<usize> {
    let holders = holders(items, found, context);
    let mut set: HashSet<usize> = (0..items.len()).filter(|i| !keeping.contains(i)).collect();
    loop {
        let stays = |i: &usize| match holders.get(*i) {
            Some(Holder::Nobody) => true,
            Some(Holder::Item(other)) => {
                set.contains(other) && found.get(*other).is_some_and(|f| f.target.is_some())
            }
            Some(Holder::Other) | None => false,
        };
        let next: HashSet<usize> = set.iter().copied().filter(stays).collect();
        if next.len() == set.len() {
            return set;
        }
        set = next;
    }
}

/// Those that conflicted, and whoever wants an address that one of these holds.
fn concerned(
    items: &[Item],
    found: &[Found],
    context: &Context,
    conflicts: Vec<usize>,
) -> HashSet<usize> {
    let mut wanted_by: HashMap<usize, Vec<usize>> = HashMap::new();
    let holders = holders(items, found, context);
    for (i, holder) in holders.into_iter().enumerate() {
        if let Holder::Item(holder) = holder {
            wanted_by.entry(holder).or_default().push(i);
        }
    }
    let (mut concerned, mut next) = (HashSet::new(), conflicts);
    while let Some(i) = next.pop() {
        if concerned.insert(i) {
            next.extend(wanted_by.remove(&i).into_iter().flatten());
        }
    }
    concerned
}

/// The source object that the holder of the address came from, if it was absent from the complete listing.
fn doubted<'a>(job: &Job, kind: Kind, found: &'a Found, context: &Context) -> Option<&'a SourceId> {
    let holder = found.holder.as_ref().filter(|holder| holder.kind == kind)?;
    let source = holder.linked_to(context.uid)?;
    let seen = job.table(kind).get(source).is_some_and(|entry| entry.seen);
    (found.target.is_none() && !seen).then_some(source)
}

fn decide(item: &Item, found: &Found, context: &Context, moves: bool, gone: Option<&Link>) -> Plan {
    let planned = match (&found.holder, gone) {
        (Some(holder), Some(gone)) => return relink(item, holder, gone, context),
        // The holder gives the address up in the same transaction: as if it were free.
        _ if moves => plan::plan(
            item,
            &Found {
                holder: None,
                ..found.clone()
            },
            context,
        ),
        _ => plan::plan(item, found, context),
    };
    match (planned, &found.holder) {
        (Planned::Do(plan), _) => *plan,
        (Planned::Park, Some(holder)) => left::taken(item, found, holder, context),
        (Planned::Park, None) => plan::fail(
            item,
            found,
            context,
            Reason::new("EMAIL_TAKEN", "the address is taken"),
        ),
    }
}

/// The source object was deleted and made again: the directory object goes on with the new one, and keeps its origin.
fn relink(item: &Item, holder: &Entity, gone: &Link, context: &Context) -> Plan {
    let What::Provision { desired, defaults } = &item.what else {
        return plan::fail(
            item,
            &Found::default(),
            context,
            Reason::new("INVALID_DATA", "no attributes to apply"),
        );
    };
    let mut plan = provision::adopt(item, desired, defaults, holder, context, "RELINKED");
    plan.unlinks = Some(Link::observed(gone.source.clone()));
    if let (Some(link), Some((_, origin))) = (plan.link.as_mut(), &gone.target) {
        link.target = Some((holder.id.clone(), *origin));
        link.has_members = gone.has_members;
    }
    plan
}

#[cfg(test)]
mod tests;
