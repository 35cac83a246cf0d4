//! Users of other customers, which an administrator of a reseller can read by their ids and addresses.

use super::one_object::{Lane as _, request};
use super::scene::{Scene, at, team};
use crate::support::World;
use provisiond::proto::v1::{Kind, authorization};
use reqwest::Method;
use serde_json::json;
use tonic::Code;

/// The id of somebody of the other customer.
async fn stranger(world: &World) -> String {
    let path = "state?customer=other.test";
    let state = world
        .control(Method::GET, path, serde_json::Value::Null)
        .await;
    let mut users = state["users"].as_array().unwrap().iter();
    let admin = users.find(|user| user["primaryEmail"] == "admin@other.test");
    admin.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_another_customer_is_never_taken_for_one_of_ours() {
    let mut world = team().await;
    let before = world.users().await;
    let id = stranger(&world).await;
    for resells in [false, true] {
        let account = json!({"resells": resells});
        world
            .control(Method::POST, "accounts/admin@acme.test", account)
            .await;
        for (object, preview) in [
            (id.as_str(), false),
            (id.as_str(), true),
            ("admin@other.test", false),
        ] {
            let refused = world.ask(request(Kind::User, object, preview)).await;
            let refused = refused.unwrap_err();
            assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
            assert!(refused.message().contains("forbids"), "{refused:?}");
        }
        // Ours are ours all the same.
        world
            .ask(request(Kind::User, &at("ann"), false))
            .await
            .unwrap();
    }
    assert_eq!(world.users().await, before);
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(authorization.state(), authorization::State::Authorized);
}
