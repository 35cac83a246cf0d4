//! Lists the source, pages being read while those before are applied, and sorts out what needs no look at the target.

use super::{
    apply::{self, SLICE},
    error::Stop,
    job::{Filling, Job},
    lane::{Beside, Part},
    plan::{Item, What, provisioned_by},
    record::Count,
    swap,
    table::Entry,
};
use crate::{
    connector::{Coverage, Error},
    model::{Attribute, Attributes, Entity, Kind, Link, Object, ObjectRef, Reason},
    rules::Decision,
    store::LinkPart,
};
use futures_util::{StreamExt, future::join, stream};
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;

/// Pages that wait to be applied; one more is being read.
const AHEAD: usize = 1;

/// Objects that are sorted out at a stretch, before others have their turn; so few where each may take long.
const STRETCH: usize = 100;
const COSTLY_STRETCH: usize = 4;

/// Loads what the links say about a kind.
pub(super) async fn load(job: &Job, kind: Kind) -> Result<(), Stop> {
    let mut after = None;
    loop {
        let links = job.links(kind, after.take(), 1000).await?;
        let Some(last) = links.last() else {
            return Ok(());
        };
        after = Some(last.source.clone());
        if job.rules.kinds().contains(&kind) {
            job.expected
                .fetch_add(links.len() as u64, Ordering::Relaxed);
        }
        let mut table = job.table(kind);
        links.iter().for_each(|link| table.learn(link));
    }
}

/// Lists all objects of a kind, which was not loaded before, and applies them. What had to wait for the end of the listing is done, and what is
/// absent is accounted for, only if the listing was complete.
pub(super) async fn kind(job: &Job, kind: Kind) -> Result<(), Stop> {
    let mut parked = Vec::new();
    let listed = match listing(job, kind, true, &mut parked).await {
        // The same parameters must go with a cursor, and it may expire: start again, once. Rows seen are seen.
        Err(Stop::System(Error::CursorLost(text))) => {
            tracing::warn!(%kind, text, "the listing can't be continued and starts again");
            listing(job, kind, false, &mut parked).await
        }
        other => other,
    };
    if let Err(stop) = listed {
        let reason = Reason::new(
            "LISTING_INCOMPLETE",
            "the listing was not read to its end, and this had to wait for that",
        );
        apply::defer(job, &parked, &reason);
        return Err(stop);
    }
    swap::settle(job, kind, parked).await?;
    absent(job, kind).await
}

/// Lists a kind once; `first` what the links say is loaded while the first pages are read.
async fn listing(job: &Job, kind: Kind, first: bool, parked: &mut Vec<Item>) -> Result<(), Stop> {
    let (pages, coming) = mpsc::channel(AHEAD);
    let applied = async {
        if first {
            load(job, kind).await?;
        }
        apply_pages(job, kind, coming, parked).await
    };
    let (applied, read) = join(applied, read_pages(job, kind, pages)).await;
    applied.and(read)
}

/// Reads page after page, ahead of those that are applied.
async fn read_pages(job: &Job, kind: Kind, pages: mpsc::Sender<Vec<Object>>) -> Result<(), Stop> {
    let mut cursor = None;
    loop {
        let page = job
            .unless_cancelled(job.reader()?.page(kind, cursor))
            .await?;
        if pages.send(page.items).await.is_err() {
            // They can't be applied; why is told there.
            return Ok(());
        }
        cursor = page.next;
        if cursor.is_some() {
            continue;
        }
        if page.coverage == Coverage::Complete {
            return Ok(());
        }
        let text = format!("{} does not list everything", job.source.system());
        return Err(Error::Protocol(text).into());
    }
}

/// Applies pages as they come; adds to `parked` what has to wait for the end of the listing.
async fn apply_pages(
    job: &Job,
    kind: Kind,
    coming: mpsc::Receiver<Vec<Object>>,
    parked: &mut Vec<Item>,
) -> Result<(), Stop> {
    let (sorted, coming_sorted) = mpsc::channel(AHEAD);
    let pages = stream::unfold(coming_sorted, async |mut coming| {
        Some((coming.recv().await?, coming))
    });
    let slices = pages.flat_map(|items| stream::iter(apply::slices(items)));
    let applied = apply::apply(job, kind, slices, parked);
    join(applied, sort_pages(job, kind, coming, sorted)).await.0
}

