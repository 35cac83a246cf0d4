//! `groups`: reads and writes.

use std::ops::Bound;

use serde_json::{Map, Value};

use super::super::error::ApiError;
use super::super::paging::{Page, Paging};
use super::super::reply::Reply;
use super::super::schema;
use super::super::state::State;
use super::super::wire::Id;
use super::super::world::group::Group;
use super::super::world::{Owner, World, domain_of};
use super::user_body::address;
use super::user_query::words;
use super::{Ask, member_read, outside, own_scope};

/// `groups.get`.
///
/// # Errors
/// 403 and 404.
pub fn get(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let world = &state.world;
    let group = member_read::group_of(world, ask.caller.customer, ask.key(0))?;
    Ok(ask.single(&group.etag(), |mask| {
        group.show(&world.customers[group.customer], mask)
    }))
}

/// `groups.list`: of a customer, of a domain, or those that somebody is a direct member of.
///
/// # Errors
/// 400 and 403.
pub fn list(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let world = &state.world;
    let query = &ask.call.query;
    if query.given("customer").is_some() && query.given("userKey").is_some() {
        return Err(ApiError::bad_request(
            "Bad Request: customer and userKey can't be combined",
        ));
    }
    let domain = own_scope(world, ask)?;
    let paging = ask.paging()?;
    let search = query.given("query");
    let member = search.and_then(|text| text.strip_prefix("memberKey="));
    let wanted = filter(if member.is_some() { None } else { search })?;
    let within = |group: &Group| {
        domain
            .as_deref()
            .is_none_or(|domain| domain_of(&group.email) == domain)
            && wanted(group)
    };
    let descending = query.get("sortOrder") == Some("DESCENDING") && query.get("orderBy").is_some();
    let page = match query.given("userKey").or(member) {
        Some(key) => {
            let member = member_of_company(world, ask.caller.customer, key)?;
            let groups = world
                .groups_of(&member)
                .iter()
                .filter_map(|id| world.groups.get(id));
            sorted(&paging, groups.filter(|group| within(group)), descending)
        }
        None if descending => {
            let own = world.customers[ask.caller.customer].groups.values();
            let groups = own.filter_map(|id| world.groups.get(id));
            sorted(&paging, groups.filter(|group| within(group)), true)
        }
        None => paging.cut(
            world.customers[ask.caller.customer]
                .groups
                .range::<str, _>((paging.from(), Bound::Unbounded))
                .filter_map(|(email, id)| Some((email.clone(), world.groups.get(id)?)))
                .filter(|(_, group)| within(group)),
        ),
    };
    let mask = ask.mask.get("groups");
    let page = page.map(|group| match mask {
        Some(mask) => {
            let mut map = group.show(&world.customers[group.customer], mask);
            if group.customer != ask.caller.customer {
                map.remove("aliases");
                map.remove("nonEditableAliases");
            }
            Value::Object(map)
        }
        None => Value::Null,
    });
    let value = page.show(
        "admin#directory#groups",
        "groups",
        world.revision,
        &ask.mask,
    );
    Ok(Reply::json(200, value))
}

fn sorted<'w>(
    paging: &Paging,
    groups: impl Iterator<Item = &'w Group>,
    descending: bool,
) -> Page<&'w Group> {
    let mut rows: Vec<(Id, &Group)> = groups.map(|group| (group.email.clone(), group)).collect();
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

fn member_of_company(world: &World, customer: usize, key: &str) -> Result<Id, ApiError> {
    let (id, owner) = match world.resolve(key) {
        Some(Owner::User(id)) => {
            let owner = world.users.get(&id).map(|user| user.customer);
            (id, owner)
        }
        Some(Owner::Group(id)) => {
            let owner = world.groups.get(&id).map(|group| group.customer);
            (id, owner)
        }
        None if outside(world, customer, key) => return Err(ApiError::forbidden()),
        None => return Err(ApiError::not_found("userKey")),
    };
    if owner == Some(customer) {
        Ok(id)
    } else {
        Err(ApiError::forbidden())
    }
}

/// `email=`, `email:begin*`, `name=`, `name:begin*`, all of which must hold.
fn filter(query: Option<&str>) -> Result<impl Fn(&Group) -> bool, ApiError> {
    let refused = || ApiError::invalid("Invalid Input: query").at("query", "parameter");
    let mut clauses = Vec::new();
    for word in words(query.unwrap_or_default())? {
        let at = word.find(['=', ':']).ok_or_else(refused)?;
        let (field, rest) = word.split_at(at);
        let value = rest[1..].to_lowercase();
        let prefix = rest.starts_with(':');
        let value = match (prefix, value.strip_suffix('*')) {
            (true, Some(begin)) => begin.to_owned(),
            (true, None) => return Err(refused()),
            (false, _) => value,
        };
        if !matches!(field, "email" | "name") || value.is_empty() {
            return Err(refused());
        }
        clauses.push((field == "email", prefix, value));
    }
    Ok(move |group: &Group| {
        clauses.iter().all(|(email, prefix, value)| {
            let text = if *email {
                group.email.to_string()
            } else {
                group.name.to_lowercase()
            };
            if *prefix {
                text.starts_with(value)
            } else {
                text == *value
            }
        })
    })
}

