//! Writes to users.

use serde_json::{Map, Value};

use super::super::error::ApiError;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::Id;
use super::super::world::user::{KEPT, User};
use super::super::world::{Owner, World, domain_of, people};
use super::user_body::{Body, read, unit_of};
use super::user_read::shown;
use super::{Ask, Rank, user_of};

/// Aliases a user may have.
const MAX_ALIASES: usize = 30;

/// `users.insert`.
///
/// # Errors
/// As [`insert`], and 403.
pub fn insert_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    super_admin(ask)?;
    let body = ask.call.json()?;
    if state.options.quota_per_minute > 0 {
        let domain = body
            .get("primaryEmail")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !state.quota.creation(domain_of(domain), ask.now) {
            return Err(ApiError::new(
                503,
                "backendError",
                "quota exceeded for the current request",
            ));
        }
    }
    let id = insert(&mut state.world, ask.caller.customer, &body, ask.now)?;
    answer(&state.world, ask, &id)
}

/// Creates a user.
///
/// # Errors
/// 400 for what is missing or wrong, 404 for a foreign domain, 409 for an address in use.
pub fn insert(
    world: &mut World,
    customer: usize,
    body: &Map<String, Value>,
    now: i64,
) -> Result<Id, ApiError> {
    let body = read(body, &world.customers[customer])?;
    let missing = |name: &str| ApiError::required(format!("Missing required field: {name}"));
    let email = body
        .email
        .clone()
        .ok_or_else(|| missing("primary_user_email"))?;
    let given = body.given.clone().ok_or_else(|| missing("given_name"))?;
    let family = body.family.clone().ok_or_else(|| missing("family_name"))?;
    if !body.password {
        return Err(missing("password"));
    }
    if world.taken(&email).is_some() {
        return Err(ApiError::duplicate("Entity already exists."));
    }
    let id = world.dice.user_id();
    let mut user = people::plain(id.clone(), customer, &email, &given, &family);
    user.created = now;
    user.revision = world.touch();
    apply(&mut user, body, now);
    world.add_user(user);
    Ok(id)
}

/// `users.update` and, unless `whole`, `users.patch`.
///
/// # Errors
/// As [`update`], and 403, 404, 412.
pub fn update_call(state: &mut State, ask: &Ask<'_>, whole: bool) -> Result<Reply, ApiError> {
    let id = writable(&state.world, ask)?;
    let mut body = ask.call.json()?;
    if !whole {
        // A patch can't clear what repeats; only an update can.
        body.retain(|name, value| {
            let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            !(nothing && KEPT.contains(&name.as_str()) && !name.starts_with("recovery"))
        });
    }
    update(&mut state.world, &id, &body, ask.now)?;
    answer(&state.world, ask, &id)
}

/// Changes a user: what is absent stays, `null` clears, arrays are replaced whole.
///
/// # Errors
/// 400 for what is wrong, 409 for an address in use, 412 for too many aliases.
pub fn update(
    world: &mut World,
    id: &str,
    body: &Map<String, Value>,
    now: i64,
) -> Result<(), ApiError> {
    let user = world
        .users
        .get(id)
        .ok_or_else(|| ApiError::not_found("userKey"))?;
    let body = read(body, &world.customers[user.customer])?;
    if let Some(email) = body.email.as_deref().filter(|email| **email != *user.email) {
        let email: Id = email.into();
        let own = Owner::User(user.id.clone());
        if world.taken(&email).is_some_and(|owner| *owner != own) {
            return Err(ApiError::duplicate("Entity already exists."));
        }
        // The old address stays as an alias, so that mail still arrives.
        let mut aliases = user.aliases.clone();
        aliases.retain(|alias| *alias != email);
        aliases.push(user.email.clone());
        if aliases.len() > MAX_ALIASES {
            return Err(ApiError::new(412, "limitExceeded", "Alias limit reached."));
        }
        world.readdress_user(id, &email, aliases);
    }
    let revision = world.touch();
    if let Some(user) = world.users.get_mut(id) {
        apply(user, body, now);
        user.revision = revision;
    }
    Ok(())
}

