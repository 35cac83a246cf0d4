//! What can go wrong with the consent of an integration that works: each has its page and code, and the integration
//! works on as it did; a consent that is lost in mid-run is shown, removes nobody, and heals by consenting again.

#![allow(clippy::unwrap_used, clippy::panic)]

mod lost;

use crate::support::{World, browser, integration};
use provisiond::{
    proto::v1::{
        self, Integration, authorization::State, readiness_gap, run, watch_runs_response::Event,
    },
    sandbox::Options,
};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};
use std::time::Duration;
use tonic::Code;

const ADMIN: &str = "admin@acme.test";
const USER_SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";

fn small() -> Options {
    Options {
        users: 12,
        groups: 3,
        ..Options::default()
    }
}

/// All that a refused consent may not touch.
#[derive(Debug, PartialEq)]
struct Scene {
    integration: Integration,
    users: Vec<v1::User>,
    groups: Vec<v1::Group>,
}

async fn scene(world: &mut World) -> Scene {
    Scene {
        integration: world.integration().await,
        users: world.users().await,
        groups: world.groups().await,
    }
}

/// A world that was authorized and has run.
async fn synced(options: Options) -> World {
    let mut world = World::ready(options).await;
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
    world
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap().1.into_owned()
}

/// Status and text of a page of the daemon.
async fn page(url: &str) -> (u16, String) {
    let answer = http().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Consents, and gives the address that the browser is sent to.
async fn target(world: &mut World) -> String {
    let page = world.begin().await;
    browser::answer(&http(), &page, ADMIN, "allow", None).await
}

fn shows(page: &(u16, String), status: u16, code: &str) {
    assert_eq!(page.0, status, "{code}: {}", page.1);
    assert!(page.1.contains(code), "{code}: {}", page.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_consent_has_its_code_and_changes_nothing_of_an_integration_that_works() {
    let mut world = synced(small()).await;
    let before = scene(&mut world).await;
    let table: [(&str, &str, Option<&[&str]>, &str); 5] = [
        (ADMIN, "deny", None, "ACCESS_DENIED"),
        (ADMIN, "allow", Some(&[USER_SCOPE]), "PARTIAL_CONSENT"),
        ("somebody@gmail.test", "allow", None, "CONSUMER_ACCOUNT"),
        ("nonadmin@acme.test", "allow", None, "NOT_ADMIN"),
        ("admin@other.test", "allow", None, "CUSTOMER_CHANGED"),
    ];
    for (account, action, scopes, code) in table {
        let url = world.begin().await;
        let answer = browser::decide(&url, account, action, scopes).await;
        let shown = (answer.status().as_u16(), answer.text().await.unwrap());
        shows(&shown, 403, code);
        assert_eq!(scene(&mut world).await, before, "{code}");
    }
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
    assert_eq!(run.counters.unwrap().unchanged, 15, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_wrong_late_or_repeated_changes_nothing_of_an_integration_that_works() {
    let mut world = synced(small()).await;
    let before = scene(&mut world).await;
    let callback = format!("{}/oauth/callback", world.http);
    for query in ["?state=made-up&code=x", "?code=x", ""] {
        shows(
            &page(&format!("{callback}{query}")).await,
            400,
            "STATE_UNKNOWN",
        );
    }
    assert_eq!(scene(&mut world).await, before, "a wrong state");

    let late = target(&mut world).await;
    world.clock.advance(Duration::from_secs(11 * 60));
    shows(&page(&late).await, 403, "STATE_EXPIRED");
    shows(&page(&late).await, 400, "STATE_UNKNOWN");
    assert_eq!(scene(&mut world).await, before, "an expired state");

    let used = target(&mut world).await;
    assert_eq!(page(&used).await.0, 200);
    let after = scene(&mut world).await;
    shows(&page(&used).await, 400, "STATE_UNKNOWN");
    assert_eq!(scene(&mut world).await, after, "a replayed state");
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_used_twice_is_refused_by_page_and_by_call_and_heals_by_consenting_again() {
    let mut world = synced(small()).await;
    let first = target(&mut world).await;
    assert_eq!(page(&first).await.0, 200);
    let before = scene(&mut world).await;
    let code = parameter(&first, "code");

    let begun = world.begin().await;
    let mut again = url::Url::parse(&format!("{}/oauth/callback", world.http)).unwrap();
    let state = parameter(&begun, "state");
    again
        .query_pairs_mut()
        .append_pair("state", &state)
        .append_pair("code", &code);
    shows(&page(again.as_str()).await, 403, "CODE_REFUSED");
    assert_eq!(scene(&mut world).await, before);

    let state = parameter(&world.begin().await, "state");
    let request = v1::CompleteAuthorizationRequest {
        name: integration(),
        state,
        answer: Some(v1::complete_authorization_request::Answer::Code(code)),
    };
    let refused = world
        .integrations
        .complete_authorization(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert_eq!(scene(&mut world).await, before);

    // Google takes back what a code gave that is used twice (RFC 6749, 4.1.2); consenting again is all it takes.
    world.authorize(ADMIN).await;
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
}

/// Runs, and has Google revoke the consent as soon as the run has applied something; gives the run's end and why the
/// consent is said to be lost.
async fn revoked_in_mid_run(world: &mut World) -> (v1::Run, String) {
    let watch = v1::WatchRunsRequest {
        parent: integration(),
        include_changes: true,
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(watch).await.unwrap().into_inner();
    world.start_run().await;
    let mut lost = None;
    loop {
        match news.message().await.unwrap().unwrap().event {
            Some(Event::Change(_)) => {
                let who = json!({"email": ADMIN});
                world.google.control(Method::POST, "revoke", who).await;
            }
            Some(Event::AuthorizationLost(event)) => {
                assert_eq!(event.integration, integration());
                lost = Some(event.reason);
            }
            Some(Event::RunFinished(run)) => return (run, lost.unwrap()),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_revoked_between_two_pages_fails_the_run_removes_nobody_and_heals_without_a_restart()
 {
    let options = Options {
        users: 1100,
        groups: 4,
        memberships: Some(60),
        ..Options::default()
    };
    let mut world = synced(options).await;
    let before = world.users().await.len();
    let google = world.google.state().await;
    let by_address = |user: &&Value| user["primaryEmail"].as_str().map(str::to_lowercase);
    let mut users: Vec<&Value> = google["users"].as_array().unwrap().iter().collect();
    users.sort_by_key(by_address);
    let plain = |user: &&&Value| !by_address(user).unwrap().contains("admin");
    let key = |user: Option<&&Value>| format!("users/{}", user.unwrap()["id"].as_str().unwrap());
    // Somebody of the first page is to be changed, somebody of the last is gone.
    let title = json!({"name": {"givenName": "Other", "familyName": "Name"}});
    let first = key(users.iter().find(plain));
    world.google.control(Method::PATCH, &first, title).await;
    let last = key(users.iter().rfind(plain));
    world
        .google
        .control(Method::DELETE, &last, Value::Null)
        .await;
    // The second page is under way while the first is applied; it is answered after the consent is gone.
    let late = json!({"method": "directory.users.list", "after": 1, "fault": {"delay_ms": 3000}});
    world.google.fault(late).await;

    let (run, reason) = revoked_in_mid_run(&mut world).await;
    assert_eq!(run.state(), run::State::Failed, "{run:?}");
    assert_eq!(
        run.error.as_ref().unwrap().reason,
        "REAUTHORIZATION_REQUIRED"
    );
    let total = run.counters.unwrap();
    assert_eq!(
        (total.considered, total.modified, total.skipped),
        (500, 1, 0),
        "{run:?}"
    );
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(authorization.state(), State::ReauthorizationRequired);
    assert!(
        !reason.is_empty() && authorization.reason == reason,
        "{authorization:?}"
    );
    let gaps: Vec<_> = world
        .integration()
        .await
        .readiness
        .iter()
        .map(v1::ReadinessGap::code)
        .collect();
    assert_eq!(gaps, [readiness_gap::Code::ReauthorizationRequired]);
    let request = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    let refused = world.sync.start_run(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert_eq!(world.users().await.len(), before, "nobody is removed");

    world.authorize(ADMIN).await;
    let healed = world.integration().await;
    assert!(healed.readiness.is_empty() && healed.authorization.unwrap().reason.is_empty());
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
    assert_eq!(
        run.counters.unwrap().skipped,
        1,
        "now the absence is known: {run:?}"
    );
    assert_eq!(world.users().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_consent_goes_back_with_its_code_to_where_it_came_from() {
    let mut world = synced(small()).await;
    let before = scene(&mut world).await;
    let mut begin = v1::BeginAuthorizationRequest {
        name: integration(),
        return_url: "http://127.0.0.1:9/back?tab=2".to_owned(),
        ..v1::BeginAuthorizationRequest::default()
    };
    let begun = world
        .integrations
        .begin_authorization(begin.clone())
        .await
        .unwrap()
        .into_inner();
    let answer = browser::decide(&begun.authorization_url, ADMIN, "deny", None).await;
    assert_eq!(answer.status(), 303);
    let back = answer.headers()["location"].to_str().unwrap();
    assert!(back.starts_with("http://127.0.0.1:9/back?tab=2&"), "{back}");
    assert_eq!(parameter(back, "status"), "failed");
    assert_eq!(parameter(back, "reason"), "ACCESS_DENIED");
    assert_eq!(parameter(back, "integration"), integration());
    for foreign in [
        "https://evil.example/",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
    ] {
        foreign.clone_into(&mut begin.return_url);
        let refused = world
            .integrations
            .begin_authorization(begin.clone())
            .await
            .unwrap_err();
        assert_eq!(
            refused.code(),
            Code::InvalidArgument,
            "{foreign}: {refused:?}"
        );
    }
    assert_eq!(scene(&mut world).await, before);
}
