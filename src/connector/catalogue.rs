//! The systems that an integration can be made with: the only file that names them all, but for what they are asked to
//! allow (`scopes.rs`).

mod scopes;

pub use scopes::{domain_scopes, need_units, scopes, scopes_for, unit_scopes};

use crate::model::{
    Action, Attribute, AuthorizationMethod, Direction, Kind, Operator, RuleEvent, SystemId,
};

/// Id of Google Workspace, once called G Suite.
pub const GOOGLE_WORKSPACE: &str = "google-workspace";

/// What values an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttributeType {
    /// One text.
    Text,
    /// Yes or no; in conditions and defaults `true` or `false`.
    Bool,
    /// Several texts.
    List,
}

/// An attribute that an object of a kind can have at the target.
#[derive(Debug, PartialEq, Eq)]
pub struct AttributeInfo {
    /// Which.
    pub attribute: Attribute,
    /// What people call it.
    pub title: &'static str,
    /// What values it takes.
    pub value_type: AttributeType,
    /// Whether no object can be made without it.
    pub required_on_create: bool,
    /// Whether the system's standard mapping carries it over: the value at the source is the value at the target, and
    /// the integration owns it there (semantics 9, 11).
    pub mapped: bool,
    /// Whether a rule may give a default for it. False for addresses, which are unique in a company.
    pub takes_default: bool,
}

/// What people can choose from as the value of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choices {
    /// Any text.
    Any,
    /// `true` or `false` only.
    YesNo,
    /// Ids of the system's groups.
    Groups,
    /// Ids of the system's organisational units.
    OrgUnits,
    /// Names of the customer's domains, or any other text.
    Domains,
}

impl Choices {
    /// Whether the values are ids of what the system has, and nothing else.
    pub fn are_ids(self) -> bool {
        matches!(self, Self::Groups | Self::OrgUnits)
    }

    /// Whether the system can list them.
    pub fn are_listed(self) -> bool {
        self.are_ids() || self == Self::Domains
    }
}

/// An attribute of the source object that conditions may ask for.
#[derive(Debug, PartialEq, Eq)]
pub struct ConditionInfo {
    /// Which.
    pub attribute: Attribute,
    /// What people call it.
    pub title: &'static str,
    /// How it can be compared.
    pub operators: &'static [Operator],
    /// With what it can be compared.
    pub choices: Choices,
}

/// What can be done with objects of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// Kind of the source object.
    pub kind: Kind,
    /// Events that rules may name.
    pub events: &'static [RuleEvent],
    /// Actions that rules may name.
    pub actions: &'static [Action],
    /// Kinds that it can be turned into.
    pub targets: &'static [Kind],
    /// Attributes of the target object.
    pub attributes: &'static [AttributeInfo],
    /// Attributes that conditions may ask for.
    pub conditions: &'static [ConditionInfo],
}

impl KindInfo {
    /// The attributes that the standard mapping carries over.
    pub fn mapped(&self) -> impl Iterator<Item = &'static Attribute> {
        let mapped = self.attributes.iter().filter(|info| info.mapped);
        mapped.map(|info| &info.attribute)
    }

    /// What is known of an attribute of the target object.
    pub fn attribute(&self, attribute: &Attribute) -> Option<&'static AttributeInfo> {
        let mut all = self.attributes.iter();
        all.find(|info| info.attribute == *attribute)
    }

    /// What is known of an attribute that conditions may ask for.
    pub fn condition(&self, attribute: &Attribute) -> Option<&'static ConditionInfo> {
        let mut all = self.conditions.iter();
        all.find(|info| info.attribute == *attribute)
    }
}

/// A system.
#[derive(Debug, PartialEq, Eq)]
pub struct System {
    /// Its [`SystemId`].
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// One sentence about it.
    pub description: &'static str,
    /// Directions that an integration with it can have.
    pub directions: &'static [Direction],
    /// Kinds of objects that can be provisioned.
    pub kinds: &'static [KindInfo],
    /// How it can be authorized.
    pub authorization: &'static [AuthorizationMethod],
    /// Whether each integration has to say where the system is.
    pub base_url_needed: bool,
}

