//! Integrations that are authorized by the key of a service account, not by a consent.

#![allow(clippy::unwrap_used, clippy::panic)]

mod lifetime;
mod malformed;
mod refusals;

use crate::{
    malformed::Case,
    support::{World, integration},
};
use provisiond::{
    proto::v1::{self, SetCredentialsRequest, set_credentials_request::Credentials},
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Status;

pub const ADMIN: &str = "admin@acme.test";
const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const GROUPS: &str = "https://www.googleapis.com/auth/admin.directory.group.readonly";
const UNITS: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";
const DOMAINS: &str = "https://www.googleapis.com/auth/admin.directory.domain.readonly";

fn small() -> Options {
    Options {
        users: 12,
        groups: 3,
        ..Options::default()
    }
}

/// The key file of a new service account that may read this customer.
async fn key_for(world: &World, domain: &str) -> Value {
    let delegated = json!({"delegated": {domain: [USERS, GROUPS]}});
    let google = &world.google;
    google
        .control(Method::POST, "service-accounts", delegated)
        .await
}

async fn key(world: &World) -> Value {
    key_for(world, "acme.test").await
}

/// A request to set it.
fn given(key: &Value, subject: &str) -> SetCredentialsRequest {
    let key = v1::ServiceAccountKey {
        json: key.to_string(),
        subject: subject.to_owned(),
    };
    SetCredentialsRequest {
        name: integration(),
        credentials: Some(Credentials::ServiceAccountKey(key)),
        ..SetCredentialsRequest::default()
    }
}

async fn set(world: &mut World, request: SetCredentialsRequest) -> Result<v1::Integration, Status> {
    let answer = world.integrations.set_credentials(request).await;
    answer.map(tonic::Response::into_inner)
}

/// Malformed credentials, as they were answered.
pub async fn malformed_credentials() -> Vec<Case> {
    let mut world = unauthorized(small()).await;
    let key = key(&world).await;
    malformed::cases(&mut world, &key).await
}

/// The path of a service account in the sandbox.
fn path(key: &Value) -> String {
    let email = key["client_email"].as_str().unwrap();
    format!("service-accounts/{email}")
}

/// A world with the integration made and both lookup templates applied, and nobody's authorization.
async fn unauthorized(options: Options) -> World {
    let mut world = World::start(options).await;
    world.create("google").await;
    for template in ["lookup-users", "lookup-groups"] {
        world.apply(template).await;
    }
    world
}

/// The same, authorized by this key.
async fn by_key(options: Options) -> (World, Value) {
    let mut world = unauthorized(options).await;
    let key = key(&world).await;
    set(&mut world, given(&key, ADMIN)).await.unwrap();
    (world, key)
}

/// Runs, successfully; gives the run.
async fn succeeds(world: &mut World) -> v1::Run {
    let run = world.run().await;
    assert_eq!(run.state(), v1::run::State::Succeeded, "{run:?}");
    run
}

async fn authorization(world: &mut World) -> v1::Authorization {
    world.integration().await.authorization.unwrap()
}

async fn expire(world: &World) {
    let google = &world.google;
    google
        .control(Method::POST, "expire-access-tokens", Value::Null)
        .await;
}
