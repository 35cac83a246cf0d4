//! What callers say of what a source tells too.

use crate::changes::scene::{Scene as _, at, code, team};
use prost_types::FieldMask;
use provisiond::proto::v1;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn who_is_said_to_be_inactive_while_the_source_has_him_suspended_stays_so() {
    let mut world = team().await;
    for (suspended, by_hand) in [(true, true), (false, false)] {
        world
            .edit(&at("ann"), json!({"suspended": suspended}))
            .await;
        let run = world.sync().await;
        let ann = world.user("ann").await;
        assert_eq!(ann.active, Some(false), "{run:?}");
        if by_hand {
            let sent = v1::User {
                active: Some(false),
                ..ann.clone()
            };
            let request = v1::UpdateUserRequest {
                user: Some(sent),
                update_mask: Some(FieldMask {
                    paths: vec!["active".to_owned()],
                }),
                validate_only: false,
            };
            let after = world.directory.update_user(request).await.unwrap();
            assert_eq!(after.into_inner().active, Some(false));
        } else {
            let change = world.only_change(&run).await;
            assert_eq!(code(&change), "DEACTIVATED_BY_HAND");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_source_took_away_is_missed_by_nobody_who_changes_something_else() {
    let mut world = team().await;
    world
        .control(
            reqwest::Method::PATCH,
            "groups/team@acme.test",
            json!({"name": ""}),
        )
        .await;
    world.sync().await;
    let named = world.groups().await.remove(0);
    let request = v1::UpdateGroupRequest {
        group: Some(v1::Group {
            name: named.name.clone(),
            description: "For all".to_owned(),
            ..v1::Group::default()
        }),
        ..v1::UpdateGroupRequest::default()
    };
    let after = world.directory.update_group(request).await.unwrap();
    let after = after.into_inner();
    assert_eq!(
        (after.display_name, after.description),
        (named.display_name, "For all".to_owned())
    );
}
