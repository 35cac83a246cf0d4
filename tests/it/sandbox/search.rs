//! Page tokens, searches, and membership through groups.

use provisiond::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Admin, Client, refusal, text};

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

fn encoded(query: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    format!("users?customer=my_customer&query={query}")
}

#[tokio::test]
async fn searches_find_what_they_say() {
    let admin = Admin::of(Options {
        users: 400,
        ..Options::default()
    })
    .await;
    let state = admin.state().await;
    let users = state["users"].as_array().unwrap();
    let count = |is: &dyn Fn(&Value) -> bool| users.iter().filter(|user| is(user)).count();
    let staff = |user: &Value| text(user, "orgUnitPath").starts_with("/Staff");
    let people = |user: &Value| user["orgUnitPath"] == "/Staff/Human Resources";
    let sellers = |user: &Value| {
        user["organizations"][0]["department"] == "Sales" && user["suspended"] == false
    };
    for (query, wanted) in [
        ("isSuspended=true", count(&|user| user["suspended"] == true)),
        (
            "isSuspended=false",
            count(&|user| user["suspended"] == false),
        ),
        ("email=admin@acme.test", 1),
        ("email:admin@acme*", 1),
        ("orgUnitPath=/Staff", count(&staff)),
        ("orgUnitPath='/Staff/Human Resources'", count(&people)),
        ("orgDepartment=Sales isSuspended=false", count(&sellers)),
        ("name='Ada Admin'", 1),
        ("email=nobody@acme.test", 0),
    ] {
        let (rows, _) = admin
            .client
            .all(&admin.access, &encoded(query), "users")
            .await;
        assert_eq!(rows.len(), wanted, "{query}");
    }
    let (rows, _) = admin
        .client
        .all(&admin.access, "users?domain=acme-labs.test", "users")
        .await;
    let labs = |user: &Value| text(user, "primaryEmail").ends_with("@acme-labs.test");
    assert_eq!(rows.len(), count(&labs));
}

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let admin = Admin::start().await;
    for wrong in [
        "nonsense=1",
        "isSuspended=maybe",
        "email>a",
        "name='open",
        "=x",
    ] {
        assert_eq!(refusal(&admin.get(&encoded(wrong)).await).0, 400, "{wrong}");
    }
    for path in ["users", "groups"] {
        assert_eq!(
            refusal(&admin.get(path).await).1,
            "badRequest",
            "neither customer nor domain"
        );
    }
}

#[tokio::test]
async fn another_order_holds_over_all_pages() {
    let admin = Admin::of(Options {
        users: 400,
        ..Options::default()
    })
    .await;
    let path = "users?customer=my_customer&orderBy=familyName&sortOrder=DESCENDING&maxResults=70";
    let (rows, pages) = admin.client.all(&admin.access, path, "users").await;
    let family = |user: &Value| user["name"]["familyName"].as_str().unwrap().to_lowercase();
    let names: Vec<String> = rows.iter().map(family).collect();
    assert_eq!((names.len(), pages), (400, 6));
    assert!(names.windows(2).all(|pair| pair[0] >= pair[1]));
}

/// `outer` holds `inner`, which holds the administrator.
async fn nested() -> Admin {
    let admin = Admin::start().await;
    for name in ["outer", "inner"] {
        let body = json!({"email": format!("{name}@acme.test")});
        assert_eq!(admin.post("groups", body).await.0, 200);
    }
    let inner = admin
        .post("groups/inner@acme.test/members", json!({"email": ADMIN}))
        .await;
    let outer = admin
        .post(
            "groups/outer@acme.test/members",
            json!({"email": "inner@acme.test"}),
        )
        .await;
    assert_eq!((inner.0, outer.0), (200, 200));
    admin
}

#[tokio::test]
async fn somebody_is_in_a_group_through_another() {
    let admin = nested().await;
    let has = async |group: &str, member: &str| {
        admin
            .get(&format!("groups/{group}@acme.test/hasMember/{member}"))
            .await
    };
    assert_eq!(has("outer", ADMIN).await, (200, json!({"isMember": true})));
    assert_eq!(
        has("outer", "nonadmin@acme.test").await,
        (200, json!({"isMember": false}))
    );
    let everybody = has("everyone", "nonadmin@acme.test").await;
    assert_eq!(
        everybody,
        (200, json!({"isMember": true})),
        "it holds the customer"
    );
    let outside = has("outer", "x@partner.example").await;
    assert_eq!(
        refusal(&outside),
        (400, "invalid", "Invalid Input: memberKey")
    );
    let path = "groups/outer@acme.test/members?includeDerivedMembership=true";
    let (derived, _) = admin.client.all(&admin.access, path, "members").await;
    assert_eq!(derived.len(), 2);
    let circle = admin
        .post(
            "groups/inner@acme.test/members",
            json!({"email": "outer@acme.test"}),
        )
        .await;
    assert_eq!(
        refusal(&circle),
        (412, "conditionNotMet", "Cyclic memberships not allowed")
    );
}

#[tokio::test]
async fn the_groups_of_somebody_are_the_direct_ones() {
    let admin = nested().await;
    let (groups, _) = admin
        .client
        .all(&admin.access, &format!("groups?userKey={ADMIN}"), "groups")
        .await;
    assert!(
        groups
            .iter()
            .any(|group| group["email"] == "inner@acme.test")
    );
    assert!(
        !groups
            .iter()
            .any(|group| group["email"] == "outer@acme.test")
    );
    let both = admin
        .get(&format!("groups?customer=my_customer&userKey={ADMIN}"))
        .await;
    assert_eq!(refusal(&both).0, 400);
    let (found, _) = admin
        .client
        .all(
            &admin.access,
            "groups?customer=my_customer&query=email:out*",
            "groups",
        )
        .await;
    assert_eq!(found.len(), 1);
}
