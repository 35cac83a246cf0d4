//! Addresses that change hands within a run (semantics 13): decided when the listing is complete, and written together.

use super::{
    apply::{find, write},
    error::Stop,
    job::Job,
    plan::{self, Context, Item, Plan, Planned, What, blank},
};
use crate::model::{Entity, Found, Kind, Link, Reason, SourceId};
use std::collections::HashMap;

/// How often the whole is planned anew because somebody else was quicker.
const ATTEMPTS: usize = 8;

/// Decides about the items that were parked.
pub(super) async fn settle(job: &Job, kind: Kind, items: &[Item]) -> Result<(), Stop> {
    for _ in 0..ATTEMPTS {
        if items.is_empty() {
            return Ok(());
        }
        job.go_on()?;
        let found = find(job, kind, items).await?;
        let context = job.context();
        let movers = movers(items, &found, &context);
        let mut plans = Vec::new();
        for (i, (item, found)) in items.iter().zip(&found).enumerate() {
            let moves = movers.contains(&i);
            plans.push(match gone_holder(job, kind, found, &context, moves).await {
                Ok(gone) => decide(item, found, &context, moves, gone),
                // Without proof nothing is taken from anybody.
                Err(Stop::System(error)) => {
                    let text = format!(
                        "it could not be asked whether the holder of the address is gone: {error}"
                    );
                    plan::fail(item, found, &context, Reason::new("NOT_PROVED", text))
                }
                Err(stop) => return Err(stop),
            });
        }
        if write(job, kind, items, plans).await?.is_ok() {
            return Ok(());
        }
    }
    let reason = Reason::new("BUSY", "others kept changing the address at the same time");
    super::apply::defer(job, items, &reason);
    Ok(())
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

/// The link of the source object that the holder of the address came from, if it is proved to be gone: absent from the complete
/// listing, and absent when asked for directly.
async fn gone_holder(
    job: &Job,
    kind: Kind,
    found: &Found,
    context: &Context,
    moves: bool,
) -> Result<Option<Link>, Stop> {
    let source = found
        .holder
        .as_ref()
        .filter(|holder| holder.kind == kind && !moves);
    let Some(source) = source.and_then(|holder| holder.linked_to(context.uid)) else {
        return Ok(None);
    };
    if found.target.is_some() || job.table(kind).get(source).is_some_and(|entry| entry.seen) {
        return Ok(None);
    }
    if job.reader()?.get(kind, source).await?.is_some() {
        return Ok(None);
    }
    let links = job
        .store
        .links_of(context.uid, kind, vec![source.clone()])
        .await?;
    Ok(links.into_iter().next().flatten())
}

fn decide(item: &Item, found: &Found, context: &Context, moves: bool, gone: Option<Link>) -> Plan {
    let planned = match (&found.holder, gone) {
        (Some(holder), Some(gone)) => return relink(item, holder, &gone, context),
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
        (Planned::Park, Some(holder)) => plan::taken(item, found, holder, context),
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
    let mut plan = plan::adopt(item, desired, defaults, holder, context, "RELINKED");
    plan.unlinks = Some(blank(&gone.source));
    if let (Some(link), Some((_, origin))) = (plan.link.as_mut(), &gone.target) {
        link.target = Some((holder.id.clone(), *origin));
    }
    plan
}
