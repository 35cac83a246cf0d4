//! `customers` and `domains`.

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::wire::{etag, time};
use super::super::world::{Customer, Domain};
use super::{Ask, own_customer};

/// `customers.get`.
///
/// # Errors
/// 403 for who isn't an administrator, or of another customer.
pub fn get(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    own_customer(&state.world, ask.caller.customer, ask.key(0))?;
    let customer = &state.world.customers[ask.caller.customer];
    let tag = etag("admin#directory#customer", &customer.id, 0);
    let value = json!({
        "kind": "admin#directory#customer",
        "id": &*customer.id,
        "etag": tag,
        "customerDomain": customer.primary_domain(),
        "alternateEmail": format!("owner@{}.example", customer.organization.to_lowercase()),
        "postalAddress": {"organizationName": customer.organization, "countryCode": "NO"},
        "phoneNumber": "+47 22 00 00 00",
        "language": "en",
        "customerCreationTime": time(customer.created),
    });
    Ok(masked(ask, &tag, value))
}

/// `domains.list`.
///
/// # Errors
/// As [`get`].
pub fn domains(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    own_customer(&state.world, ask.caller.customer, ask.key(0))?;
    let customer = &state.world.customers[ask.caller.customer];
    let tag = etag("admin#directory#domains", &customer.id, 0);
    let domains: Vec<Value> = customer
        .domains
        .iter()
        .filter(|domain| domain.alias_of.is_none())
        .map(|domain| show(customer, domain))
        .collect();
    let value = json!({"kind": "admin#directory#domains", "etag": tag, "domains": domains});
    Ok(masked(ask, &tag, value))
}

/// `domains.get`.
///
/// # Errors
/// As [`get`], and 404.
pub fn domain(state: &State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    ask.admin()?;
    own_customer(&state.world, ask.caller.customer, ask.key(0))?;
    let customer = &state.world.customers[ask.caller.customer];
    let domain = customer
        .domains
        .iter()
        .find(|domain| domain.alias_of.is_none() && domain.name.eq_ignore_ascii_case(ask.key(1)))
        .ok_or_else(|| ApiError::not_found("domain"))?;
    let tag = etag("admin#directory#domain", &domain.name, 0);
    Ok(masked(ask, &tag, show(customer, domain)))
}

fn masked(ask: &Ask<'_>, tag: &str, value: Value) -> Reply {
    ask.single(tag, |mask| match mask.prune(value) {
        Some(Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    })
}

fn show(customer: &Customer, domain: &Domain) -> Value {
    let created = customer.created.to_string();
    let mut value = json!({
        "kind": "admin#directory#domain",
        "etag": etag("admin#directory#domain", &domain.name, 0),
        "domainName": &*domain.name,
        "isPrimary": domain.primary,
        "verified": true,
        "creationTime": created,
    });
    let aliases: Vec<Value> = customer
        .domains
        .iter()
        .filter(|alias| alias.alias_of.as_ref() == Some(&domain.name))
        .map(|alias| {
            json!({
                "kind": "admin#directory#domainAlias",
                "etag": etag("admin#directory#domainAlias", &alias.name, 0),
                "domainAliasName": &*alias.name,
                "parentDomainName": &*domain.name,
                "verified": true,
                "creationTime": created,
            })
        })
        .collect();
    if !aliases.is_empty() {
        value["domainAliases"] = Value::Array(aliases);
    }
    value
}
