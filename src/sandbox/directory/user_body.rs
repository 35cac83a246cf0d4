//! Reads the body of a write to a user: what may be sent, and in what form.

use serde_json::{Map, Value};

use super::super::error::ApiError;
use super::super::schema;
use super::super::world::user::KEPT;
use super::super::world::{Customer, domain_of, local_of};

/// What a body asks to change; what is absent stays.
#[derive(Debug, Default)]
pub struct Body {
    /// A new primary address, lower case.
    pub email: Option<String>,
    /// A new given name.
    pub given: Option<String>,
    /// A new family name.
    pub family: Option<String>,
    /// A new password; only that it was there.
    pub password: bool,
    /// Suspend or not.
    pub suspended: Option<bool>,
    /// Archive or not.
    pub archived: Option<bool>,
    /// Move.
    pub org_unit: Option<String>,
    /// Attributes kept as they are; `null` clears.
    pub kept: Map<String, Value>,
}

/// Attributes that only Google writes; ignored when sent.
const IGNORED: &[&str] = &[
    "agreedToTerms",
    "aliases",
    "archivalTime",
    "creationTime",
    "customerId",
    "deletionTime",
    "etag",
    "guestAccountInfo",
    "hashFunction",
    "id",
    "isAdmin",
    "isDelegatedAdmin",
    "isEnforcedIn2Sv",
    "isEnrolledIn2Sv",
    "isGuestUser",
    "isMailboxSetup",
    "kind",
    "lastLoginTime",
    "nonEditableAliases",
    "suspensionReason",
    "suspensionTime",
    "thumbnailPhotoEtag",
    "thumbnailPhotoUrl",
];

/// Largest JSON of an attribute, in bytes.
const SIZES: &[(&str, usize)] = &[
    ("emails", 10_240),
    ("addresses", 10_240),
    ("organizations", 10_240),
    ("locations", 10_240),
    ("phones", 1024),
    ("externalIds", 2048),
    ("relations", 2048),
    ("ims", 2048),
    ("websites", 2048),
    ("languages", 1024),
    ("keywords", 1024),
    ("gender", 1024),
];

/// Reads a body.
///
/// # Errors
/// 400 for a name Google doesn't know, a wrong type or a value out of bounds.
pub fn read(body: &Map<String, Value>, customer: &Customer) -> Result<Body, ApiError> {
    let mut out = Body::default();
    for (name, value) in body {
        match name.as_str() {
            "primaryEmail" => out.email = Some(address(value, customer, "primary_user_email")?),
            "name" => read_name(value, &mut out)?,
            "password" => {
                password(value, body.get("hashFunction"))?;
                out.password = true;
            }
            "suspended" => out.suspended = flag(value)?,
            "archived" => out.archived = flag(value)?,
            "orgUnitPath" => out.org_unit = Some(unit(value, customer)?),
            name if IGNORED.contains(&name) => {}
            name if KEPT.contains(&name) => {
                kept(name, value)?;
                out.kept.insert(name.to_owned(), value.clone());
            }
            name => {
                debug_assert!(!schema::USER.has(name), "every known name has a rule");
                return Err(ApiError::unknown_name(name, Some("user")));
            }
        }
    }
    Ok(out)
}

/// An address on one of the customer's domains, in lower case.
///
/// # Errors
/// 400 for anything else, 404 for a domain that isn't the customer's.
pub fn address(value: &Value, customer: &Customer, place: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::invalid(format!("Invalid Input: {place}"));
    let text = value.as_str().ok_or_else(wrong)?.to_lowercase();
    let (local, domain) = (local_of(&text), domain_of(&text));
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "-_.'".contains(letter);
    let good = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(letter)
        && !local.contains("..")
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !domain.is_empty();
    if !good {
        return Err(wrong());
    }
    if customer.owns(domain) {
        Ok(text)
    } else {
        Err(ApiError::not_found("domain"))
    }
}

