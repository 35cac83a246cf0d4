//! The Google connector against the sandbox: everything that is there is read, with no more requests than it takes.
#![allow(clippy::unwrap_used)]

use crate::sandbox::client::{ADMIN, Admin, text};
use provisiond::{
    connector::{
        AccessTokens, Answer, Backoff, Connector, Error, Governors, Http, HttpOptions, MemberKind,
        Page, SourceMember,
        google::{Google, GoogleOptions},
    },
    model::{Attribute, Kind, Object, Secret, SourceId},
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Two tokens of the admin: one to begin with, one for when that is refused.
#[derive(Debug)]
struct Tokens(Mutex<Vec<String>>);

impl AccessTokens for Tokens {
    fn token(&self) -> Answer<'_, Secret> {
        let token = self.0.lock().unwrap().last().cloned();
        let lost = || Error::ConsentLost("no more tokens".to_owned());
        Box::pin(async move { token.map(Secret::new).ok_or_else(lost) })
    }

    fn invalidate(&self, token: &Secret) {
        self.0.lock().unwrap().retain(|one| one != token.expose());
    }
}

async fn open(admin: &Admin) -> Google {
    let spare = admin.client.access(ADMIN).await;
    admin
        .client
        .control(Method::DELETE, "requests", Value::Null)
        .await;
    let backoff = Backoff {
        base: Duration::from_millis(1),
        ..Backoff::default()
    };
    let options = HttpOptions {
        backoff,
        ..HttpOptions::default()
    };
    let http = Http::new(options, Governors::default()).unwrap();
    let options = GoogleOptions {
        api_url: url::Url::parse(&admin.client.base).unwrap(),
        customer: text(&admin.state().await, "customerId"),
        principal: ADMIN.to_owned(),
        address: ADMIN.to_owned(),
    };
    let tokens = Tokens(Mutex::new(vec![spare, admin.access.clone()]));
    Google::open(options, &http, Arc::new(tokens)).unwrap()
}

async fn all(google: &Google, kind: Kind) -> Result<BTreeMap<SourceId, Object>, Error> {
    let reader = google.reader().unwrap();
    let (mut objects, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = reader.page(kind, cursor).await?;
        objects.extend(page.items.into_iter().map(|o| (o.id.clone(), o)));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(objects);
        }
    }
}

async fn members(google: &Google, group: &SourceId) -> Result<Vec<SourceMember>, Error> {
    let (mut members, mut cursor) = (Vec::new(), None);
    loop {
        let page: Page<_> = google.reader().unwrap().members(group, cursor).await?;
        members.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(members);
        }
    }
}

fn rows<'a>(state: &'a Value, name: &str) -> &'a Vec<Value> {
    state[name].as_array().unwrap()
}

/// The state tells what a user is; the connector must say the same.
fn compare(row: &Value, user: &Object) {
    assert_eq!(user.defect, None, "{row}");
    let a = &user.attributes;
    let address = text(row, "primaryEmail").to_lowercase();
    assert_eq!(a.text(&Attribute::USER_NAME), Some(address.as_str()));
    let active = row["suspended"] == json!(false) && row["archived"] == json!(false);
    assert_eq!(a.bool(&Attribute::ACTIVE), Some(active), "{row}");
    let given = text(&row["name"], "givenName").replace('\u{200b}', "");
    assert_eq!(a.text(&Attribute::GIVEN_NAME).unwrap_or_default(), given);
    let unit = row["orgUnitPath"].as_str();
    assert_eq!(a.text(&Attribute::ORG_UNIT), unit);
}

