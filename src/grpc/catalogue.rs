//! The catalogue of systems as messages.

use super::{names, to_proto};
use crate::{
    integrations::catalogue::{
        AttributeInfo, AttributeType, Choices, ConditionInfo, KindInfo, System,
    },
    model::{AuthorizationMethod, Direction, Kind, Operator},
    proto::v1,
};

pub(super) fn system(system: &System) -> v1::System {
    let direction = |direction: &Direction| match direction {
        Direction::FromSystem => v1::Direction::FromSystem.into(),
        Direction::ToSystem => v1::Direction::ToSystem.into(),
    };
    let method = |method: &AuthorizationMethod| to_proto::method(*method).into();
    v1::System {
        name: names::system(system.id),
        title: system.title.to_owned(),
        directions: system.directions.iter().map(direction).collect(),
        kinds: system.kinds.iter().map(kind).collect(),
        authorization_methods: system.authorization.iter().map(method).collect(),
    }
}

fn kind(info: &KindInfo) -> v1::KindSupport {
    let title = match info.kind {
        Kind::User => "Users",
        Kind::Group => "Groups",
    };
    let carried = info.attributes.iter().filter(|a| a.mapped).map(attribute);
    let carried: Vec<v1::Attribute> = carried.collect();
    let target = |kind: &Kind| v1::TargetSupport {
        kind: to_proto::kind(*kind).into(),
        attributes: carried.clone(),
    };
    v1::KindSupport {
        kind: to_proto::kind(info.kind).into(),
        title: title.to_owned(),
        events: info
            .events
            .iter()
            .map(|_| v1::Event::Lookup.into())
            .collect(),
        actions: info
            .actions
            .iter()
            .map(|_| v1::Action::Add.into())
            .collect(),
        attributes: info.attributes.iter().map(attribute).collect(),
        condition_attributes: info
            .conditions
            .iter()
            .map(|known| condition(info, known))
            .collect(),
        targets: info.targets.iter().map(target).collect(),
    }
}

fn value_type(value: AttributeType) -> v1::AttributeType {
    match value {
        AttributeType::Text => v1::AttributeType::String,
        AttributeType::Bool => v1::AttributeType::Boolean,
        AttributeType::List => v1::AttributeType::StringList,
    }
}

fn attribute(info: &AttributeInfo) -> v1::Attribute {
    v1::Attribute {
        attribute: info.attribute.to_string(),
        title: info.title.to_owned(),
        r#type: value_type(info.value_type).into(),
        required_on_create: info.required_on_create,
        read_only: !info.mapped,
    }
}

fn condition(of: &KindInfo, info: &ConditionInfo) -> v1::ConditionAttribute {
    let operator = |operator: &Operator| to_proto::operator(*operator).into();
    let (choices, plain): (&[&str], _) = match info.choices {
        Choices::Any | Choices::Domains => (&[], v1::AttributeType::String),
        Choices::YesNo => (&["true", "false"], v1::AttributeType::Boolean),
        Choices::Groups | Choices::OrgUnits => (&[], v1::AttributeType::StringList),
    };
    let known = of.attribute(&info.attribute);
    v1::ConditionAttribute {
        attribute: info.attribute.to_string(),
        title: info.title.to_owned(),
        r#type: known
            .map_or(plain, |known| value_type(known.value_type))
            .into(),
        operators: info.operators.iter().map(operator).collect(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        listed: info.choices.are_listed(),
    }
}
