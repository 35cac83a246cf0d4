//! What is forbidden is asked about, and only who is no administrator any more has lost the authorization.

use crate::connector::{
    Connector as _, Error, Http, Reader as _,
    google::{Google, GoogleOptions, MY_CUSTOMER},
    testing::{Asked, Server, Tokens, google, http, ok, refuse},
};
use crate::model::{Kind, SourceId};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

const ADMIN: &str = "/admin/directory/v1/users/admin@acme.test";

/// Answers who the account is.
type Who = fn() -> Response;

fn forbidden() -> Response {
    refuse(
        403,
        "forbidden",
        "Not Authorized to access this resource/api",
    )
}

/// A Google that forbids everything but to say who the account is, which it answers so.
async fn forbidding(who: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Server {
    Server::start(move |asked: &Asked| match asked.path.as_str() {
        ADMIN => who(),
        _ => forbidden(),
    })
    .await
}

fn account(rights: &Value) -> Response {
    let mut account = json!({"primaryEmail": "admin@acme.test", "customerId": "C01"});
    for (name, value) in rights.as_object().unwrap() {
        account[name] = value.clone();
    }
    ok(&account)
}

fn id(text: &str) -> SourceId {
    SourceId::try_new(text).unwrap()
}

/// Code of what each reading comes to.
async fn codes(google: &Google) -> Vec<&'static str> {
    let (one, address) = (id("1"), "ann@acme.test");
    let errors = [
        google.page(Kind::User, None).await.map(drop),
        google.page(Kind::Group, None).await.map(drop),
        google.units().await.map(drop),
        google.domains().await.map(drop),
        google.get(Kind::User, &one).await.map(drop),
        google.get(Kind::Group, &one).await.map(drop),
        google.locate(Kind::User, address).await.map(drop),
        google.locate(Kind::Group, address).await.map(drop),
    ];
    let codes = errors.into_iter().map(|error| error.unwrap_err().code());
    codes.collect()
}

#[tokio::test]
async fn what_is_forbidden_to_an_administrator_is_forbidden_and_to_who_is_none_the_consent_is_lost()
{
    const LOST: &str = "REAUTHORIZATION_REQUIRED";
    let table: [(Who, &str); 8] = [
        (|| account(&json!({"isAdmin": true})), "FORBIDDEN"),
        (|| account(&json!({"isDelegatedAdmin": true})), "FORBIDDEN"),
        (|| account(&json!({"isAdmin": false})), LOST),
        (|| account(&json!({})), LOST),
        (forbidden, LOST),
        (|| refuse(412, "conditionNotMet", "User is deleted."), LOST),
        (|| refuse(401, "authError", "No."), "ACCESS_TOKEN_REFUSED"),
        // What can't be told is not concluded.
        (|| refuse(400, "invalid", "No."), "FORBIDDEN"),
    ];
    for (who, expected) in table {
        let server = forbidding(who).await;
        let found = codes(&google(&server)).await;
        assert_eq!(found, [expected; 8], "{:?}", who());
    }
}

#[tokio::test]
async fn who_lost_his_role_is_named_and_the_refusal_with_him() {
    let server = forbidding(forbidden).await;
    let error = google(&server).page(Kind::User, None).await.unwrap_err();
    let Error::ConsentLost(text) = &error else {
        panic!("{error:?}");
    };
    assert!(text.contains("admin@acme.test is no administrator any more"));
    assert!(
        text.contains("directory.users.list: 403 forbidden"),
        "{text}"
    );
}

#[tokio::test]
async fn members_of_a_group_may_be_forbidden_to_whom_nothing_else_is() {
    let server = forbidding(forbidden).await;
    let refused = google(&server).members(&id("g1"), None).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn before_the_customer_is_known_there_is_nothing_to_lose() {
    let server = forbidding(forbidden).await;
    let options = GoogleOptions {
        api_url: server.url.clone(),
        customer: MY_CUSTOMER.to_owned(),
        principal: "admin@acme.test".to_owned(),
        address: "admin@acme.test".to_owned(),
    };
    let http: Http = http();
    let google = Google::open(options, &http, Arc::new(Tokens::default())).unwrap();
    let refused = google.locate(Kind::User, "admin@acme.test").await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let refused = google.check().await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert_eq!(server.asked().len(), 2);
}
