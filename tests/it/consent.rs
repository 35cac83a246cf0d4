//! The first consent and its refusals: each gets its page and leaves the integration unauthorized.

#![allow(clippy::unwrap_used)]

use crate::support::{World, browser, integration};
use provisiond::{
    proto::v1::{self, authorization::State, watch_runs_response::Event},
    sandbox::Options,
};
use reqwest::redirect::Policy;
use serde_json::json;

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
        ..v1::CreateIntegrationRequest::default()
    };
    let other = world
        .integrations
        .create_integration(other)
        .await
        .unwrap()
        .into_inner();
    let begin = v1::BeginAuthorizationRequest {
        name: other.name.clone(),
        ..v1::BeginAuthorizationRequest::default()
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
async fn a_consent_is_taken_although_the_browser_goes_away() {
    let mut world = world().await;
    let slow = json!({"method": "oauth.token", "times": 1, "fault": {"delay_ms": 500}});
    world.google.fault(slow).await;
    let watch = v1::WatchRunsRequest {
        parent: integration(),
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(watch).await.unwrap().into_inner();
    let http = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let page = world.begin().await;
    let target = browser::answer(&http, &page, "admin@acme.test", "allow", None).await;
    world.google.forget_requests().await;
    let lands = tokio::spawn(http.get(target).send());
    // The code is at Google, and its answer is on its way.
    while world.google.requests().await["oauth.token"].is_null() {
        assert!(!lands.is_finished(), "nobody went away");
    }
    lands.abort();
    loop {
        let message = news.message().await.unwrap().unwrap();
        if matches!(message.event, Some(Event::IntegrationChanged(_)))
            && state(&mut world).await == State::Authorized
        {
            return;
        }
    }
}
