//! Reading: lists, pages, keys, masks, rights.

use std::collections::BTreeSet;

use provisiond::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Admin, Client, USER, refusal, text, value};

#[tokio::test]
async fn lists_hold_everybody_once_in_order_over_all_pages() {
    let client = Client::start(Options {
        users: 730,
        groups: 45,
        ..Options::default()
    })
    .await;
    let access = client.access(ADMIN).await;
    let state = client.control(Method::GET, "state", Value::Null).await;
    for (path, array, address, pages) in [
        (
            "users?customer=my_customer&maxResults=500",
            "users",
            "primaryEmail",
            2,
        ),
        ("users?customer=my_customer", "users", "primaryEmail", 8),
        (
            "users?customer=my_customer&maxResults=9999",
            "users",
            "primaryEmail",
            2,
        ),
        (
            "groups?customer=my_customer&maxResults=20",
            "groups",
            "email",
            3,
        ),
        ("groups?customer=my_customer", "groups", "email", 1),
    ] {
        let (rows, count) = client.all(&access, path, array).await;
        assert_eq!(count, pages, "{path}");
        let found: Vec<&str> = rows
            .iter()
            .map(|row| row[address].as_str().unwrap())
            .collect();
        assert!(found.is_sorted(), "{path}");
        let wanted: Vec<&str> = state[array]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[address].as_str().unwrap())
            .collect();
        assert_eq!(found, wanted, "{path}");
    }
    assert_eq!(state["counts"]["users"], 730);
    let mut total = 0;
    for (group, members) in state["members"].as_object().unwrap() {
        let (rows, pages) = client
            .all(&access, &format!("groups/{group}/members"), "members")
            .await;
        let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
        let wanted: Vec<&Value> = members
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["id"])
            .collect();
        assert_eq!(ids, wanted);
        assert_eq!(pages, rows.len().div_ceil(200).max(1));
        let (_, shown) = client.get(&access, &format!("groups/{group}")).await;
        assert_eq!(shown["directMembersCount"], rows.len().to_string());
        total += rows.len();
    }
    assert_eq!(state["counts"]["memberships"], total);
    assert!((3300..=3650).contains(&total), "{total}");
}

async fn company() -> (Admin, Value) {
    let admin = Admin::of(Options {
        users: 2000,
        groups: 60,
        ..Options::default()
    })
    .await;
    let state = admin.state().await;
    (admin, state)
}

#[tokio::test]
async fn the_company_has_every_kind_of_person() {
    let (_admin, state) = company().await;
    let users = state["users"].as_array().unwrap();
    let count = |is: &dyn Fn(&Value) -> bool| users.iter().filter(|user| is(user)).count();
    assert!((60..=140).contains(&count(&|user| user["suspended"] == true)));
    assert!(count(&|user| user["archived"] == true) > 0);
    assert!(count(&|user| user.get("aliases").is_some()) > 100);
    assert!(count(&|user| user["name"]["familyName"] == "\u{200b}") > 0);
    assert!(count(&|user| !text(&user["name"], "givenName").is_ascii()) > 300);
    assert!(count(&|user| user["relations"][0]["type"] == "manager") > 1500);
    assert!(count(&|user| user["externalIds"][0]["value"].is_string()) > 1500);
    let domain = |user: &Value| {
        text(user, "primaryEmail")
            .rsplit_once('@')
            .unwrap()
            .1
            .to_owned()
    };
    let domains: BTreeSet<String> = users.iter().map(domain).collect();
    assert!(
        domains
            .iter()
            .eq(["acme-labs.test", "acme.test", "eu.acme.test"])
    );
    let ids: BTreeSet<&str> = users
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), users.len());
    let test_address = |entry: &Value| {
        text(entry, "address").ends_with(".test-google-a.com") && entry.get("type").is_none()
    };
    let untyped = |user: &Value| user["emails"].as_array().unwrap().iter().any(test_address);
    assert_eq!(count(&untyped), users.len());
}

#[tokio::test]
async fn the_company_has_every_kind_of_member() {
    let (admin, state) = company().await;
    let all = state["members"].as_object().unwrap().values();
    let members: Vec<&Value> = all.flat_map(|all| all.as_array().unwrap()).collect();
    let count = |is: &dyn Fn(&Value) -> bool| members.iter().filter(|member| is(member)).count();
    assert_eq!(
        count(&|one| one["type"] == "CUSTOMER" && one.get("email").is_none()),
        1
    );
    assert!(count(&|one| one["type"] == "GROUP" && one["status"] == "ACTIVE") > 5);
    let partners =
        |one: &Value| one["email"] == "partners@other.test" && one.get("status").is_none();
    assert_eq!(count(&partners), 1);
    let guest = |one: &Value| {
        one["email"]
            .as_str()
            .is_some_and(|email| email.ends_with("@partner.example"))
    };
    assert!(count(&guest) > 5);
    assert!(count(&|one| one["status"] == "SUSPENDED") > 50);
    assert!(count(&|one| one["role"] == "OWNER") > 20);
    let outside = admin.get("groups/partners@other.test/members").await;
    assert_eq!(
        refusal(&outside).0,
        403,
        "the members of an outside group are nobody's business"
    );
    let mut groups = state["groups"].as_array().unwrap().iter();
    let empty = groups
        .find(|group| group["directMembersCount"] == "0")
        .unwrap();
    let (_, body) = admin
        .get(&format!("groups/{}/members", text(empty, "id")))
        .await;
    assert_eq!(body.get("members"), None, "an empty collection has no key");
}

