//! What people can choose from, by ListChoices.

use super::*;
use crate::support::browser;
use provisiond::proto::v1::{BeginAuthorizationRequest, Choice, Kind, ListChoicesRequest};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt as _;

fn asked(attribute: &str, page_token: &str) -> ListChoicesRequest {
    ListChoicesRequest {
        parent: integration(),
        kind: Kind::User.into(),
        attribute: attribute.to_owned(),
        page_token: page_token.to_owned(),
    }
}

async fn page(
    world: &mut World,
    request: ListChoicesRequest,
) -> Result<(Vec<Choice>, String), Status> {
    let page = world.integrations.list_choices(request).await?.into_inner();
    Ok((page.choices, page.next_page_token))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_google_no_longer_takes_is_a_bad_field_and_beginning_anew_helps() {
    let many = Options {
        users: 5,
        groups: 230,
        ..Options::default()
    };
    let mut world = World::ready(many).await;
    let (first, next) = page(&mut world, asked("groups", "")).await.unwrap();
    assert_eq!(first.len(), 200);
    let days = json!({"advance_seconds": 4 * 24 * 3600});
    let google = &world.google;
    google.control(Method::POST, "clock", days).await;
    for _ in 0..2 {
        let refused = page(&mut world, asked("groups", &next)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        let details = refused.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1, "{refused:?}");
        assert_eq!(violations[0].field, "page_token");
        assert!(violations[0].description.contains("begin anew"));
    }
    let (again, next) = page(&mut world, asked("groups", "")).await.unwrap();
    assert_eq!(again, first);
    let (rest, next) = page(&mut world, asked("groups", &next)).await.unwrap();
    assert_eq!((rest.len(), next.as_str()), (30, ""));

    // What is down is down, token or not.
    let down =
        json!({"method": "directory.groups", "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let refused = page(&mut world, asked("groups", "")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_can_be_chosen_by_who_may_read_them_and_an_integration_takes_them() {
    let mut world = World::ready(small()).await;
    // A consent of before is not made incomplete by what it was not asked for.
    assert!(world.integration().await.readiness.is_empty());
    let refused = page(&mut world, asked("domain", "")).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    let details = refused.get_error_details();
    let violation = &details.precondition_failure().unwrap().violations[0];
    assert_eq!(violation.r#type, "SCOPES_MISSING");
    assert!(refused.message().contains("BeginAuthorization"));
    assert!(refused.message().contains("domains"), "{refused:?}");
    let asking = BeginAuthorizationRequest {
        domains: true,
        ..BeginAuthorizationRequest::default()
    };
    let consent = world.begin_as(asking).await;
    let answer = browser::decide(&consent, "admin@acme.test", "allow", None).await;
    assert_eq!(answer.status(), 200);
    assert!(world.integration().await.readiness.is_empty());

    let choice = |value: &str, detail: &str| Choice {
        value: value.to_owned(),
        title: value.to_owned(),
        detail: detail.to_owned(),
    };
    for kind in [Kind::User, Kind::Group] {
        let request = ListChoicesRequest {
            kind: kind.into(),
            ..asked("domain", "")
        };
        let (choices, next) = page(&mut world, request).await.unwrap();
        let expected = [
            choice("acme.test", "primary"),
            choice("acme-labs.test", "secondary"),
            choice("eu.acme.test", "secondary"),
        ];
        assert_eq!((choices, next.as_str()), (expected.to_vec(), ""));
    }
    let narrowed = v1::Integration {
        domains: vec!["eu.acme.test".to_owned()],
        ..named()
    };
    let updated = world.update(narrowed, &["domains"]).await.unwrap();
    assert_eq!(updated.domains, ["eu.acme.test"]);

    for fault in [
        json!({"status": {"code": 503}}),
        json!({"status": {"code": 403}}),
    ] {
        let rule = json!({"method": "directory.domains.list", "times": 99, "fault": fault});
        world.google.fault(rule).await;
        let refused = page(&mut world, asked("domain", "")).await.unwrap_err();
        let down = fault["status"]["code"] == 503;
        assert_eq!(refused.code() == Code::Unavailable, down, "{refused:?}");
        let google = &world.google;
        google.control(Method::DELETE, "faults", Value::Null).await;
    }
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(authorization.state(), v1::authorization::State::Authorized);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_the_domain_takes_any_text_beside_the_domains_that_are_listed() {
    let mut world = quiet().await;
    let request = v1::GetSystemRequest {
        name: "systems/google-workspace".to_owned(),
    };
    let system = world.integrations.get_system(request).await.unwrap();
    for kind in system.into_inner().kinds {
        let mut known = kind.condition_attributes.into_iter();
        let domain = known.find(|known| known.attribute == "domain").unwrap();
        assert!(domain.listed && domain.choices.is_empty(), "{domain:?}");
        let ends_with: i32 = v1::Operator::EndsWith.into();
        assert!(domain.operators.contains(&ends_with), "{domain:?}");
    }
    let condition = v1::Condition {
        attribute: "domain".to_owned(),
        operator: v1::Operator::EndsWith.into(),
        values: vec![".acme.test".to_owned()],
    };
    let request = v1::CreateRuleRequest {
        parent: integration(),
        rule: Some(v1::Rule {
            title: "People elsewhere".to_owned(),
            event: v1::Event::Lookup.into(),
            source_kind: Kind::User.into(),
            action: v1::Action::Add.into(),
            target_kind: Kind::User.into(),
            conditions: vec![condition],
            ..v1::Rule::default()
        }),
        ..v1::CreateRuleRequest::default()
    };
    world.integrations.create_rule(request).await.unwrap();
}