#[tokio::test]
async fn everything_is_read_with_no_more_requests_than_it_takes() {
    let options = Options {
        users: 1200,
        groups: 250,
        ..Options::default()
    };
    let admin = Admin::of(options).await;
    let google = open(&admin).await;
    let state = admin.state().await;
    let users = all(&google, Kind::User).await.unwrap();
    let listed = rows(&state, "users");
    assert_eq!(users.len(), listed.len());
    for row in listed {
        let id = SourceId::try_new(row["id"].as_str().unwrap()).unwrap();
        compare(row, &users[&id]);
    }
    let groups = all(&google, Kind::Group).await.unwrap();
    assert_eq!(groups.len(), rows(&state, "groups").len());
    let (mut pages, mut kinds) = (0, BTreeMap::new());
    for group in groups.values() {
        assert_eq!(group.defect, None);
        let planted = state["members"][group.id.as_str()].as_array();
        let planted = planted.map_or(0, Vec::len);
        assert_eq!(group.member_count, Some(planted as u64));
        if planted == 0 {
            continue;
        }
        pages += planted.div_ceil(200);
        let found = members(&google, &group.id).await.unwrap();
        assert_eq!(found.len(), planted);
        for member in found {
            assert_eq!(member.email.is_none(), member.kind == MemberKind::Everyone);
            *kinds.entry(format!("{:?}", member.kind)).or_insert(0) += 1;
        }
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    let counts = google.requests();
    let expected = [
        ("directory.groups.list", groups.len().div_ceil(200)),
        ("directory.members.list", pages),
        ("directory.users.list", users.len().div_ceil(500)),
    ];
    let expected = expected.map(|(method, n)| (method.to_owned(), n as u64));
    assert_eq!(counts.by_method, BTreeMap::from(expected));
    assert_eq!((counts.retries, counts.throttled), (0, Duration::ZERO));
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_changes_nothing_of_what_is_read() {
    let options = Options {
        users: 1200,
        ..Options::default()
    };
    let admin = Admin::of(options).await;
    let google = open(&admin).await;
    let quiet = all(&google, Kind::User).await.unwrap();
    let busy = json!({"status": {"code": 503, "reason": "backendError", "message": "Try again"}});
    let slow = json!({"status": {"code": 403, "reason": "userRateLimitExceeded", "domain": "usageLimits"}});
    let page = json!({"status": {"code": 502, "html": true}});
    for (after, fault) in [
        (0, busy),
        (1, slow),
        (2, page),
        (3, json!("reset")),
        (4, json!("expire_token")),
        (5, json!("repeat_page")),
    ] {
        let rule = json!({"method": "directory.users.list", "after": after, "fault": fault});
        admin.client.fault(rule).await;
    }
    assert_eq!(all(&google, Kind::User).await.unwrap(), quiet);
    let retries = google.requests().retries;
    assert!(retries >= 4, "{retries}");
}

#[tokio::test]
async fn a_listing_that_cannot_be_believed_is_an_error() {
    let options = Options {
        users: 1200,
        ..Options::default()
    };
    let admin = Admin::of(options).await;
    let google = open(&admin).await;
    for after in [0, 1] {
        let method = "directory.users.list";
        let rule = json!({"method": method, "after": after, "fault": "drop_array_key"});
        admin.client.fault(rule).await;
        let refused = all(&google, Kind::User).await;
        assert!(matches!(refused, Err(Error::Protocol(_))), "{after}");
        admin
            .client
            .control(Method::DELETE, "faults", Value::Null)
            .await;
    }
    let rule = json!({"method": "directory.users.list", "fault": "page_token_expired"});
    admin.client.fault(rule).await;
    let lost = all(&google, Kind::User).await;
    assert!(matches!(lost, Err(Error::CursorLost(_))), "{lost:?}");
    assert!(all(&google, Kind::User).await.is_ok());
}

#[tokio::test]
async fn who_is_gone_is_proved_gone_and_who_we_are_is_told() {
    let admin = Admin::start().await;
    let google = open(&admin).await;
    let standing = google.check().await.unwrap();
    assert_eq!((standing.account.as_str(), standing.admin), (ADMIN, true));
    let state = admin.state().await;
    assert_eq!(standing.customer_id, text(&state, "customerId"));
    let reader = google.reader().unwrap();
    let someone = rows(&state, "users")
        .iter()
        .find(|row| row["isAdmin"] != json!(true));
    let id = SourceId::try_new(someone.unwrap()["id"].as_str().unwrap()).unwrap();
    assert!(reader.get(Kind::User, &id).await.unwrap().is_some());
    let path = format!("users/{id}");
    admin
        .client
        .control(Method::DELETE, &path, Value::Null)
        .await;
    assert_eq!(reader.get(Kind::User, &id).await, Ok(None), "412");
    let nobody = SourceId::try_new("123456789012345678901").unwrap();
    assert_eq!(reader.get(Kind::User, &nobody).await, Ok(None), "404");
    assert_eq!(reader.get(Kind::Group, &nobody).await, Ok(None), "404");
}

#[tokio::test]
async fn a_user_of_another_customer_is_neither_there_nor_proved_absent_though_google_shows_him() {
    let admin = Admin::start().await;
    let google = open(&admin).await;
    let control =
        async |verb: Method, path: &str, body: Value| admin.client.control(verb, path, body).await;
    let resells = json!({"resells": true});
    control(Method::POST, &format!("accounts/{ADMIN}"), resells).await;
    let other = control(Method::GET, "state?customer=other.test", Value::Null).await;
    let row = &rows(&other, "users")[0];
    let (status, shown) = admin.get(&format!("users/{}", text(row, "id"))).await;
    assert_eq!((status, &shown["customerId"]), (200, &other["customerId"]));
    let reader = google.reader().unwrap();
    let id = SourceId::try_new(&text(row, "id")).unwrap();
    let got = reader.get(Kind::User, &id).await;
    assert!(matches!(got, Err(Error::Forbidden(_))), "{got:?}");
    let located = reader.locate(Kind::User, &text(row, "primaryEmail")).await;
    assert!(matches!(located, Err(Error::Forbidden(_))), "{located:?}");
    let own = reader.locate(Kind::User, ADMIN).await;
    assert!(matches!(own, Ok(Some(_))), "{own:?}");
}
