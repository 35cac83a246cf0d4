//! Companies that are not the caller's: nothing of them is told, and nothing is done that names them.

use super::{
    Caller,
    matrix::{known, roles},
};
use crate::methods::{METHODS, call, channel};
use provisiond::proto::v1;
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
    // And as what is absent in a company of one's own.
    for get in METHODS
        .iter()
        .filter(|method| method.0.contains("/Get") && method.2.is_named())
    {
        let theirs = call(&channel, get, "gamma", Some(&bearer)).await;
        let absent = call(&channel, get, "acme", Some(&bearer)).await;
        assert_eq!(told(&theirs, "gamma"), told(&absent, "acme"), "{}", get.0);
    }
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
