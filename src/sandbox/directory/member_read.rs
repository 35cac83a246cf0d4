//! `members.get`, `members.list`, `members.hasMember`.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::Id;
use super::super::world::group::{Group, Kind, Member, Role};
use super::super::world::{Owner, World};
use super::{Ask, outside};

/// The group that a key names, if it is the customer's.
///
/// # Errors
/// 403 for another customer's, 404 for none.
pub fn group_of<'w>(world: &'w World, customer: usize, key: &str) -> Result<&'w Group, ApiError> {
    let group = match world.resolve(key) {
        Some(Owner::Group(id)) => world.groups.get(&id),
        _ => None,
    };
    match group {
        Some(group) if group.customer == customer => Ok(group),
        Some(_) => Err(ApiError::forbidden()),
        None if outside(world, customer, key) => Err(ApiError::forbidden()),
        None => Err(ApiError::not_found("groupKey")),
    }
}

/// `members.get`.
///
/// # Errors
/// 403 and 404.
pub fn get(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let world = &state.world;
    let group = group_of(world, ask.caller.customer, ask.key(0))?;
    let member = world
        .find_member(group, ask.key(1))
        .and_then(|place| group.members.get(&place))
        .ok_or_else(|| ApiError::not_found("memberKey"))?;
    Ok(ask.single(&member.etag(), |mask| {
        member.show(world, group.customer, mask, false)
    }))
}

/// `members.list`.
///
/// # Errors
/// 400 for unknown roles, 403 for another customer's group, 404.
pub fn list(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let world = &state.world;
    let group = group_of(world, ask.caller.customer, ask.key(0))?;
    let paging = ask.paging()?;
    let roles = roles(ask.call.query.given("roles"))?;
    let derived = ask.call.query.truthy("includeDerivedMembership");
    let page = if derived || !roles.is_empty() {
        let mut all: BTreeMap<Id, Member> = BTreeMap::new();
        if derived {
            flatten(world, group, &mut HashSet::new(), &mut all);
        } else {
            all.clone_from(&group.members);
        }
        let mut rows: Vec<(Id, Member)> = all
            .into_iter()
            .filter_map(|(place, member)| {
                // Results come in the order of the filter.
                let turn = match roles.iter().position(|role| *role == member.role) {
                    Some(turn) => turn,
                    None if roles.is_empty() => 0,
                    None => return None,
                };
                Some((format!("{turn}{place}").into(), member))
            })
            .filter(|(place, _): &(Id, _)| paging.passes(place, false))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        paging.cut(rows.into_iter())
    } else {
        let rows = group
            .members
            .range::<str, _>((paging.from(), Bound::Unbounded))
            .map(|(place, member)| (place.clone(), member.clone()));
        paging.cut(rows)
    };
    let mask = ask.mask.get("members");
    let page = page.map(|member| match mask {
        Some(mask) => Value::Object(member.show(world, group.customer, mask, true)),
        None => Value::Null,
    });
    let value = page.show(
        "admin#directory#members",
        "members",
        world.revision,
        &ask.mask,
    );
    Ok(Reply::json(200, value))
}

fn roles(text: Option<&str>) -> Result<Vec<Role>, ApiError> {
    text.map_or(Ok(Vec::new()), |text| {
        text.split(',')
            .map(|word| {
                Role::parse(word.trim()).ok_or_else(|| ApiError::invalid("Invalid Input: roles"))
            })
            .collect()
    })
}

/// The group's members, its subgroups and theirs; a customer stands for all its users.
fn flatten(world: &World, group: &Group, seen: &mut HashSet<Id>, into: &mut BTreeMap<Id, Member>) {
    if !seen.insert(group.id.clone()) {
        return;
    }
    for (place, member) in &group.members {
        into.entry(place.clone()).or_insert_with(|| member.clone());
        match member.kind {
            Kind::User => {}
            Kind::Group => {
                if let Some(inner) = world.groups.get(&member.id)
                    && inner.customer == group.customer
                {
                    flatten(world, inner, seen, into);
                }
            }
            Kind::Customer => {
                for (email, id) in &world.customers[group.customer].users {
                    into.entry(email.clone()).or_insert_with(|| Member {
                        id: id.clone(),
                        kind: Kind::User,
                        email: Some(email.clone()),
                        ..member.clone()
                    });
                }
            }
        }
    }
}

/// `members.hasMember`: direct or nested.
///
/// # Errors
/// 400 for a member that isn't the customer's, 403, 404.
pub fn has_member(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let world = &state.world;
    let customer = ask.caller.customer;
    let group = group_of(world, customer, ask.key(0))?;
    let key = ask.key(1);
    let foreign = || ApiError::invalid("Invalid Input: memberKey");
    let id = match world.resolve(key) {
        Some(Owner::User(id))
            if world
                .users
                .get(&id)
                .is_some_and(|user| user.customer == customer) =>
        {
            id
        }
        Some(Owner::Group(id))
            if world
                .groups
                .get(&id)
                .is_some_and(|other| other.customer == customer) =>
        {
            id
        }
        Some(_) => return Err(foreign()),
        None if outside(world, customer, key) => return Err(foreign()),
        None => return Err(ApiError::not_found("memberKey")),
    };
    let mut all = BTreeMap::new();
    flatten(world, group, &mut HashSet::new(), &mut all);
    let member = all.values().any(|member| member.id == id);
    let value = ask
        .mask
        .prune(json!({"isMember": member}))
        .unwrap_or_else(|| json!({}));
    Ok(Reply::json(200, value))
}
