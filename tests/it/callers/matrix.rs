//! Every method, by every role, for the caller's own company and another's, with and without a token.

use super::{Caller, world};
use crate::{
    methods::{About, METHODS, PACKAGE, call, channel, first},
    support::World,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use provisiond::proto::{DESCRIPTOR, v1};
use std::collections::BTreeSet;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default()
}

pub(super) fn roles() -> [Caller; 4] {
    [
        Caller::new("watching", "viewer", "acme"),
        Caller::new("working", "operator", "acme,beta"),
        Caller::new("ruling", "admin", "acme"),
        Caller::new("all", "admin", "*"),
    ]
}

pub(super) async fn known(callers: &[Caller]) -> World {
    world(callers.iter().flat_map(Caller::settings).collect()).await
}

#[test]
fn the_table_holds_every_method() {
    let set = FileDescriptorSet::decode(DESCRIPTOR).unwrap();
    let services = set.file.iter().filter(|file| file.package() == PACKAGE);
    let there: BTreeSet<String> = services
        .flat_map(|file| &file.service)
        .flat_map(|of| {
            let name = |method: &str| format!("{}/{method}", of.name());
            of.method.iter().map(move |method| name(method.name()))
        })
        .collect();
    let table = METHODS.iter().map(|(method, ..)| (*method).to_owned());
    assert_eq!(table.collect::<BTreeSet<_>>(), there);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_gets_nothing() {
    let callers = roles();
    let world = known(&callers).await;
    let channel = channel(&world).await;
    let token = callers[3].token.expose();
    let other = Caller::new("stranger", "admin", "*");
    let bad = [
        format!("Basic {token}"),
        token.to_owned(),
        format!("Bearer {}", &token[..token.len() - 1]),
        "Bearer ".to_owned(),
        other.bearer(),
        format!("Bearer {}", callers[3].hash),
    ];
    for method in METHODS {
        for bearer in bad.iter().map(|text| Some(text.as_str())).chain([None]) {
            let status = call(&channel, method, "acme", bearer).await;
            assert_eq!(
                status.code(),
                Code::Unauthenticated,
                "{} {bearer:?}",
                method.0
            );
            assert_eq!(reason(&status), "UNKNOWN_CALLER");
            assert!(!status.message().contains(token));
        }
    }
}

/// Where reflection is, and a request that asks it for all services.
const REFLECTION: [&str; 2] = ["v1", "v1alpha"];
const LIST_SERVICES: [u8; 2] = [0x3a, 0];

#[tokio::test(flavor = "multi_thread")]
async fn the_protocol_is_told_to_every_caller_and_to_nobody_else() {
    let callers = roles();
    let world = known(&callers).await;
    let channel = channel(&world).await;
    let other = Caller::new("stranger", "admin", "*").bearer();
    for version in REFLECTION {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        for bearer in [None, Some("Bearer "), Some(&*other)] {
            let answer = first(&channel, &path, &LIST_SERVICES, bearer).await;
            let status = answer.err().unwrap();
            assert_eq!(status.code(), Code::Unauthenticated, "{path} {bearer:?}");
            assert_eq!(reason(&status), "UNKNOWN_CALLER");
        }
        for caller in &callers {
            let bearer = caller.bearer();
            let answer = first(&channel, &path, &LIST_SERVICES, Some(&bearer)).await;
            let answer = answer.ok().unwrap().await;
            let told = String::from_utf8_lossy(&answer).into_owned();
            let service = format!("{PACKAGE}.SyncService");
            assert!(told.contains(&service), "{}: {told}", caller.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_call_what_it_may_for_its_companies_alone() {
    let callers = roles();
    let world = known(&callers).await;
    let channel = channel(&world).await;
    let order = ["viewer", "operator", "admin"];
    let rank = |role: &str| order.iter().position(|known| *known == role).unwrap();
    let (mut passed, mut refused) = (0, 0);
    for caller in &callers {
        let bearer = caller.bearer();
        for method in METHODS {
            let shown = format!("{} calls {}", caller.name, method.0);
            let own = call(&channel, method, "acme", Some(&bearer)).await;
            if rank(caller.role) < rank(method.1) {
                assert_eq!(own.code(), Code::PermissionDenied, "{shown}");
                assert_eq!(reason(&own), "ROLE_REQUIRED", "{shown}");
                assert!(
                    own.message().contains(method.1),
                    "{shown}: {}",
                    own.message()
                );
                refused += 1;
            } else if matches!(method.2, About::All) && caller.companies != "*" {
                assert_eq!(own.code(), Code::PermissionDenied, "{shown}");
                assert_eq!(reason(&own), "ALL_COMPANIES_REQUIRED", "{shown}");
            } else {
                let gate = [Code::PermissionDenied, Code::Unauthenticated];
                assert!(!gate.contains(&own.code()), "{shown}: {own:?}");
                passed += 1;
            }
            if caller.companies == "*" || !method.2.is_named() {
                continue;
            }
            // Company before role.
            let foreign = call(&channel, method, "gamma", Some(&bearer)).await;
            assert_eq!(foreign.code(), Code::NotFound, "{shown}");
            assert_eq!(reason(&foreign), "RESOURCE_NOT_FOUND", "{shown}");
        }
    }
    assert!(passed > 80 && refused > 30, "{passed} {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_makes_bears_its_name_and_no_company_of_others_is_named_beside_it() {
    let callers = roles();
    let mut world = known(&callers).await;
    let with = |message, caller: &Caller| {
        let mut request = Request::new(message);
        let bearer = caller.bearer().parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    };
    let user = |email: &str| v1::CreateUserRequest {
        parent: "companies/acme".to_owned(),
        user: Some(v1::User {
            user_name: email.to_owned(),
            ..v1::User::default()
        }),
        ..v1::CreateUserRequest::default()
    };
    let made = world
        .directory
        .create_user(with(user("a@acme.test"), &callers[2]))
        .await;
    assert_eq!(made.unwrap().into_inner().last_writer, "ruling");
    let refused = world
        .directory
        .create_user(with(user("b@acme.test"), &callers[1]))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    let list = v1::ListUsersRequest {
        parent: "companies/acme".to_owned(),
        ..v1::ListUsersRequest::default()
    };
    let mut request = Request::new(list);
    request
        .metadata_mut()
        .insert("authorization", callers[0].bearer().parse().unwrap());
    let users = world
        .directory
        .list_users(request)
        .await
        .unwrap()
        .into_inner()
        .users;
    assert_eq!(users.len(), 1, "what was refused was done nevertheless");
}
