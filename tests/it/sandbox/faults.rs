//! Faults happen when and where they were asked for, and nowhere else.

use provisiond::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ADMIN, Client, refusal, text};

const LIST: &str = "users?customer=my_customer&maxResults=50";

#[tokio::test]
async fn a_status_hits_the_requests_it_counts() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    client.fault(json!([
        {"method": "directory.users.list", "after": 1, "times": 2, "fault": {"status": {"code": 503, "retry_after": "7"}}},
        {"method": "directory.groups", "path_contains": "everyone@acme.test", "fault": {"status": {"code": 502, "html": true}}},
        {"method": "directory.users.get", "fault": {"status": {"code": 403, "reason": "quotaExceeded"}}},
    ])).await;
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(client.get(&access, LIST).await.0);
    }
    assert_eq!(found, [200, 503, 503, 200]);
    assert_eq!(
        client.get(&access, "groups?customer=my_customer").await.0,
        200
    );
    assert_eq!(
        client.get(&access, "groups/everyone%40acme.test").await,
        (502, Value::Null),
        "a page, not JSON"
    );
    let (status, body) = client.get(&access, &format!("users/{ADMIN}")).await;
    assert_eq!(
        (status, &body["error"]["errors"][0]["domain"]),
        (403, &json!("usageLimits"))
    );
    let held = json!({"method": "directory.groups.list", "fault": "hold_then503"});
    client.fault(held).await;
    let replaced = json!({"method": "nothing", "fault": "reset"});
    let (answer, _) = tokio::join!(
        client.get(&access, "groups?customer=my_customer"),
        client.control(Method::PUT, "faults", replaced)
    );
    assert_eq!(answer.0, 503);
    client
        .fault(json!({"method": "directory", "times": 99, "fault": {"status": {"code": 500}}}))
        .await;
    client.control(Method::DELETE, "faults", Value::Null).await;
    assert_eq!(client.get(&access, LIST).await.0, 200);
    let log = client.control(Method::GET, "requests", Value::Null).await;
    assert_eq!(log["counts"]["directory.users.list"], 5);
    assert_eq!(log["statuses"]["directory.users.list"]["503"], 2);
    let last = log["requests"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["account"], &last["method"], &last["status"]),
        (&json!(ADMIN), &json!("GET"), &json!(200))
    );
}

#[tokio::test]
async fn rows_repeat_or_lack_at_the_border_of_pages() {
    let client = Client::start(Options {
        users: 120,
        ..Options::default()
    })
    .await;
    let access = client.access(ADMIN).await;
    let (good, _) = client.all(&access, LIST, "users").await;
    let fault = |fault: &'static str| json!({"method": "directory.users.list", "fault": fault});
    client.fault(fault("repeat_last_row_on_next_page")).await;
    let (rows, pages) = client.all(&access, LIST, "users").await;
    assert_eq!((rows.len(), pages), (121, 3));
    assert_eq!(rows[49], rows[50]);
    client.fault(fault("repeat_page")).await;
    let (rows, pages) = client.all(&access, LIST, "users").await;
    assert_eq!((rows.len(), pages), (170, 4));
    assert_eq!(rows[..50], rows[50..100]);
    assert_eq!(rows[50..], good[..]);
    client.fault(fault("drop_row")).await;
    let (rows, _) = client.all(&access, LIST, "users").await;
    assert_eq!(rows[..], good[1..]);
    client.fault(fault("drop_array_key")).await;
    let (status, page) = client.get(&access, LIST).await;
    assert_eq!(status, 200);
    assert!(page.get("users").is_none() && page["nextPageToken"].is_string());
    client.fault(fault("page_token_expired")).await;
    let (_, page) = client.get(&access, LIST).await;
    let next = format!("{LIST}&pageToken={}", text(&page, "nextPageToken"));
    assert_eq!(refusal(&client.get(&access, &next).await).0, 400);
    assert_eq!(client.get(&access, &next).await.0, 200);
}

#[tokio::test]
async fn a_cut_connection_answers_nothing_and_may_have_applied() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    let url = format!("{}/admin/directory/v1/groups", client.base);
    for (fault, applied) in [("reset", 404), ("apply_then_reset", 200)] {
        client
            .fault(json!({"method": "directory.groups.insert", "fault": fault}))
            .await;
        let body = json!({"email": "cut@acme.test"});
        let cut = client
            .http
            .post(&url)
            .bearer_auth(&access)
            .json(&body)
            .send()
            .await;
        assert!(cut.is_err(), "{fault}");
        assert_eq!(
            client.get(&access, "groups/cut@acme.test").await.0,
            applied,
            "{fault}"
        );
    }
    client
        .fault(json!({"method": "directory.groups.delete", "fault": "apply_then503"}))
        .await;
    let answer = client
        .call(&access, Method::DELETE, "groups/cut@acme.test", Value::Null)
        .await;
    assert_eq!(answer.0, 503);
    assert_eq!(client.get(&access, "groups/cut@acme.test").await.0, 404);
}

