//! The Directory API: users, groups, members, customers and domains.
//!
//! **Owns** what Google checks before it answers: bearer, scopes, parameters, rights, quotas,
//! conditions. **May use** the world and the tokens. **Deliberately does not** keep anything
//! itself, but for the quotas used. The control paths call the same writes as an administrator.

mod customers;
mod groups;
mod member_read;
mod member_write;
mod methods;
pub mod quota;
mod units;
mod user_body;
mod user_query;
mod user_read;
mod user_write;

use serde_json::{Map, Value};

use super::call::Call;
use super::error::ApiError;
use super::faults::Fault;
use super::fields::Mask;
use super::oauth;
use super::paging::Paging;
use super::reply::{Payload, Reply};
use super::schema::{self, Shape};
use super::state::State;
use super::wire::Id;
use super::world::{Owner, World, domain_of};

pub use groups::{delete as delete_group, insert as insert_group, update as update_group};
pub use member_write::{delete as delete_member, insert as insert_member, update as update_member};
pub use units::rename as rename_unit;
pub use user_write::{
    delete as delete_user, insert as insert_user, undelete as undelete_user, update as update_user,
};

/// What someone may do in a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// Everything.
    Super,
    /// Reads and writes, but no administrators.
    Delegated,
    /// What everybody may.
    Plain,
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Address, or id once it is known.
    pub account: Id,
    /// Which customer.
    pub customer: usize,
    /// What it may do there.
    pub rank: Rank,
    /// Whether it may read the users of other customers too, by their ids and addresses.
    pub resells: bool,
}

/// One request after all that is common to every method.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The request.
    pub call: &'a Call,
    /// The method.
    pub method: &'static methods::Method,
    /// Keys in the path.
    pub keys: Vec<&'a str>,
    /// Who asks.
    pub caller: Caller,
    /// What is asked for.
    pub mask: Mask,
    /// The sandbox's time.
    pub now: i64,
    page_key: [u8; 32],
    fault: Option<Fault>,
}

impl Ask<'_> {
    /// A key in the path, in order.
    pub fn key(&self, index: usize) -> &str {
        self.keys.get(index).copied().unwrap_or_default()
    }

    /// Which page.
    ///
    /// # Errors
    /// 400 for a page token that can't be used.
    pub fn paging(&self) -> Result<Paging, ApiError> {
        Paging::read(
            self.call,
            &self.caller.account,
            methods::page_size(self.method, self.call),
            self.page_key,
            self.now,
            self.fault.clone(),
        )
    }

    /// Refuses who isn't an administrator.
    ///
    /// # Errors
    /// 403.
    pub fn admin(&self) -> Result<(), ApiError> {
        match self.caller.rank {
            Rank::Plain => Err(ApiError::forbidden()),
            _ => Ok(()),
        }
    }

    /// One resource with its etag: 304 if the caller has it already.
    pub fn single(&self, etag: &str, show: impl FnOnce(&Mask) -> Map<String, Value>) -> Reply {
        if self
            .call
            .header("if-none-match")
            .is_some_and(|known| known == etag)
        {
            return Reply::empty(304).with("etag", etag);
        }
        Reply::json(200, Value::Object(show(&self.mask))).with("etag", etag)
    }

    /// Holds a write to its `If-Match`.
    ///
    /// # Errors
    /// 412 if the resource has changed.
    pub fn if_match(&self, etag: &str) -> Result<(), ApiError> {
        match self.call.header("if-match") {
            Some(known) if known != "*" && known != etag => {
                Err(ApiError::condition("Precondition Failed").at("If-Match", "header"))
            }
            _ => Ok(()),
        }
    }
}

/// Google's name of the method that a request calls.
pub fn identify(call: &Call) -> &'static str {
    methods::find(call).map_or("unknown", |(method, _)| method.id)
}

/// Answers a request.
pub fn answer(state: &mut State, id: &str, call: &Call, fault: Option<Fault>) -> Reply {
    let mut reply = prepared(state, id, call, fault).unwrap_or_else(ApiError::into_reply);
    if matches!(reply.payload, Payload::Json(_)) {
        reply.pretty = call.query.get("prettyPrint") != Some("false");
    }
    reply
}

fn prepared(
    state: &mut State,
    id: &str,
    call: &Call,
    fault: Option<Fault>,
) -> Result<Reply, ApiError> {
    let (method, keys) =
        methods::find(call).ok_or_else(|| ApiError::new(404, "notFound", "Not Found"))?;
    let (account, scopes) = oauth::bearer(state, call)?;
    let limit = state.options.quota_per_minute;
    let now = state.now();
    if !state.quota.request(&account, limit, now) {
        return Err(ApiError::quota());
    }
    let accepted: Vec<String> = method
        .scopes
        .iter()
        .map(|scope| oauth::long_scope(scope))
        .collect();
    if !accepted.iter().any(|scope| scopes.contains(scope)) {
        return Err(ApiError::scope_missing(id, &accepted.join(" ")));
    }
    methods::check(method, call)?;
    let mask = Mask::parse(call.query.get("fields"), shape(id))?;
    state.world.purge(now);
    let ask = Ask {
        call,
        method,
        keys,
        caller: caller(&state.world, &account)?,
        mask,
        now,
        page_key: state.page_key,
        fault,
    };
    dispatch(state, &ask)
}