/// Sorts out the objects of page after page.
async fn sort_pages(
    job: &Job,
    kind: Kind,
    mut coming: mpsc::Receiver<Vec<Object>>,
    sorted: mpsc::Sender<Vec<Item>>,
) {
    let stretch = match job.rules.is_costly() {
        true => COSTLY_STRETCH,
        false => STRETCH,
    };
    while let Some(objects) = coming.recv().await {
        let items = by_stretches(objects, stretch, |object| sort_out(job, kind, object)).await;
        job.tell_progress();
        if sorted.send(items).await.is_err() {
            // They can't be applied.
            return;
        }
    }
}

/// Does the work for each, and lets others have their turn after so many.
async fn by_stretches<T, R>(
    all: Vec<T>,
    stretch: usize,
    mut work: impl FnMut(T) -> Option<R>,
) -> Vec<R> {
    let mut done = Vec::new();
    for (at, one) in all.into_iter().enumerate() {
        if at > 0 && at.is_multiple_of(stretch) {
            tokio::task::yield_now().await;
        }
        done.extend(work(one));
    }
    done
}

/// Whether what is wanted is what was applied last, and nothing else is on record. Of a group that is about its memberships.
fn is_same(kind: Kind, before: Option<Entry>, desired: &Attributes) -> bool {
    before.is_some_and(|entry| {
        let told = entry.told && kind == Kind::User;
        entry.is_linked() && !entry.absent && !told && entry.fingerprint == desired.fingerprint()
    })
}

/// Whether an object that nothing is done about needs no look at its link either.
fn is_observed(before: Option<Entry>, count: &Count) -> bool {
    let at_rest = |entry: Entry| !entry.told || *count != Count::OutOfScope;
    before.is_some_and(|entry| !entry.absent && at_rest(entry))
}

/// Whether an object is in none of the domains that the integration is about, whatever the rules say.
pub(super) fn is_elsewhere(job: &Job, object: &Object) -> bool {
    let address = object.attributes.text(&Attribute::USER_NAME);
    // Without an address it is in no domain, but may lack it only because it can't be understood.
    !job.reach.covers(address) && (address.is_some() || object.defect.is_none())
}

/// Accounts for an object that is as it was; anything else becomes an item.
pub(super) fn sort_out(job: &Job, kind: Kind, mut object: Object) -> Option<Item> {
    let before = job.table(kind).see(&object.id)?;
    let label = object.label().to_owned();
    let elsewhere = is_elsewhere(job, &object);
    let address = object.attributes.text(&Attribute::USER_NAME);
    let (rule, what) = match (&object.defect, job.rules.decide(&object, job.knowledge())) {
        _ if elsewhere => (None, What::Observe(Count::OutOfScope)),
        // What can't be understood meets conditions or not by accident.
        (Some(defect), _) => (
            None,
            What::Defect(Reason::new("INVALID_DATA", defect.clone())),
        ),
        (None, Decision::Unknown(why)) => {
            (None, What::Unclear(Reason::new("MEMBERSHIP_UNKNOWN", why)))
        }
        (None, Decision::OutOfScope) => (None, What::Observe(Count::OutOfScope)),
        (None, Decision::LeftAlone { .. }) => (
            None,
            What::Observe(Count::Skipped(Reason::new(
                "RULE_NOT_IN_RUN",
                "the rule that decides it takes no part in this run",
            ))),
        ),
        (None, Decision::By(rule)) if kind == Kind::User && job.reach.protects(address) => {
            (Some(rule.id.clone()), What::Protected)
        }
        (None, Decision::By(rule)) => {
            let what = match job.rules.desired(rule, &mut object, job.mapped(kind)) {
                Err(failed) => What::Defect(Reason::new("MAPPING_FAILED", failed.to_string())),
                Ok(desired) if is_same(kind, before, &desired) => What::Observe(Count::Unchanged),
                Ok(desired) => provisioned_by(rule, desired),
            };
            (Some(rule.id.clone()), what)
        }
    };
    let item = Item {
        kind,
        source: object.id,
        label,
        // Who knows only a single object has not looked; what the other lane links meanwhile is outrun.
        unlinked: before.is_none() && job.lane.is_some(),
        rule,
        size: object.member_count,
        what,
    };
    let mut ledger = job.ledger();
    ledger.consider(item.rule.as_ref());
    match &item.what {
        What::Observe(Count::Unchanged) if kind == Kind::Group => {
            drop(ledger);
            job.groups_to_fill()
                .push(Filling::of(&item, Count::Unchanged));
            None
        }
        What::Observe(count) if is_observed(before, count) => {
            ledger.count(item.rule.as_ref(), count);
            None
        }
        _ => Some(item),
    }
}