impl System {
    /// What can be done with objects of a kind; none if the system does not know the kind.
    pub fn kind(&self, kind: Kind) -> Option<&'static KindInfo> {
        self.kinds.iter().find(|info| info.kind == kind)
    }
}

/// All systems, in the order in which they are shown.
pub fn systems() -> &'static [System] {
    SYSTEMS
}

/// The system of that id.
pub fn find(id: &SystemId) -> Option<&'static System> {
    SYSTEMS.iter().find(|system| system.id == id.as_str())
}

const SWITCH: &[Operator] = &[Operator::Equal, Operator::NotEqual];
const MEMBERSHIP: &[Operator] = &[Operator::MemberOf, Operator::NotMemberOf];
const TEXT: &[Operator] = &[
    Operator::Equal,
    Operator::NotEqual,
    Operator::Contains,
    Operator::NotContains,
    Operator::Matches,
    Operator::StartsWith,
    Operator::EndsWith,
];

const fn mapped(
    attribute: Attribute,
    title: &'static str,
    value_type: AttributeType,
) -> AttributeInfo {
    AttributeInfo {
        attribute,
        title,
        value_type,
        required_on_create: false,
        mapped: true,
        takes_default: true,
    }
}

/// An attribute whose values are unique in the company.
const fn address(
    attribute: Attribute,
    title: &'static str,
    value_type: AttributeType,
    required: bool,
) -> AttributeInfo {
    AttributeInfo {
        attribute,
        title,
        value_type,
        required_on_create: required,
        mapped: true,
        takes_default: false,
    }
}

const fn condition(attribute: Attribute, title: &'static str, choices: Choices) -> ConditionInfo {
    ConditionInfo {
        attribute,
        title,
        operators: match choices {
            Choices::Any | Choices::Domains => TEXT,
            Choices::YesNo => SWITCH,
            Choices::Groups | Choices::OrgUnits => MEMBERSHIP,
        },
        choices,
    }
}

static SYSTEMS: &[System] = &[System {
    id: GOOGLE_WORKSPACE,
    title: "Google Workspace",
    description: "Users, groups and memberships of a Google Workspace account, all domains of it.",
    directions: &[Direction::FromSystem],
    kinds: &[
        KindInfo {
            kind: Kind::User,
            events: &[RuleEvent::Lookup],
            actions: &[Action::Add],
            targets: &[Kind::User],
            attributes: GOOGLE_USER,
            conditions: GOOGLE_USER_CONDITIONS,
        },
        KindInfo {
            kind: Kind::Group,
            events: &[RuleEvent::Lookup],
            actions: &[Action::Add],
            targets: &[Kind::Group],
            attributes: GOOGLE_GROUP,
            conditions: GOOGLE_GROUP_CONDITIONS,
        },
    ],
    authorization: &[
        AuthorizationMethod::Consent,
        AuthorizationMethod::ServiceAccountKey,
    ],
    base_url_needed: false,
}];

static GOOGLE_USER: &[AttributeInfo] = &[
    address(
        Attribute::USER_NAME,
        "Primary e-mail",
        AttributeType::Text,
        true,
    ),
    mapped(Attribute::GIVEN_NAME, "First name", AttributeType::Text),
    mapped(Attribute::FAMILY_NAME, "Last name", AttributeType::Text),
    mapped(Attribute::DISPLAY_NAME, "Display name", AttributeType::Text),
    mapped(Attribute::ACTIVE, "Active", AttributeType::Bool),
    address(
        Attribute::ALIASES,
        "E-mail aliases",
        AttributeType::List,
        false,
    ),
    mapped(
        Attribute::PHONE_NUMBERS,
        "Phone numbers",
        AttributeType::List,
    ),
    mapped(Attribute::TITLE, "Job title", AttributeType::Text),
    mapped(Attribute::DEPARTMENT, "Department", AttributeType::Text),
    mapped(Attribute::ORGANIZATION, "Organization", AttributeType::Text),
    mapped(Attribute::COST_CENTER, "Cost center", AttributeType::Text),
    mapped(
        Attribute::EMPLOYEE_NUMBER,
        "Employee number",
        AttributeType::Text,
    ),
    mapped(Attribute::MANAGER, "Manager's e-mail", AttributeType::Text),
];