fn dispatch(state: &mut State, ask: &Ask<'_>) -> Result<Reply, ApiError> {
    match ask.method.id {
        "directory.users.get" => user_read::get(state, ask),
        "directory.users.list" => user_read::list(state, ask),
        "directory.users.insert" => user_write::insert_call(state, ask),
        "directory.users.update" => user_write::update_call(state, ask, true),
        "directory.users.patch" => user_write::update_call(state, ask, false),
        "directory.users.delete" => user_write::delete_call(state, ask),
        "directory.users.undelete" => user_write::undelete_call(state, ask),
        "directory.users.makeAdmin" => user_write::make_admin(state, ask),
        "directory.groups.get" => groups::get(state, ask),
        "directory.groups.list" => groups::list(state, ask),
        "directory.groups.insert" => groups::insert_call(state, ask),
        "directory.groups.update" | "directory.groups.patch" => groups::update_call(state, ask),
        "directory.groups.delete" => groups::delete_call(state, ask),
        "directory.members.get" => member_read::get(state, ask),
        "directory.members.list" => member_read::list(state, ask),
        "directory.members.hasMember" => member_read::has_member(state, ask),
        "directory.members.insert" => member_write::insert_call(state, ask),
        "directory.members.update" | "directory.members.patch" => {
            member_write::update_call(state, ask)
        }
        "directory.members.delete" => member_write::delete_call(state, ask),
        "directory.customers.get" => customers::get(state, ask),
        "directory.domains.list" => customers::domains(state, ask),
        "directory.domains.get" => customers::domain(state, ask),
        "directory.orgunits.list" => units::list(state, ask),
        _ => Err(ApiError::new(404, "notFound", "Not Found")),
    }
}

fn shape(id: &str) -> &'static Shape {
    match id {
        "directory.users.list" => &schema::USERS,
        "directory.groups.list" => &schema::GROUPS,
        "directory.members.list" => &schema::MEMBERS,
        "directory.members.hasMember" => &schema::HAS_MEMBER,
        "directory.customers.get" => &schema::CUSTOMER,
        "directory.domains.list" => &schema::DOMAINS,
        "directory.domains.get" => &schema::DOMAIN,
        "directory.orgunits.list" => &schema::UNITS,
        id if id.starts_with("directory.users.") => &schema::USER,
        id if id.starts_with("directory.groups.") => &schema::GROUP,
        _ => &schema::MEMBER,
    }
}

/// Who an account is; a private account has no directory.
fn caller(world: &World, account: &str) -> Result<Caller, ApiError> {
    let Some(user) = world.users.get(account) else {
        return Err(ApiError::forbidden());
    };
    let rank = match user {
        user if user.is_admin => Rank::Super,
        user if user.is_delegated => Rank::Delegated,
        _ => Rank::Plain,
    };
    Ok(Caller {
        account: user.id.clone(),
        customer: user.customer,
        rank,
        resells: user.resells,
    })
}

/// The user that a key names, if the customer may know it.
///
/// # Errors
/// 404 for a key that could be its own, 412 for a deleted user, 403 for others'.
pub fn user_of(world: &World, customer: usize, key: &str) -> Result<Id, ApiError> {
    match world.resolve(key) {
        Some(Owner::User(id)) => match world.users.get(&id) {
            Some(user) if user.customer == customer => Ok(id),
            _ => Err(ApiError::forbidden()),
        },
        _ => Err(nothing(world, customer, key)),
    }
}

fn nothing(world: &World, customer: usize, key: &str) -> ApiError {
    let gone = world.deleted.values().any(|deleted| {
        deleted.user.customer == customer
            && (*deleted.user.id == *key || deleted.user.email.eq_ignore_ascii_case(key))
    });
    if gone {
        return ApiError::condition("User is deleted.");
    }
    if outside(world, customer, key) {
        return ApiError::forbidden();
    }
    ApiError::not_found("userKey")
}

/// Whether an address is on a domain that isn't the customer's.
pub fn outside(world: &World, customer: usize, key: &str) -> bool {
    let domain = domain_of(key).to_lowercase();
    let domain = domain.strip_suffix(".test-google-a.com").unwrap_or(&domain);
    key.contains('@') && world.customer_of_domain(domain) != Some(customer)
}

/// Holds `customer` and `domain` to the caller's own.
///
/// # Errors
/// 400 without either or for an unknown customer, 403 for another, 404 for an unknown domain.
pub fn own_scope(world: &World, ask: &Ask<'_>) -> Result<Option<String>, ApiError> {
    if let Some(domain) = ask.call.query.given("domain") {
        let domain = domain.to_lowercase();
        return match world.customer_of_domain(&domain) {
            Some(index) if index == ask.caller.customer => Ok(Some(domain)),
            Some(_) => Err(ApiError::forbidden()),
            None => Err(ApiError::not_found("domain")),
        };
    }
    match ask.call.query.given("customer") {
        Some(customer) => own_customer(world, ask.caller.customer, customer).map(|()| None),
        None if ask.call.query.given("userKey").is_some() => Ok(None),
        None => Err(ApiError::bad_request("Bad Request")),
    }
}

/// Holds a customer key to the caller's own.
///
/// # Errors
/// 403 for another customer, 400 for none at all.
pub fn own_customer(world: &World, own: usize, key: &str) -> Result<(), ApiError> {
    if key == "my_customer" || *world.customers[own].id == *key {
        Ok(())
    } else if world.customers.iter().any(|other| *other.id == *key) {
        Err(ApiError::forbidden())
    } else {
        Err(ApiError::bad_request("Invalid Customer Id"))
    }
}