fn read_name(value: &Value, out: &mut Body) -> Result<(), ApiError> {
    let names = value
        .as_object()
        .ok_or_else(|| ApiError::invalid("Invalid Input: name"))?;
    for (part, value) in names {
        let limit = match part.as_str() {
            "givenName" | "familyName" => 60,
            "displayName" => 256,
            "fullName" => continue,
            part => return Err(ApiError::unknown_name(part, Some("user.name"))),
        };
        let wrong = || ApiError::invalid(format!("Invalid Input: {part}"));
        let text = value.as_str().ok_or_else(wrong)?;
        if text.is_empty() || text.chars().count() > limit || text.contains(['<', '>', '=']) {
            return Err(wrong());
        }
        match part.as_str() {
            "givenName" => out.given = Some(text.to_owned()),
            "familyName" => out.family = Some(text.to_owned()),
            _ => {}
        }
    }
    Ok(())
}

fn password(value: &Value, hash: Option<&Value>) -> Result<(), ApiError> {
    let wrong = || ApiError::invalid("Invalid Password");
    let text = value.as_str().ok_or_else(wrong)?;
    let hex = |length: usize| text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit());
    let good = match hash.and_then(Value::as_str) {
        None => (8..=100).contains(&text.len()) && text.is_ascii(),
        Some("MD5") => hex(32),
        Some("SHA-1") => hex(40),
        Some("crypt") => text.len() >= 13 && text.is_ascii(),
        Some(_) => false,
    };
    if good { Ok(()) } else { Err(wrong()) }
}

fn flag(value: &Value) -> Result<Option<bool>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(*value)),
        _ => {
            Err(ApiError::bad_request("Invalid value (boolean expected)")
                .status("INVALID_ARGUMENT"))
        }
    }
}

/// A unit of the customer.
fn unit(value: &Value, customer: &Customer) -> Result<String, ApiError> {
    let text = value.as_str().unwrap_or_default();
    customer
        .org_units
        .iter()
        .find(|unit| unit.eq_ignore_ascii_case(text))
        .map(ToString::to_string)
        .ok_or_else(|| ApiError::invalid("Invalid Input: INVALID_OU_ID"))
}

/// The path, if it is a unit of the customer.
///
/// # Errors
/// 400 `INVALID_OU_ID`.
pub fn unit_of(path: &str, customer: &Customer) -> Result<String, ApiError> {
    unit(&Value::String(path.to_owned()), customer)
}

fn kept(name: &str, value: &Value) -> Result<(), ApiError> {
    let wrong = || ApiError::invalid(format!("Invalid Input: {name}"));
    let size = SIZES.iter().find(|(known, _)| *known == name);
    if size.is_some_and(|(_, limit)| value.to_string().len() > *limit) {
        return Err(wrong());
    }
    match name {
        "changePasswordAtNextLogin" | "ipWhitelisted" | "includeInGlobalAddressList" => {
            flag(value).map(|_| ())
        }
        "recoveryPhone" => match value.as_str() {
            Some(text) if !text.is_empty() && !text.starts_with('+') => Err(wrong()),
            None if !value.is_null() => Err(wrong()),
            _ => Ok(()),
        },
        "recoveryEmail" if value.is_string() || value.is_null() => Ok(()),
        "recoveryEmail" => Err(wrong()),
        "gender" | "notes" | "customSchemas" if value.is_object() || value.is_null() => Ok(()),
        _ => match value {
            Value::Null => Ok(()),
            Value::Array(items) => {
                let primary = items.iter().filter(|item| item["primary"] == true).count();
                let nameless = |item: &Value| {
                    item["type"] == "custom"
                        && item["customType"].as_str().unwrap_or_default().is_empty()
                };
                if primary > 1 || items.iter().any(|item| !item.is_object() || nameless(item)) {
                    return Err(wrong());
                }
                Ok(())
            }
            _ => Err(wrong()),
        },
    }
}
