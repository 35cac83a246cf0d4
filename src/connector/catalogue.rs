//! The systems that an integration can be made with: the only file that names them all, but for what they are asked to
//! allow (`scopes.rs`).

mod scopes;

pub use scopes::{domain_scopes, need_units, scopes, scopes_for, unit_scopes};

use crate::model::{
    Action, Attribute, AuthorizationMethod, Direction, Kind, Operator, RuleEvent, SystemId,
};

/// Id of Google Workspace, once called G Suite.
pub const GOOGLE_WORKSPACE: &str = "google-workspace";

/// An attribute that the system tells of its objects, and that the standard mapping carries over: the value at the source is the
/// value at the target, and the integration owns it there (semantics 9, 11).
#[derive(Debug, PartialEq, Eq)]
pub struct AttributeInfo {
    /// Which.
    pub attribute: Attribute,
    /// What people call it.
    pub title: &'static str,
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
    /// Attributes that are carried over.
    pub attributes: &'static [AttributeInfo],
    /// Attributes that conditions may ask for.
    pub conditions: &'static [ConditionInfo],
}

impl KindInfo {
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

const fn mapped(attribute: Attribute, title: &'static str) -> AttributeInfo {
    AttributeInfo { attribute, title }
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
}];

static GOOGLE_USER: &[AttributeInfo] = &[
    mapped(Attribute::USER_NAME, "Primary e-mail"),
    mapped(Attribute::GIVEN_NAME, "First name"),
    mapped(Attribute::FAMILY_NAME, "Last name"),
    mapped(Attribute::DISPLAY_NAME, "Display name"),
    mapped(Attribute::ACTIVE, "Active"),
    mapped(Attribute::ALIASES, "E-mail aliases"),
    mapped(Attribute::PHONE_NUMBERS, "Phone numbers"),
    mapped(Attribute::TITLE, "Job title"),
    mapped(Attribute::DEPARTMENT, "Department"),
    mapped(Attribute::ORGANIZATION, "Organization"),
    mapped(Attribute::COST_CENTER, "Cost center"),
    mapped(Attribute::EMPLOYEE_NUMBER, "Employee number"),
    mapped(Attribute::MANAGER, "Manager's e-mail"),
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
    mapped(Attribute::USER_NAME, "Group e-mail"),
    mapped(Attribute::DISPLAY_NAME, "Name"),
    mapped(Attribute::DESCRIPTION, "Description"),
    mapped(Attribute::ALIASES, "E-mail aliases"),
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
    use crate::model::Shape;

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
                let switch = info.attribute.shape() == Shape::YesNo;
                assert_eq!(asked.choices == Choices::YesNo, switch, "{}", info.title);
            }
            let told = |attribute| kind.attributes.iter().any(|a| a.attribute == attribute);
            assert!(told(Attribute::USER_NAME) && !told(Attribute::ADMIN));
        }
    }
}
