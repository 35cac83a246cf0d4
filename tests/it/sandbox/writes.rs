//! Writing: what is required, what is refused, what stays.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Admin, refusal, text};

fn person(email: &str) -> Value {
    json!({"primaryEmail": email, "name": {"givenName": "Pía", "familyName": "New"}, "password": "long enough"})
}

#[tokio::test]
async fn what_is_absent_from_an_update_stays_and_only_an_update_clears() {
    let admin = Admin::start().await;
    let (status, made) = admin.post("users", person("New@acme.test")).await;
    assert_eq!(
        (status, &made["primaryEmail"]),
        (200, &json!("new@acme.test"))
    );
    assert_eq!(made.get("password"), None);
    let path = format!("users/{}", text(&made, "id"));
    let change = json!({
        "phones": [{"value": "1", "type": "work"}], "isAdmin": true, "suspended": true, "orgUnitPath": "/Staff",
    });
    let (_, changed) = admin.call(Method::PUT, &path, change).await;
    assert_eq!(changed["name"]["givenName"], "Pía", "what is absent stays");
    assert_eq!(
        changed["isAdmin"], false,
        "what only Google writes is ignored"
    );
    assert_eq!(changed["suspended"], true);
    assert_eq!(changed["suspensionReason"], "ADMIN");
    assert_eq!(changed["orgUnitPath"], "/Staff");
    let (_, kept) = admin
        .call(Method::PATCH, &path, json!({"phones": []}))
        .await;
    assert!(
        kept["phones"].is_array(),
        "a patch can't clear what repeats"
    );
    let (_, cleared) = admin.call(Method::PUT, &path, json!({"phones": []})).await;
    assert_eq!(cleared.get("phones"), None);
}

#[tokio::test]
async fn a_rename_leaves_an_alias_and_takes_the_memberships_along() {
    let admin = Admin::start().await;
    let id = text(&admin.post("users", person("new@acme.test")).await.1, "id");
    admin
        .post("groups", json!({"email": "crew@acme.test"}))
        .await;
    let members = "groups/crew@acme.test/members";
    assert_eq!(admin.post(members, json!({"id": id})).await.0, 200);
    let path = format!("users/{id}");
    let (_, renamed) = admin
        .call(
            Method::PUT,
            &path,
            json!({"primaryEmail": "newer@acme.test"}),
        )
        .await;
    assert_eq!(renamed["aliases"], json!(["new@acme.test"]));
    assert_eq!(admin.get("users/new@acme.test").await.1["id"], json!(id));
    let (_, member) = admin.get(&format!("{members}/new@acme.test")).await;
    assert_eq!(member["email"], "newer@acme.test");
    let taken = admin.post("users", person("new@acme.test")).await;
    assert_eq!(
        refusal(&taken),
        (409, "duplicate", "Entity already exists.")
    );
}

#[tokio::test]
async fn a_deleted_user_can_come_back_for_twenty_days() {
    let admin = Admin::start().await;
    let id = text(&admin.post("users", person("new@acme.test")).await.1, "id");
    admin
        .post("groups", json!({"email": "crew@acme.test"}))
        .await;
    let members = "groups/crew@acme.test/members";
    admin.post(members, json!({"id": id})).await;
    let path = format!("users/{id}");
    assert_eq!(
        admin.call(Method::DELETE, &path, Value::Null).await,
        (204, Value::Null)
    );
    assert_eq!(
        refusal(&admin.get(&path).await),
        (412, "conditionNotMet", "User is deleted.")
    );
    let (_, gone) = admin
        .get("users?customer=my_customer&showDeleted=true")
        .await;
    assert!(gone["users"][0]["deletionTime"].is_string());
    assert_eq!(admin.get(members).await.1.get("members"), None);
    let by_address = admin
        .post(
            "users/new@acme.test/undelete",
            json!({"orgUnitPath": "/Staff"}),
        )
        .await;
    assert_eq!(refusal(&by_address).0, 404, "by id only");
    let back = admin
        .post(
            &format!("{path}/undelete"),
            json!({"orgUnitPath": "/Staff"}),
        )
        .await;
    assert_eq!(back, (204, Value::Null));
    let (_, back) = admin.get("users/new@acme.test").await;
    assert_eq!(
        (&back["id"], &back["orgUnitPath"]),
        (&json!(id), &json!("/Staff"))
    );
    assert_eq!(admin.get(members).await.1["members"][0]["id"], json!(id));
    admin.call(Method::DELETE, &path, Value::Null).await;
    let body = json!({"advance_seconds": 20 * 86_400});
    admin.client.control(Method::POST, "clock", body).await;
    let access = admin.client.access(ADMIN).await;
    let gone = admin.client.get(&access, &path).await;
    assert_eq!(
        refusal(&gone),
        (404, "notFound", "Resource Not Found: userKey")
    );
}