static GOOGLE_USER_CONDITIONS: &[ConditionInfo] = &[
    condition(Attribute::USER_NAME, "Primary e-mail", Choices::Any),
    condition(Attribute::GIVEN_NAME, "First name", Choices::Any),
    condition(Attribute::FAMILY_NAME, "Last name", Choices::Any),
    condition(Attribute::DISPLAY_NAME, "Display name", Choices::Any),
    condition(Attribute::ACTIVE, "Active", Choices::YesNo),
    condition(Attribute::ALIASES, "E-mail aliases", Choices::Any),
    condition(Attribute::PHONE_NUMBERS, "Phone numbers", Choices::Any),
    condition(Attribute::TITLE, "Job title", Choices::Any),
    condition(Attribute::DEPARTMENT, "Department", Choices::Any),
    condition(Attribute::ORGANIZATION, "Organization", Choices::Any),
    condition(Attribute::COST_CENTER, "Cost center", Choices::Any),
    condition(Attribute::EMPLOYEE_NUMBER, "Employee number", Choices::Any),
    condition(Attribute::MANAGER, "Manager's e-mail", Choices::Any),
    condition(
        Attribute::ORG_UNIT,
        "Organizational unit",
        Choices::OrgUnits,
    ),
    condition(Attribute::GROUPS, "Groups", Choices::Groups),
    condition(Attribute::ADMIN, "Super administrator", Choices::YesNo),
    condition(
        Attribute::DOMAIN,
        "Domain of the primary e-mail",
        Choices::Domains,
    ),
];

static GOOGLE_GROUP: &[AttributeInfo] = &[
    address(
        Attribute::USER_NAME,
        "Group e-mail",
        AttributeType::Text,
        true,
    ),
    mapped(Attribute::DISPLAY_NAME, "Name", AttributeType::Text),
    mapped(Attribute::DESCRIPTION, "Description", AttributeType::Text),
    address(
        Attribute::ALIASES,
        "E-mail aliases",
        AttributeType::List,
        false,
    ),
];

static GOOGLE_GROUP_CONDITIONS: &[ConditionInfo] = &[
    condition(Attribute::USER_NAME, "Group e-mail", Choices::Any),
    condition(Attribute::DISPLAY_NAME, "Name", Choices::Any),
    condition(Attribute::DESCRIPTION, "Description", Choices::Any),
    condition(Attribute::ALIASES, "E-mail aliases", Choices::Any),
    condition(
        Attribute::DOMAIN,
        "Domain of the group e-mail",
        Choices::Domains,
    ),
    condition(Attribute::GROUPS, "Groups", Choices::Groups),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_a_valid_id_and_is_found_by_it() {
        for system in systems() {
            let id = SystemId::try_new(system.id).unwrap();
            assert_eq!(find(&id), Some(system));
        }
        assert_eq!(find(&SystemId::try_new("scim").unwrap()), None);
    }

    #[test]
    fn every_direction_has_its_scopes_and_no_other_has() {
        for system in systems() {
            let id = SystemId::try_new(system.id).unwrap();
            for direction in [Direction::FromSystem, Direction::ToSystem] {
                let offered = system.directions.contains(&direction);
                for method in system.authorization {
                    let scopes = scopes(&id, direction, *method);
                    assert_eq!(!scopes.is_empty(), offered);
                }
            }
        }
    }

    #[test]
    fn every_mapped_attribute_can_be_asked_for_and_yes_or_no_is_chosen_for_switches() {
        for kind in systems().iter().flat_map(|system| system.kinds) {
            for info in kind.attributes {
                let asked = kind.condition(&info.attribute).unwrap();
                let switch = info.value_type == AttributeType::Bool;
                assert_eq!(asked.choices == Choices::YesNo, switch, "{}", info.title);
            }
            assert!(
                kind.attribute(&Attribute::USER_NAME)
                    .unwrap()
                    .required_on_create
            );
            assert!(kind.mapped().all(|a| kind.attribute(a).unwrap().mapped));
            assert!(kind.attribute(&Attribute::ADMIN).is_none());
        }
    }
}
