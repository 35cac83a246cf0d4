//! What Google refuses, and what is refused of what Google takes: each is told with what to do, and changes nothing.

use super::*;
use provisiond::proto::v1::authorization::State;
use tonic::Code;
use tonic_types::StatusExt as _;

/// Code of the precondition that a status names, and its text.
fn told(status: &Status) -> (String, String) {
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let details = status.get_error_details();
    let violations = &details.precondition_failure().unwrap().violations;
    assert_eq!(violations.len(), 1, "{status:?}");
    (violations[0].r#type.clone(), status.message().to_owned())
}

/// Sets it, in vain.
async fn refused(world: &mut World, request: SetCredentialsRequest) -> (String, String) {
    let before = world.integration().await;
    let status = set(world, request).await.unwrap_err();
    assert_eq!(world.integration().await, before, "{status:?}");
    told(&status)
}

/// Every refusal there is of this key, by request, code and what it says.
#[rustfmt::skip]
fn table(key: &Value, other: &Value) -> Vec<(SetCredentialsRequest, &'static str, String)> {
    let mut foreign = key.clone();
    foreign["private_key"] = other["private_key"].clone();
    let mut unknown = key.clone();
    unknown["client_email"] = json!("nobody@sandbox.iam.gserviceaccount.com");
    let units = SetCredentialsRequest { org_units: true, ..given(key, ADMIN) };
    let domains = SetCredentialsRequest { domains: true, ..given(key, ADMIN) };
    let client_id = key["client_id"].as_str().unwrap();
    let table = [
        (given(other, ADMIN), "DELEGATION_MISSING", "Domain-wide delegation"),
        (units, "DELEGATION_MISSING", client_id),
        (domains, "DELEGATION_MISSING", DOMAINS),
        (given(key, "somebody@gmail.test"), "DELEGATION_MISSING", USERS),
        (given(key, "nobody@acme.test"), "SUBJECT_UNKNOWN", "nobody@acme.test"),
        (given(key, "delegated@acme.test"), "SUBJECT_UNKNOWN", "active"),
        (given(key, "nonadmin@acme.test"), "NOT_ADMIN", "nonadmin@acme.test"),
        (given(&foreign, ADMIN), "KEY_REFUSED", "new key"),
        (given(&unknown, ADMIN), "KEY_REFUSED", "new key"),
    ];
    table.map(|(request, code, says)| (request, code, says.to_owned())).into()
}

/// All of these leave the world as it is.
async fn all_refusals(world: &mut World, key: &Value) {
    let other = key_for(world, "other.test").await;
    let suspended = json!({"suspended": true});
    let google = &world.google;
    google
        .control(Method::POST, "accounts/delegated@acme.test", suspended)
        .await;
    for (request, code, says) in table(key, &other) {
        let (found, text) = refused(world, request).await;
        assert_eq!(found, code, "{says}: {text}");
        assert!(text.contains(&says), "{says}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_says_what_to_do_and_leaves_the_integration_unauthorized() {
    let mut world = unauthorized(small()).await;
    let key = key(&world).await;
    all_refusals(&mut world, &key).await;
    assert_eq!(authorization(&mut world).await.state(), State::Required);
    set(&mut world, given(&key, ADMIN)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_leaves_an_integration_as_it_was_that_works() {
    let mut world = World::ready(small()).await;
    succeeds(&mut world).await;
    let key = key(&world).await;
    all_refusals(&mut world, &key).await;
    succeeds(&mut world).await;
    // Of another customer, it is not taken although Google takes it.
    let other = key_for(&world, "other.test").await;
    let (code, _) = refused(&mut world, given(&other, "admin@other.test")).await;
    assert_eq!(code, "CUSTOMER_CHANGED");
    succeeds(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_clocks_and_outages_are_told_apart() {
    let mut world = unauthorized(small()).await;
    let key = key(&world).await;
    let hours = json!({"advance_seconds": 7200});
    world.google.control(Method::POST, "clock", hours).await;
    let (code, text) = refused(&mut world, given(&key, ADMIN)).await;
    assert_eq!(code, "CLOCK_WRONG", "{text}");
    let back = json!({"advance_seconds": -7200});
    world.google.control(Method::POST, "clock", back).await;
    let down = json!({"method": "oauth.token", "times": 100, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let status = set(&mut world, given(&key, ADMIN)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.get_error_details().retry_info().is_some());
    let google = &world.google;
    google.control(Method::DELETE, "faults", Value::Null).await;
    set(&mut world, given(&key, ADMIN)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_one_company_is_not_another_companys_by_key_either() {
    let (mut world, key) = by_key(small()).await;
    let create = v1::CreateIntegrationRequest {
        parent: "companies/other".to_owned(),
        integration: Some(v1::Integration {
            title: "google".to_owned(),
            system: "systems/google-workspace".to_owned(),
            direction: v1::Direction::FromSystem.into(),
            ..v1::Integration::default()
        }),
        integration_id: "google".to_owned(),
        ..v1::CreateIntegrationRequest::default()
    };
    let other = world.integrations.create_integration(create).await;
    let name = other.unwrap().into_inner().name;
    let elsewhere = SetCredentialsRequest {
        name: name.clone(),
        ..given(&key, ADMIN)
    };
    let tried = SetCredentialsRequest {
        validate_only: true,
        ..elsewhere.clone()
    };
    for request in [tried, elsewhere] {
        let status = set(&mut world, request).await.unwrap_err();
        assert_eq!(told(&status).0, "CUSTOMER_ELSEWHERE");
    }
    let get = v1::GetIntegrationRequest { name };
    let got = world.integrations.get_integration(get).await;
    let got = got.unwrap().into_inner().authorization.unwrap();
    assert_eq!(got.state(), State::Required);
}
