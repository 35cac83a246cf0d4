//! What attributes of the AppsCo directory, the target `FROM_SYSTEM`, a rule may or must see to.

use crate::model::{Attribute, Kind, Shape};

/// The primary address is not among them: it identifies the object and always comes from the source. Neither are
/// aliases, which no two objects can share.
const USER: &[Attribute] = &[
    Attribute::GIVEN_NAME,
    Attribute::FAMILY_NAME,
    Attribute::DISPLAY_NAME,
    Attribute::ACTIVE,
    Attribute::PHONE_NUMBERS,
    Attribute::TITLE,
    Attribute::DEPARTMENT,
    Attribute::ORGANIZATION,
    Attribute::COST_CENTER,
    Attribute::EMPLOYEE_NUMBER,
    Attribute::MANAGER,
];

const GROUP: &[Attribute] = &[Attribute::DISPLAY_NAME, Attribute::DESCRIPTION];

fn attributes(kind: Kind) -> &'static [Attribute] {
    match kind {
        Kind::User => USER,
        Kind::Group => GROUP,
    }
}

/// The names of the attributes of a kind that a rule may give values to.
pub(super) fn names(kind: Kind) -> String {
    let names: Vec<_> = attributes(kind).iter().map(Attribute::as_str).collect();
    names.join(", ")
}

/// What values an attribute takes, if a rule may give it one.
pub fn shape(kind: Kind, attribute: &Attribute) -> Option<Shape> {
    attributes(kind)
        .contains(attribute)
        .then(|| attribute.shape())
}

/// Whether no object can be made without the attribute.
pub fn is_required(attribute: &Attribute) -> bool {
    *attribute == Attribute::USER_NAME
}
