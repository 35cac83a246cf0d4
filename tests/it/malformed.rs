//! Malformed requests: each gets its code and details, and changes nothing.

#![allow(clippy::unwrap_used, clippy::panic)]

mod integrations;
mod lists;
mod names;
mod people;
mod rules;
mod runs;

use crate::{
    methods::{METHODS, PACKAGE},
    support::{World, company, integration},
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use provisiond::{
    proto::{DESCRIPTOR, v1},
    sandbox::Options,
};
use std::collections::BTreeMap;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A request that was sent to a method.
pub struct Case {
    /// The method, as `METHODS` calls it.
    pub rpc: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// What came of it.
    pub answer: Result<(), Status>,
    /// The field that must be named.
    pub field: &'static str,
}

/// Sends each request of a table `(what, request, field)` to a method, and adds what came of it to the cases.
macro_rules! send {
    ($cases:ident, $rpc:literal, $client:expr, $method:ident, $table:expr) => {
        for (what, request, field) in $table {
            let answer = $client.$method(request).await.map(drop);
            let rpc = $rpc;
            $cases.push($crate::malformed::Case {
                rpc,
                what,
                answer,
                field,
            });
        }
    };
}

pub(crate) use send;

/// A world with one integration, whose store nobody writes to meanwhile.
async fn quiet() -> World {
    let mut world = World::start(Options {
        users: 5,
        groups: 1,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    world
}

/// All cases of this room.
async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Box::pin(integrations::cases(world)).await;
    cases.extend(Box::pin(rules::cases(world)).await);
    cases.extend(Box::pin(runs::cases(world)).await);
    cases.extend(Box::pin(people::cases(world)).await);
    cases.extend(Box::pin(lists::cases(world)).await);
    cases.extend(Box::pin(names::cases(world)).await);
    cases
}

/// The answer must be `INVALID_ARGUMENT`, name the field, and say whose reason it is.
pub fn judge(case: &Case) {
    let Case {
        rpc, what, field, ..
    } = case;
    let Err(status) = &case.answer else {
        panic!("{rpc}: {what}: was taken");
    };
    let shown = format!("{rpc}: {what}: {status:?}");
    assert_eq!(status.code(), Code::InvalidArgument, "{shown}");
    let details = status.get_error_details();
    let named = details.bad_request().map(|named| &named.field_violations);
    let mut fields = named.into_iter().flatten().map(|one| one.field.as_str());
    assert!(fields.any(|one| one == *field), "{field}: {shown}");
    let info = details.error_info().unwrap();
    assert_eq!(info.domain, "provisioning.appsco", "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_request_names_its_field_and_changes_nothing() {
    let mut world = quiet().await;
    let before = world.store.writes();
    let cases = cases(&mut world).await;
    cases.iter().for_each(judge);
    assert_eq!(world.store.writes(), before, "something was written");
}

/// The methods whose requests hold more than a name.
fn methods_that_take_more_than_a_name() -> Vec<&'static str> {
    let set = FileDescriptorSet::decode(DESCRIPTOR).unwrap();
    let files = || set.file.iter().filter(|file| file.package() == PACKAGE);
    let fields: BTreeMap<String, usize> = files()
        .flat_map(|file| &file.message_type)
        .map(|message| {
            (
                format!(".{PACKAGE}.{}", message.name()),
                message.field.len(),
            )
        })
        .collect();
    let takes: BTreeMap<String, usize> = files()
        .flat_map(|file| &file.service)
        .flat_map(|of| {
            let name = |method: &str| format!("{}/{method}", of.name());
            let fields = &fields;
            let each = of.method.iter();
            each.map(move |method| (name(method.name()), fields[method.input_type()]))
        })
        .collect();
    let names = METHODS.iter().map(|(method, ..)| *method);
    names.filter(|method| takes[*method] > 1).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_malformed_requests_leave_out_no_method_that_takes_more_than_a_name() {
    let mut world = quiet().await;
    let mut all = cases(&mut world).await;
    all.extend(Box::pin(crate::set_up::malformed_updates()).await);
    all.extend(Box::pin(crate::credentials::malformed_credentials()).await);
    assert!(all.len() >= 100, "{} cases", all.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &all {
        assert!(METHODS.iter().any(|(method, ..)| *method == case.rpc));
        *counts.entry(case.rpc).or_default() += 1;
    }
    let mut missing = methods_that_take_more_than_a_name();
    assert!(missing.len() > 30, "{missing:?}");
    missing.retain(|method| !counts.contains_key(method));
    assert_eq!(missing, Vec::<&str>::new(), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_resource_and_an_absent_one_get_the_same_answer() {
    let mut world = World::start(Options {
        users: 5,
        groups: 1,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    let get = |name: &str| v1::GetIntegrationRequest {
        name: name.to_owned(),
    };
    let foreign = world
        .integrations
        .get_integration(get("companies/other/integrations/google"))
        .await
        .unwrap_err();
    let absent = world
        .integrations
        .get_integration(get("companies/acme/integrations/nothing"))
        .await
        .unwrap_err();
    for status in [&foreign, &absent] {
        assert_eq!(status.code(), Code::NotFound);
        assert!(status.get_error_details().resource_info().is_some());
        assert!(status.metadata().get("x-request-id").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_done_first_is_said() {
    let mut world = World::start(Options {
        users: 5,
        groups: 1,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    let start = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    let status = world.sync.start_run(start).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let details = status.get_error_details();
    let codes: Vec<&str> = details
        .precondition_failure()
        .unwrap()
        .violations
        .iter()
        .map(|v| v.r#type.as_str())
        .collect();
    assert_eq!(codes, ["NOT_AUTHORIZED", "NO_ACTIVE_RULES"]);
    let twice = v1::CreateUserRequest {
        parent: company(),
        user: Some(v1::User {
            user_name: "a@acme.test".to_owned(),
            ..v1::User::default()
        }),
        user_id: String::new(),
        request_id: "once".to_owned(),
    };
    let first = world
        .directory
        .create_user(twice.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        world
            .directory
            .create_user(twice.clone())
            .await
            .unwrap()
            .into_inner(),
        first
    );
    let other = v1::CreateUserRequest {
        user_id: "other".to_owned(),
        ..twice
    };
    let status = world.directory.create_user(other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
}