#[tokio::test]
async fn a_key_is_an_id_an_address_or_an_alias() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    let state = client.control(Method::GET, "state", Value::Null).await;
    let users = state["users"].as_array().unwrap();
    let user = users.iter().find(|user| {
        user.get("aliases").is_some()
            && user["primaryEmail"]
                .as_str()
                .unwrap()
                .ends_with("@acme.test")
    });
    let user = user.unwrap();
    let email = text(user, "primaryEmail");
    let keys = [
        text(user, "id"),
        email.clone(),
        email.to_uppercase(),
        user["aliases"][0].as_str().unwrap().to_owned(),
        format!("{email}.test-google-a.com"),
        email.replace("@acme.test", "@acme-corp.test"),
        email.replace('@', "%40"),
    ];
    for key in keys {
        let (status, found) = client.get(&access, &format!("users/{key}")).await;
        assert_eq!((status, &found["id"]), (200, &user["id"]), "{key}");
    }
    assert_eq!(
        refusal(&client.get(&access, "users/nobody@acme.test").await),
        (404, "notFound", "Resource Not Found: userKey")
    );
    assert_eq!(refusal(&client.get(&access, "users/123").await).0, 404);
    assert_eq!(
        refusal(&client.get(&access, "users/admin@other.test").await).0,
        403
    );
    assert_eq!(
        refusal(&client.get(&access, "groups/nothing@acme.test").await),
        (404, "notFound", "Resource Not Found: groupKey")
    );
    assert_eq!(
        refusal(
            &client
                .get(
                    &access,
                    "groups/everyone@acme.test/members/nobody@acme.test"
                )
                .await
        ),
        (404, "notFound", "Resource Not Found: memberKey")
    );
    assert_eq!(
        refusal(&client.get(&access, "users/group-00001@acme.test").await).0,
        404
    );
}

#[tokio::test]
async fn answers_follow_the_mask() {
    let admin = Admin::start().await;
    let list = "users?customer=my_customer&maxResults=2&fields=";
    let (_, page) = admin
        .get(&format!("{list}nextPageToken,users(id,name/givenName)"))
        .await;
    assert!(page.get("kind").is_none() && page["nextPageToken"].is_string());
    let user = page["users"][0].as_object().unwrap();
    assert!(user.keys().eq(["id", "name"]));
    assert_eq!(user["name"].as_object().unwrap().len(), 1);
    let (_, page) = admin.get(&format!("{list}users/id")).await;
    assert_eq!(
        page.get("nextPageToken"),
        None,
        "who doesn't ask for the token doesn't get it"
    );
    let wrong = admin.get(&format!("{list}users/nope")).await;
    assert_eq!(
        refusal(&wrong),
        (
            400,
            "invalidParameter",
            "Invalid field selection users/nope"
        )
    );
}

#[tokio::test]
async fn an_etag_that_is_known_is_answered_304_until_something_changes() {
    let admin = Admin::start().await;
    let url = format!("{}/admin/directory/v1/users/{ADMIN}", admin.client.base);
    let get = || admin.client.http.get(&url).bearer_auth(&admin.access);
    let first = get().send().await.unwrap();
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    let body = first.text().await.unwrap();
    assert!(
        body.contains("\n  \"etag\""),
        "indented unless asked otherwise"
    );
    let same = get().header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(same.status(), 304);
    assert!(same.bytes().await.unwrap().is_empty());
    let change = json!({"name": {"givenName": "Adele"}});
    admin
        .call(Method::PUT, &format!("users/{ADMIN}"), change)
        .await;
    let other = get().header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn compression_needs_the_header_and_the_agents_word() {
    let admin = Admin::start().await;
    let url = format!(
        "{}/admin/directory/v1/users?customer=my_customer",
        admin.client.base
    );
    for (agent, encoding, packed) in [
        ("provisiond", "gzip", false),
        ("provisiond (gzip)", "identity", false),
        ("provisiond (gzip)", "gzip", true),
    ] {
        let plain = reqwest::Client::builder()
            .no_gzip()
            .user_agent(agent)
            .build()
            .unwrap();
        let request = plain
            .get(&url)
            .bearer_auth(&admin.access)
            .header("accept-encoding", encoding);
        let answer = request.send().await.unwrap();
        assert_eq!(
            answer.headers().contains_key("content-encoding"),
            packed,
            "{agent} {encoding}"
        );
    }
}

#[tokio::test]
async fn every_method_wants_its_scope_and_a_good_token() {
    let client = Client::small().await;
    let read = format!("{USER}.readonly");
    let url = client.auth_url(&[("scope", &format!("openid {read}"))]);
    let answer = client
        .decide(
            url,
            &[("account", ADMIN), ("action", "allow"), ("scope", &read)],
        )
        .await;
    let access = text(
        &client.exchange(value(&answer, "code")).await.1,
        "access_token",
    );
    assert_eq!(
        client.get(&access, "users?customer=my_customer").await.0,
        200
    );
    let (status, body) = client
        .call(
            &access,
            Method::DELETE,
            &format!("users/{ADMIN}"),
            Value::Null,
        )
        .await;
    assert_eq!(status, 403);
    assert_eq!(
        body["error"]["errors"][0]["reason"],
        "insufficientPermissions"
    );
    assert_eq!(
        body["error"]["details"][0]["reason"],
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    );
    for path in [
        "groups?customer=my_customer",
        "customers/my_customer",
        "customer/my_customer/domains",
    ] {
        assert_eq!(
            refusal(&client.get(&access, path).await).1,
            "insufficientPermissions",
            "{path}"
        );
    }
    let wrong = client
        .get("ya29.made-up", "users?customer=my_customer")
        .await;
    assert_eq!(
        wrong.1["error"]["errors"][0]["message"],
        "Invalid Credentials"
    );
    assert_eq!(refusal(&wrong).0, 401);
    let none = client
        .http
        .get(format!("{}/admin/directory/v1/users", client.base))
        .send()
        .await
        .unwrap();
    assert_eq!(none.status(), 401);
}
