//! Reading and changing the company without authorization.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::directory;
use super::super::error::ApiError;
use super::super::fields::Mask;
use super::super::state::State;
use super::super::wire::Id;
use super::super::world::{Owner, World};
use super::{Answer, plant, unknown};

fn customer(world: &World, call: &Call) -> Result<usize, ApiError> {
    match call.query.given("customer") {
        None => Ok(0),
        Some(id) => world
            .customers
            .iter()
            .position(|customer| *customer.id == *id || customer.primary_domain() == id)
            .ok_or_else(|| ApiError::bad_request("Invalid Customer Id")),
    }
}

/// `GET /sandbox/state`.
pub fn state(state: &State, call: &Call) -> Answer {
    let world = &state.world;
    let index = customer(world, call)?;
    let own = &world.customers[index];
    let users: Vec<Value> = own
        .users
        .values()
        .filter_map(|id| show_user(world, id).ok())
        .collect();
    let mut groups = Vec::new();
    let mut members: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut memberships = 0;
    for group in own.groups.values().filter_map(|id| world.groups.get(id)) {
        memberships += group.members.len();
        groups.push(Value::Object(group.show(own, &Mask::All)));
        members.insert(
            &group.id,
            group
                .members
                .values()
                .map(|member| Value::Object(member.show(world, index, &Mask::All, false)))
                .collect(),
        );
    }
    let deleted: Vec<&str> = world
        .deleted
        .values()
        .filter(|deleted| deleted.user.customer == index)
        .map(|deleted| &*deleted.user.id)
        .collect();
    Ok(json!({
        "customerId": &*own.id,
        "customers": world.customers.iter().map(|one| json!({"id": &*one.id, "primaryDomain": one.primary_domain()})).collect::<Vec<_>>(),
        "domains": own.domains.iter().filter(|domain| domain.alias_of.is_none()).map(|domain| &*domain.name).collect::<Vec<_>>(),
        "counts": {"users": users.len(), "groups": groups.len(), "memberships": memberships, "deleted": deleted.len()},
        "users": users,
        "groups": groups,
        "members": members,
        "deleted": deleted,
        "now_millis": state.now(),
    }))
}

fn show_user(world: &World, id: &str) -> Answer {
    let user = world
        .users
        .get(id)
        .ok_or_else(|| ApiError::not_found("userKey"))?;
    Ok(Value::Object(user.show(
        &world.customers[user.customer],
        &Mask::All,
        true,
    )))
}

fn show_group(world: &World, id: &str) -> Answer {
    let group = world
        .groups
        .get(id)
        .ok_or_else(|| ApiError::not_found("groupKey"))?;
    Ok(Value::Object(
        group.show(&world.customers[group.customer], &Mask::All),
    ))
}

fn show_member(world: &World, group: &str, place: &str) -> Answer {
    let group = world
        .groups
        .get(group)
        .ok_or_else(|| ApiError::not_found("groupKey"))?;
    let member = group
        .members
        .get(place)
        .ok_or_else(|| ApiError::not_found("memberKey"))?;
    Ok(Value::Object(member.show(
        world,
        group.customer,
        &Mask::All,
        false,
    )))
}

/// `/sandbox/users`.
pub fn users(state: &mut State, call: &Call, verb: &str, rest: &[&str]) -> Answer {
    let raw = call.query.truthy("raw");
    let now = state.now();
    let world = &mut state.world;
    match (verb, rest) {
        ("POST", []) => {
            let customer = customer(world, call)?;
            let mut body = call.json()?;
            let id = if raw {
                plant::new_user(world, customer, &body, now)?
            } else {
                body.entry("password")
                    .or_insert_with(|| json!("a password of the sandbox"));
                directory::insert_user(world, customer, &body, now)?
            };
            show_user(world, &id)
        }
        ("POST", [id, "undelete"]) => {
            directory::undelete_user(world, id, None)?;
            show_user(world, id)
        }
        (_, [key]) => {
            let Some(Owner::User(id)) = world.resolve(key) else {
                return Err(ApiError::not_found("userKey"));
            };
            match verb {
                "GET" => show_user(world, &id),
                "PATCH" if raw => {
                    plant::user(world, &id, &call.json()?);
                    show_user(world, &id)
                }
                "PATCH" => {
                    directory::update_user(world, &id, &call.json()?, now)?;
                    show_user(world, &id)
                }
                "DELETE" => {
                    directory::delete_user(world, &id, now);
                    if call.query.truthy("purge") {
                        world.deleted.remove(&id);
                    }
                    Ok(json!({}))
                }
                _ => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

/// `/sandbox/groups`.
pub fn groups(state: &mut State, call: &Call, verb: &str, rest: &[&str]) -> Answer {
    let raw = call.query.truthy("raw");
    let world = &mut state.world;
    match (verb, rest) {
        ("POST", []) => {
            let customer = customer(world, call)?;
            let body = call.json()?;
            let id = if raw {
                plant::new_group(world, customer, &body)?
            } else {
                directory::insert_group(world, customer, &body)?
            };
            show_group(world, &id)
        }
        (_, [key]) => {
            let id = group_id(world, key)?;
            match verb {
                "GET" => show_group(world, &id),
                "PATCH" if raw => {
                    plant::group(world, &id, &call.json()?);
                    show_group(world, &id)
                }
                "PATCH" => {
                    directory::update_group(world, &id, &call.json()?)?;
                    show_group(world, &id)
                }
                "DELETE" => {
                    directory::delete_group(world, &id);
                    Ok(json!({}))
                }
                _ => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

fn group_id(world: &World, key: &str) -> Result<Id, ApiError> {
    match world.resolve(key) {
        Some(Owner::Group(id)) => Ok(id),
        _ => Err(ApiError::not_found("groupKey")),
    }
}

/// `/sandbox/groups/{key}/members`.
pub fn members(state: &mut State, call: &Call, verb: &str, group: &str, rest: &[&str]) -> Answer {
    let raw = call.query.truthy("raw");
    let world = &mut state.world;
    let group = group_id(world, group)?;
    match (verb, rest) {
        ("POST", []) => {
            let body = call.json()?;
            let place = if raw {
                plant::new_member(world, &group, &body)?
            } else {
                directory::insert_member(world, &group, &body)?
            };
            show_member(world, &group, &place)
        }
        (_, [key]) => {
            let place = world
                .groups
                .get(&group)
                .and_then(|group| world.find_member(group, key))
                .ok_or_else(|| ApiError::not_found("memberKey"))?;
            match verb {
                "GET" => show_member(world, &group, &place),
                "PATCH" => {
                    let body: Map<String, Value> = call.json()?;
                    if raw {
                        plant::member(world, &group, &place, &body);
                    } else {
                        directory::update_member(world, &group, &place, &body)?;
                    }
                    show_member(world, &group, &place)
                }
                "DELETE" => {
                    directory::delete_member(world, &group, &place);
                    Ok(json!({}))
                }
                _ => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

/// `POST /sandbox/orgunits/rename`.
pub fn rename_unit(state: &mut State, call: &Call) -> Answer {
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    directory::rename_unit(&mut state.world, 0, text("from"), text("to"))?;
    Ok(json!({}))
}
