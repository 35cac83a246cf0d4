//! What is to be done about one object: pure, from what the source wants and what the target has.

use super::{left, provision, record::Count};
use crate::{
    connector::Write,
    model::{
        Action, Attribute, Attributes, Change, Diff, Entity, Fingerprint, Found, IntegrationId,
        Kind, Link, ObjectRef, Outcome, Reason, Rule, RuleId, SourceId, Time, Uid, fold_email,
    },
    store::Seen,
};

/// For which integration is planned, and when.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) integration: IntegrationId,
    pub(super) uid: Uid,
    pub(super) now: Time,
    /// Somebody asked for the object itself, and is told also what is on record already.
    pub(super) asked: bool,
}

/// A source object that needs a look at the target.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) source: SourceId,
    pub(super) label: String,
    /// No link knew it when the run began, nor can it have one now.
    pub(super) unlinked: bool,
    pub(super) rule: Option<RuleId>,
    /// For a group, how many members the source says it has.
    pub(super) size: Option<u64>,
    pub(super) what: What,
}

/// What is to become of it.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Only remembered as observed (semantics 3), and counted like this.
    Observe(Count),
    /// It makes no sense, for this reason.
    Defect(Reason),
    /// It is on the integration's list of those never touched (semantics 30).
    Protected,
    /// Which rule decides can't be told, for this reason.
    Unclear(Reason),
    /// It is to look like this at the target.
    Provision {
        desired: Attributes,
        defaults: Attributes,
    },
}

/// What is to be written and recorded for an item.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) write: Option<Write>,
    pub(super) link: Option<Link>,
    /// The link of a source object whose target this one takes over.
    pub(super) unlinks: Option<Link>,
    /// What the link is written for, if that is not written itself: if it was changed, deleted or had back meanwhile, the link
    /// may be wrong.
    pub(super) seen: Option<Seen>,
    pub(super) count: Count,
    pub(super) change: Option<Change>,
}

impl Plan {
    /// Nothing is written, nor recorded.
    pub(super) fn nothing(count: Count) -> Self {
        Self {
            write: None,
            link: None,
            unlinks: None,
            seen: None,
            count,
            change: None,
        }
    }

    /// It can't be done after all: nothing is written but the record of that, and the next run tries again.
    pub(super) fn give_up(&mut self, reason: Reason) {
        self.count = Count::Failed(reason.clone());
        (self.link, self.unlinks) = (None, None);
        if let Some(change) = &mut self.change {
            change.outcome = Outcome::Failed;
            change.diffs.clear();
            change.reason = Some(reason);
        }
    }
}

/// What planning came to.
#[derive(Debug, Clone)]
pub(super) enum Planned {
    /// Do this.
    Do(Box<Plan>),
    /// The address is held by another object of this integration, which may be about to give it up: decide when the
    /// listing is complete (semantics 13).
    Park,
}

impl Planned {
    fn new(plan: Plan) -> Self {
        Self::Do(Box::new(plan))
    }
}

/// Decides about one item.
pub(super) fn plan(item: &Item, found: &Found, context: &Context) -> Planned {
    let mut planned = decide(item, found, context);
    if let Planned::Do(plan) = &mut planned
        && plan.write.is_none()
        && plan.link.is_some()
    {
        plan.seen = seen(item.kind, found);
    }
    planned
}

/// What the link of an item leads to, as it was found.
fn seen(kind: Kind, found: &Found) -> Option<Seen> {
    let link = found.link.as_ref()?;
    let (target, _) = link.target.as_ref()?;
    Some(Seen {
        kind,
        source: link.source.clone(),
        target: target.clone(),
        revision: found.target.as_ref().map_or(0, |target| target.revision),
    })
}

fn decide(item: &Item, found: &Found, context: &Context) -> Planned {
    match &item.what {
        What::Observe(count) => Planned::new(Plan {
            link: observed(item, found),
            ..Plan::nothing(count.clone())
        }),
        What::Defect(reason) => Planned::new(fail(item, found, context, reason.clone())),
        What::Protected => Planned::new(left::protected(item, found, context)),
        What::Unclear(reason) => Planned::new(left::unclear(item, found, context, reason)),
        What::Provision { desired, defaults } => provision(item, desired, defaults, found, context),
    }
}

/// A link row for an object that was never observed before, that was absent and is back, or that is no longer left as it was.
pub(super) fn observed(item: &Item, found: &Found) -> Option<Link> {
    left::link(item, found, Fingerprint::NONE)
}

/// Records that it could not be done.
pub(super) fn fail(item: &Item, found: &Found, context: &Context, reason: Reason) -> Plan {
    Plan {
        link: observed(item, found),
        change: Some(change(
            item,
            found.target.as_ref(),
            Outcome::Failed,
            Some(reason.clone()),
            Vec::new(),
            context,
        )),
        ..Plan::nothing(Count::Failed(reason))
    }
}

fn provision(
    item: &Item,
    desired: &Attributes,
    defaults: &Attributes,
    found: &Found,
    context: &Context,
) -> Planned {
    match (&found.target, &found.holder) {
        (Some(_), Some(holder)) | (None, Some(holder))
            if holder.linked_to(context.uid).is_some() =>
        {
            // Somebody of the same kind and integration may yet move away from the address.
            if holder.kind == item.kind {
                Planned::Park
            } else {
                Planned::new(left::taken(item, found, holder, context))
            }
        }
        (Some(_), Some(holder)) => Planned::new(left::taken(item, found, holder, context)),
        (None, Some(holder)) if holder.kind != item.kind => {
            Planned::new(left::taken(item, found, holder, context))
        }
        (Some(target), None) => {
            Planned::new(provision::update(item, desired, target, found, context))
        }
        (None, Some(holder)) => Planned::new(provision::adopt(
            item, desired, defaults, holder, context, "ADOPTED",
        )),
        (None, None) if left::was_deleted(found) => {
            Planned::new(left::deleted(item, found, context))
        }
        (None, None) => Planned::new(provision::create(item, desired, defaults, context)),
    }
}

/// A change record for an item.
pub(super) fn change(
    item: &Item,
    target: Option<&Entity>,
    outcome: Outcome,
    reason: Option<Reason>,
    diffs: Vec<Diff>,
    context: &Context,
) -> Change {
    Change {
        rule: item.rule.clone(),
        action: item.rule.as_ref().map(|_| Action::Add),
        source: ObjectRef {
            kind: item.kind,
            id: item.source.to_string(),
            label: item.label.clone(),
        },
        target: target.map(|entity| ObjectRef {
            kind: entity.kind,
            id: entity.id.to_string(),
            label: entity.email().to_owned(),
        }),
        outcome,
        reason,
        diffs,
        time: context.now,
    }
}

/// The address that an item wants, in the form in which addresses are compared; empty if it wants none.
pub(super) fn wanted_email(item: &Item) -> String {
    match &item.what {
        What::Provision { desired, .. } => {
            fold_email(desired.text(&Attribute::USER_NAME).unwrap_or_default())
        }
        What::Observe(_) | What::Defect(_) | What::Protected | What::Unclear(_) => String::new(),
    }
}

/// Of which rule the defaults are.
pub(super) fn provisioned_by(rule: &Rule, desired: Attributes) -> What {
    What::Provision {
        desired,
        defaults: rule.defaults.clone(),
    }
}

#[cfg(test)]
mod tests;
