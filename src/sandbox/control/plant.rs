//! Planting what Google would never accept, but might one day answer.

use serde_json::{Map, Value};

use super::super::error::ApiError;
use super::super::wire::{Id, outside_id};
use super::super::world::group::{Group, Kind, Member, Role};
use super::super::world::{World, people};

/// Lays values over a user. A free address is really given to it; everything else is only shown.
pub fn user(world: &mut World, id: &str, values: &Map<String, Value>) {
    let revision = world.touch();
    let address = free(world, values.get("primaryEmail"));
    if let Some(user) = world.users.get_mut(id) {
        user.revision = revision;
        for (name, value) in values {
            if name != "primaryEmail" || address.is_none() {
                user.planted.insert(name.clone(), value.clone());
            }
        }
        let aliases = user.aliases.clone();
        if let Some(address) = address {
            user.planted.remove("primaryEmail");
            world.readdress_user(id, &address, aliases);
        }
    }
}

/// Adds a user with any values at all.
///
/// # Errors
/// 409 for an address in use.
pub fn new_user(
    world: &mut World,
    customer: usize,
    values: &Map<String, Value>,
    now: i64,
) -> Result<Id, ApiError> {
    let id = world.dice.user_id();
    let address = free(world, values.get("primaryEmail")).ok_or_else(|| {
        ApiError::duplicate("a planted user needs a free primaryEmail, of any form")
    })?;
    let mut new = people::plain(id.clone(), customer, &address, "Planted", "User");
    new.created = now;
    world.add_user(new);
    let mut rest = values.clone();
    rest.remove("primaryEmail");
    user(world, &id, &rest);
    Ok(id)
}

/// Lays values over a group. A free address is really given to it.
pub fn group(world: &mut World, id: &str, values: &Map<String, Value>) {
    let revision = world.touch();
    let address = free(world, values.get("email"));
    if let Some(group) = world.groups.get_mut(id) {
        group.revision = revision;
        for (name, value) in values {
            if name != "email" || address.is_none() {
                group.planted.insert(name.clone(), value.clone());
            }
        }
        let aliases = group.aliases.clone();
        if let Some(address) = address {
            group.planted.remove("email");
            world.readdress_group(id, &address, aliases);
        }
    }
}

/// Adds a group with any values at all.
///
/// # Errors
/// 409 for an address in use.
pub fn new_group(
    world: &mut World,
    customer: usize,
    values: &Map<String, Value>,
) -> Result<Id, ApiError> {
    let id = world.dice.group_id();
    let email = free(world, values.get("email"))
        .ok_or_else(|| ApiError::duplicate("a planted group needs a free email, of any form"))?;
    world.add_group(Group {
        id: id.clone(),
        customer,
        email,
        name: "Planted".to_owned(),
        description: String::new(),
        aliases: Vec::new(),
        admin_created: true,
        external_ids: Vec::new(),
        members: std::collections::BTreeMap::new(),
        planted: Map::new(),
        revision: 0,
    });
    let mut rest = values.clone();
    rest.remove("email");
    group(world, &id, &rest);
    Ok(id)
}

/// Lays values over a membership.
pub fn member(world: &mut World, group: &str, place: &str, values: &Map<String, Value>) {
    let revision = world.touch();
    let group = world.groups.get_mut(group);
    if let Some(member) = group.and_then(|group| group.members.get_mut(place)) {
        member.revision = revision;
        let planted = member.planted.get_or_insert_default();
        planted.extend(values.clone());
    }
}

/// Adds a membership with any values at all; it stands where its e-mail, or else its id, belongs.
///
/// # Errors
/// 409 for one that is there already.
pub fn new_member(
    world: &mut World,
    group: &str,
    values: &Map<String, Value>,
) -> Result<Id, ApiError> {
    let text = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    let id: Id = match text("id") {
        "" => outside_id(text("email")),
        id => id.into(),
    };
    let kind = match text("type") {
        "GROUP" => Kind::Group,
        "CUSTOMER" => Kind::Customer,
        _ => Kind::User,
    };
    let new = Member {
        id,
        kind,
        email: (!text("email").is_empty()).then(|| text("email").into()),
        role: Role::Member,
        delivery: "ALL_MAIL",
        planted: None,
        revision: 0,
    };
    let place = new.sort_key();
    if !world.add_member(group, new) {
        return Err(ApiError::duplicate("Member already exists."));
    }
    member(world, group, &place, values);
    Ok(place)
}

/// The address, if it can be given out: the index knows lower case only.
fn free(world: &World, address: Option<&Value>) -> Option<Id> {
    let address: &str = address?.as_str()?;
    let good = address == address.to_lowercase() && world.taken(address).is_none();
    good.then(|| address.into())
}
