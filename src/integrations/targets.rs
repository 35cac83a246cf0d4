//! The attributes that a rule may give default values to: those of the AppsCo directory, the target `FROM_SYSTEM`.

use crate::model::{Attribute, Kind, Value};

/// What kind of value an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    YesNo,
    List,
}

impl Shape {
    pub(super) fn fits(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Self::Text, Value::Text(_))
                | (Self::YesNo, Value::Bool(_))
                | (Self::List, Value::List(_))
        )
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::YesNo => "true or false",
            Self::List => "a list of texts",
        }
    }
}

/// The primary address is not among them: it identifies the object and always comes from the source. Neither are
/// aliases, which no two objects can share.
const USER: &[(Attribute, Shape)] = &[
    (Attribute::GIVEN_NAME, Shape::Text),
    (Attribute::FAMILY_NAME, Shape::Text),
    (Attribute::DISPLAY_NAME, Shape::Text),
    (Attribute::ACTIVE, Shape::YesNo),
    (Attribute::PHONE_NUMBERS, Shape::List),
    (Attribute::TITLE, Shape::Text),
    (Attribute::DEPARTMENT, Shape::Text),
    (Attribute::ORGANIZATION, Shape::Text),
    (Attribute::COST_CENTER, Shape::Text),
    (Attribute::EMPLOYEE_NUMBER, Shape::Text),
    (Attribute::MANAGER, Shape::Text),
];

const GROUP: &[(Attribute, Shape)] = &[
    (Attribute::DISPLAY_NAME, Shape::Text),
    (Attribute::DESCRIPTION, Shape::Text),
];

/// The attributes of a kind that can have a default value.
pub(super) fn attributes(kind: Kind) -> &'static [(Attribute, Shape)] {
    match kind {
        Kind::User => USER,
        Kind::Group => GROUP,
    }
}

/// What kind of value an attribute takes, if it can have a default value.
pub(super) fn shape(kind: Kind, attribute: &Attribute) -> Option<Shape> {
    let mut all = attributes(kind).iter();
    all.find(|(name, _)| name == attribute)
        .map(|(_, shape)| *shape)
}