/// `groups.insert`.
///
/// # Errors
/// As [`insert`], and 403.
pub fn insert_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let id = insert(&mut state.world, ask.caller.customer, &ask.call.json()?)?;
    answer(&state.world, ask, &id)
}

/// Creates a group.
///
/// # Errors
/// 400 for what is missing or wrong, 409 for an address in use.
pub fn insert(
    world: &mut World,
    customer: usize,
    body: &Map<String, Value>,
) -> Result<Id, ApiError> {
    check(body)?;
    let email = body
        .get("email")
        .ok_or_else(|| ApiError::required("Missing required field: email"))?;
    let email: Id = address(email, &world.customers[customer], "email")?.into();
    if world.taken(&email).is_some() {
        return Err(ApiError::duplicate("Entity already exists."));
    }
    let id = world.dice.group_id();
    let mut group = Group {
        id: id.clone(),
        customer,
        name: super::super::world::local_of(&email).to_owned(),
        email,
        description: String::new(),
        aliases: Vec::new(),
        admin_created: true,
        external_ids: Vec::new(),
        members: std::collections::BTreeMap::new(),
        planted: Map::new(),
        revision: world.touch(),
    };
    apply(&mut group, body);
    world.add_group(group);
    Ok(id)
}

/// `groups.update` and `groups.patch`.
///
/// # Errors
/// As [`update`], and 403, 404.
pub fn update_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let group = member_read::group_of(&state.world, ask.caller.customer, ask.key(0))?;
    ask.if_match(&group.etag())?;
    let id = group.id.clone();
    update(&mut state.world, &id, &ask.call.json()?)?;
    answer(&state.world, ask, &id)
}

/// Changes a group: what is absent stays.
///
/// # Errors
/// 400 for what is wrong, 409 for an address in use.
pub fn update(world: &mut World, id: &str, body: &Map<String, Value>) -> Result<(), ApiError> {
    check(body)?;
    let group = world
        .groups
        .get(id)
        .ok_or_else(|| ApiError::not_found("groupKey"))?;
    if let Some(email) = body.get("email") {
        let email: Id = address(email, &world.customers[group.customer], "email")?.into();
        let own = Owner::Group(group.id.clone());
        if world.taken(&email).is_some_and(|owner| *owner != own) {
            return Err(ApiError::duplicate("Entity already exists."));
        }
        if email != group.email {
            let mut aliases = group.aliases.clone();
            aliases.retain(|alias| *alias != email);
            aliases.push(group.email.clone());
            world.readdress_group(id, &email, aliases);
        }
    }
    let revision = world.touch();
    if let Some(group) = world.groups.get_mut(id) {
        apply(group, body);
        group.revision = revision;
    }
    Ok(())
}

fn check(body: &Map<String, Value>) -> Result<(), ApiError> {
    for (name, value) in body {
        if !schema::GROUP.has(name) {
            return Err(ApiError::unknown_name(name, Some("group")));
        }
        let good = match name.as_str() {
            "name" => value.as_str().is_some_and(plain),
            "description" => {
                value.is_null()
                    || value
                        .as_str()
                        .is_some_and(|text| plain(text) && text.len() <= 4096)
            }
            "externalIds" => value.is_array() || value.is_null(),
            _ => true,
        };
        if !good {
            return Err(ApiError::invalid(format!("Invalid Input: {name}")));
        }
    }
    Ok(())
}

fn plain(text: &str) -> bool {
    !text.contains(['\n', '<', '>', '='])
}

fn apply(group: &mut Group, body: &Map<String, Value>) {
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        name.clone_into(&mut group.name);
    }
    if let Some(description) = body.get("description") {
        description
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut group.description);
    }
    if let Some(ids) = body.get("externalIds") {
        group.external_ids = ids.as_array().cloned().unwrap_or_default();
    }
}

/// `groups.delete`.
///
/// # Errors
/// 403 and 404.
pub fn delete_call(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    let group = member_read::group_of(&state.world, ask.caller.customer, ask.key(0))?;
    ask.if_match(&group.etag())?;
    let id = group.id.clone();
    delete(&mut state.world, &id);
    Ok(Reply::empty(204))
}

/// Deletes a group for good.
pub fn delete(world: &mut World, id: &str) {
    world.delete_group(id);
}

fn answer(world: &World, ask: &Ask<'_>, id: &str) -> Result<Reply, ApiError> {
    let group = world
        .groups
        .get(id)
        .ok_or_else(|| ApiError::not_found("groupKey"))?;
    let map = group.show(&world.customers[group.customer], &ask.mask);
    Ok(Reply::json(200, Value::Object(map)).with("etag", group.etag()))
}
