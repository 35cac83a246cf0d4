//! What is limited, and what is said then.

use super::{quiet, reason, wrong_fields};
use crate::support::company;
use provisiond::proto::v1;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What clients take in headers at least (those of Java).
const HEADERS: usize = 8192;

/// Bytes that a status takes in headers.
fn size(status: &Status) -> usize {
    let http = status.clone().into_http::<String>();
    let headers = http.headers().iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

fn with_aliases(count: usize, alias: &str) -> v1::CreateUserRequest {
    v1::CreateUserRequest {
        parent: company(),
        user: Some(v1::User {
            user_name: "ann@acme.test".to_owned(),
            aliases: vec![alias.to_owned(); count],
            phone_numbers: vec![" ".to_owned(); count],
            ..v1::User::default()
        }),
        ..v1::CreateUserRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_named_as_long_as_clients_can_take_it() {
    let mut world = quiet().await;
    let refused = world.directory.create_user(with_aliases(15, "x")).await;
    let refused = refused.unwrap_err();
    let fields = wrong_fields(&refused);
    assert_eq!(fields.len(), 30, "{fields:?}");
    assert!(size(&refused) < HEADERS, "{}", size(&refused));

    let refused = world.directory.create_user(with_aliases(50, "x")).await;
    let refused = refused.unwrap_err();
    assert!(size(&refused) < HEADERS, "{}", size(&refused));
    let details = refused.get_error_details();
    let named = &details.bad_request().unwrap().field_violations;
    let more = named.last().unwrap();
    let expected = format!("and {} more", 100 - (named.len() - 1));
    assert_eq!((&*more.field, &more.description), ("", &expected));
    assert!(named.len() > 30, "{}", named.len());
    assert!(refused.message().contains("user.aliases[0]"), "{refused:?}");
    assert!(refused.message().contains("more"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_long_what_is_wrong_may_be_the_answer_arrives() {
    let mut world = quiet().await;
    for text in ["\u{e9} ".repeat(50_000), "x".repeat(100_000)] {
        let request = v1::ListUsersRequest {
            parent: company(),
            filter: format!("{text} = \"x\""),
            order_by: text.clone(),
            ..v1::ListUsersRequest::default()
        };
        let refused = world.directory.list_users(request).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["filter", "order_by"]);
        assert!(size(&refused) < HEADERS, "{}", size(&refused));
        let request = v1::UpdateUserRequest {
            user: Some(v1::User {
                name: text.clone(),
                ..v1::User::default()
            }),
            update_mask: Some(prost_types::FieldMask { paths: vec![text] }),
            validate_only: false,
        };
        let refused = world.directory.update_user(request).await.unwrap_err();
        assert_eq!(reason(&refused, Code::InvalidArgument), "INVALID_REQUEST");
        assert!(size(&refused) < HEADERS, "{}", size(&refused));
    }
}