#[tokio::test]
async fn an_expired_token_stays_expired_and_control_can_end_the_rest() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    client
        .fault(json!({"method": "directory.users.list", "fault": "expire_token"}))
        .await;
    assert_eq!(client.get(&access, LIST).await.0, 401);
    assert_eq!(client.get(&access, LIST).await.0, 401);
    let tokens = client.tokens(ADMIN).await;
    client
        .control(Method::POST, "expire-access-tokens", Value::Null)
        .await;
    assert_eq!(
        client.get(&text(&tokens, "access_token"), LIST).await.0,
        401
    );
    let (status, again) = client.refresh(&text(&tokens, "refresh_token")).await;
    assert_eq!(status, 200);
    assert_eq!(client.get(&text(&again, "access_token"), LIST).await.0, 200);
    client
        .control(Method::POST, "revoke", json!({"email": ADMIN}))
        .await;
    assert_eq!(
        client.refresh(&text(&tokens, "refresh_token")).await.1["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_quota_is_enforced_only_if_there_is_one() {
    let client = Client::start(Options {
        quota_per_minute: 5,
        ..Options::default()
    })
    .await;
    let access = client.access(ADMIN).await;
    let mut refused = Vec::new();
    for _ in 0..12 {
        let answer = client.get(&access, LIST).await;
        if answer.0 != 200 {
            refused.push(answer);
        }
    }
    assert!(refused.len() >= 2, "12 requests against 5 a minute");
    assert_eq!(refusal(&refused[0]).1, "userRateLimitExceeded");
    client
        .control(Method::POST, "clock", json!({"advance_seconds": 60}))
        .await;
    assert_eq!(client.get(&access, LIST).await.0, 200);
}

#[tokio::test]
async fn planted_data_is_shown_as_it_is() {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    let state = client.control(Method::GET, "state", Value::Null).await;
    let user = text(&state["users"][7], "id");
    let nameless = json!({"name": {"givenName": "", "familyName": ""}, "suspended": null});
    client
        .control(Method::PATCH, &format!("users/{user}?raw=true"), nameless)
        .await;
    let (_, shown) = client.get(&access, &format!("users/{user}")).await;
    assert_eq!(shown["name"]["givenName"], "");
    assert_eq!(shown.get("suspended"), None);
    let (_, page) = client
        .get(
            &access,
            "users?customer=my_customer&fields=users(id,primaryEmail)",
        )
        .await;
    assert_eq!(
        page["users"][7].as_object().unwrap().len(),
        2,
        "masks hold for planted values too"
    );
    client
        .control(
            Method::PATCH,
            &format!("users/{user}?raw=true"),
            json!({"primaryEmail": "not an address"}),
        )
        .await;
    let (rows, _) = client.all(&access, LIST, "users").await;
    assert_eq!(
        rows.iter()
            .filter(|row| row["primaryEmail"] == "not an address")
            .count(),
        1
    );
    let group = "groups/everyone@acme.test/members";
    client
        .control(
            Method::POST,
            &format!("{group}?raw=true"),
            json!({"id": "42", "type": "USER", "email": null, "status": null}),
        )
        .await;
    let (rows, _) = client.all(&access, group, "members").await;
    assert!(
        rows.iter().any(|row| row["id"] == "42"
            && row.get("email").is_none()
            && row.get("status").is_none())
    );
}

#[tokio::test]
async fn scopes_that_are_withdrawn_are_refused_also_to_new_tokens_until_they_are_granted_again() {
    let client = Client::small().await;
    let tokens = client.tokens(ADMIN).await;
    let other = client.access("delegated@acme.test").await;
    let withdrawn = json!({"email": ADMIN, "scopes": ["admin.directory.user"]});
    client.control(Method::POST, "revoke", withdrawn).await;
    let (_, again) = client.refresh(&text(&tokens, "refresh_token")).await;
    for tokens in [&tokens, &again] {
        let access = text(tokens, "access_token");
        let refused = client.get(&access, "users?customer=my_customer").await;
        assert_eq!(
            (refused.0, refusal(&refused).1),
            (403, "insufficientPermissions")
        );
        let groups = client.get(&access, "groups?customer=my_customer").await;
        assert_eq!(groups.0, 200);
    }
    for access in [other, client.access(ADMIN).await] {
        let users = client.get(&access, "users?customer=my_customer").await;
        assert_eq!(users.0, 200);
    }
}
