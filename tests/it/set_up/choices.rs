//! What people can choose from, by ListChoices.

use super::*;
use provisiond::proto::v1::{Choice, Kind, ListChoicesRequest};
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
