//! One user, and what Google shows of it.

use serde_json::{Map, Value, json};

use super::super::fields::Mask;
use super::super::wire::{Id, etag, time};
use super::{Customer, domain_of, local_of};

/// What the generator knows of a person; written attributes replace it one by one.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Organization.
    pub department: &'static str,
    /// Organization.
    pub title: &'static str,
    /// The last seven digits.
    pub phone: u32,
    /// The address of the manager.
    pub manager: Option<Id>,
    /// Employee number, none for some.
    pub number: Option<u32>,
}

/// One user.
#[derive(Debug, Clone)]
pub struct User {
    /// 21 digits.
    pub id: Id,
    /// Which customer it belongs to.
    pub customer: usize,
    /// Primary address, lower case.
    pub email: Id,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Editable aliases.
    pub aliases: Vec<Id>,
    /// Super administrator.
    pub is_admin: bool,
    /// Administrator with a limited role.
    pub is_delegated: bool,
    /// Administrator of a reseller: may read the users of every customer too.
    pub resells: bool,
    /// When and why it was suspended.
    pub suspended: Option<(i64, &'static str)>,
    /// When it was archived.
    pub archived: Option<i64>,
    /// Path of its organizational unit.
    pub org_unit: Id,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Milliseconds since 1970; 0 for never.
    pub last_login: i64,
    /// What was generated.
    pub profile: Option<Profile>,
    /// What was written: replaces generated values; `null` clears.
    pub extra: Map<String, Value>,
    /// What a test planted: shown as it is, over everything else; `null` hides.
    pub planted: Map<String, Value>,
    /// Revision of the last change.
    pub revision: u64,
    /// The authorization endpoint answers this account with that error.
    pub authorize_error: Option<String>,
}

/// Attributes that are kept as they were written.
pub const KEPT: &[&str] = &[
    "addresses",
    "changePasswordAtNextLogin",
    "customSchemas",
    "emails",
    "externalIds",
    "gender",
    "ims",
    "includeInGlobalAddressList",
    "ipWhitelisted",
    "keywords",
    "languages",
    "locations",
    "notes",
    "organizations",
    "phones",
    "posixAccounts",
    "recoveryEmail",
    "recoveryPhone",
    "relations",
    "sshPublicKeys",
    "websites",
];

impl User {
    /// Given and family name, as shown.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// Its etag.
    pub fn etag(&self) -> String {
        etag("admin#directory#user", &self.id, self.revision)
    }

    /// An attribute of [`KEPT`], written or generated.
    pub fn kept(&self, name: &str) -> Option<Value> {
        if let Some(written) = self.extra.get(name) {
            let empty = written.is_null() || written.as_array().is_some_and(Vec::is_empty);
            return (!empty).then(|| written.clone());
        }
        let profile = self.profile.as_ref()?;
        match name {
            "organizations" => Some(json!([{
                "title": profile.title, "primary": true, "customType": "",
                "department": profile.department,
            }])),
            "phones" => Some(json!([{
                "value": format!("+1 555 {:03} {:04}", profile.phone / 10_000 % 1000, profile.phone % 10_000),
                "type": "work",
            }])),
            "relations" => profile
                .manager
                .as_ref()
                .map(|manager| json!([{"value": &**manager, "type": "manager"}])),
            "externalIds" => profile
                .number
                .map(|number| json!([{"value": format!("E{number:06}"), "type": "organization"}])),
            _ => None,
        }
    }

    /// Addresses that the customer's domains add by themselves.
    pub fn fixed_aliases(&self, customer: &Customer) -> Vec<String> {
        fixed_aliases(&self.email, customer)
    }

    fn emails(&self, customer: &Customer) -> Value {
        let mut emails = vec![json!({"address": &*self.email, "primary": true})];
        if let Some(Value::Array(written)) = self.extra.get("emails") {
            let own = |address: &str| {
                address.eq_ignore_ascii_case(&self.email)
                    || self
                        .aliases
                        .iter()
                        .any(|alias| alias.eq_ignore_ascii_case(address))
            };
            emails.extend(
                written
                    .iter()
                    .filter(|entry| !entry["address"].as_str().is_some_and(own))
                    .cloned(),
            );
        }
        emails.extend(
            self.aliases
                .iter()
                .map(|alias| json!({"address": &**alias})),
        );
        emails.extend(
            self.fixed_aliases(customer)
                .into_iter()
                .map(|alias| json!({ "address": alias })),
        );
        Value::Array(emails)
    }

