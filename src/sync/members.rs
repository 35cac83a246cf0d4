//! Memberships (semantics 14): when users and groups are done, each group's direct members are listed, several groups
//! at once, and compared with those that this integration applied before.

use super::{
    error::Stop,
    job::{Filling, Job},
    record::Count,
    table::id_hash,
};
use crate::{
    connector::{Error, MemberKind, SourceMember},
    model::{Fingerprint, Kind, MemberCounters, Outcome, Reason, SourceId},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

/// Groups of which the members are read and applied at once; the rate governor decides how fast.
const AT_ONCE: usize = 12;
/// So many groups in a row that can't be read mean that the system is down, not the groups bad.
const OUTAGE: u32 = 3;

/// How a member can be provisioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has a directory object.
    Linked(Kind),
    /// It has none yet.
    Pending(Kind),
    /// It is none of this customer's.
    External,
    /// All linked active users.
    Everyone,
}

/// A complete, fresh listing of one group.
pub(super) struct Listing {
    pub(super) members: Vec<(SourceMember, Standing)>,
    pub(super) fingerprint: Fingerprint,
}

/// Brings the memberships of all groups up to date that are waiting for it.
pub(super) async fn fill(job: &Job, groups_complete: bool) -> Result<(), Stop> {
    let waiting = std::mem::take(&mut *job.groups_to_fill());
    let outages = AtomicU32::new(0);
    let mut ended = stream::iter(waiting)
        .map(|group| one_group(job, group, groups_complete, &outages))
        .buffer_unordered(AT_ONCE)
        .try_fold(None, |stop: Option<Stop>, one| async move {
            Ok::<_, Stop>(Stop::worse(stop, one))
        })
        .await?;
    // Others were about these meanwhile: they are read afresh when nobody is.
    loop {
        let Some(group) = job.groups_to_fill().pop() else {
            break;
        };
        let turn = match job.turn(Kind::Group, &group.source).await {
            Ok(turn) => turn,
            Err(stop) => {
                job.groups_to_fill().push(group);
                return Err(stop);
            }
        };
        let stop = one_group(job, group, groups_complete, &outages).await?;
        ended = Stop::worse(ended, stop);
        drop(turn);
    }
    ended.map_or(Ok(()), Err)
}

/// Does one group. What stops the run is given back, so that the groups after it are still accounted for.
async fn one_group(
    job: &Job,
    group: Filling,
    groups_complete: bool,
    outages: &AtomicU32,
) -> Result<Option<Stop>, Stop> {
    let stopped = job.cancel.is_cancelled();
    if stopped || outages.load(Ordering::Relaxed) >= OUTAGE {
        leave(job, &group, stopped);
        return Ok(stopped.then_some(Stop::Cancelled));
    }
    match list(job, &group, groups_complete).await {
        Ok(listing) => {
            outages.store(0, Ordering::Relaxed);
            super::joining::apply(job, group, listing)
                .await
                .map(|()| None)
        }
        Err(Stop::System(error)) => Ok(unreadable(job, &group, error, outages).await?),
        Err(stop) => {
            leave(job, &group, matches!(stop, Stop::Cancelled));
            Ok(Some(stop))
        }
    }
}

/// Accounts for a group whose members are not read in this run.
fn leave(job: &Job, group: &Filling, cancelled: bool) {
    let reason = if cancelled {
        Reason::new("CANCELLED", "the run was stopped before this group's turn")
    } else {
        Reason::new(
            "SYSTEM_UNAVAILABLE",
            "the system failed before this group's turn",
        )
    };
    let count = match &group.count {
        Count::Added | Count::Modified => group.count.clone(),
        _ => Count::Deferred(reason),
    };
    job.ledger().count(group.rule.as_ref(), &count);
}

/// A group whose members can't be listed: known members are kept.
async fn unreadable(
    job: &Job,
    group: &Filling,
    error: Error,
    outages: &AtomicU32,
) -> Result<Option<Stop>, Stop> {
    let (count, outcome, reason) = match unread(group, error.clone().into()) {
        Ok(unread) => unread,
        Err(stop) => {
            leave(job, group, false);
            outages.store(OUTAGE, Ordering::Relaxed);
            return Ok(Some(stop));
        }
    };
    let skipped = outcome == Outcome::Skipped;
    let size = group.size.unwrap_or(1);
    let members = MemberCounters {
        considered: size,
        skipped: if skipped { size } else { 0 },
        failed: if skipped { 0 } else { size },
        ..MemberCounters::default()
    };
    if skipped {
        super::left::group(job, group, count, reason, &members).await?;
    } else {
        super::joining::record(job, group, count, outcome, reason, &members).await?;
    }
    let down = matches!(error, Error::Unavailable(_) | Error::Throttled { .. });
    let many = down && outages.fetch_add(1, Ordering::Relaxed) + 1 >= OUTAGE;
    Ok(many.then(|| error.into()))
}

