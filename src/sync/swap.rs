//! Addresses that change hands within a run (semantics 13): decided when the listing is complete, and written together.

use super::{
    apply::{SLICE, defer, leave_outrun, write},
    error::Stop,
    job::Job,
    left,
    plan::{self, Context, Item, Plan, Planned, What},
    provision,
};
use crate::model::{Entity, Found, Kind, Link, Reason, SourceId};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;

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
    let movers = movers(&items, &found, &job.context());
    let (mut together, mut rest) = (Vec::new(), Vec::new());
    for (i, item) in items.into_iter().enumerate() {
        if movers.contains(&i) {
            together.push(item);
        } else {
            rest.push(item);
        }
    }
    let mut sets = vec![together];
    while !rest.is_empty() {
        let more = rest.split_off(rest.len().min(SLICE));
        sets.push(std::mem::replace(&mut rest, more));
    }
    let mut sets = sets.into_iter().filter(|set| !set.is_empty());
    while let Some(mut set) = sets.next() {
        if let Err(stop) = one_set(job, kind, &mut set).await {
            let left: Vec<Item> = set.into_iter().chain(sets.flatten()).collect();
            return put_off(job, &left, stop);
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

async fn one_set(job: &Job, kind: Kind, items: &mut Vec<Item>) -> Result<(), Stop> {
    let (mut proofs, mut turns) = (Proofs::default(), Vec::new());
    for _ in 0..ATTEMPTS {
        job.go_on()?;
        // Nobody else decides about them until they are written.
        let sources = items.iter().map(|item| &item.source);
        turns.extend(job.turns(kind, sources).await?);
        leave_outrun(job, items).await?;
        let found = job.find(kind, items).await?;
        let context = job.context();
        let movers = movers(items, &found, &context);
        let moves = |i: usize| movers.contains(&i);
        let holders = found.iter().enumerate().filter(|(i, _)| !moves(*i));
        let sources = holders.filter_map(|(_, found)| doubted(job, kind, found, &context));
        proofs.ask(job, kind, sources.cloned().collect()).await?;
        let mut plans = Vec::new();
        for (i, (item, found)) in items.iter().zip(&found).enumerate() {
            let holder = doubted(job, kind, found, &context).filter(|_| !moves(i));
            let proof = holder.and_then(|source| proofs.0.get(source));
            plans.push(match proof {
                // Without proof nothing is taken from anybody.
                Some(Proof::None(why)) => {
                    let text = format!(
                        "it could not be asked whether the holder of the address is gone: {why}"
                    );
                    plan::fail(item, found, &context, Reason::new("NOT_PROVED", text))
                }
                Some(Proof::Gone(link)) => decide(item, found, &context, moves(i), Some(link)),
                Some(Proof::There) | None => decide(item, found, &context, moves(i), None),
            });
        }
        if write(job, kind, items, plans).await?.is_ok() {
            return Ok(());
        }
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

/// Which items can take their address because its holder gives it up in the same transaction: the largest set in which
/// every holder is one of the set, or none.
fn movers(items: &[Item], found: &[Found], context: &Context) -> Vec<usize> {
    let by_source: HashMap<&SourceId, usize> = items
        .iter()
        .enumerate()
        .map(|(i, item)| (&item.source, i))
        .collect();
    let holder = |i: usize| -> Option<Option<usize>> {
        let holder = found.get(i)?.holder.as_ref()?;
        Some(
            holder
                .linked_to(context.uid)
                .and_then(|source| by_source.get(source).copied()),
        )
    };
    let mut set: Vec<usize> = (0..items.len()).collect();
    loop {
        let stays = |i: &usize| match holder(*i) {
            None => true,
            Some(Some(other)) => {
                set.contains(&other) && found.get(other).is_some_and(|f| f.target.is_some())
            }
            Some(None) => false,
        };
        let next: Vec<usize> = set.iter().copied().filter(stays).collect();
        if next.len() == set.len() {
            return set;
        }
        set = next;
    }
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
