//! Merging what a source wants into what an object is: whose attribute it is decides (semantics 9, 11, 12).

use super::plan::Context;
use crate::model::{Attribute, Attributes, Diff, Entity, IntegrationId, Reason, Value, WrittenBy};

/// Something is left as another integration says.
pub(super) const OWNED_BY: &str = "OWNED_BY";

/// What merging the desired attributes into an object came to.
pub(super) struct Merged {
    pub(super) diffs: Vec<Diff>,
    /// Attributes left to another integration, and which.
    foreign: Vec<(Attribute, IntegrationId)>,
    /// Why the object is not quite as desired; it is looked at again in every run.
    pub(super) held: Option<Reason>,
}

impl Merged {
    pub(super) fn remark(&self) -> Option<String> {
        let foreign = self.foreign.first();
        let foreign = foreign.map(|(attribute, owner)| match self.foreign.len() - 1 {
            0 => format!("{attribute} stays as integration {owner} says"),
            more => format!("{attribute} and {more} more stay as integration {owner} says"),
        });
        self.held
            .as_ref()
            .map(|reason| reason.text.clone())
            .or(foreign)
    }

    pub(super) fn reason(&self) -> Option<Reason> {
        let foreign = || {
            self.foreign
                .first()
                .and_then(|_| Some(Reason::new(OWNED_BY, self.remark()?)))
        };
        self.held.clone().or_else(foreign)
    }

    /// Says in the object that this integration has just written it, if anything but who owns it changed.
    pub(super) fn sign(&self, entity: &mut Entity, context: &Context) {
        if !self.diffs.is_empty() {
            entity.written_by = WrittenBy::Integration(context.integration.clone());
            entity.update_time = context.now;
        }
    }
}

/// Sets what this integration may set, clears what it owns and the source no longer has (semantics 9, 11, 12).
pub(super) fn merge(entity: &mut Entity, desired: &Attributes, context: &Context) -> Merged {
    let mut merged = Merged {
        diffs: Vec::new(),
        foreign: Vec::new(),
        held: None,
    };
    for (attribute, value) in desired.iter() {
        if let Some(owner) = entity
            .owners
            .get(attribute)
            .filter(|owner| **owner != context.integration)
        {
            if entity.attributes.get(attribute) != Some(value) {
                merged.foreign.push((attribute.clone(), owner.clone()));
            }
            continue;
        }
        let by_hand = entity.deactivated_by_hand
            && *attribute == Attribute::ACTIVE
            && *value == Value::Bool(true);
        if by_hand {
            merged.held = Some(Reason::new(
                "DEACTIVATED_BY_HAND",
                "a person deactivated this user in the directory; activate it there if that is right",
            ));
            continue;
        }
        entity
            .owners
            .insert(attribute.clone(), context.integration.clone());
        let old = entity.attributes.get(attribute).cloned();
        if old.as_ref() != Some(value) {
            entity.attributes.set(attribute.clone(), value.clone());
            merged.diffs.push(Diff {
                attribute: attribute.clone(),
                old,
                new: Some(value.clone()),
            });
        }
    }
    clear(entity, desired, context, &mut merged);
    merged
}

fn clear(entity: &mut Entity, desired: &Attributes, context: &Context, merged: &mut Merged) {
    let owned = entity
        .owners
        .iter()
        .filter(|(_, owner)| **owner == context.integration);
    let gone: Vec<Attribute> = owned
        .map(|(attribute, _)| attribute.clone())
        .filter(|a| desired.get(a).is_none())
        .collect();
    for attribute in gone {
        if matches!(
            entity.attributes.get(&attribute),
            None | Some(Value::Bool(_))
        ) {
            continue;
        }
        let old = entity.attributes.remove(&attribute);
        merged.diffs.push(Diff {
            attribute,
            old,
            new: None,
        });
    }
}
