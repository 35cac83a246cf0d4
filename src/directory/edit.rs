//! Changing users and groups by hand.

use super::{
    Directory, Error, New,
    validate::{self, complete},
};
use crate::model::{Attribute, Entity, Value, WrittenBy};

impl Directory {
    /// Gives a user or group, as it was read, other attributes: all of them, whatever the id given. Writes nothing if it has
    /// them already. Fails with every field that is wrong, with every attribute that would change though an integration
    /// owns it, if the address is taken, or if the object changed since it was read.
    ///
    /// Making a user inactive is always allowed, and remembered; making it active again then too (semantics 12). It is remembered also
    /// of one who is inactive already, if the caller `deactivates` it by saying so.
    pub async fn update(
        &self,
        seen: Entity,
        wanted: New,
        deactivates: bool,
        caller: &str,
    ) -> Result<Entity, Error> {
        let mut after = wanted.attributes;
        // What it never had is not missed: it may be an integration's to say.
        if wanted.bad.is_empty() {
            complete(seen.kind, &mut after, |name| {
                seen.attributes.get(name).is_some()
            });
        }
        let changed = validate::changed(seen.kind, &seen.attributes, &after, wanted.bad)
            .map_err(Error::Invalid)?;
        let deactivates = deactivates && !seen.deactivated_by_hand;
        if changed.is_empty() && !deactivates {
            return Ok(seen);
        }
        let active = changed
            .contains(&Attribute::ACTIVE)
            .then(|| after.get(&Attribute::ACTIVE) == Some(&Value::Bool(true)));
        let by_hand = match active {
            Some(true) => seen.deactivated_by_hand,
            Some(false) => true,
            None => deactivates,
        };
        let owned: Vec<_> = changed
            .iter()
            .filter(|attribute| !by_hand || **attribute != Attribute::ACTIVE)
            .filter_map(|attribute| Some((attribute, seen.owners.get(attribute)?)))
            .map(|(attribute, owner)| {
                let owner = format!("companies/{}/integrations/{owner}", seen.company);
                (validate::field(seen.kind, attribute), owner)
            })
            .collect();
        if !owned.is_empty() {
            return Err(Error::Owned(owned));
        }
        let entity = Entity {
            attributes: after,
            deactivated_by_hand: active
                .map_or(seen.deactivated_by_hand || deactivates, |active| !active),
            written_by: WrittenBy::Caller(caller.to_owned()),
            update_time: self.clock.now(),
            ..seen
        };
        Ok(self.store.update_entity(entity, active.is_some()).await?)
    }
}
