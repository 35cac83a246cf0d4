//! What provisioning an object comes to: it is made, adopted or brought up to date.

use super::{
    left,
    merge::{Merged, merge},
    plan::{Context, Item, Plan, change},
    record::Count,
};
use crate::{
    connector::Write,
    model::{
        Action, Attribute, Attributes, Change, Diff, Entity, EntityLink, Fingerprint, Found, Kind,
        Link, LinkOrigin, Outcome, Reason, Value,
    },
};

/// Makes a new directory object.
pub(super) fn create(
    item: &Item,
    desired: &Attributes,
    defaults: &Attributes,
    context: &Context,
) -> Plan {
    let mut attributes = desired.clone();
    for (attribute, value) in defaults.iter() {
        if attributes.get(attribute).is_none() {
            attributes.set(attribute.clone(), value.clone());
        }
    }
    // Whoever is not said to be inactive is active.
    if item.kind == Kind::User && attributes.get(&Attribute::ACTIVE).is_none() {
        attributes.set(Attribute::ACTIVE, Value::Bool(true));
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
        change: Some(change(item, None, Outcome::Applied, reason, diffs, context)),
        ..Plan::nothing(Count::Added)
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
        // What another integration owns is empty because that one says so.
        let owner = entity.owners.get(attribute);
        let foreign = owner.is_some_and(|owner| *owner != context.integration);
        if !foreign && entity.attributes.get(attribute).is_none() {
            entity.attributes.set(attribute.clone(), value.clone());
            merged.diffs.push(Diff {
                attribute: attribute.clone(),
                old: None,
                new: Some(value.clone()),
            });
        }
    }
    merged.sign(&mut entity, context);
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
        change: Some(change),
        ..Plan::nothing(Count::Added)
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
    merged.sign(&mut entity, context);
    let mut link = applied(item, desired, found.link.as_ref());
    note_held(&mut link, &merged);
    let on_record = left::on_record(found, link.told, context);
    let link = (found.link.as_ref() != Some(&link)).then_some(link);
    if entity.attributes == target.attributes {
        let write = (entity.owners != target.owners).then_some(Write::Update(entity));
        let (count, change) = match merged.reason() {
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
            change,
            ..Plan::nothing(count)
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
        change: Some(change),
        ..Plan::nothing(Count::Modified)
    }
}
