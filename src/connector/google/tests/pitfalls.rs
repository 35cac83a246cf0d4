//! The pitfalls of reading that real clients fell into, by their number in the reference.

use crate::{
    connector::{
        Coverage, Cursor, Error, MemberKind, Page, Reader as _,
        testing::{Asked, Server, google, ok, refuse, user},
    },
    model::{Attribute, Kind, Object, SourceId, Value},
};
use axum::response::Response;
use serde_json::{Value as Json, json};

fn id(text: &str) -> SourceId {
    SourceId::try_new(text).unwrap()
}

fn users(rows: &Json) -> Response {
    ok(&json!({"kind": "admin#directory#users", "etag": "x", "users": rows}))
}

async fn first_page(answer: Json) -> Result<Page<Object>, Error> {
    let server = Server::start(move |_| ok(&answer)).await;
    google(&server).page(Kind::User, None).await
}

/// Reads to the end.
async fn all(server: &Server, kind: Kind) -> Result<Vec<Object>, Error> {
    let google = google(server);
    let (mut objects, mut cursor) = (Vec::new(), None);
    loop {
        let page = google.page(kind, cursor).await?;
        objects.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(objects);
        }
    }
}

async fn members(rows: Json) -> Result<Page<crate::connector::SourceMember>, Error> {
    let server = Server::start(move |_| ok(&json!({"members": rows}))).await;
    google(&server).members(&id("g1"), None).await
}

async fn attribute(field: &str, value: Json, attribute: Attribute) -> Option<Value> {
    let mut row = user("1", "alice@acme.test");
    row[field] = value;
    let page = first_page(json!({"users": [row]})).await.unwrap();
    page.items[0].attributes.get(&attribute).cloned()
}

#[tokio::test]
async fn pitfall_1_an_error_or_missing_data_is_never_an_empty_result() {
    let one = json!([user("1", "a@acme.test")]);
    for answer in [
        json!({}),
        json!({"kind": "admin#directory#users", "etag": "x"}),
        json!({"users": []}),
        json!({"users": null}),
        json!({"users": {"id": "1"}}),
        json!({"nextPageToken": "t"}),
        json!({"users": [], "nextPageToken": "t"}),
        json!({"users": [{"primaryEmail": "nobody@acme.test"}]}),
        json!({"users": one, "nextPageToken": 7}),
        json!([]),
    ] {
        let result = first_page(answer.clone()).await;
        assert!(
            matches!(result, Err(Error::Protocol(_))),
            "{answer}: {result:?}"
        );
    }
    for status in [400, 403, 404, 412, 500, 503] {
        let server = Server::start(move |_| refuse(status, "x", "User is deleted.")).await;
        for kind in [Kind::User, Kind::Group] {
            assert!(all(&server, kind).await.is_err(), "{status} {kind}");
        }
    }
}

#[tokio::test]
async fn pitfall_1_only_404_and_412_prove_that_somebody_is_gone() {
    for (status, reason, message, gone) in [
        (404, "notFound", "Resource Not Found: userKey", Some(true)),
        (412, "conditionNotMet", "User is deleted.", Some(true)),
        (404, "notFound", "Resource Not Found: domain", None),
        (
            403,
            "forbidden",
            "Not Authorized to access this resource/api",
            None,
        ),
        (400, "invalid", "Type not supported: userKey", None),
        (
            503,
            "backendError",
            "Service unavailable. Please try again",
            None,
        ),
    ] {
        let server = Server::start(move |_| refuse(status, reason, message)).await;
        let found = google(&server).get(Kind::User, &id("1")).await;
        assert_eq!(
            found.ok().map(|user| user.is_none()),
            gone,
            "{status} {message}"
        );
    }
    let server = Server::start(|_| ok(&user("2", "alice@acme.test"))).await;
    let other = google(&server).get(Kind::User, &id("1")).await;
    assert!(matches!(other, Err(Error::Protocol(_))));
}

