//! Writes to memberships.

use serde_json::{Map, Value};

use super::super::error::ApiError;
use super::super::reply::Reply;
use super::super::schema;
use super::super::state::State;
use super::super::wire::{Id, outside_id};
use super::super::world::group::{DELIVERY, Group, Kind, Member, Role};
use super::super::world::{Owner, World};
use super::member_read::group_of;
use super::{Ask, outside};

/// `members.insert`.
///
/// # Errors
/// As [`insert`], and 403, 404.
pub fn insert_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let group = group_of(&state.world, ask.caller.customer, ask.key(0))?
        .id
        .clone();
    let place = insert(&mut state.world, &group, &ask.call.json()?)?;
    answer(&state.world, ask, &group, &place)
}

/// Adds a member; returns its place in the listing.
///
/// # Errors
/// 400 for what is missing or wrong, 404 for who doesn't exist, 409 for a member already there,
/// 412 for a circle.
pub fn insert(world: &mut World, group: &str, body: &Map<String, Value>) -> Result<Id, ApiError> {
    let group = world
        .groups
        .get(group)
        .ok_or_else(|| ApiError::not_found("groupKey"))?;
    let (id, group_customer) = (group.id.clone(), group.customer);
    let (role, delivery) = check(body)?;
    let key = ["id", "email"]
        .iter()
        .find_map(|name| body.get(*name)?.as_str().filter(|key| !key.is_empty()))
        .ok_or_else(|| ApiError::required("Missing required field: memberKey"))?;
    let mut member = find(world, group_customer, key)?;
    if member.kind == Kind::Group && world.contains_group(&member.id, &id) {
        return Err(ApiError::condition("Cyclic memberships not allowed"));
    }
    member.role = role.unwrap_or(Role::Member);
    member.delivery = delivery.unwrap_or("ALL_MAIL");
    member.revision = world.touch();
    let place = member.sort_key();
    if world.add_member(&id, member) {
        Ok(place)
    } else {
        Err(ApiError::duplicate("Member already exists."))
    }
}

/// Who a key names: somebody known, the whole customer, or an address elsewhere.
fn find(world: &World, customer: usize, key: &str) -> Result<Member, ApiError> {
    let member = |id: Id, kind: Kind, email: Option<Id>| Member {
        id,
        kind,
        email,
        role: Role::Member,
        delivery: "ALL_MAIL",
        planted: None,
        revision: 0,
    };
    if *world.customers[customer].id == *key {
        return Ok(member(key.into(), Kind::Customer, None));
    }
    match world.resolve(key) {
        Some(Owner::User(id)) => {
            let email = world.users.get(&id).map(|user| user.email.clone());
            Ok(member(id, Kind::User, email))
        }
        Some(Owner::Group(id)) => {
            let email = world.groups.get(&id).map(|group| group.email.clone());
            Ok(member(id, Kind::Group, email))
        }
        None if outside(world, customer, key) => {
            let email = key.to_lowercase();
            Ok(member(outside_id(&email), Kind::User, Some(email.into())))
        }
        None => Err(ApiError::not_found("memberKey")),
    }
}

/// `members.update` and `members.patch`.
///
/// # Errors
/// As [`update`], and 403, 404.
pub fn update_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let group = group_of(&state.world, ask.caller.customer, ask.key(0))?;
    let place = place(&state.world, group, ask.key(1))?;
    if let Some(member) = group.members.get(&place) {
        ask.if_match(&member.etag())?;
    }
    let group = group.id.clone();
    update(&mut state.world, &group, &place, &ask.call.json()?)?;
    answer(&state.world, ask, &group, &place)
}

/// Changes role or delivery.
///
/// # Errors
/// 400 for what is wrong.
pub fn update(
    world: &mut World,
    group: &str,
    place: &str,
    body: &Map<String, Value>,
) -> Result<(), ApiError> {
    let (role, delivery) = check(body)?;
    let revision = world.touch();
    if let Some(member) = world
        .groups
        .get_mut(group)
        .and_then(|group| group.members.get_mut(place))
    {
        member.role = role.unwrap_or(member.role);
        member.delivery = delivery.unwrap_or(member.delivery);
        member.revision = revision;
    }
    Ok(())
}

fn check(body: &Map<String, Value>) -> Result<(Option<Role>, Option<&'static str>), ApiError> {
    for name in body.keys() {
        if !schema::MEMBER.has(name) {
            return Err(ApiError::unknown_name(name, Some("member")));
        }
    }
    let role = match body.get("role") {
        None | Some(Value::Null) => None,
        Some(word) => Some(
            word.as_str()
                .and_then(Role::parse)
                .ok_or_else(|| ApiError::invalid("Invalid Input: role"))?,
        ),
    };
    let delivery = match body.get("delivery_settings") {
        None | Some(Value::Null) => None,
        Some(word) => Some(
            DELIVERY
                .iter()
                .find(|known| word == **known)
                .copied()
                .ok_or_else(|| ApiError::invalid("Invalid Input: delivery_settings"))?,
        ),
    };
    Ok((role, delivery))
}

/// `members.delete`.
///
/// # Errors
/// 403 and 404.
pub fn delete_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let group = group_of(&state.world, ask.caller.customer, ask.key(0))?;
    let place = place(&state.world, group, ask.key(1))?;
    let group = group.id.clone();
    delete(&mut state.world, &group, &place);
    Ok(Reply::empty(204))
}

/// Ends a membership.
pub fn delete(world: &mut World, group: &str, place: &str) {
    if world.remove_member(group, place) {
        world.touch();
    }
}

fn place(world: &World, group: &Group, key: &str) -> Result<Id, ApiError> {
    world
        .find_member(group, key)
        .ok_or_else(|| ApiError::not_found("memberKey"))
}

fn answer(world: &World, ask: &Ask<'_>, group: &str, place: &str) -> Result<Reply, ApiError> {
    let group = world
        .groups
        .get(group)
        .ok_or_else(|| ApiError::not_found("groupKey"))?;
    let member = group
        .members
        .get(place)
        .ok_or_else(|| ApiError::not_found("memberKey"))?;
    let map = member.show(world, group.customer, &ask.mask, false);
    Ok(Reply::json(200, Value::Object(map)).with("etag", member.etag()))
}
