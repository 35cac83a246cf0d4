//! Writing to groups and memberships.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, refusal, text};
use super::writes::Admin;

#[tokio::test]
async fn groups_and_memberships_keep_their_rules() {
    let admin = Admin::start().await;
    let (status, made) = admin
        .call(
            Method::POST,
            "groups",
            json!({"email": "crew@acme.test", "name": "Crew"}),
        )
        .await;
    assert_eq!((status, &made["directMembersCount"]), (200, &json!("0")));
    for (body, status) in [
        (json!({"name": "No address"}), 400),
        (json!({"email": ADMIN}), 409),
        (json!({"email": "a@other.test"}), 404),
        (json!({"email": "b@acme.test", "name": "a<b"}), 400),
        (json!({"email": "b@acme.test", "colour": "red"}), 400),
        (
            json!({"email": "b@acme.test", "description": "x".repeat(4097)}),
            400,
        ),
    ] {
        assert_eq!(
            refusal(&admin.call(Method::POST, "groups", body.clone()).await).0,
            status,
            "{body}"
        );
    }
    let members = "groups/crew@acme.test/members";
    let (_, member) = admin
        .call(
            Method::POST,
            members,
            json!({"email": ADMIN, "role": "OWNER"}),
        )
        .await;
    assert_eq!(
        (
            &member["role"],
            &member["status"],
            &member["delivery_settings"]
        ),
        (&json!("OWNER"), &json!("ACTIVE"), &json!("ALL_MAIL"))
    );
    let again = admin
        .call(
            Method::POST,
            members,
            json!({"email": ADMIN, "role": "MEMBER"}),
        )
        .await;
    assert_eq!(
        refusal(&again),
        (409, "duplicate", "Member already exists.")
    );
    for (body, status) in [
        (json!({"role": "MEMBER"}), 400),
        (json!({"email": "nobody@acme.test"}), 404),
        (json!({"email": "nonadmin@acme.test", "role": "KING"}), 400),
        (json!({"email": "crew@acme.test"}), 412),
    ] {
        assert_eq!(
            refusal(&admin.call(Method::POST, members, body.clone()).await).0,
            status,
            "{body}"
        );
    }
    let (_, outside) = admin
        .call(
            Method::POST,
            members,
            json!({"email": "Guest@partner.example"}),
        )
        .await;
    assert_eq!(
        (outside.get("status"), &outside["email"]),
        (None, &json!("guest@partner.example"))
    );
    let customer = text(&admin.get("customers/my_customer").await.1, "id");
    let (_, everyone) = admin
        .call(Method::POST, members, json!({"id": customer}))
        .await;
    assert_eq!(
        (&everyone["type"], everyone.get("email")),
        (&json!("CUSTOMER"), None)
    );
    let one = format!("{members}/{ADMIN}");
    let (_, changed) = admin
        .call(
            Method::PATCH,
            &one,
            json!({"role": "MANAGER", "delivery_settings": "DIGEST"}),
        )
        .await;
    assert_eq!(
        (&changed["role"], &changed["delivery_settings"]),
        (&json!("MANAGER"), &json!("DIGEST"))
    );
    let (rows, _) = admin
        .client
        .all(
            &admin.access,
            &format!("{members}?roles=MEMBER,MANAGER"),
            "members",
        )
        .await;
    let roles: Vec<&str> = rows
        .iter()
        .map(|row| row["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        ["MEMBER", "MEMBER", "MANAGER"],
        "in the order of the filter"
    );
    assert!(
        rows[0].get("delivery_settings").is_none(),
        "lists don't show it"
    );
    let (_, renamed) = admin
        .call(
            Method::PUT,
            "groups/crew@acme.test",
            json!({"email": "team@acme.test"}),
        )
        .await;
    assert_eq!(
        (&renamed["name"], &renamed["aliases"]),
        (&json!("Crew"), &json!(["crew@acme.test"]))
    );
    assert_eq!(admin.call(Method::DELETE, &one, Value::Null).await.0, 204);
    assert_eq!(
        refusal(&admin.call(Method::DELETE, &one, Value::Null).await),
        (404, "notFound", "Resource Not Found: memberKey")
    );
    assert_eq!(
        admin.get("groups/team@acme.test").await.1["directMembersCount"],
        "2"
    );
    assert_eq!(
        admin
            .call(Method::DELETE, "groups/team@acme.test", Value::Null)
            .await
            .0,
        204
    );
    assert_eq!(admin.get("groups/crew@acme.test").await.0, 404);
}
