//! Writing: what is required, what is refused, what stays.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Answer, Client, refusal, text};

fn person(email: &str) -> Value {
    json!({"primaryEmail": email, "name": {"givenName": "Pía", "familyName": "New"}, "password": "long enough"})
}

/// An administrator at work.
pub struct Admin {
    pub client: Client,
    pub access: String,
}

impl Admin {
    pub async fn start() -> Self {
        let client = Client::small().await;
        let access = client.access(ADMIN).await;
        Self { client, access }
    }

    pub async fn call(&self, verb: Method, path: &str, body: Value) -> Answer {
        self.client.call(&self.access, verb, path, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.client.get(&self.access, path).await
    }
}

#[tokio::test]
async fn a_user_is_made_changed_renamed_deleted_and_brought_back() {
    let admin = Admin::start().await;
    let (status, made) = admin
        .call(Method::POST, "users", person("New@acme.test"))
        .await;
    assert_eq!(
        (status, &made["primaryEmail"]),
        (200, &json!("new@acme.test"))
    );
    assert_eq!(made.get("password"), None);
    let id = text(&made, "id");
    let path = format!("users/{id}");
    let change = json!({"phones": [{"value": "1", "type": "work"}], "isAdmin": true, "suspended": true, "orgUnitPath": "/Staff"});
    let (_, changed) = admin.call(Method::PUT, &path, change).await;
    assert_eq!(changed["name"]["givenName"], "Pía", "what is absent stays");
    assert_eq!(
        (&changed["isAdmin"], &changed["suspended"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&changed["suspensionReason"], &changed["orgUnitPath"]),
        (&json!("ADMIN"), &json!("/Staff"))
    );
    let (_, kept) = admin
        .call(Method::PATCH, &path, json!({"phones": []}))
        .await;
    assert!(
        kept["phones"].is_array(),
        "a patch can't clear what repeats"
    );
    let (_, cleared) = admin.call(Method::PUT, &path, json!({"phones": []})).await;
    assert_eq!(cleared.get("phones"), None);
    let group = json!({"email": "crew@acme.test"});
    assert_eq!(admin.call(Method::POST, "groups", group).await.0, 200);
    assert_eq!(
        admin
            .call(
                Method::POST,
                "groups/crew@acme.test/members",
                json!({"id": id})
            )
            .await
            .0,
        200
    );
    let (_, renamed) = admin
        .call(
            Method::PUT,
            &path,
            json!({"primaryEmail": "newer@acme.test"}),
        )
        .await;
    assert_eq!(renamed["aliases"], json!(["new@acme.test"]));
    assert_eq!(admin.get("users/new@acme.test").await.1["id"], json!(id));
    let (_, member) = admin
        .get("groups/crew@acme.test/members/new@acme.test")
        .await;
    assert_eq!(
        member["email"], "newer@acme.test",
        "memberships follow a rename"
    );
    assert_eq!(
        refusal(
            &admin
                .call(Method::POST, "users", person("new@acme.test"))
                .await
        ),
        (409, "duplicate", "Entity already exists.")
    );
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
    assert_eq!(
        admin
            .get("groups/crew@acme.test/members")
            .await
            .1
            .get("members"),
        None
    );
    let by_address = admin
        .call(
            Method::POST,
            "users/newer@acme.test/undelete",
            json!({"orgUnitPath": "/"}),
        )
        .await;
    assert_eq!(refusal(&by_address).0, 404, "by id only");
    assert_eq!(
        admin
            .call(
                Method::POST,
                &format!("{path}/undelete"),
                json!({"orgUnitPath": "/"})
            )
            .await
            .0,
        204
    );
    let (_, back) = admin.get("users/newer@acme.test").await;
    assert_eq!(
        (&back["id"], &back["orgUnitPath"]),
        (&json!(id), &json!("/"))
    );
    assert_eq!(
        admin.get("groups/crew@acme.test/members").await.1["members"][0]["id"],
        json!(id)
    );
    admin.call(Method::DELETE, &path, Value::Null).await;
    let body = json!({"advance_seconds": 20 * 86_400});
    admin.client.control(Method::POST, "clock", body).await;
    let access = admin.client.access(ADMIN).await;
    assert_eq!(
        refusal(&admin.client.get(&access, &path).await),
        (404, "notFound", "Resource Not Found: userKey")
    );
}

#[tokio::test]
async fn what_a_user_may_not_be_is_refused_and_changes_nothing() {
    let admin = Admin::start().await;
    let before = admin
        .client
        .control(Method::GET, "state", Value::Null)
        .await;
    let without = |name: &str| {
        let mut body = person("x@acme.test");
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let with = |name: &str, value: Value| {
        let mut body = person("x@acme.test");
        body[name] = value;
        body
    };
    let cases = [
        (without("primaryEmail"), 400, "required"),
        (without("name"), 400, "required"),
        (without("password"), 400, "required"),
        (with("name", json!({"givenName": "A"})), 400, "required"),
        (
            with("name", json!({"givenName": "", "familyName": "B"})),
            400,
            "invalid",
        ),
        (
            with(
                "name",
                json!({"givenName": "x".repeat(61), "familyName": "B"}),
            ),
            400,
            "invalid",
        ),
        (with("password", json!("short")), 400, "invalid"),
        (with("password", json!("x".repeat(101))), 400, "invalid"),
        (
            with("primaryEmail", json!("two..dots@acme.test")),
            400,
            "invalid",
        ),
        (with("primaryEmail", json!("no address")), 400, "invalid"),
        (with("primaryEmail", json!("x@other.test")), 404, "notFound"),
        (
            with("primaryEmail", json!("x@acme-corp.test")),
            404,
            "notFound",
        ),
        (
            with("primaryEmail", json!("everyone@acme.test")),
            409,
            "duplicate",
        ),
        (with("orgUnitPath", json!("/Nowhere")), 400, "invalid"),
        (
            with("phones", json!([{"value": "1", "type": "custom"}])),
            400,
            "invalid",
        ),
        (
            with(
                "emails",
                json!([{"address": "a@b", "primary": true}, {"address": "c@d", "primary": true}]),
            ),
            400,
            "invalid",
        ),
        (
            with("keywords", json!([{"value": "x".repeat(1100)}])),
            400,
            "invalid",
        ),
        (with("recoveryPhone", json!("0170")), 400, "invalid"),
        (with("shoeSize", json!(43)), 400, "badRequest"),
        (with("suspended", json!("yes")), 400, "badRequest"),
    ];
    for (body, status, reason) in cases {
        let answer = admin.call(Method::POST, "users", body.clone()).await;
        assert_eq!(
            (refusal(&answer).0, refusal(&answer).1),
            (status, reason),
            "{body}"
        );
    }
    let after = admin
        .client
        .control(Method::GET, "state", Value::Null)
        .await;
    assert_eq!(before["users"], after["users"]);
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
