//! Page tokens, searches, and membership through groups.

use provisiond::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Client, refusal, text};

#[tokio::test]
async fn a_page_token_works_only_for_its_query_and_three_days() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    let (_, page) = client
        .get(&access, "users?customer=my_customer&maxResults=10")
        .await;
    let token = text(&page, "nextPageToken");
    let next = format!("users?customer=my_customer&maxResults=10&pageToken={token}");
    assert_eq!(client.get(&access, &next).await.0, 200);
    for wrong in [
        format!("users?domain=acme.test&pageToken={token}"),
        format!("users?customer=my_customer&query=isSuspended=true&pageToken={token}"),
        format!("groups?customer=my_customer&pageToken={token}"),
        "users?customer=my_customer&pageToken=made-up".to_owned(),
    ] {
        assert_eq!(
            refusal(&client.get(&access, &wrong).await),
            (400, "invalid", "Invalid Input: pageToken"),
            "{wrong}"
        );
    }
    client
        .control(
            Method::POST,
            "clock",
            json!({"advance_seconds": 3 * 86_400 + 10}),
        )
        .await;
    let access = client.access(ADMIN).await;
    assert_eq!(refusal(&client.get(&access, &next).await).0, 400);
}

#[tokio::test]
async fn searches_find_what_they_say_and_refuse_what_is_no_search() {
    let client = Client::start(Options {
        users: 400,
        ..Options::default()
    })
    .await;
    let access = client.access(ADMIN).await;
    let state = client.control(Method::GET, "state", Value::Null).await;
    let users = state["users"].as_array().unwrap();
    let count = |is: &dyn Fn(&Value) -> bool| users.iter().filter(|user| is(user)).count();
    let starts = |user: &Value, field: &str, begin: &str| {
        user[field]
            .as_str()
            .is_some_and(|text| text.starts_with(begin))
    };
    for (query, wanted) in [
        ("isSuspended=true", count(&|user| user["suspended"] == true)),
        (
            "isSuspended=false",
            count(&|user| user["suspended"] == false),
        ),
        ("email=admin@acme.test", 1),
        ("email:admin@acme*", 1),
        (
            "orgUnitPath=/Staff",
            count(&|user| starts(user, "orgUnitPath", "/Staff")),
        ),
        (
            "orgUnitPath='/Staff/Human Resources'",
            count(&|user| user["orgUnitPath"] == "/Staff/Human Resources"),
        ),
        (
            "orgDepartment=Sales isSuspended=false",
            count(&|user| {
                user["organizations"][0]["department"] == "Sales" && user["suspended"] == false
            }),
        ),
        ("name='Ada Admin'", 1),
        ("email=nobody@acme.test", 0),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let (rows, _) = client
            .all(
                &access,
                &format!("users?customer=my_customer&query={query}"),
                "users",
            )
            .await;
        assert_eq!(rows.len(), wanted, "{query}");
    }
    for wrong in [
        "nonsense=1",
        "isSuspended=maybe",
        "email>a",
        "name='open",
        "=x",
    ] {
        let query: String = url::form_urlencoded::byte_serialize(wrong.as_bytes()).collect();
        let answer = client
            .get(
                &access,
                &format!("users?customer=my_customer&query={query}"),
            )
            .await;
        assert_eq!(refusal(&answer).0, 400, "{wrong}");
    }
    let (rows, _) = client
        .all(&access, "users?domain=acme-labs.test", "users")
        .await;
    assert_eq!(
        rows.len(),
        count(&|user| user["primaryEmail"]
            .as_str()
            .unwrap()
            .ends_with("@acme-labs.test"))
    );
    let (rows, _) = client
        .all(
            &access,
            "users?customer=my_customer&orderBy=familyName&sortOrder=DESCENDING&maxResults=70",
            "users",
        )
        .await;
    let names: Vec<String> = rows
        .iter()
        .map(|user| user["name"]["familyName"].as_str().unwrap().to_lowercase())
        .collect();
    assert_eq!(names.len(), 400);
    assert!(names.windows(2).all(|pair| pair[0] >= pair[1]));
}

#[tokio::test]
async fn groups_of_a_person_and_membership_through_groups() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    let call = |verb, path: &'static str, body| client.call(&access, verb, path, body);
    for name in ["outer", "inner"] {
        let body = json!({"email": format!("{name}@acme.test")});
        assert_eq!(call(Method::POST, "groups", body).await.0, 200);
    }
    assert_eq!(
        call(
            Method::POST,
            "groups/inner@acme.test/members",
            json!({"email": ADMIN})
        )
        .await
        .0,
        200
    );
    assert_eq!(
        call(
            Method::POST,
            "groups/outer@acme.test/members",
            json!({"email": "inner@acme.test"})
        )
        .await
        .0,
        200
    );
    let (_, has) = client
        .get(
            &access,
            &format!("groups/outer@acme.test/hasMember/{ADMIN}"),
        )
        .await;
    assert_eq!(has, json!({"isMember": true}));
    let (_, has) = client
        .get(
            &access,
            "groups/outer@acme.test/hasMember/nonadmin@acme.test",
        )
        .await;
    assert_eq!(has, json!({"isMember": false}));
    let (_, has) = client
        .get(
            &access,
            "groups/everyone@acme.test/hasMember/nonadmin@acme.test",
        )
        .await;
    assert_eq!(
        has,
        json!({"isMember": true}),
        "everybody is in a group that holds the customer"
    );
    let outside = client
        .get(
            &access,
            "groups/outer@acme.test/hasMember/x@partner.example",
        )
        .await;
    assert_eq!(
        refusal(&outside),
        (400, "invalid", "Invalid Input: memberKey")
    );
    let (groups, _) = client
        .all(&access, &format!("groups?userKey={ADMIN}"), "groups")
        .await;
    assert!(
        groups
            .iter()
            .any(|group| group["email"] == "inner@acme.test")
    );
    assert!(
        !groups
            .iter()
            .any(|group| group["email"] == "outer@acme.test"),
        "direct groups only"
    );
    let both = client
        .get(
            &access,
            &format!("groups?customer=my_customer&userKey={ADMIN}"),
        )
        .await;
    assert_eq!(refusal(&both).0, 400);
    let circle = call(
        Method::POST,
        "groups/inner@acme.test/members",
        json!({"email": "outer@acme.test"}),
    )
    .await;
    assert_eq!(
        refusal(&circle),
        (412, "conditionNotMet", "Cyclic memberships not allowed")
    );
    let (derived, _) = client
        .all(
            &access,
            "groups/outer@acme.test/members?includeDerivedMembership=true",
            "members",
        )
        .await;
    assert_eq!(derived.len(), 2);
}
