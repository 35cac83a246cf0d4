//! The search grammar of users (fact sheet 2.6).

use serde_json::Value;

use super::super::error::ApiError;
use super::super::world::user::User;
use super::super::world::{Owner, World};

/// Clauses that all must hold.
#[derive(Debug)]
pub struct Query(Vec<Clause>);

#[derive(Debug)]
struct Clause {
    field: String,
    prefix: bool,
    exact: bool,
    value: String,
}

/// Fields and whether they take `:` besides `=`.
const FIELDS: &[(&str, bool)] = &[
    ("name", true),
    ("email", true),
    ("givenName", true),
    ("familyName", true),
    ("isAdmin", false),
    ("isDelegatedAdmin", false),
    ("isSuspended", false),
    ("isArchived", false),
    ("externalId", true),
    ("manager", false),
    ("directManager", false),
    ("orgName", true),
    ("orgTitle", true),
    ("orgDepartment", true),
    ("orgDescription", true),
    ("orgCostCenter", true),
    ("phone", false),
    ("orgUnitPath", false),
    ("isEnrolledIn2Sv", false),
    ("isEnforcedIn2Sv", false),
];

fn refused() -> ApiError {
    ApiError::invalid("Invalid Input: query").at("query", "parameter")
}

impl Query {
    /// Reads `field=value field:prefix*`; without any, everything matches.
    ///
    /// # Errors
    /// 400 for anything that the grammar doesn't have.
    pub fn parse(text: Option<&str>, public: bool) -> Result<Self, ApiError> {
        let mut clauses = Vec::new();
        for word in words(text.unwrap_or_default())? {
            let clause = clause(&word)?;
            if public && clause.field == "orgUnitPath" {
                return Err(refused());
            }
            clauses.push(clause);
        }
        Ok(Self(clauses))
    }

    /// Whether a user is found.
    pub fn matches(&self, world: &World, user: &User) -> bool {
        self.0.iter().all(|clause| clause.matches(world, user))
    }
}

/// Splits at spaces outside quotes; quotes and escapes are resolved.
///
/// # Errors
/// 400 for a quote without its end.
pub fn words(text: &str) -> Result<Vec<String>, ApiError> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            '\'' => quoted = !quoted,
            ' ' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(letter),
        }
    }
    if quoted {
        return Err(refused());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn clause(word: &str) -> Result<Clause, ApiError> {
    let Some(at) = word.find(['=', ':', '<', '>']) else {
        let (value, prefix) = star(word);
        return Ok(Clause {
            field: String::new(),
            prefix,
            exact: false,
            value,
        });
    };
    let (field, rest) = word.split_at(at);
    let (operator, value) = rest.split_at(1);
    let (_, words) = FIELDS
        .iter()
        .find(|(known, _)| *known == field)
        .ok_or_else(refused)?;
    let exact = operator == "=";
    if !(exact || operator == ":" && *words) || value.is_empty() {
        return Err(refused());
    }
    let flag = field.starts_with("is");
    if flag && !matches!(value.to_lowercase().as_str(), "true" | "false") {
        return Err(refused());
    }
    let (value, prefix) = if exact {
        (value.to_lowercase(), false)
    } else {
        star(value)
    };
    Ok(Clause {
        field: field.to_owned(),
        prefix,
        exact,
        value,
    })
}

fn star(value: &str) -> (String, bool) {
    let lower = value.to_lowercase();
    match lower.strip_suffix('*') {
        Some(begin) => (begin.to_owned(), true),
        None => (lower, false),
    }
}

impl Clause {
    fn matches(&self, world: &World, user: &User) -> bool {
        let flag = |value: bool| (self.value == "true") == value;
        let addresses = || {
            std::iter::once(&user.email)
                .chain(&user.aliases)
                .any(|address| self.fits(address))
        };
        match self.field.as_str() {
            "" => self.fits(&user.given) || self.fits(&user.family) || addresses(),
            "email" => addresses(),
            "name" => self.fits(&user.full_name()),
            "givenName" => self.fits(&user.given),
            "familyName" => self.fits(&user.family),
            "isAdmin" => flag(user.is_admin),
            "isDelegatedAdmin" => flag(user.is_delegated),
            "isSuspended" => flag(user.suspended.is_some()),
            "isArchived" => flag(user.archived.is_some()),
            "isEnrolledIn2Sv" => flag(user.last_login > 0),
            "isEnforcedIn2Sv" => flag(false),
            "orgUnitPath" => {
                let path = user.org_unit.to_lowercase();
                let above = self.value.trim_end_matches('/');
                path == self.value
                    || path
                        .strip_prefix(above)
                        .is_some_and(|below| below.starts_with('/'))
            }
            "directManager" => self.manages(user),
            "manager" => self.manages_below(world, user),
            "externalId" => self.within(user, "externalIds", "value"),
            "phone" => self.within(user, "phones", "value"),
            "orgName" => self.within(user, "organizations", "name"),
            "orgTitle" => self.within(user, "organizations", "title"),
            "orgDepartment" => self.within(user, "organizations", "department"),
            "orgDescription" => self.within(user, "organizations", "description"),
            "orgCostCenter" => self.within(user, "organizations", "costCenter"),
            _ => false,
        }
    }

    /// Equal; or beginning with; or holding the words in their order.
    fn fits(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        if self.exact {
            value == self.value
        } else if self.prefix {
            value.split(' ').any(|word| word.starts_with(&self.value))
                || value.starts_with(&self.value)
        } else {
            let wanted: Vec<&str> = self.value.split(' ').collect();
            let split: Vec<&str> = value.split([' ', '@', '.', '-']).collect();
            value == self.value || split.windows(wanted.len()).any(|window| window == wanted)
        }
    }

    fn within(&self, user: &User, array: &str, field: &str) -> bool {
        user.kept(array).is_some_and(|value| match value {
            Value::Array(items) => items
                .iter()
                .any(|item| item[field].as_str().is_some_and(|text| self.fits(text))),
            _ => false,
        })
    }

    fn manages(&self, user: &User) -> bool {
        manager(user).is_some_and(|manager| manager.to_lowercase() == self.value)
    }

    fn manages_below(&self, world: &World, user: &User) -> bool {
        let mut above = manager(user);
        // Chains of managers can have circles; nobody has a hundred levels above.
        for _ in 0..100 {
            let Some(address) = above else {
                return false;
            };
            if address.to_lowercase() == self.value {
                return true;
            }
            above = match world.taken(&address) {
                Some(Owner::User(id)) => world.users.get(id).and_then(manager),
                _ => None,
            };
        }
        false
    }
}

fn manager(user: &User) -> Option<String> {
    let Some(Value::Array(relations)) = user.kept("relations") else {
        return None;
    };
    relations
        .iter()
        .find(|relation| relation["type"] == "manager")
        .and_then(|relation| relation["value"].as_str())
        .map(str::to_owned)
}