#[tokio::test]
async fn what_a_user_may_not_be_is_refused_and_changes_nothing() {
    let admin = Admin::start().await;
    let before = admin.state().await;
    let two = json!([{"address": "a@b", "primary": true}, {"address": "c@d", "primary": true}]);
    let long = json!({"givenName": "x".repeat(61), "familyName": "B"});
    let cases = [
        ("primaryEmail", Value::Null, 400, "required"),
        ("name", Value::Null, 400, "required"),
        ("password", Value::Null, 400, "required"),
        ("name", json!({"givenName": "A"}), 400, "required"),
        (
            "name",
            json!({"givenName": "", "familyName": "B"}),
            400,
            "invalid",
        ),
        ("name", long, 400, "invalid"),
        ("password", json!("short"), 400, "invalid"),
        ("password", json!("x".repeat(101)), 400, "invalid"),
        ("primaryEmail", json!("two..dots@acme.test"), 400, "invalid"),
        ("primaryEmail", json!("no address"), 400, "invalid"),
        ("primaryEmail", json!("x@other.test"), 404, "notFound"),
        ("primaryEmail", json!("x@acme-corp.test"), 404, "notFound"),
        (
            "primaryEmail",
            json!("everyone@acme.test"),
            409,
            "duplicate",
        ),
        ("orgUnitPath", json!("/Nowhere"), 400, "invalid"),
        (
            "phones",
            json!([{"value": "1", "type": "custom"}]),
            400,
            "invalid",
        ),
        ("emails", two, 400, "invalid"),
        (
            "keywords",
            json!([{"value": "x".repeat(1100)}]),
            400,
            "invalid",
        ),
        ("recoveryPhone", json!("0170"), 400, "invalid"),
        ("shoeSize", json!(43), 400, "badRequest"),
        ("suspended", json!("yes"), 400, "badRequest"),
    ];
    for (name, value, status, reason) in cases {
        let mut body = person("x@acme.test");
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value;
        }
        let answer = admin.post("users", body.clone()).await;
        let (found, why, _) = refusal(&answer);
        assert_eq!((found, why), (status, reason), "{body}");
    }
    assert_eq!(before["users"], admin.state().await["users"]);
}

#[tokio::test]
async fn who_may_not_write_changes_nothing() {
    let admin = Admin::start().await;
    let delegated = admin.client.access("delegated@acme.test").await;
    let call = |verb, path: &'static str, body| admin.client.call(&delegated, verb, path, body);
    assert_eq!(
        call(Method::POST, "users", person("x@acme.test")).await.0,
        403
    );
    assert_eq!(
        call(
            Method::PUT,
            "users/admin@acme.test",
            json!({"suspended": true})
        )
        .await
        .0,
        403
    );
    assert_eq!(
        call(
            Method::PUT,
            "users/nonadmin@acme.test",
            json!({"suspended": true})
        )
        .await
        .0,
        200
    );
    assert_eq!(
        call(
            Method::POST,
            "users/nonadmin@acme.test/makeAdmin",
            json!({"status": true})
        )
        .await
        .0,
        403
    );
    assert_eq!(
        admin
            .call(
                Method::POST,
                "users/nonadmin@acme.test/makeAdmin",
                json!({"status": true})
            )
            .await
            .0,
        204
    );
    assert_eq!(
        admin.get("users/nonadmin@acme.test").await.1["isAdmin"],
        true
    );
    let url = format!(
        "{}/admin/directory/v1/users/nonadmin@acme.test",
        admin.client.base
    );
    let stale = admin
        .client
        .http
        .put(url)
        .bearer_auth(&admin.access)
        .header("if-match", "\"old\"")
        .json(&json!({}));
    assert_eq!(stale.send().await.unwrap().status(), 412);
}
