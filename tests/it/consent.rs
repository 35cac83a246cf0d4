//! Consent and its refusals: each gets its page, the right state, and changes nothing else.

#![allow(clippy::unwrap_used)]

use crate::support::{World, browser, integration};
use provisiond::{
    proto::v1::{self, authorization::State},
    sandbox::Options,
};
use std::time::Duration;
use tonic::Code;

const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";

async fn world() -> World {
    let options = Options {
        users: 10,
        groups: 2,
        ..Options::default()
    };
    let mut world = World::start(options).await;
    world.create("google").await;
    world
}

async fn state(world: &mut World) -> State {
    world.integration().await.authorization.unwrap().state()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_gets_its_page_and_leaves_the_integration_unauthorized() {
    let mut world = world().await;
    let table: &[(&str, &str, Option<&[&str]>)] = &[
        ("admin@acme.test", "deny", None),
        ("admin@acme.test", "allow", Some(&[USERS])),
        ("somebody@gmail.test", "allow", None),
        ("nonadmin@acme.test", "allow", None),
    ];
    let mut pages = std::collections::HashSet::new();
    for (account, action, scopes) in table {
        let page = world.begin().await;
        assert_eq!(state(&mut world).await, State::Pending);
        let answer = browser::decide(&page, account, action, *scopes).await;
        let status = answer.status().as_u16();
        assert!((400..500).contains(&status), "{account} {action}: {status}");
        assert!(
            pages.insert(answer.text().await.unwrap()),
            "{account} {action}: the same page twice"
        );
        assert_eq!(
            state(&mut world).await,
            State::Required,
            "{account} {action}"
        );
    }
    world.authorize("admin@acme.test").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_good_once_for_ten_minutes_and_only_if_it_is_ours() {
    let mut world = world().await;
    let http = reqwest::Client::new();
    let callback = format!("{}/oauth/callback", world.http);
    let wrong = http
        .get(format!("{callback}?code=x&state=made-up"))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 400);
    let page = world.begin().await;
    let target = browser::answer(
        &http_without_redirects(),
        &page,
        "admin@acme.test",
        "allow",
        None,
    )
    .await;
    assert_eq!(http.get(&target).send().await.unwrap().status(), 200);
    let before = world.integration().await;
    assert_eq!(
        http.get(&target).send().await.unwrap().status(),
        400,
        "replayed"
    );
    assert_eq!(world.integration().await, before);
    let page = world.begin().await;
    let target = browser::answer(
        &http_without_redirects(),
        &page,
        "admin@acme.test",
        "allow",
        None,
    )
    .await;
    world.clock.advance(Duration::from_secs(11 * 60));
    let expired = http.get(&target).send().await.unwrap().status();
    assert!(expired.is_client_error(), "{expired}");
    assert_eq!(state(&mut world).await, State::Authorized);
}

fn http_without_redirects() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_used_twice_authorizes_nothing() {
    let mut world = world().await;
    let page = world.begin().await;
    let target = browser::answer(
        &http_without_redirects(),
        &page,
        "admin@acme.test",
        "allow",
        None,
    )
    .await;
    let code = |target: &str| {
        let url = url::Url::parse(target).unwrap();
        url.query_pairs()
            .find(|(name, _)| name == "code")
            .unwrap()
            .1
            .into_owned()
    };
    let used = code(&target);
    assert_eq!(reqwest::get(&target).await.unwrap().status(), 200);
    let page = world.begin().await;
    let state_of = url::Url::parse(&page).unwrap();
    let state_of = state_of
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let request = v1::CompleteAuthorizationRequest {
        name: integration(),
        state: state_of,
        answer: Some(v1::complete_authorization_request::Answer::Code(used)),
    };
    let refused = world
        .integrations
        .complete_authorization(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customer_is_refused_on_reauthorizing_and_for_another_company() {
    let mut world = world().await;
    world.authorize("admin@acme.test").await;
    let before = world.integration().await;
    let (status, page) = world.consent("admin@other.test").await;
    assert!((400..500).contains(&status), "{status} {page}");
    assert_eq!(
        world.integration().await.authorization,
        before.authorization
    );
    let other = v1::CreateIntegrationRequest {
        parent: "companies/other".to_owned(),
        integration: Some(v1::Integration {
            title: "google".to_owned(),
            system: before.system.clone(),
            direction: before.direction,
            ..v1::Integration::default()
        }),
        integration_id: "google".to_owned(),
        request_id: String::new(),
    };
    let other = world
        .integrations
        .create_integration(other)
        .await
        .unwrap()
        .into_inner();
    let begin = v1::BeginAuthorizationRequest {
        name: other.name.clone(),
        return_url: String::new(),
    };
    let page = world
        .integrations
        .begin_authorization(begin)
        .await
        .unwrap()
        .into_inner()
        .authorization_url;
    let answer = browser::decide(&page, "admin@acme.test", "allow", None).await;
    assert!(answer.status().is_client_error(), "{answer:?}");
    let get = v1::GetIntegrationRequest { name: other.name };
    let other = world
        .integrations
        .get_integration(get)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(other.authorization.unwrap().state(), State::Required);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_goes_back_only_where_it_may() {
    let mut world = world().await;
    let mut begin = v1::BeginAuthorizationRequest {
        name: integration(),
        return_url: "https://elsewhere.example/".to_owned(),
    };
    let refused = world
        .integrations
        .begin_authorization(begin.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    begin.return_url = "http://127.0.0.1:9/back".to_owned();
    let page = world
        .integrations
        .begin_authorization(begin)
        .await
        .unwrap()
        .into_inner()
        .authorization_url;
    let answer = browser::decide(&page, "admin@acme.test", "allow", None).await;
    assert_eq!(answer.status(), 303);
    assert!(
        answer.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("http://127.0.0.1:9/back")
    );
}