    /// The resource, as far as it is asked for.
    pub fn show(&self, customer: &Customer, mask: &Mask, custom: bool) -> Map<String, Value> {
        let mut map = Map::new();
        self.show_identity(&mut map, customer, mask);
        self.show_state(&mut map, mask);
        for name in KEPT {
            if mask.get(name).is_none()
                || *name == "emails"
                || (*name == "customSchemas" && !custom)
            {
                continue;
            }
            let value = self.kept(name).or(match *name {
                "changePasswordAtNextLogin" | "ipWhitelisted" => Some(Value::Bool(false)),
                "includeInGlobalAddressList" => Some(Value::Bool(true)),
                _ => None,
            });
            if let Some(value) = value {
                mask.put(&mut map, name, || value);
            }
        }
        plant(&mut map, &self.planted, mask);
        map
    }

    fn show_identity(&self, map: &mut Map<String, Value>, customer: &Customer, mask: &Mask) {
        mask.put(map, "kind", || json!("admin#directory#user"));
        mask.put(map, "id", || json!(&*self.id));
        mask.put(map, "etag", || json!(self.etag()));
        mask.put(map, "primaryEmail", || json!(&*self.email));
        mask.put(map, "name", || {
            json!({"givenName": self.given, "familyName": self.family, "fullName": self.full_name()})
        });
        mask.put(map, "emails", || self.emails(customer));
        if !self.aliases.is_empty() {
            mask.put(map, "aliases", || {
                self.aliases.iter().map(|alias| json!(&**alias)).collect()
            });
        }
        mask.put(map, "nonEditableAliases", || {
            json!(self.fixed_aliases(customer))
        });
        mask.put(map, "customerId", || json!(&*customer.id));
        mask.put(map, "orgUnitPath", || json!(&*self.org_unit));
    }

    fn show_state(&self, map: &mut Map<String, Value>, mask: &Mask) {
        mask.put(map, "isAdmin", || json!(self.is_admin));
        mask.put(map, "isDelegatedAdmin", || json!(self.is_delegated));
        mask.put(map, "lastLoginTime", || json!(time(self.last_login)));
        mask.put(map, "creationTime", || json!(time(self.created)));
        mask.put(map, "agreedToTerms", || json!(self.last_login > 0));
        mask.put(map, "suspended", || json!(self.suspended.is_some()));
        if let Some((at, reason)) = self.suspended {
            mask.put(map, "suspensionReason", || json!(reason));
            mask.put(map, "suspensionTime", || json!(time(at)));
        }
        mask.put(map, "archived", || json!(self.archived.is_some()));
        if let Some(at) = self.archived {
            mask.put(map, "archivalTime", || json!(time(at)));
        }
        mask.put(map, "isMailboxSetup", || json!(true));
        mask.put(map, "isEnrolledIn2Sv", || json!(self.last_login > 0));
        mask.put(map, "isEnforcedIn2Sv", || json!(false));
    }
}

/// Lays planted values over a resource.
pub fn plant(map: &mut Map<String, Value>, planted: &Map<String, Value>, mask: &Mask) {
    for (name, value) in planted {
        if value.is_null() {
            map.remove(name);
        } else {
            mask.put(map, name, || value.clone());
        }
    }
}

/// Addresses that a customer's domains add to one address by themselves.
pub fn fixed_aliases(email: &str, customer: &Customer) -> Vec<String> {
    let (local, domain) = (local_of(email), domain_of(email));
    let mut all: Vec<String> = customer
        .domains
        .iter()
        .filter(|other| other.alias_of.as_deref() == Some(domain))
        .map(|other| format!("{local}@{}", other.name))
        .collect();
    all.push(format!("{local}@{domain}.test-google-a.com"));
    all
}
