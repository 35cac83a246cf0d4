//! The systems that an integration can be made with: the only file that names all of them.

use crate::model::{Attribute, Direction, Kind, Operator, SystemId};

/// A system.
#[derive(Debug)]
pub struct System {
    /// Its id.
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The directions it supports.
    pub directions: &'static [Direction],
    /// What it has.
    pub kinds: &'static [KindInfo],
}

/// A kind of object of a system.
#[derive(Debug)]
pub struct KindInfo {
    /// Which.
    pub kind: Kind,
    /// What conditions can ask.
    pub conditions: &'static [ConditionInfo],
}

/// An attribute that conditions can ask about.
#[derive(Debug)]
pub struct ConditionInfo {
    /// Which.
    pub attribute: Attribute,
    /// How it can be compared.
    pub operators: &'static [Operator],
    /// Whether its values are `true` and `false`.
    pub yes_no: bool,
}

const EQUALITY: &[Operator] = &[Operator::Equal, Operator::NotEqual];

const fn text(attribute: Attribute) -> ConditionInfo {
    ConditionInfo {
        attribute,
        operators: EQUALITY,
        yes_no: false,
    }
}

const fn yes_no(attribute: Attribute) -> ConditionInfo {
    ConditionInfo {
        attribute,
        operators: EQUALITY,
        yes_no: true,
    }
}

static SYSTEMS: &[System] = &[System {
    id: "google-workspace",
    title: "Google Workspace",
    directions: &[Direction::FromSystem],
    kinds: &[
        KindInfo {
            kind: Kind::User,
            conditions: &[
                text(Attribute::DEPARTMENT),
                text(Attribute::ORG_UNIT),
                yes_no(Attribute::ACTIVE),
                yes_no(Attribute::ADMIN),
            ],
        },
        KindInfo {
            kind: Kind::Group,
            conditions: &[text(Attribute::DISPLAY_NAME)],
        },
    ],
}];

/// All systems.
pub fn systems() -> &'static [System] {
    SYSTEMS
}

/// The system of this id.
pub fn find(id: &SystemId) -> Option<&'static System> {
    SYSTEMS.iter().find(|system| system.id == id.as_str())
}

/// A kind of object of a system.
pub fn kind(id: &SystemId, kind: Kind) -> Option<&'static KindInfo> {
    find(id)?.kinds.iter().find(|info| info.kind == kind)
}

/// What must be consented to.
pub fn scopes(_system: &SystemId, _direction: Direction) -> Vec<&'static str> {
    vec![
        "openid",
        "email",
        "https://www.googleapis.com/auth/admin.directory.user.readonly",
        "https://www.googleapis.com/auth/admin.directory.group.readonly",
    ]
}
