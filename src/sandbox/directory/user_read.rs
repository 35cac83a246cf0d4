//! `users.get` and `users.list`.

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::fields::Mask;
use super::super::paging::{Page, Paging};
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::{Id, time};
use super::super::world::user::User;
use super::super::world::{Deleted, Owner, World, domain_of};
use super::user_query::Query;
use super::{Ask, Rank, own_scope, user_of};

/// What everybody in a company may see of a user.
const PUBLIC: &[&str] = &[
    "kind",
    "id",
    "etag",
    "primaryEmail",
    "name",
    "emails",
    "organizations",
    "phones",
    "thumbnailPhotoUrl",
];

/// `users.get`.
///
/// # Errors
/// 403, 404, and 412 for a deleted user.
pub fn get(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    let public = public(ask)?;
    let id = match state.world.resolve(ask.key(0)) {
        Some(Owner::User(id)) if ask.caller.resells => id,
        _ => user_of(&state.world, ask.caller.customer, ask.key(0))?,
    };
    let user = state
        .world
        .users
        .get(&id)
        .ok_or_else(|| ApiError::not_found("userKey"))?;
    Ok(ask.single(&user.etag(), |mask| {
        shown(&state.world, user, mask, custom(ask), public)
    }))
}

/// The resource as the caller may see it.
pub fn shown(
    world: &World,
    user: &User,
    mask: &Mask,
    custom: bool,
    public: bool,
) -> Map<String, Value> {
    let customer = &world.customers[user.customer];
    let mut map = user.show(customer, mask, custom);
    if public {
        map.retain(|name, _| PUBLIC.contains(&name.as_str()));
    }
    map
}

/// Whether custom attributes are asked for.
fn custom(ask: &Ask<'_>) -> bool {
    matches!(ask.call.query.get("projection"), Some("custom" | "full"))
}

/// Whether only what is public may be shown.
fn public(ask: &Ask<'_>) -> Result<bool, ApiError> {
    match ask.call.query.get("viewType") {
        Some("domain_public") => Ok(true),
        _ if ask.caller.rank == Rank::Plain => Err(ApiError::forbidden()),
        _ => Ok(false),
    }
}

/// `users.list`.
///
/// # Errors
/// 400 and 403.
pub fn list(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    let public = public(ask)?;
    let world = &state.world;
    let domain = own_scope(world, ask)?;
    let paging = ask.paging()?;
    let query = Query::parse(ask.call.query.given("query"), public)?;
    let within = |user: &User| {
        domain
            .as_deref()
            .is_none_or(|domain| domain_of(&user.email) == domain)
    };
    let mask = ask.mask.get("users");
    let show = |user: &User| match mask {
        Some(mask) => Value::Object(shown(world, user, mask, custom(ask), public)),
        None => Value::Null,
    };
    let wanted = |user: &User| within(user) && query.matches(world, user);
    let users = &world.customers[ask.caller.customer].users;
    let page = if ask.call.query.truthy("showDeleted") {
        deleted(world, ask, &paging, wanted).map(Value::Object)
    } else if ask.call.query.get("orderBy").is_some() {
        let all = users.values().filter_map(|id| world.users.get(id));
        sorted(ask, &paging, all.filter(|user| wanted(user))).map(show)
    } else {
        let rows = users
            .range::<str, _>((paging.from(), std::ops::Bound::Unbounded))
            .filter_map(|(email, id)| Some((email.clone(), world.users.get(id)?)))
            .filter(|(_, user)| wanted(user));
        paging.cut(rows).map(show)
    };
    let value = page.show("admin#directory#users", "users", world.revision, &ask.mask);
    Ok(Reply::json(200, value))
}

/// Another order than by address: sorted anew for each page.
fn sorted<'w>(
    ask: &Ask<'_>,
    paging: &Paging,
    users: impl Iterator<Item = &'w User>,
) -> Page<&'w User> {
    let descending = ask.call.query.get("sortOrder") == Some("DESCENDING");
    let place = |user: &User| -> Id {
        let first = match ask.call.query.get("orderBy") {
            Some("familyName") => user.family.to_lowercase(),
            Some("givenName") => user.given.to_lowercase(),
            _ => String::new(),
        };
        format!("{first}\u{1}{}", user.email).into()
    };
    let mut rows: Vec<(Id, &User)> = users.map(|user| (place(user), user)).collect();
    rows.sort_by(|a, b| {
        if descending {
            b.0.cmp(&a.0)
        } else {
            a.0.cmp(&b.0)
        }
    });
    paging.cut(
        rows.into_iter()
            .filter(|(place, _)| paging.passes(place, descending)),
    )
}

/// Users deleted in the last 20 days.
fn deleted(
    world: &World,
    ask: &Ask<'_>,
    paging: &Paging,
    wanted: impl Fn(&User) -> bool,
) -> Page<Map<String, Value>> {
    let mut rows: Vec<(Id, &Deleted)> = world
        .deleted
        .values()
        .filter(|deleted| deleted.user.customer == ask.caller.customer && wanted(&deleted.user))
        .map(|deleted| {
            let place = format!("{}\u{1}{}", deleted.user.email, deleted.user.id);
            (place.into(), deleted)
        })
        .filter(|(place, _): &(Id, _)| paging.passes(place, false))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mask = ask.mask.get("users").cloned().unwrap_or(Mask::All);
    paging.cut(rows.into_iter()).map(|deleted| {
        let mut map = shown(world, &deleted.user, &mask, custom(ask), false);
        mask.put(&mut map, "deletionTime", || json!(time(deleted.at)));
        map
    })
}
