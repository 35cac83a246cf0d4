//! Objects that are left as they are, whatever the rules would do. The first run that leaves one says why, as does one in
//! which that is another reason; its link remembers what is on record.

use super::{
    apply::{aside, note},
    error::Stop,
    job::{Filling, Job},
    joining,
    lane::{Beside, Part},
    plan::{Context, Item, Plan, change, fail},
    record::Count,
};
use crate::{
    model::{Entity, Fingerprint, Found, Kind, Link, MemberCounters, Outcome, Reason},
    store::LinkPart,
};

/// Whoever is on the integration's list of those never touched (semantics 30).
pub(super) fn protected(item: &Item, found: &Found, context: &Context) -> Plan {
    let text = "the integration's list of protected addresses names it";
    let reason = Reason::new("PROTECTED", text);
    let count = Count::Skipped(reason.clone());
    left(item, found, context, (count, Outcome::Skipped, reason))
}

/// Of whom it can't be told which rule decides (semantics 7).
pub(super) fn unclear(item: &Item, found: &Found, context: &Context, reason: &Reason) -> Plan {
    let count = Count::Deferred(reason.clone());
    let recorded = (count, Outcome::Deferred, reason.clone());
    left(item, found, context, recorded)
}

/// Whose directory object a caller deleted: it is not made again (semantics 12).
pub(super) fn deleted(item: &Item, found: &Found, context: &Context) -> Plan {
    let text = "somebody deleted it in the directory; undelete it there if that is wrong, or create another of its address";
    let reason = Reason::new("DELETED_BY_HAND", text);
    let count = Count::Skipped(reason.clone());
    left(item, found, context, (count, Outcome::Skipped, reason))
}

/// Who wants an address that somebody else holds.
pub(super) fn taken(item: &Item, found: &Found, holder: &Entity, context: &Context) -> Plan {
    let who = match holder.linked_to(context.uid) {
        // A preview plans it, and nobody knows its id yet.
        Some(source) if holder.revision == 0 => format!("made for {source}"),
        _ => holder.id.to_string(),
    };
    let text = format!(
        "the address {} is held by the {} {who}; free it there, or change it at the source",
        holder.email(),
        holder.kind,
    );
    fail(item, found, context, Reason::new("EMAIL_TAKEN", text))
}

/// Whether the link leads to something that is not there any more.
pub(super) fn was_deleted(found: &Found) -> bool {
    let led = found
        .link
        .as_ref()
        .is_some_and(|link| link.target.is_some());
    led && found.target.is_none()
}

/// What a link remembers of a reason that is on record, and of what it is about.
pub(super) fn told(reason: &Reason, about: Fingerprint) -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    for part in [reason.code.as_bytes(), &[0], reason.text.as_bytes(), &[0]] {
        hasher.update(part);
    }
    hasher.update(&about.0.to_be_bytes());
    Fingerprint::of(&hasher)
}

/// Whether this is on record already, and nobody asked.
pub(super) fn on_record(found: &Found, told: Fingerprint, context: &Context) -> bool {
    let said = |link: &Link| !link.absent && link.told == told;
    !context.asked && told != Fingerprint::NONE && found.link.as_ref().is_some_and(said)
}

/// Accounts for a group whose memberships stay as they are, and says why unless that is on record.
pub(super) async fn group(
    job: &Job,
    group: &Filling,
    count: Count,
    reason: Reason,
    members: &MemberCounters,
) -> Result<(), Stop> {
    let (item, mut slice) = (joining::item(group), job.slice());
    let _slice = job.lane_slice().await;
    let link = job.link_of(Kind::Group, &group.source).await?;
    let told = told(&reason, Fingerprint::NONE);
    let said = link.as_ref().is_some_and(|link| link.told == told);
    if !said || job.context().asked {
        slice.changes = vec![aside(job, &item, Outcome::Skipped, reason)];
        // Else somebody is about it, and writes the link himself.
        if job.beside(Kind::Group, &group.source, Part::Members) == Beside::Nothing {
            let link = link.map(|link| Link { told, ..link });
            let told = link.map(|link| (Kind::Group, link, LinkPart::Members));
            slice.parts.extend(told);
        }
    }
    let links = slice.parts.clone();
    job.ledger().count_members(members);
    note(job, slice, &[(&item, &count)]).await?;
    let mut table = job.table(Kind::Group);
    links.iter().for_each(|(_, link, _)| table.learn(link));
    Ok(())
}

/// The link of what is left as it is, if it is to be written.
pub(super) fn link(item: &Item, found: &Found, told: Fingerprint) -> Option<Link> {
    let before = found.link.clone();
    let link = Link {
        absent: false,
        told,
        ..before.unwrap_or_else(|| Link::observed(item.source.clone()))
    };
    (found.link.as_ref() != Some(&link)).then_some(link)
}

fn left(
    item: &Item,
    found: &Found,
    context: &Context,
    (count, outcome, reason): (Count, Outcome, Reason),
) -> Plan {
    let told = match outcome {
        Outcome::Skipped => told(&reason, Fingerprint::NONE),
        _ => Fingerprint::NONE,
    };
    let (target, why) = (found.target.as_ref(), Some(reason));
    let record = || change(item, target, outcome, why, Vec::new(), context);
    Plan {
        link: link(item, found, told),
        change: (!on_record(found, told, context)).then(record),
        ..Plan::nothing(count)
    }
}
