//! What is to be done about one object: pure, from what the source wants and what the target has.

use super::{
    left,
    merge::{Merged, merge},
    record::Count,
};
use crate::{
    connector::Write,
    model::{
        Action, Attribute, Attributes, Change, Diff, Entity, EntityLink, Fingerprint, Found,
        IntegrationId, Kind, Link, LinkOrigin, ObjectRef, Outcome, Reason, Rule, RuleId, SourceId,
        Time, Uid, fold_email,
    },
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
    pub(super) count: Count,
    pub(super) change: Option<Change>,
}

impl Plan {
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
    match &item.what {
        What::Observe(count) => Planned::new(Plan {
            write: None,
            link: observed(item, found),
            unlinks: None,
            count: count.clone(),
            change: None,
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
        write: None,
        link: observed(item, found),
        unlinks: None,
        count: Count::Failed(reason.clone()),
        change: Some(change(
            item,
            found.target.as_ref(),
            Outcome::Failed,
            Some(reason),
            Vec::new(),
            context,
        )),
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
        (Some(target), None) => Planned::new(update(item, desired, target, found, context)),
        (None, Some(holder)) => {
            Planned::new(adopt(item, desired, defaults, holder, context, "ADOPTED"))
        }
        (None, None) if left::was_deleted(found) => {
            Planned::new(left::deleted(item, found, context))
        }
        (None, None) => Planned::new(create(item, desired, defaults, context)),
    }
}

fn create(item: &Item, desired: &Attributes, defaults: &Attributes, context: &Context) -> Plan {
    let mut attributes = desired.clone();
    for (attribute, value) in defaults.iter() {
        if attributes.get(attribute).is_none() {
            attributes.set(attribute.clone(), value.clone());
        }
    }
    let diffs = attributes
        .iter()
        .map(|(a, v)| Diff {
            attribute: a.clone(),
            old: None,
            new: Some(v.clone()),
        })
        .collect();
    let write = Write::Create {
        kind: item.kind,
        link: EntityLink {
            integration: context.uid,
            source: item.source.clone(),
        },
        attributes,
        integration: context.integration.clone(),
        owned: desired
            .iter()
            .map(|(attribute, _)| attribute.clone())
            .collect(),
    };
    let reason = Some(Reason::new("CREATED", "no object of this address existed"));
    Plan {
        write: Some(write),
        link: Some(applied(item, desired, None)),
        unlinks: None,
        count: Count::Added,
        change: Some(change(item, None, Outcome::Applied, reason, diffs, context)),
    }
}

/// The link once the desired attributes are applied in full.
fn applied(item: &Item, desired: &Attributes, before: Option<&Link>) -> Link {
    let mut link = before
        .cloned()
        .unwrap_or_else(|| Link::observed(item.source.clone()));
    link.fingerprint = desired.fingerprint();
    link.active = desired.bool(&Attribute::ACTIVE) != Some(false);
    (link.absent, link.told) = (false, Fingerprint::NONE);
    link
}

/// Notes in the link that not all was applied: the next run looks at it again.
fn note_held(link: &mut Link, merged: &Merged) {
    if let Some(reason) = &merged.held {
        link.fingerprint = Fingerprint::NONE;
        link.told = left::told(reason, Fingerprint::NONE);
    }
}

/// Takes a directory object into the care of this integration, because it has the address (`ADOPTED`), or because its
/// source object was made anew (`RELINKED`).
pub(super) fn adopt(
    item: &Item,
    desired: &Attributes,
    defaults: &Attributes,
    holder: &Entity,
    context: &Context,
    code: &str,
) -> Plan {
    let mut entity = holder.clone();
    entity.links.retain(|link| link.integration != context.uid);
    entity.links.push(EntityLink {
        integration: context.uid,
        source: item.source.clone(),
    });
    let mut merged = merge(&mut entity, desired, context);
    for (attribute, value) in defaults.iter() {
        if entity.attributes.get(attribute).is_none() {
            entity.attributes.set(attribute.clone(), value.clone());
            merged.diffs.push(Diff {
                attribute: attribute.clone(),
                old: None,
                new: Some(value.clone()),
            });
        }
    }
    let mut link = applied(item, desired, None);
    note_held(&mut link, &merged);
    link.target = Some((holder.id.clone(), LinkOrigin::Adopted));
    let mut text = match code {
        "RELINKED" => {
            "the source object was deleted and made again with the same address".to_owned()
        }
        _ => "an object of this address existed already".to_owned(),
    };
    if let Some(remark) = merged.remark() {
        text = format!("{text}; {remark}");
    }
    let change = change(
        item,
        Some(holder),
        Outcome::Applied,
        Some(Reason::new(code, text)),
        merged.diffs,
        context,
    );
    Plan {
        write: Some(Write::Update(entity)),
        link: Some(link),
        unlinks: None,
        count: Count::Added,
        change: Some(change),
    }
}

/// Brings a linked object up to date.
pub(super) fn update(
    item: &Item,
    desired: &Attributes,
    target: &Entity,
    found: &Found,
    context: &Context,
) -> Plan {
    let mut entity = target.clone();
    let merged = merge(&mut entity, desired, context);
    let mut link = applied(item, desired, found.link.as_ref());
    note_held(&mut link, &merged);
    let on_record = left::on_record(found, link.told, context);
    let link = (found.link.as_ref() != Some(&link)).then_some(link);
    if entity.attributes == target.attributes {
        let write = (entity.owners != target.owners).then_some(Write::Update(entity));
        let (count, change) = match merged.held {
            Some(reason) => {
                let (skipped, why) = (Outcome::Skipped, Some(reason.clone()));
                let record = || change(item, Some(target), skipped, why, Vec::new(), context);
                (Count::Skipped(reason), (!on_record).then(record))
            }
            None => (Count::Unchanged, None),
        };
        return Plan {
            write,
            link,
            unlinks: None,
            count,
            change,
        };
    }
    let reason = merged.reason();
    let change = change(
        item,
        Some(target),
        Outcome::Applied,
        reason,
        merged.diffs,
        context,
    );
    let change = Change {
        action: Some(Action::Modify),
        ..change
    };
    Plan {
        write: Some(Write::Update(entity)),
        link,
        unlinks: None,
        count: Count::Modified,
        change: Some(change),
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
