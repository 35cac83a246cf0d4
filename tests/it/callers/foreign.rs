//! Companies that are not the caller's: nothing of them is told, and nothing is done that names them.

use super::{
    Caller,
    matrix::{known, roles},
};
use crate::{
    methods::{About, METHODS, Method, call, channel, send},
    support::World,
};
use prost::Message as _;
use provisiond::proto::v1;
use reqwest::Method as Verb;
use serde_json::json;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// A request of a caller.
fn by<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = caller.bearer().parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// Everything that an answer tells, but for the name that was asked about.
fn told(status: &Status, company: &str) -> String {
    let details = status.get_error_details();
    let about = details.resource_info();
    let text = format!("{:?} {} {about:?}", status.code(), status.message());
    text.replace(&format!("companies/{company}"), "companies/X")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_companys_is_answered_as_what_does_not_exist() {
    let callers = roles();
    let world = known(&callers).await;
    let channel = channel(&world).await;
    let mut integrations = world.integrations.clone();
    let integration = v1::Integration {
        title: "theirs".to_owned(),
        system: "systems/google-workspace".to_owned(),
        direction: v1::Direction::FromSystem.into(),
        ..v1::Integration::default()
    };
    let mut request = Request::new(v1::CreateIntegrationRequest {
        parent: "companies/gamma".to_owned(),
        integration: Some(integration),
        integration_id: "google".to_owned(),
        ..v1::CreateIntegrationRequest::default()
    });
    let bearer = callers[3].bearer().parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    integrations.create_integration(request).await.unwrap();
    let bearer = callers[2].bearer();
    for method in METHODS.iter().filter(|method| method.2.is_named()) {
        let theirs = call(&channel, method, "gamma", Some(&bearer)).await;
        let nobodys = call(&channel, method, "nowhere", Some(&bearer)).await;
        assert_eq!(
            told(&theirs, "gamma"),
            told(&nobodys, "nowhere"),
            "{}",
            method.0
        );
    }
}

/// A key file that could be one.
async fn key(world: &World) -> String {
    let scopes = json!({"delegated": {"acme.test": []}});
    let made = world.google.control(Verb::POST, "service-accounts", scopes);
    made.await.to_string()
}

/// A request about what is of a company that lacks nothing but what it is about.
fn whole(method: &Method, company: &str, key: &str) -> Vec<u8> {
    let (About::Name(rest) | About::Resource(rest)) = method.2 else {
        unreachable!("{} is about no company", method.0);
    };
    let name = format!("companies/{company}{rest}");
    let parent = name.clone();
    match method.0 {
        "IntegrationService/ListChoices" => v1::ListChoicesRequest {
            parent,
            kind: v1::Kind::User.into(),
            attribute: "groups".to_owned(),
            ..v1::ListChoicesRequest::default()
        }
        .encode_to_vec(),
        "IntegrationService/CompleteAuthorization" => v1::CompleteAuthorizationRequest {
            name,
            state: "x".to_owned(),
            answer: Some(v1::complete_authorization_request::Answer::Code(
                "x".to_owned(),
            )),
        }
        .encode_to_vec(),
        "IntegrationService/SetCredentials" => v1::SetCredentialsRequest {
            name,
            credentials: Some(v1::set_credentials_request::Credentials::ServiceAccountKey(
                v1::ServiceAccountKey {
                    json: key.to_owned(),
                    subject: "admin@acme.test".to_owned(),
                },
            )),
            ..v1::SetCredentialsRequest::default()
        }
        .encode_to_vec(),
        "IntegrationService/ApplyRuleTemplate" => v1::ApplyRuleTemplateRequest {
            parent,
            template: "lookup-users".to_owned(),
            ..v1::ApplyRuleTemplateRequest::default()
        }
        .encode_to_vec(),
        "IntegrationService/CreateRule" => v1::CreateRuleRequest {
            parent,
            rule: Some(v1::Rule {
                title: "Users".to_owned(),
                event: v1::Event::Lookup.into(),
                source_kind: v1::Kind::User.into(),
                action: v1::Action::Add.into(),
                target_kind: v1::Kind::User.into(),
                ..v1::Rule::default()
            }),
            ..v1::CreateRuleRequest::default()
        }
        .encode_to_vec(),
        "SyncService/ProvisionObject" => v1::ProvisionObjectRequest {
            parent,
            kind: v1::Kind::User.into(),
            object: "1".to_owned(),
            preview: true,
        }
        .encode_to_vec(),
        "DirectoryService/AddMember" => v1::AddMemberRequest {
            parent,
            member: format!("companies/{company}/users/u"),
        }
        .encode_to_vec(),
        _ => method.2.request(name),
    }
}

/// Compares what these methods answer about what is another company's with what they do about what is absent in the
/// caller's own; gives those that do not say that it is absent.
async fn compare<'a>(
    world: &World,
    methods: impl Iterator<Item = &'a Method>,
    bearer: &str,
) -> Vec<&'a str> {
    let (channel, key) = (channel(world).await, key(world).await);
    let mut others = Vec::new();
    for method in methods {
        let ask = async |company: &str| {
            let request = whole(method, company, &key);
            send(&channel, method.0, &request, Some(bearer)).await
        };
        let (theirs, absent) = (ask("gamma").await, ask("acme").await);
        assert_eq!(theirs.code(), Code::NotFound, "{}", method.0);
        if absent.code() != Code::NotFound {
            others.push(method.0);
            continue;
        }
        assert_eq!(
            told(&theirs, "gamma"),
            told(&absent, "acme"),
            "{}",
            method.0
        );
    }
    others
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_in_the_callers_own_company_is_answered_as_what_is_anothers() {
    let callers = roles();
    let mut world = known(&callers).await;
    let bearer = callers[2].bearer();
    let named = || METHODS.iter().filter(|method| method.2.is_named());
    let others = compare(&world, named(), &bearer).await;
    // These are about a company, which there always is.
    let about_a_company = named().filter(|method| matches!(method.2, About::Name("")));
    let about_a_company: Vec<&str> = about_a_company.map(|method| method.0).collect();
    assert_eq!(others, about_a_company);
    // What is within an integration is absent also where that is not.
    let integration = v1::CreateIntegrationRequest {
        parent: "companies/acme".to_owned(),
        integration: Some(v1::Integration {
            title: "Google".to_owned(),
            system: "systems/google-workspace".to_owned(),
            direction: v1::Direction::FromSystem.into(),
            ..v1::Integration::default()
        }),
        integration_id: "google".to_owned(),
        ..v1::CreateIntegrationRequest::default()
    };
    let made = world
        .integrations
        .create_integration(by(&callers[2], integration));
    made.await.unwrap();
    let within = named().filter(|method| match method.2 {
        About::Name(rest) | About::Resource(rest) => rest.matches('/').count() > 3,
        About::Nothing | About::All => false,
    });
    assert_eq!(compare(&world, within, &bearer).await, Vec::<&str>::new());
    let start = v1::StartRunRequest {
        parent: "companies/acme/integrations/google".to_owned(),
        rules: vec!["nothing".to_owned()],
        ..v1::StartRunRequest::default()
    };
    let absent = world
        .sync
        .start_run(by(&callers[2], start))
        .await
        .unwrap_err();
    assert_eq!(absent.code(), Code::NotFound);
    let rule = "companies/acme/integrations/google/rules/nothing";
    let details = absent.get_error_details();
    assert_eq!(details.resource_info().unwrap().resource_name, rule);
    assert!(absent.message().contains(rule), "{}", absent.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_users_none_is_written_if_one_is_of_a_company_of_others() {
    let callers = roles();
    let mut world = known(&callers).await;
    let ruling = &callers[2];
    let user = |user_name: &str, name: &str| v1::User {
        name: name.to_owned(),
        user_name: user_name.to_owned(),
        ..v1::User::default()
    };
    let request = v1::BatchUpsertUsersRequest {
        parent: "companies/acme".to_owned(),
        users: vec![
            user("a@acme.test", ""),
            user("b@acme.test", "companies/gamma/users/b"),
            user("c@acme.test", ""),
        ],
        update_mask: None,
    };
    let before = world.store.writes();
    let answer = world.directory.batch_upsert_users(by(ruling, request));
    assert_eq!(answer.await.unwrap_err().code(), Code::NotFound);
    let list = v1::ListUsersRequest {
        parent: "companies/acme".to_owned(),
        ..v1::ListUsersRequest::default()
    };
    let listed = world.directory.list_users(by(ruling, list)).await.unwrap();
    assert_eq!(listed.into_inner().users, []);
    assert_eq!(world.store.writes(), before);
}
