//! `orgunits`.

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::etag;
use super::super::world::{Customer, World};
use super::{Ask, own_customer};

/// `orgunits.list`: not paged.
///
/// # Errors
/// 403 for who isn't an administrator, or of another customer; 400 for a unit that there isn't.
pub fn list(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    own_customer(&state.world, ask.caller.customer, ask.key(0))?;
    let customer = &state.world.customers[ask.caller.customer];
    let given = ask.call.query.given("orgUnitPath").unwrap_or_default();
    let of = match given {
        "" | "/" => "/".to_owned(),
        id if id.starts_with("id:") => customer
            .org_units
            .iter()
            .enumerate()
            .find(|(place, _)| unit_id(customer, *place) == id)
            .map(|(_, path)| path.to_string())
            .ok_or_else(|| ApiError::invalid("Invalid Input: INVALID_OU_ID"))?,
        path => super::user_body::unit_of(&format!("/{}", path.trim_start_matches('/')), customer)?,
    };
    let kind = ask.call.query.given("type").unwrap_or("children");
    let wanted = |path: &str| match kind {
        "allIncludingParent" => beneath(path, &of) || path == of,
        "all" => beneath(path, &of),
        _ => beneath(path, &of) && parent(path) == of,
    };
    let units: Vec<Value> = customer
        .org_units
        .iter()
        .enumerate()
        .filter(|(_, path)| wanted(path))
        .map(|(place, _)| show(customer, place))
        .collect();
    let tag = etag("admin#directory#orgUnits", &customer.id, 0);
    let mut value = json!({"kind": "admin#directory#orgUnits", "etag": tag});
    if !units.is_empty() {
        value["organizationUnits"] = Value::Array(units);
    }
    Ok(ask.single(&tag, |mask| match mask.prune(value) {
        Some(Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    }))
}

/// It stays when the unit is renamed.
fn unit_id(customer: &Customer, place: usize) -> String {
    format!("id:03ph8a2z{}{place:04x}", &customer.id[1..])
}

fn beneath(path: &str, of: &str) -> bool {
    let rest = path.strip_prefix(of.trim_end_matches('/'));
    path != of && rest.is_some_and(|rest| rest.starts_with('/'))
}

fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
    }
}

fn show(customer: &Customer, place: usize) -> Value {
    let path = &*customer.org_units[place];
    let id = unit_id(customer, place);
    let name = path.rsplit('/').next().filter(|name| !name.is_empty());
    let mut unit = json!({
        "kind": "admin#directory#orgUnit",
        "etag": etag("admin#directory#orgUnit", &id, path.len() as u64),
        "name": name.unwrap_or(&customer.organization),
        "orgUnitId": id,
        "orgUnitPath": path,
    });
    if path != "/" {
        let above = parent(path);
        let place = customer.org_units.iter().position(|unit| **unit == *above);
        unit["parentOrgUnitPath"] = json!(above);
        unit["parentOrgUnitId"] = json!(unit_id(customer, place.unwrap_or_default()));
    }
    unit
}

/// Renames a unit: those within it and their people move along.
///
/// # Errors
/// 400 for a unit that there isn't.
pub fn rename(world: &mut World, customer: usize, from: &str, to: &str) -> Result<(), ApiError> {
    super::user_body::unit_of(from, &world.customers[customer])?;
    let moved = |path: &str| {
        (path == from || beneath(path, from)).then(|| format!("{to}{}", &path[from.len()..]))
    };
    for unit in &mut world.customers[customer].org_units {
        if let Some(path) = moved(unit) {
            *unit = path.into();
        }
    }
    let users = world.users.values_mut();
    for user in users.filter(|user| user.customer == customer) {
        if let Some(path) = moved(&user.org_unit) {
            user.org_unit = path.into();
        }
    }
    Ok(())
}