fn apply(user: &mut User, body: Body, now: i64) {
    if let Some(given) = body.given {
        user.given = given;
    }
    if let Some(family) = body.family {
        user.family = family;
    }
    match body.suspended {
        Some(true) if user.suspended.is_none() => user.suspended = Some((now, "ADMIN")),
        Some(false) => user.suspended = None,
        _ => {}
    }
    match body.archived {
        Some(true) if user.archived.is_none() => user.archived = Some(now),
        Some(false) => user.archived = None,
        _ => {}
    }
    if let Some(unit) = body.org_unit {
        user.org_unit = unit.into();
    }
    for (name, value) in body.kept {
        if name == "customSchemas"
            && let (Some(Value::Object(known)), Value::Object(more)) =
                (user.extra.get_mut(&name), &value)
        {
            merge(known, more);
        } else {
            user.extra.insert(name, value);
        }
    }
}

/// Fields that are not named stay; `null` removes.
fn merge(known: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (name, value) in more {
        match (known.get_mut(name), value) {
            (_, Value::Null) => {
                known.remove(name);
            }
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            _ => {
                known.insert(name.clone(), value.clone());
            }
        }
    }
}

/// `users.delete`.
///
/// # Errors
/// 403, 404, 412.
pub fn delete_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    let id = writable(&state.world, ask)?;
    delete(&mut state.world, &id, ask.now);
    Ok(Reply::empty(204))
}

/// Deletes a user for 20 days.
pub fn delete(world: &mut World, id: &str, now: i64) {
    world.delete_user(id, now);
}

/// `users.undelete`, by id only.
///
/// # Errors
/// As [`undelete`], and 403.
pub fn undelete_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    super_admin(ask)?;
    let body = ask.call.json()?;
    let path = body.get("orgUnitPath").and_then(Value::as_str);
    let customer = ask.caller.customer;
    let known = state.world.deleted.get(ask.key(0));
    if known.is_none_or(|deleted| deleted.user.customer != customer) {
        return Err(ApiError::not_found("userKey"));
    }
    undelete(&mut state.world, ask.key(0), path)?;
    Ok(Reply::empty(204))
}

/// Brings a deleted user back as it was, with its memberships.
///
/// # Errors
/// 404 for who isn't deleted, 409 if the address was given to another.
pub fn undelete(world: &mut World, id: &str, path: Option<&str>) -> Result<(), ApiError> {
    let deleted = world
        .deleted
        .get(id)
        .ok_or_else(|| ApiError::not_found("userKey"))?;
    if world.taken(&deleted.user.email).is_some() {
        return Err(ApiError::duplicate("Entity already exists."));
    }
    let unit = match path {
        Some(path) => Some(unit_of(path, &world.customers[deleted.user.customer])?),
        None => None,
    };
    let Some(mut deleted) = world.deleted.remove(id) else {
        return Ok(());
    };
    deleted.user.revision = world.touch();
    deleted
        .user
        .aliases
        .retain(|alias| world.taken(alias).is_none());
    if let Some(unit) = unit {
        deleted.user.org_unit = unit.into();
    }
    world.add_user(deleted.user);
    for (group, member) in deleted.memberships {
        world.add_member(&group, member);
    }
    Ok(())
}

/// `users.makeAdmin`.
///
/// # Errors
/// 403 for who isn't a super administrator; 400 for a body without `status`.
pub fn make_admin(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    super_admin(ask)?;
    let id = user_of(&state.world, ask.caller.customer, ask.key(0))?;
    let status = ask
        .call
        .json()?
        .get("status")
        .and_then(Value::as_bool)
        .ok_or_else(|| ApiError::required("Missing required field: status"))?;
    let revision = state.world.touch();
    if let Some(user) = state.world.users.get_mut(&id) {
        user.is_admin = status;
        user.revision = revision;
    }
    Ok(Reply::empty(204))
}

fn super_admin(ask: &Ask<'_>) -> Result<(), ApiError> {
    if ask.caller.rank == Rank::Super {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

/// The user in the path, if the caller may change it: administrators only by super administrators.
fn writable(world: &World, ask: &Ask<'_>) -> Result<Id, ApiError> {
    ask.admin()?;
    let id = user_of(world, ask.caller.customer, ask.key(0))?;
    let user = world
        .users
        .get(&id)
        .ok_or_else(|| ApiError::not_found("userKey"))?;
    if (user.is_admin || user.is_delegated) && ask.caller.rank != Rank::Super {
        return Err(ApiError::forbidden());
    }
    ask.if_match(&user.etag())?;
    Ok(id)
}

fn answer(world: &World, ask: &Ask<'_>, id: &str) -> Result<Reply, ApiError> {
    let user = world
        .users
        .get(id)
        .ok_or_else(|| ApiError::not_found("userKey"))?;
    let map = shown(world, user, &ask.mask, true, false);
    Ok(Reply::json(200, Value::Object(map)).with("etag", user.etag()))
}