/// Accounts for linked objects that a complete listing did not hold. Nobody is removed. The first run that misses an
/// object records it.
async fn absent(job: &Job, kind: Kind) -> Result<(), Stop> {
    if job.table(kind).absent() == 0 {
        return Ok(());
    }
    let mut after = None;
    loop {
        let links = job.links(kind, after.take(), SLICE).await?;
        let Some(last) = links.last() else {
            return Ok(());
        };
        after = Some(last.source.clone());
        let unseen = |link: &Link| {
            let table = job.table(kind);
            link.target.is_some() && table.get(&link.source).is_some_and(|entry| !entry.seen)
        };
        let gone = links.into_iter().filter(unseen).collect();
        one_slice_absent(job, kind, gone).await?;
    }
}

async fn one_slice_absent(job: &Job, kind: Kind, gone: Vec<Link>) -> Result<(), Stop> {
    let reason = Reason::new(
        "ABSENT_AT_SOURCE",
        "no longer listed by the source; it is kept, for nothing removes it yet",
    );
    let count = Count::Skipped(reason.clone());
    let mut slice = job.slice();
    let _turns = job
        .turns(kind, gone.iter().map(|link| &link.source))
        .await?;
    let _slice = job.lane_slice().await;
    let item = |link: &Link| Item {
        kind,
        source: link.source.clone(),
        label: String::new(),
        unlinked: false,
        rule: None,
        size: None,
        what: What::Observe(count.clone()),
    };
    // Somebody has just asked for the others.
    let nobody = |link: &Link| job.beside(kind, &link.source, Part::Object) == Beside::Nothing;
    let (fresh, told): (Vec<_>, Vec<_>) =
        { gone.into_iter().filter(nobody) }.partition(|link| !link.absent);
    let mut items: Vec<Item> = fresh.iter().map(item).collect();
    let found = job.find(kind, &items).await?;
    for (mut link, found) in fresh.into_iter().zip(found) {
        let end = |id: String, label: &str| ObjectRef {
            kind,
            id,
            label: label.to_owned(),
        };
        let source = link.source.to_string();
        let target = found.target.as_ref();
        // The address that it had is what it is known by.
        let label = target.map_or(source.as_str(), Entity::email);
        let id = link.target.as_ref().map(|(id, _)| id.to_string());
        let target = id.map(|id| end(id, target.map_or("", Entity::email)));
        let change = job.undecided(end(source.clone(), label), target, reason.clone());
        slice.changes.push(change);
        link.absent = true;
        slice.parts.push((kind, link, LinkPart::Absence));
    }
    items.extend(told.iter().map(item));
    {
        let mut ledger = job.ledger();
        items.iter().for_each(|_| ledger.consider(None));
    }
    let counts: Vec<_> = items.iter().map(|item| (item, &count)).collect();
    apply::note(job, slice, &counts).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn between_two_stretches_others_have_their_turn() {
        let turns = Cell::new(0);
        let work = by_stretches((0..1000).collect(), 100, |at: usize| {
            assert!(turns.get() >= at / 100, "{at}: {} turns", turns.get());
            at.is_multiple_of(2).then_some(at)
        });
        let others = async {
            loop {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = others => Vec::new(),
        };
        assert!(done.into_iter().eq((0..1000).step_by(2)));
    }
}
