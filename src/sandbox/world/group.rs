//! One group with its direct members, and what Google shows of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::fields::Mask;
use super::super::wire::{Id, etag};
use super::user::{fixed_aliases, plant};
use super::{Customer, World};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user, of this company or another.
    User,
    /// A group, of this company or another.
    Group,
    /// Every user of the customer.
    Customer,
}

/// What a member may do, in Google's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything.
    Owner,
    /// Most things.
    Manager,
    /// Nothing special.
    Member,
}

impl Role {
    /// Google's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Manager => "MANAGER",
            Self::Member => "MEMBER",
        }
    }

    /// From Google's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Owner, Self::Manager, Self::Member]
            .into_iter()
            .find(|role| role.word().eq_ignore_ascii_case(word))
    }
}

/// How a member receives mail.
pub const DELIVERY: &[&str] = &["ALL_MAIL", "DAILY", "DIGEST", "DISABLED", "NONE"];

/// One direct membership.
#[derive(Debug, Clone)]
pub struct Member {
    /// The member's id.
    pub id: Id,
    /// What it is.
    pub kind: Kind,
    /// Its address now; a customer has none.
    pub email: Option<Id>,
    /// Its role.
    pub role: Role,
    /// One of [`DELIVERY`].
    pub delivery: &'static str,
    /// What a test planted, over everything else.
    pub planted: Option<Box<Map<String, Value>>>,
    /// Revision of the last change.
    pub revision: u64,
}

impl Member {
    /// Where it stands in a listing.
    pub fn sort_key(&self) -> Id {
        self.email.clone().unwrap_or_else(|| self.id.clone())
    }

    /// Its etag.
    pub fn etag(&self) -> String {
        etag("admin#directory#member", &self.id, self.revision)
    }

    /// The resource, as far as it is asked for. Lists don't show `delivery_settings`.
    pub fn show(
        &self,
        world: &World,
        customer: usize,
        mask: &Mask,
        listed: bool,
    ) -> Map<String, Value> {
        let mut map = Map::new();
        mask.put(&mut map, "kind", || json!("admin#directory#member"));
        mask.put(&mut map, "etag", || json!(self.etag()));
        mask.put(&mut map, "id", || json!(&*self.id));
        if let Some(email) = &self.email {
            mask.put(&mut map, "email", || json!(&**email));
        }
        mask.put(&mut map, "role", || json!(self.role.word()));
        mask.put(&mut map, "type", || {
            json!(match self.kind {
                Kind::User => "USER",
                Kind::Group => "GROUP",
                Kind::Customer => "CUSTOMER",
            })
        });
        if let Some(status) = self.status(world, customer) {
            mask.put(&mut map, "status", || json!(status));
        }
        if !listed {
            mask.put(&mut map, "delivery_settings", || json!(self.delivery));
        }
        if let Some(planted) = &self.planted {
            plant(&mut map, planted, mask);
        }
        map
    }

    /// Members from outside have no status.
    fn status(&self, world: &World, customer: usize) -> Option<&'static str> {
        match self.kind {
            Kind::User => {
                let user = world.users.get(&self.id)?;
                (user.customer == customer).then_some(match user {
                    user if user.archived.is_some() => "ARCHIVED",
                    user if user.suspended.is_some() => "SUSPENDED",
                    _ => "ACTIVE",
                })
            }
            Kind::Group => {
                let group = world.groups.get(&self.id)?;
                (group.customer == customer).then_some("ACTIVE")
            }
            Kind::Customer => Some("ACTIVE"),
        }
    }
}

/// One group.
#[derive(Debug, Clone)]
pub struct Group {
    /// 15 characters.
    pub id: Id,
    /// Which customer it belongs to.
    pub customer: usize,
    /// Address, lower case.
    pub email: Id,
    /// Name; several groups may have the same.
    pub name: String,
    /// Description, perhaps empty.
    pub description: String,
    /// Editable aliases.
    pub aliases: Vec<Id>,
    /// Made by an administrator rather than by a user.
    pub admin_created: bool,
    /// Further ids, as written.
    pub external_ids: Vec<Value>,
    /// Direct members by their place in a listing.
    pub members: BTreeMap<Id, Member>,
    /// What a test planted, over everything else.
    pub planted: Map<String, Value>,
    /// Revision of the last change.
    pub revision: u64,
}

impl Group {
    /// Its etag.
    pub fn etag(&self) -> String {
        etag("admin#directory#group", &self.id, self.revision)
    }

    /// The resource, as far as it is asked for.
    pub fn show(&self, customer: &Customer, mask: &Mask) -> Map<String, Value> {
        let mut map = Map::new();
        mask.put(&mut map, "kind", || json!("admin#directory#group"));
        mask.put(&mut map, "id", || json!(&*self.id));
        mask.put(&mut map, "etag", || json!(self.etag()));
        mask.put(&mut map, "email", || json!(&*self.email));
        mask.put(&mut map, "name", || json!(self.name));
        mask.put(&mut map, "directMembersCount", || {
            json!(self.members.len().to_string())
        });
        mask.put(&mut map, "description", || json!(self.description));
        mask.put(&mut map, "adminCreated", || json!(self.admin_created));
        if !self.aliases.is_empty() {
            mask.put(&mut map, "aliases", || {
                self.aliases.iter().map(|alias| json!(&**alias)).collect()
            });
        }
        if !self.external_ids.is_empty() {
            mask.put(&mut map, "externalIds", || json!(self.external_ids));
        }
        mask.put(&mut map, "nonEditableAliases", || {
            json!(fixed_aliases(&self.email, customer))
        });
        plant(&mut map, &self.planted, mask);
        map
    }
}