#[tokio::test]
async fn pitfall_1_an_empty_page_without_rows_is_asked_for_twice_before_it_is_believed() {
    let server = Server::start(|asked| match asked.n {
        0 => ok(&json!({"kind": "admin#directory#members"})),
        _ => ok(&json!({"members": [{"id": "1", "type": "USER", "status": "ACTIVE"}]})),
    })
    .await;
    let page = google(&server).members(&id("g1"), None).await.unwrap();
    assert_eq!((page.items.len(), page.coverage), (1, Coverage::Complete));

    let server = Server::start(|_| ok(&json!({}))).await;
    assert_eq!(all(&server, Kind::Group).await, Ok(Vec::new()));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn pitfall_2_rows_that_repeat_over_pages_are_handed_on_as_they_are() {
    let server = Server::start(|asked| {
        let rows = json!([user("1", "a@acme.test"), user("2", "b@acme.test")]);
        match asked.param("pageToken") {
            None => ok(&json!({"users": rows, "nextPageToken": "p2"})),
            Some(_) => users(&rows),
        }
    })
    .await;
    assert_eq!(all(&server, Kind::User).await.unwrap().len(), 4);
}

#[tokio::test]
async fn pitfall_3_a_refused_page_token_loses_the_listing_and_the_same_parameters_go_with_it() {
    let server = Server::start(|asked| match asked.param("pageToken") {
        None => ok(&json!({"users": [user("1", "a@acme.test")], "nextPageToken": "~!!~A.b/+=&x"})),
        Some(_) => refuse(400, "invalid", "Invalid Input"),
    })
    .await;
    let lost = all(&server, Kind::User).await;
    assert!(matches!(lost, Err(Error::CursorLost(_))), "{lost:?}");
    let asked = server.asked();
    let mut second = asked[1].query.clone();
    assert_eq!(second.remove("pageToken").as_deref(), Some("~!!~A.b/+=&x"));
    assert_eq!(second, asked[0].query);
}

#[tokio::test]
async fn pitfall_3_page_tokens_that_come_back_do_not_make_an_endless_loop() {
    let server = Server::start(|asked| {
        let next = if asked.n.is_multiple_of(2) {
            "p2"
        } else {
            "p3"
        };
        let email = format!("u{}@acme.test", asked.n);
        ok(&json!({"users": [user(&asked.n.to_string(), &email)], "nextPageToken": next}))
    })
    .await;
    let lost = all(&server, Kind::User).await;
    assert!(matches!(lost, Err(Error::CursorLost(_))), "{lost:?}");
    assert!(server.asked().len() < 10);
}

/// One request of each listing.
async fn listings() -> Vec<Asked> {
    let server = Server::start(|asked| {
        let rows = json!([user("1", "a@acme.test")]);
        match asked.path.rsplit('/').next() {
            Some("members") => ok(&json!({"members": []})),
            Some("groups") => ok(&json!({"groups": []})),
            _ => users(&rows),
        }
    })
    .await;
    let google = google(&server);
    google.page(Kind::User, None).await.unwrap();
    google.page(Kind::Group, None).await.unwrap();
    google.members(&id("g1"), None).await.unwrap();
    server.asked()
}

#[tokio::test]
async fn pitfall_4_every_field_mask_has_the_next_page_token() {
    for (asked, size) in listings().await.iter().zip(["500", "200", "200"]) {
        let fields = asked.param("fields").unwrap();
        assert!(fields.starts_with("nextPageToken,"), "{fields}");
        assert!(!fields.contains(char::is_whitespace), "{fields}");
        assert_eq!(asked.param("maxResults"), Some(size));
        assert_eq!(asked.param("prettyPrint"), Some("false"));
    }
}

#[tokio::test]
async fn pitfalls_6_7_and_21_members_are_asked_for_without_derivation_roles_or_delivery() {
    let asked = &listings().await[2];
    assert_eq!(asked.path, "/admin/directory/v1/groups/g1/members");
    assert_eq!(asked.param("includeDerivedMembership"), None);
    assert_eq!(asked.param("roles"), None);
    assert!(!asked.param("fields").unwrap().contains("delivery"));
}

#[tokio::test]
async fn pitfall_8_members_of_an_outside_group_are_forbidden_and_not_tried_again() {
    let message = "Not Authorized to access this resource/api";
    let server = Server::start(move |_| refuse(403, "forbidden", message)).await;
    let refused = google(&server).members(&id("g1"), None).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn pitfall_9_a_member_without_status_is_external() {
    let row = json!([{"id": "9", "email": "x@elsewhere.test", "role": "MEMBER", "type": "USER"}]);
    let page = members(row).await.unwrap();
    assert_eq!(page.items[0].kind, MemberKind::External);
}

#[tokio::test]
async fn pitfall_10_everyone_is_a_member_without_an_address() {
    for row in [
        json!([{"id": "C01", "type": "CUSTOMER"}]),
        json!([{"type": "CUSTOMER"}]),
    ] {
        let member = members(row).await.unwrap().items.remove(0);
        assert_eq!((member.kind, member.email), (MemberKind::Everyone, None));
        assert_eq!(member.id, id("C01"));
    }
}

#[tokio::test]
async fn pitfall_11_suspended_users_stay_members() {
    let rows = ["ACTIVE", "SUSPENDED", "ARCHIVED"].map(
        |status| json!({"id": status, "email": "a@acme.test", "type": "USER", "status": status}),
    );
    let page = members(json!(rows)).await.unwrap();
    assert!(
        page.items
            .iter()
            .all(|member| member.kind == MemberKind::User)
    );
    assert_eq!(page.items.len(), 3);
}

#[tokio::test]
async fn pitfall_13_members_are_known_by_id_whatever_address_they_were_added_with() {
    let row =
        json!([{"id": "108", "email": "an.alias@acme.test", "type": "USER", "status": "ACTIVE"}]);
    assert_eq!(members(row).await.unwrap().items[0].id, id("108"));
}

#[tokio::test]
async fn pitfall_14_addresses_come_in_lower_case() {
    let name = attribute(
        "primaryEmail",
        json!("ÄLICE@Acme.Test"),
        Attribute::USER_NAME,
    )
    .await;
    assert_eq!(name, Some(Value::Text("älice@acme.test".to_owned())));
}

#[tokio::test]
async fn pitfall_15_addresses_that_google_makes_are_no_aliases() {
    let aliases = json!([
        "Z@acme.test",
        "b@acme.test",
        "alice@acme.test",
        "B@acme.test",
        "alice@acme.test.test-google-a.com",
        "nonsense"
    ]);
    let kept = attribute("aliases", aliases, Attribute::ALIASES).await;
    let sorted = ["b@acme.test", "z@acme.test"].map(str::to_owned).to_vec();
    assert_eq!(kept, Some(Value::List(sorted)));
    let emails =
        json!([{"address": "alice@acme.test.test-google-a.com"}, {"address": "x@acme.test"}]);
    assert_eq!(attribute("emails", emails, Attribute::ALIASES).await, None);
}

#[tokio::test]
async fn pitfall_16_an_absent_boolean_is_unknown_and_not_false() {
    let cases = [
        (Some(false), Some(false), Some(true)),
        (Some(true), None, Some(false)),
        (Some(true), Some(false), Some(false)),
        (None, Some(true), Some(false)),
        (None, Some(false), None),
        (Some(false), None, None),
        (None, None, None),
    ];
    for (suspended, archived, active) in cases {
        let mut row = user("1", "alice@acme.test");
        row["suspended"] = json!(suspended);
        row["archived"] = json!(archived);
        let page = first_page(json!({"users": [row]})).await.unwrap();
        let told = page.items[0].attributes.bool(&Attribute::ACTIVE);
        assert_eq!(told, active, "{suspended:?} {archived:?}");
        assert_eq!(page.items[0].defect, None);
    }
}

#[tokio::test]
async fn pitfalls_17_and_20_groups_of_one_name_are_two_and_their_counts_are_strings() {
    let server = Server::start(|_| {
        ok(&json!({"groups": [
            {"id": "g1", "email": "a@acme.test", "name": "Team", "directMembersCount": "3"},
            {"id": "g2", "email": "b@acme.test", "name": "Team", "directMembersCount": "0"},
        ]}))
    })
    .await;
    let groups = all(&server, Kind::Group).await.unwrap();
    let counts: Vec<_> = groups.iter().map(|group| group.member_count).collect();
    assert_eq!(counts, [Some(3), Some(0)]);
}

#[tokio::test]
async fn pitfall_19_the_whole_customer_is_asked_for_and_never_one_domain() {
    for asked in &listings().await[..2] {
        assert_eq!(asked.param("customer"), Some("C01"));
        assert_eq!(asked.param("domain"), None);
    }
}

#[tokio::test]
async fn one_bad_row_never_costs_the_page() {
    let mut bad = user("2", "bad@acme.test");
    bad["suspended"] = json!("perhaps");
    let rows = json!([user("1", "a@acme.test"), bad, user("3", "c@acme.test")]);
    let page = first_page(json!({"users": rows})).await.unwrap();
    let defects: Vec<_> = page
        .items
        .iter()
        .map(|user| user.defect.is_some())
        .collect();
    assert_eq!(defects, [false, true, false]);
}

#[tokio::test]
async fn keys_that_would_lead_elsewhere_are_not_asked_for() {
    let server = Server::start(|_| ok(&user("1", "a@acme.test"))).await;
    let google = google(&server);
    for key in [".", ".."] {
        let refused = google.get(Kind::User, &id(key)).await;
        assert!(matches!(refused, Err(Error::Rejected(_))));
    }
    assert!(server.asked().is_empty());
    let _ = google
        .members(&id("a/../b?c#d"), Some(Cursor("1.0.1.t".to_owned())))
        .await;
    let path = &server.asked()[0].path;
    assert_eq!(
        path,
        "/admin/directory/v1/groups/a%2F..%2Fb%3Fc%23d/members"
    );
}
