//! The catalogue of systems as messages, and the words in which it and rules speak.

use super::{names, to_proto};
use crate::{
    integrations::{
        catalogue::{AttributeInfo, Choices, ConditionInfo, KindInfo, System},
        targets,
    },
    model::{Action, AuthorizationMethod, Direction, Kind, Operator, RuleEvent, Shape},
    proto::v1,
};

pub(super) fn system(system: &System) -> v1::System {
    let toward = |known: &Direction| direction(*known).into();
    let method = |method: &AuthorizationMethod| to_proto::method(*method).into();
    v1::System {
        name: names::system(system.id),
        title: system.title.to_owned(),
        directions: system.directions.iter().map(toward).collect(),
        kinds: system.kinds.iter().map(kind).collect(),
        authorization_methods: system.authorization.iter().map(method).collect(),
    }
}

fn kind(info: &KindInfo) -> v1::KindSupport {
    let title = match info.kind {
        Kind::User => "Users",
        Kind::Group => "Groups",
    };
    let target = |kind: &Kind| v1::TargetSupport {
        kind: to_proto::kind(*kind).into(),
        attributes: info.attributes.iter().map(|a| carried(*kind, a)).collect(),
    };
    v1::KindSupport {
        kind: to_proto::kind(info.kind).into(),
        title: title.to_owned(),
        events: info
            .events
            .iter()
            .map(|known| event(*known).into())
            .collect(),
        actions: info
            .actions
            .iter()
            .map(|known| action(*known).into())
            .collect(),
        attributes: info.attributes.iter().map(told).collect(),
        condition_attributes: info.conditions.iter().map(condition).collect(),
        targets: info.targets.iter().map(target).collect(),
    }
}

fn value_type(shape: Shape) -> v1::AttributeType {
    match shape {
        Shape::Text => v1::AttributeType::String,
        Shape::YesNo => v1::AttributeType::Boolean,
        Shape::List => v1::AttributeType::StringList,
    }
}

/// An attribute of the source.
fn told(info: &AttributeInfo) -> v1::Attribute {
    v1::Attribute {
        attribute: info.attribute.to_string(),
        title: info.title.to_owned(),
        r#type: value_type(info.attribute.shape()).into(),
        required_on_create: false,
        read_only: true,
    }
}

/// The same attribute of the target.
fn carried(target: Kind, info: &AttributeInfo) -> v1::Attribute {
    v1::Attribute {
        required_on_create: targets::is_required(&info.attribute),
        read_only: targets::shape(target, &info.attribute).is_none(),
        ..told(info)
    }
}

fn condition(info: &ConditionInfo) -> v1::ConditionAttribute {
    let operators = info.operators.iter();
    let choices: &[&str] = match info.choices {
        Choices::YesNo => &["true", "false"],
        Choices::Any | Choices::Domains | Choices::Groups | Choices::OrgUnits => &[],
    };
    v1::ConditionAttribute {
        attribute: info.attribute.to_string(),
        title: info.title.to_owned(),
        r#type: value_type(info.attribute.shape()).into(),
        operators: operators.map(|known| operator(*known).into()).collect(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        listed: info.choices.are_listed(),
    }
}

pub(super) fn direction(direction: Direction) -> v1::Direction {
    match direction {
        Direction::FromSystem => v1::Direction::FromSystem,
        Direction::ToSystem => v1::Direction::ToSystem,
    }
}

pub(super) fn event(event: RuleEvent) -> v1::Event {
    match event {
        RuleEvent::Lookup => v1::Event::Lookup,
    }
}

pub(super) fn action(action: Action) -> v1::Action {
    match action {
        Action::Add => v1::Action::Add,
        // What runs report; no rule can ask for it.
        Action::Modify => v1::Action::Unspecified,
    }
}

/// How a condition compares.
pub(super) fn operator(operator: Operator) -> v1::Operator {
    match operator {
        Operator::Equal => v1::Operator::Equal,
        Operator::NotEqual => v1::Operator::NotEqual,
        Operator::Contains => v1::Operator::Contains,
        Operator::NotContains => v1::Operator::NotContains,
        Operator::Matches => v1::Operator::Matches,
        Operator::StartsWith => v1::Operator::StartsWith,
        Operator::EndsWith => v1::Operator::EndsWith,
        Operator::MemberOf => v1::Operator::MemberOf,
        Operator::NotMemberOf => v1::Operator::NotMemberOf,
    }
}
