//! The invented companies: users, groups, memberships and the index that lists are read from.
//!
//! **Owns** the data and its consistency: one address space over users, groups and aliases,
//! listings always sorted, memberships found from both ends. **May use** `wire`. **Deliberately
//! does not** validate what a caller sends or decide who may see what: that is `directory/`.

pub mod generate;
pub mod group;
mod index;
mod names;
pub mod people;
pub mod user;

use std::collections::{BTreeMap, HashMap};

use super::wire::{Dice, Id};
use group::Group;
use user::User;

/// How long a deleted user is kept: 20 days.
pub const DELETED_FOR_MILLIS: i64 = 20 * 24 * 3600 * 1000;

/// A domain of a customer.
#[derive(Debug, Clone)]
pub struct Domain {
    /// Lower case.
    pub name: Id,
    /// The one domain the customer began with.
    pub primary: bool,
    /// The domain that this one is another name of.
    pub alias_of: Option<Id>,
}

/// One company at Google.
#[derive(Debug)]
pub struct Customer {
    /// `C0...`.
    pub id: Id,
    /// Its name.
    pub organization: String,
    /// Primary first.
    pub domains: Vec<Domain>,
    /// Paths of its organizational units, `/` included.
    pub org_units: Vec<Id>,
    /// Users by address.
    pub users: BTreeMap<Id, Id>,
    /// Groups by address.
    pub groups: BTreeMap<Id, Id>,
    /// When it signed up, milliseconds since 1970.
    pub created: i64,
}

impl Customer {
    /// The primary domain.
    pub fn primary_domain(&self) -> &str {
        self.domains
            .first()
            .map(|domain| &*domain.name)
            .unwrap_or_default()
    }

    /// Whether addresses on that domain can be given out; aliases of domains can't.
    pub fn owns(&self, domain: &str) -> bool {
        self.domains
            .iter()
            .any(|known| known.alias_of.is_none() && *known.name == *domain)
    }
}

/// An account outside every company, that can consent but administers nothing.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// Stable id.
    pub id: Id,
    /// Its address.
    pub email: Id,
    /// What the chooser shows.
    pub name: String,
}

/// What an address or id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The user of that id.
    User(Id),
    /// The group of that id.
    Group(Id),
}

/// A user in the 20 days after deletion.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// As it was.
    pub user: User,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// The groups it was in, with its memberships.
    pub memberships: Vec<(Id, group::Member)>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// The primary customer first.
    pub customers: Vec<Customer>,
    /// By id.
    pub users: HashMap<Id, User>,
    /// By id.
    pub groups: HashMap<Id, Group>,
    /// By id.
    pub deleted: BTreeMap<Id, Deleted>,
    /// Accounts without a company.
    pub consumers: Vec<Consumer>,
    /// Primary addresses and editable aliases, lower case.
    addresses: HashMap<Id, Owner>,
    /// Groups by the id of a direct member.
    member_of: HashMap<Id, Vec<Id>>,
    /// Grows with every change.
    pub revision: u64,
    /// Makes the ids of what is created later.
    pub dice: Dice,
}

impl World {
    /// A world without anything in it.
    pub fn empty(seed: u64) -> Self {
        Self {
            customers: Vec::new(),
            users: HashMap::new(),
            groups: HashMap::new(),
            deleted: BTreeMap::new(),
            consumers: Vec::new(),
            addresses: HashMap::new(),
            member_of: HashMap::new(),
            revision: 0,
            dice: Dice::new(seed),
        }
    }

    /// Counts a change and returns the new revision.
    pub fn touch(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The customer whose domain, or alias of a domain, that is.
    pub fn customer_of_domain(&self, domain: &str) -> Option<usize> {
        self.customers
            .iter()
            .position(|customer| customer.domains.iter().any(|known| *known.name == *domain))
    }

    /// Forgets users deleted more than 20 days ago.
    pub fn purge(&mut self, now: i64) {
        self.deleted
            .retain(|_, deleted| now - deleted.at < DELETED_FOR_MILLIS);
    }
}

/// The part after the last `@`.
pub fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// The part before the last `@`.
pub fn local_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}
