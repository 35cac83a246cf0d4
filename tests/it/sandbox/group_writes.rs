//! Writing to groups and memberships.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Admin, refusal, text};

const MEMBERS: &str = "groups/crew@acme.test/members";

async fn crew() -> Admin {
    let admin = Admin::start().await;
    let (status, made) = admin
        .post("groups", json!({"email": "crew@acme.test", "name": "Crew"}))
        .await;
    assert_eq!((status, &made["directMembersCount"]), (200, &json!("0")));
    admin
}

#[tokio::test]
async fn a_group_needs_a_free_address_of_the_company_and_plain_words() {
    let admin = crew().await;
    for (body, status) in [
        (json!({"name": "No address"}), 400),
        (json!({"email": ADMIN}), 409),
        (json!({"email": "crew@acme.test"}), 409),
        (json!({"email": "a@other.test"}), 404),
        (json!({"email": "b@acme.test", "name": "a<b"}), 400),
        (json!({"email": "b@acme.test", "colour": "red"}), 400),
        (
            json!({"email": "b@acme.test", "description": "x".repeat(4097)}),
            400,
        ),
    ] {
        assert_eq!(
            refusal(&admin.post("groups", body.clone()).await).0,
            status,
            "{body}"
        );
    }
    let path = "groups/crew@acme.test";
    let (_, renamed) = admin
        .call(Method::PUT, path, json!({"email": "team@acme.test"}))
        .await;
    assert_eq!(renamed["name"], "Crew");
    assert_eq!(renamed["aliases"], json!(["crew@acme.test"]));
    assert_eq!(
        admin
            .call(Method::DELETE, "groups/team@acme.test", Value::Null)
            .await
            .0,
        204
    );
    assert_eq!(admin.get(path).await.0, 404, "its aliases go with it");
}

#[tokio::test]
async fn a_member_is_somebody_once() {
    let admin = crew().await;
    let (_, member) = admin
        .post(MEMBERS, json!({"email": ADMIN, "role": "OWNER"}))
        .await;
    assert_eq!(member["role"], "OWNER");
    assert_eq!(member["status"], "ACTIVE");
    assert_eq!(member["delivery_settings"], "ALL_MAIL");
    let again = admin
        .post(MEMBERS, json!({"email": ADMIN, "role": "MEMBER"}))
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
            refusal(&admin.post(MEMBERS, body.clone()).await).0,
            status,
            "{body}"
        );
    }
    let (_, outside) = admin
        .post(MEMBERS, json!({"email": "Guest@partner.example"}))
        .await;
    assert_eq!(outside.get("status"), None);
    assert_eq!(outside["email"], "guest@partner.example");
    let customer = text(&admin.get("customers/my_customer").await.1, "id");
    let (_, everyone) = admin.post(MEMBERS, json!({"id": customer})).await;
    assert_eq!(everyone["type"], "CUSTOMER");
    assert_eq!(everyone.get("email"), None);
    assert_eq!(
        admin.get("groups/crew@acme.test").await.1["directMembersCount"],
        "3"
    );
}

#[tokio::test]
async fn roles_change_and_lists_follow_them() {
    let admin = crew().await;
    for email in [ADMIN, "nonadmin@acme.test", "guest@partner.example"] {
        assert_eq!(admin.post(MEMBERS, json!({ "email": email })).await.0, 200);
    }
    let one = format!("{MEMBERS}/{ADMIN}");
    let change = json!({"role": "MANAGER", "delivery_settings": "DIGEST"});
    let (_, changed) = admin.call(Method::PATCH, &one, change).await;
    assert_eq!(changed["role"], "MANAGER");
    assert_eq!(changed["delivery_settings"], "DIGEST");
    let path = format!("{MEMBERS}?roles=MEMBER,MANAGER");
    let (rows, _) = admin.client.all(&admin.access, &path, "members").await;
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
    assert_eq!(admin.call(Method::DELETE, &one, Value::Null).await.0, 204);
    let gone = admin.call(Method::DELETE, &one, Value::Null).await;
    assert_eq!(
        refusal(&gone),
        (404, "notFound", "Resource Not Found: memberKey")
    );
}
