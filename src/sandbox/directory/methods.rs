//! The methods served: path, parameters and scopes, as in the discovery document
//! `admin:directory_v1`, revision 20261104.

use axum::http::Method as Verb;

use super::super::call::Call;
use super::super::error::ApiError;

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number; what is outside of 1 to this maximum is moved to the nearest.
    Size(usize),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A query parameter.
pub type Parameter = (&'static str, Kind);

/// One method.
#[derive(Debug)]
pub struct Method {
    /// Google's name.
    pub id: &'static str,
    /// HTTP method.
    pub verb: Verb,
    /// Parts of the path after `/admin/directory/v1/`; `{}` stands for a key.
    pub path: &'static [&'static str],
    /// Query parameters, besides those of every method.
    pub parameters: &'static [Parameter],
    /// Any one of these is enough.
    pub scopes: &'static [&'static str],
}

use Kind::{Flag, Size, Text, Word};

const USER: &[&str] = &["admin.directory.user"];
const USER_READ: &[&str] = &["admin.directory.user", "admin.directory.user.readonly"];
const USER_LIST: &[&str] = &[
    "admin.directory.user",
    "admin.directory.user.readonly",
    "cloud-platform",
];
const GROUP: &[&str] = &["admin.directory.group"];
const GROUP_READ: &[&str] = &["admin.directory.group", "admin.directory.group.readonly"];
const MEMBER: &[&str] = &["admin.directory.group", "admin.directory.group.member"];
const MEMBER_READ: &[&str] = &[
    "admin.directory.group",
    "admin.directory.group.member",
    "admin.directory.group.member.readonly",
    "admin.directory.group.readonly",
];
const CUSTOMER_READ: &[&str] = &[
    "admin.directory.customer",
    "admin.directory.customer.readonly",
];
const DOMAIN_READ: &[&str] = &["admin.directory.domain", "admin.directory.domain.readonly"];

const UNIT_READ: &[&str] = &[
    "admin.directory.orgunit",
    "admin.directory.orgunit.readonly",
];

const PROJECTION: Parameter = ("projection", Word(&["basic", "custom", "full"]));
const VIEW: Parameter = ("viewType", Word(&["admin_view", "domain_public"]));
const ORDER: Kind = Word(&["ASCENDING", "DESCENDING"]);

/// Parameters of every method.
pub const COMMON: &[Parameter] = &[
    ("$.xgafv", Word(&["1", "2"])),
    ("access_token", Text),
    ("alt", Word(&["json"])),
    ("callback", Text),
    ("fields", Text),
    ("key", Text),
    ("oauth_token", Text),
    ("prettyPrint", Flag),
    ("quotaUser", Text),
    ("uploadType", Text),
    ("upload_protocol", Text),
];

const fn method(
    id: &'static str,
    verb: Verb,
    path: &'static [&'static str],
    parameters: &'static [Parameter],
    scopes: &'static [&'static str],
) -> Method {
    Method {
        id,
        verb,
        path,
        parameters,
        scopes,
    }
}

/// A method that reads one thing, and takes no parameters.
const fn get(
    id: &'static str,
    path: &'static [&'static str],
    scopes: &'static [&'static str],
) -> Method {
    method(id, Verb::GET, path, &[], scopes)
}

