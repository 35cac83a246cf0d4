//! What the catalogue says can be done, can be done, and nothing else.

use super::*;
use provisiond::proto::v1::{AttributeType, Condition, Operator, Rule};
use tonic::Code;

/// A value of the type.
fn value(of: AttributeType) -> prost_types::Value {
    match of {
        AttributeType::Boolean => true.into(),
        AttributeType::StringList => vec![prost_types::Value::from("x")].into(),
        _ => "x".into(),
    }
}

/// What comes of making a rule, without making it.
async fn made(world: &mut World, rule: Rule) -> Result<Rule, Status> {
    let create = v1::CreateRuleRequest {
        parent: integration(),
        rule: Some(rule),
        validate_only: true,
        ..v1::CreateRuleRequest::default()
    };
    let made = world.integrations.create_rule(create).await;
    made.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalogue_says_of_kinds_attributes_and_operators_is_what_rules_are_held_to() {
    let mut world = quiet().await;
    let all = v1::ListSystemsRequest::default();
    let systems = world.integrations.list_systems(all).await.unwrap();
    let kinds = systems.into_inner().systems.remove(0).kinds;
    let (mut taken, mut refused) = (0, 0);
    for kind in kinds {
        let told = kind.attributes.iter();
        let mut told = told.map(|told| (told.read_only, told.required_on_create));
        assert!(told.all(|told| told == (true, false)), "{kind:?}");
        for target in &kind.targets {
            let rule = Rule {
                title: "Tried".to_owned(),
                event: kind.events[0],
                action: kind.actions[0],
                source_kind: kind.kind,
                target_kind: target.kind,
                ..Rule::default()
            };
            for known in &target.attributes {
                let name = known.attribute.clone();
                assert_eq!(known.required_on_create, name == "userName");
                let rule = Rule {
                    defaults: [(name, value(known.r#type()))].into(),
                    ..rule.clone()
                };
                let made = made(&mut world, rule).await;
                let code = made.as_ref().err().map(Status::code);
                let expected = known.read_only.then_some(Code::InvalidArgument);
                assert_eq!(code, expected, "{known:?}");
                *(if made.is_ok() {
                    &mut taken
                } else {
                    &mut refused
                }) += 1;
            }
            for known in &kind.condition_attributes {
                for operator in 1..=Operator::NotMemberOf.into() {
                    let value = known.choices.first().map_or("x", String::as_str);
                    let condition = Condition {
                        attribute: known.attribute.clone(),
                        operator,
                        values: vec![value.to_owned()],
                    };
                    let rule = Rule {
                        conditions: vec![condition],
                        ..rule.clone()
                    };
                    let made = made(&mut world, rule).await;
                    let offered = known.operators.contains(&operator);
                    assert_eq!(made.is_ok(), offered, "{known:?} {operator}: {made:?}");
                }
            }
        }
    }
    // Users have 13 attributes and groups 4; of each the addresses come from the source alone.
    assert_eq!((taken, refused), (13, 4));
}
