//! The list of systems: the only file that names all of them.

use crate::model::{Action, Attribute, Direction, Kind, Operator, RuleEvent, SystemId};

/// How a system can be authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationMethod {
    /// An admin consents in a browser (OAuth 2.0 authorization code).
    OAuth,
}

/// Type of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A text.
    Text,
    /// Yes or no.
    Bool,
    /// Several texts.
    List,
}

/// An attribute of a kind of object.
#[derive(Debug, Clone)]
pub struct AttributeInfo {
    /// Which.
    pub attribute: Attribute,
    /// Type of its value.
    pub value: ValueType,
    /// Whether an object can't be made without it.
    pub required: bool,
    /// Whether the standard mapping carries it over to the target.
    pub mapped: bool,
    /// Whether conditions may name it.
    pub condition: bool,
}

/// What can be done with one kind of a system's objects.
#[derive(Debug, Clone)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// Events that rules about it may name.
    pub events: &'static [RuleEvent],
    /// Actions that rules about it may name.
    pub actions: &'static [Action],
    /// Kinds of target object that it can be turned into.
    pub targets: &'static [Kind],
    /// Its attributes.
    pub attributes: &'static [AttributeInfo],
}

/// A system that an integration can be made with.
#[derive(Debug, Clone)]
pub struct System {
    /// Its id.
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Directions that an integration with it may have.
    pub directions: &'static [Direction],
    /// What it holds.
    pub kinds: &'static [KindInfo],
    /// How it can be authorized.
    pub authorization: &'static [AuthorizationMethod],
    /// Whether an integration must say where the system is.
    pub needs_base_url: bool,
    /// Scopes to ask for, least privilege.
    pub scopes: &'static [&'static str],
}

/// Operators that conditions may use.
const OPERATORS: &[Operator] = &[Operator::Equal, Operator::NotEqual];

/// Id of Google Workspace.
pub const GOOGLE_WORKSPACE: &str = "google-workspace";

const fn info(attribute: Attribute, value: ValueType) -> AttributeInfo {
    AttributeInfo {
        attribute,
        value,
        required: false,
        mapped: true,
        condition: true,
    }
}

const fn required(attribute: Attribute) -> AttributeInfo {
    AttributeInfo {
        attribute,
        value: ValueType::Text,
        required: true,
        mapped: true,
        condition: true,
    }
}

const fn condition(attribute: Attribute, value: ValueType) -> AttributeInfo {
    AttributeInfo {
        attribute,
        value,
        required: false,
        mapped: false,
        condition: true,
    }
}

const USER: &[AttributeInfo] = &[
    required(Attribute::USER_NAME),
    info(Attribute::GIVEN_NAME, ValueType::Text),
    info(Attribute::FAMILY_NAME, ValueType::Text),
    info(Attribute::DISPLAY_NAME, ValueType::Text),
    info(Attribute::ACTIVE, ValueType::Bool),
    info(Attribute::ALIASES, ValueType::List),
    info(Attribute::PHONE_NUMBERS, ValueType::List),
    info(Attribute::TITLE, ValueType::Text),
    info(Attribute::DEPARTMENT, ValueType::Text),
    info(Attribute::ORGANIZATION, ValueType::Text),
    info(Attribute::COST_CENTER, ValueType::Text),
    info(Attribute::EMPLOYEE_NUMBER, ValueType::Text),
    info(Attribute::MANAGER, ValueType::Text),
    condition(Attribute::ORG_UNIT, ValueType::Text),
    condition(Attribute::ADMIN, ValueType::Bool),
    condition(Attribute::DOMAIN, ValueType::Text),
];

const GROUP: &[AttributeInfo] = &[
    required(Attribute::USER_NAME),
    info(Attribute::DISPLAY_NAME, ValueType::Text),
    info(Attribute::DESCRIPTION, ValueType::Text),
    info(Attribute::ALIASES, ValueType::List),
    condition(Attribute::DOMAIN, ValueType::Text),
];

const KINDS: &[KindInfo] = &[
    KindInfo {
        kind: Kind::User,
        events: &[RuleEvent::Lookup],
        actions: &[Action::Add],
        targets: &[Kind::User],
        attributes: USER,
    },
    KindInfo {
        kind: Kind::Group,
        events: &[RuleEvent::Lookup],
        actions: &[Action::Add],
        targets: &[Kind::Group],
        attributes: GROUP,
    },
];

/// Scopes of the read direction; one group scope covers members too ("OAuth 2.0 scopes" of the Directory API).
const GOOGLE_SCOPES: &[&str] = &[
    "openid",
    "email",
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
];

const SYSTEMS: &[System] = &[System {
    id: GOOGLE_WORKSPACE,
    title: "Google Workspace",
    directions: &[Direction::FromSystem],
    kinds: KINDS,
    authorization: &[AuthorizationMethod::OAuth],
    needs_base_url: false,
    scopes: GOOGLE_SCOPES,
}];

/// All systems.
pub fn systems() -> &'static [System] {
    SYSTEMS
}

/// The system of this id.
pub fn find(id: &SystemId) -> Option<&'static System> {
    SYSTEMS.iter().find(|system| system.id == id.as_str())
}

/// What is known of a kind of a system's objects.
pub fn kind(id: &SystemId, kind: Kind) -> Option<&'static KindInfo> {
    find(id)?.kinds.iter().find(|info| info.kind == kind)
}

/// Scopes to ask for: the least that the direction needs.
pub fn scopes(id: &SystemId, direction: Direction) -> Vec<&'static str> {
    let system = find(id).filter(|system| system.directions.contains(&direction));
    system
        .map(|system| system.scopes.to_vec())
        .unwrap_or_default()
}

/// Attributes that the standard mapping carries over to the target.
pub fn mapped(id: &SystemId, kind: Kind) -> Vec<Attribute> {
    self::kind(id, kind)
        .map(KindInfo::mapped)
        .unwrap_or_default()
}

impl AttributeInfo {
    /// What people call it.
    pub fn title(&self) -> &'static str {
        match self.attribute.as_str() {
            "userName" => "Primary e-mail address",
            "name.givenName" => "Given name",
            "name.familyName" => "Family name",
            "displayName" => "Name to show",
            "active" => "Active: neither suspended nor archived",
            "aliases" => "Other e-mail addresses",
            "phoneNumbers" => "Phone numbers",
            "title" => "Job title",
            "department" => "Department",
            "organization" => "Organization",
            "costCenter" => "Cost center",
            "employeeNumber" => "Employee number",
            "manager" => "E-mail address of the manager",
            "description" => "Description",
            "orgUnit" => "Path of the organizational unit",
            "isAdmin" => "Super administrator",
            "domain" => "Domain of the primary e-mail address",
            _ => "",
        }
    }

    /// How conditions may compare it.
    pub fn operators(&self) -> &'static [Operator] {
        if self.condition { OPERATORS } else { &[] }
    }

    /// Whether its values are `true` and `false`.
    pub fn yes_no(&self) -> bool {
        self.value == ValueType::Bool
    }
}

impl KindInfo {
    /// Attributes that conditions can ask about.
    pub fn conditions(&self) -> impl Iterator<Item = &'static AttributeInfo> + use<> {
        self.attributes.iter().filter(|info| info.condition)
    }

    fn mapped(&self) -> Vec<Attribute> {
        self.attributes
            .iter()
            .filter(|info| info.mapped)
            .map(|info| info.attribute.clone())
            .collect()
    }
}