/// All of them.
pub const METHODS: &[Method] = &[
    method(
        "directory.users.get",
        Verb::GET,
        &["users", "{}"],
        &[("customFieldMask", Text), PROJECTION, VIEW],
        USER_READ,
    ),
    method(
        "directory.users.list",
        Verb::GET,
        &["users"],
        &[
            ("customFieldMask", Text),
            ("customer", Text),
            ("domain", Text),
            (
                "event",
                Word(&["add", "delete", "makeAdmin", "undelete", "update"]),
            ),
            ("maxResults", Size(500)),
            ("orderBy", Word(&["email", "familyName", "givenName"])),
            ("pageToken", Text),
            PROJECTION,
            ("query", Text),
            ("showDeleted", Text),
            ("sortOrder", ORDER),
            VIEW,
        ],
        USER_LIST,
    ),
    method(
        "directory.users.insert",
        Verb::POST,
        &["users"],
        &[("resolveConflictAccount", Flag)],
        USER,
    ),
    method(
        "directory.users.update",
        Verb::PUT,
        &["users", "{}"],
        &[],
        USER,
    ),
    method(
        "directory.users.patch",
        Verb::PATCH,
        &["users", "{}"],
        &[],
        USER,
    ),
    method(
        "directory.users.delete",
        Verb::DELETE,
        &["users", "{}"],
        &[],
        USER,
    ),
    method(
        "directory.users.undelete",
        Verb::POST,
        &["users", "{}", "undelete"],
        &[],
        USER,
    ),
    method(
        "directory.users.makeAdmin",
        Verb::POST,
        &["users", "{}", "makeAdmin"],
        &[],
        USER,
    ),
    get("directory.groups.get", &["groups", "{}"], GROUP_READ),
    method(
        "directory.groups.list",
        Verb::GET,
        &["groups"],
        &[
            ("customer", Text),
            ("domain", Text),
            ("maxResults", Size(200)),
            ("orderBy", Word(&["email"])),
            ("pageToken", Text),
            ("query", Text),
            ("sortOrder", ORDER),
            ("userKey", Text),
        ],
        GROUP_READ,
    ),
    method(
        "directory.groups.insert",
        Verb::POST,
        &["groups"],
        &[],
        GROUP,
    ),
    method(
        "directory.groups.update",
        Verb::PUT,
        &["groups", "{}"],
        &[],
        GROUP,
    ),
    method(
        "directory.groups.patch",
        Verb::PATCH,
        &["groups", "{}"],
        &[],
        GROUP,
    ),
    method(
        "directory.groups.delete",
        Verb::DELETE,
        &["groups", "{}"],
        &[],
        GROUP,
    ),
    get(
        "directory.members.get",
        &["groups", "{}", "members", "{}"],
        MEMBER_READ,
    ),
    method(
        "directory.members.list",
        Verb::GET,
        &["groups", "{}", "members"],
        &[
            ("includeDerivedMembership", Flag),
            ("maxResults", Size(200)),
            ("pageToken", Text),
            ("roles", Text),
        ],
        MEMBER_READ,
    ),
    method(
        "directory.members.insert",
        Verb::POST,
        &["groups", "{}", "members"],
        &[],
        MEMBER,
    ),
    method(
        "directory.members.update",
        Verb::PUT,
        &["groups", "{}", "members", "{}"],
        &[],
        MEMBER,
    ),
    method(
        "directory.members.patch",
        Verb::PATCH,
        &["groups", "{}", "members", "{}"],
        &[],
        MEMBER,
    ),
    method(
        "directory.members.delete",
        Verb::DELETE,
        &["groups", "{}", "members", "{}"],
        &[],
        MEMBER,
    ),
    get(
        "directory.members.hasMember",
        &["groups", "{}", "hasMember", "{}"],
        MEMBER_READ,
    ),
    get(
        "directory.customers.get",
        &["customers", "{}"],
        CUSTOMER_READ,
    ),
    get(
        "directory.domains.list",
        &["customer", "{}", "domains"],
        DOMAIN_READ,
    ),
    get(
        "directory.domains.get",
        &["customer", "{}", "domains", "{}"],
        DOMAIN_READ,
    ),
    method(
        "directory.orgunits.list",
        Verb::GET,
        &["customer", "{}", "orgunits"],
        &[
            ("orgUnitPath", Text),
            ("type", Word(&["all", "allIncludingParent", "children"])),
        ],
        UNIT_READ,
    ),
];

/// The method that a request calls, with the keys in its path.
pub fn find(call: &Call) -> Option<(&'static Method, Vec<&str>)> {
    let rest = match call.segments.as_slice() {
        [admin, directory, version, rest @ ..]
            if admin == "admin" && directory == "directory" && version == "v1" =>
        {
            rest
        }
        _ => return None,
    };
    METHODS.iter().find_map(|method| {
        if method.verb != call.verb || method.path.len() != rest.len() {
            return None;
        }
        let mut keys = Vec::new();
        for (pattern, segment) in method.path.iter().zip(rest) {
            if *pattern == "{}" && !segment.is_empty() {
                keys.push(segment.as_str());
            } else if pattern != segment {
                return None;
            }
        }
        Some((method, keys))
    })
}

/// Holds the query to what the method knows.
///
/// # Errors
/// 400 naming the parameter.
pub fn check(method: &Method, call: &Call) -> Result<(), ApiError> {
    for (name, value) in &call.query.0 {
        let kind = COMMON
            .iter()
            .chain(method.parameters)
            .find(|(known, _)| known == name)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| ApiError::unknown_name(name, None))?;
        let good = match kind {
            Text => true,
            Flag => matches!(value.as_str(), "true" | "false" | "" | "True" | "False"),
            Size(_) => value.parse::<i32>().is_ok(),
            Word(words) => words.contains(&value.as_str()),
        };
        if !good {
            return Err(ApiError::new(
                400,
                "invalidParameter",
                format!("Invalid value at '{}': \"{value}\"", snake(name)),
            )
            .status("INVALID_ARGUMENT"));
        }
    }
    Ok(())
}

/// How many rows a page has: what was asked for, within bounds, or the default.
pub fn page_size(method: &Method, call: &Call) -> usize {
    let maximum = method
        .parameters
        .iter()
        .find_map(|(name, kind)| match kind {
            Size(maximum) if *name == "maxResults" => Some(*maximum),
            _ => None,
        })
        .unwrap_or(200);
    // Users come 100 a page unless asked; groups and members as many as there may be.
    let default = maximum.min(if maximum == 500 { 100 } else { 200 });
    match call
        .query
        .get("maxResults")
        .and_then(|text| text.parse::<i64>().ok())
    {
        Some(wanted) => usize::try_from(wanted).unwrap_or(0).clamp(1, maximum),
        None => default,
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