/// What becomes of a group whose members can't be listed, for this reason; the reason itself if it stops more than this group.
fn unread(group: &Filling, stop: Stop) -> Result<(Count, Outcome, Reason), Stop> {
    let error = match stop {
        Stop::System(error @ (Error::Unauthorized(_) | Error::ConsentLost(_))) => {
            return Err(error.into());
        }
        Stop::System(error) => error,
        other => return Err(other),
    };
    let reason = match &error {
        Error::Forbidden(_) => Reason::new(
            "MEMBERS_FORBIDDEN",
            "the system does not let the authorizing admin list the members; known ones are kept",
        ),
        Error::NotFound(_) => {
            Reason::new("GROUP_GONE", "the group was deleted after it was listed")
        }
        other => {
            let text = format!("the members could not be listed: {other}; known ones are kept");
            let reason = Reason::new("MEMBERS_UNREADABLE", text);
            return Ok((Count::Failed(reason.clone()), Outcome::Failed, reason));
        }
    };
    let count = match &group.count {
        count @ (Count::Added | Count::Modified) => count.clone(),
        _ => Count::Skipped(reason.clone()),
    };
    Ok((count, Outcome::Skipped, reason))
}

/// Lists the direct members of a group to the end; starts again once if the listing is lost.
async fn list(job: &Job, group: &Filling, groups_complete: bool) -> Result<Listing, Stop> {
    let known = job
        .table(Kind::Group)
        .get(&group.source)
        .is_some_and(|entry| entry.has_members);
    let members = if group.size == Some(0) && !known {
        HashMap::new()
    } else {
        read(job, &group.source).await?
    };
    if job.lane.is_none() {
        acquaint(job, &members).await?;
    }
    let all = members.values().any(|m| m.kind == MemberKind::Everyone);
    let everyone = if all {
        job.table(Kind::User).everyone()
    } else {
        0
    };
    let mut hash = 0u64;
    let mut standing = Vec::with_capacity(members.len());
    for (id, member) in members {
        let (stands, target) = stands(job, &member, groups_complete);
        hash = hash.wrapping_add(contribution(&id, stands, target, everyone));
        standing.push((member, stands));
    }
    Ok(Listing {
        members: standing,
        fingerprint: Fingerprint(hash.max(1)),
    })
}

/// The direct members of a group, all of them; begins again once if the listing is lost.
pub(super) async fn read(
    job: &Job,
    group: &SourceId,
) -> Result<HashMap<SourceId, SourceMember>, Stop> {
    match read_once(job, group).await {
        Err(Stop::System(Error::CursorLost(_))) => read_once(job, group).await,
        other => other,
    }
}

async fn read_once(job: &Job, group: &SourceId) -> Result<HashMap<SourceId, SourceMember>, Stop> {
    let (mut members, mut cursor) = (HashMap::new(), None);
    loop {
        let asked = job.reader()?.members(group, cursor.take());
        let page = job.unless_cancelled(asked).await?;
        members.extend(
            page.items
                .into_iter()
                .map(|member| (member.id.clone(), member)),
        );
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(members),
        }
    }
}

/// Learns what the links say about members: a job about a single object knows no others.
async fn acquaint(job: &Job, members: &HashMap<SourceId, SourceMember>) -> Result<(), Stop> {
    for kind in [Kind::User, Kind::Group] {
        let of_kind = |member: &&SourceMember| match member.kind {
            MemberKind::User | MemberKind::External => kind == Kind::User,
            MemberKind::Group => kind == Kind::Group,
            MemberKind::Everyone => false,
        };
        let ids = members.values().filter(of_kind).map(|m| m.id.clone());
        let links = job.links_of(kind, ids.collect()).await?;
        let mut table = job.table(kind);
        links.iter().flatten().for_each(|link| table.learn(link));
    }
    if members.values().any(|m| m.kind == MemberKind::Everyone) {
        super::read::load(job, Kind::User).await?;
    }
    Ok(())
}

/// How a member stands, and the hash of its directory object if it has one. What is not known, and would have been if it were
/// the customer's, is external.
fn stands(job: &Job, member: &SourceMember, groups_complete: bool) -> (Standing, u32) {
    let kind = match member.kind {
        MemberKind::Everyone => return (Standing::Everyone, 0),
        MemberKind::Group => Kind::Group,
        MemberKind::User | MemberKind::External => Kind::User,
    };
    match job.table(kind).get(&member.id) {
        Some(entry) if entry.is_linked() => (Standing::Linked(kind), entry.target),
        Some(_) => (Standing::Pending(kind), 0),
        None if member.kind == MemberKind::External || (kind == Kind::Group && groups_complete) => {
            (Standing::External, 0)
        }
        None => (Standing::Pending(kind), 0),
    }
}

/// What a member adds to the fingerprint of the memberships: the sum does not depend on the order. Who stands for another
/// directory object than before counts as another.
fn contribution(id: &SourceId, standing: Standing, target: u32, everyone: u64) -> u64 {
    let salt = match standing {
        Standing::Linked(_) => (u64::from(target) << 3) | 1,
        Standing::Pending(_) => 2,
        Standing::External => 3,
        Standing::Everyone => everyone | 4,
    };
    let mixed = (id_hash(id) ^ salt.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}
