//! Asking the system now, by CheckIntegration.

use crate::{
    changes::scene::Scene,
    support::{World, integration},
};
use provisiond::{
    proto::v1::{
        CheckIntegrationRequest, CheckIntegrationResponse, Kind, Operator, authorization,
        check_integration_response::{Check, State, Subject},
        readiness_gap::Code,
    },
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};

fn small() -> Options {
    Options {
        users: 5,
        groups: 2,
        ..Options::default()
    }
}

async fn check(world: &mut World) -> CheckIntegrationResponse {
    let request = CheckIntegrationRequest {
        name: integration(),
    };
    let answer = world.integrations.check_integration(request).await;
    answer.unwrap().into_inner()
}

/// Subject, state and code of each check.
fn told(checks: &[Check]) -> Vec<(Subject, State, String)> {
    let told = |check: &Check| {
        let reason = check.reason.clone().unwrap_or_default();
        assert_eq!(check.state() == State::Ok, reason.text.is_empty());
        (check.subject(), check.state(), reason.code)
    };
    checks.iter().map(told).collect()
}

fn all(state: State, code: &str) -> Vec<(Subject, State, String)> {
    let subjects = [Subject::Account, Subject::Users, Subject::Groups];
    subjects
        .map(|subject| (subject, state, code.to_owned()))
        .into()
}

fn gaps(answer: &CheckIntegrationResponse) -> Vec<Code> {
    answer.readiness.iter().map(|gap| gap.code()).collect()
}

async fn fault(world: &World, method: &str, fault: Value) {
    let rule = json!({"method": method, "times": 1000, "fault": fault});
    world.google.fault(rule).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_who_we_are_and_what_can_be_read_and_changes_nothing() {
    let mut world = World::start(small()).await;
    world.create("google").await;
    let answer = check(&mut world).await;
    assert!(!answer.ready && answer.account.is_empty());
    assert_eq!(told(&answer.checks), all(State::NotTried, "NOT_AUTHORIZED"));
    assert_eq!(gaps(&answer), [Code::NotAuthorized, Code::NoActiveRules]);
    assert!(answer.scopes_granted.is_empty() && answer.scopes_missing.is_empty());
    world.authorize("admin@acme.test").await;
    let answer = check(&mut world).await;
    assert_eq!(told(&answer.checks), all(State::Ok, ""));
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(answer.domain, "acme.test");
    assert_eq!(answer.scopes_granted, authorization.scopes);
    assert_eq!(answer.scopes_granted.len(), 4);
    assert!(answer.scopes_missing.is_empty());
    assert_eq!(
        (answer.ready, gaps(&answer)),
        (false, vec![Code::NoActiveRules])
    );
    world.apply("lookup-users").await;
    let before = world.store.writes();
    let answer = check(&mut world).await;
    assert!(answer.ready && answer.readiness.is_empty(), "{answer:?}");
    assert_eq!(answer.account, "admin@acme.test");
    let bound = world.integration().await.authorization.unwrap().customer_id;
    assert_eq!(answer.customer_id, bound);
    assert_eq!(world.store.writes(), before);
    assert!(world.users().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_system_turns_down_is_an_answer_and_passes_with_its_cause() {
    let mut world = World::ready(small()).await;
    fault(
        &world,
        "directory.groups.list",
        json!({"status": {"code": 403}}),
    )
    .await;
    let answer = check(&mut world).await;
    assert!(!answer.ready && answer.readiness.is_empty());
    let told = told(&answer.checks);
    assert_eq!(told[..2], all(State::Ok, "")[..2]);
    assert_eq!((told[2].0, told[2].1), (Subject::Groups, State::Failed));
    world
        .google
        .control(Method::DELETE, "faults", Value::Null)
        .await;
    assert!(check(&mut world).await.ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_was_revoked_is_found_and_reauthorizing_heals_it() {
    let mut world = World::ready(small()).await;
    let who = json!({"email": "admin@acme.test"});
    world.google.control(Method::POST, "revoke", who).await;
    let answer = check(&mut world).await;
    assert!(!answer.ready);
    assert_eq!(gaps(&answer), [Code::ReauthorizationRequired]);
    assert!(
        answer
            .checks
            .iter()
            .all(|check| check.state() == State::Failed),
        "{answer:?}"
    );
    let now = world.integration().await.authorization.unwrap();
    assert_eq!(now.state(), authorization::State::ReauthorizationRequired);
    assert!(!now.reason.is_empty());
    world.authorize("admin@acme.test").await;
    assert!(check(&mut world).await.ready);
}

const UNITS: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";

#[tokio::test(flavor = "multi_thread")]
async fn units_are_asked_for_if_an_active_rule_names_one_and_what_keeps_them_from_being_read_is_told()
 {
    let mut world = World::start(small()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    world
        .rule_of("orgUnit", Operator::MemberOf, "id:03ph8a2z1")
        .await;
    // The consent came before the rule.
    let answer = check(&mut world).await;
    assert!(!answer.ready);
    assert_eq!(gaps(&answer), [Code::ScopesMissing]);
    assert_eq!(answer.scopes_missing, [UNITS]);
    let of_units = |answer: &CheckIntegrationResponse| {
        let told = told(&answer.checks);
        assert_eq!(told[..3], all(State::Ok, "")[..]);
        assert_eq!((told.len(), told[3].0), (4, Subject::OrgUnits));
        (told[3].1, told[3].2.clone())
    };
    let said = of_units(&answer);
    assert_eq!(said, (State::NotTried, "SCOPES_MISSING".to_owned()));

    world.authorize("admin@acme.test").await;
    let answer = check(&mut world).await;
    assert!(answer.ready, "{answer:?}");
    assert!(answer.scopes_missing.is_empty());
    assert!(answer.scopes_granted.contains(&UNITS.to_owned()));
    assert_eq!(of_units(&answer), (State::Ok, String::new()));
    let unit = world.choice(Kind::User, "orgUnit", "/Staff").await;
    assert!(!unit.is_empty());

    for (code, said) in [(403, "FORBIDDEN"), (503, "SYSTEM_UNAVAILABLE")] {
        let refused = json!({"status": {"code": code}});
        fault(&world, "directory.orgunits.list", refused).await;
        let answer = check(&mut world).await;
        assert!(!answer.ready && answer.readiness.is_empty(), "{answer:?}");
        assert_eq!(of_units(&answer), (State::Failed, said.to_owned()));
        let google = &world.google;
        google.control(Method::DELETE, "faults", Value::Null).await;
    }
    assert!(check(&mut world).await.ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_is_none_any_more_is_named_so() {
    let mut world = World::ready(small()).await;
    let demoted = json!({"is_admin": false});
    let google = &world.google;
    google
        .control(Method::POST, "accounts/admin@acme.test", demoted)
        .await;
    let answer = check(&mut world).await;
    let told = told(&answer.checks);
    let codes: Vec<&str> = told.iter().map(|(_, _, code)| code.as_str()).collect();
    let lost = "REAUTHORIZATION_REQUIRED";
    assert_eq!(codes, ["NOT_AN_ADMINISTRATOR", lost, lost], "{answer:?}");
    assert!(answer.account.is_empty() && answer.domain.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_a_condition_names_and_that_is_gone_is_told() {
    let mut world = World::ready(small()).await;
    let group = world.group("named").await;
    world.rule_of("groups", Operator::MemberOf, &group).await;
    let answer = check(&mut world).await;
    assert_eq!(
        (answer.ready, told(&answer.checks)),
        (true, all(State::Ok, ""))
    );
    world.delete("groups/named@acme.test").await;
    let answer = check(&mut world).await;
    let mut expected = all(State::Ok, "");
    expected[2] = (Subject::Groups, State::Failed, "GROUP_MISSING".to_owned());
    assert_eq!((answer.ready, told(&answer.checks)), (false, expected));
    let reason = answer.checks[2].reason.clone().unwrap();
    assert!(reason.text.contains(&group), "{}", reason.text);
}
