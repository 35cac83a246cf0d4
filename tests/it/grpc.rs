//! What every caller of the internal listener can rely on, whichever method he calls.

#![allow(clippy::unwrap_used, clippy::panic)]

mod around;
mod asking;
mod batch;
mod beside_source;
mod by_hand;
mod deleting;
mod leaving;
mod limits;
mod nameless;
mod ordering;
mod pages;
mod previewing;
mod refusals;
mod watching;
mod watching_directory;

use crate::support::World;
use provisiond::sandbox::Options;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

fn small() -> Options {
    Options {
        users: 12,
        groups: 4,
        ..Options::default()
    }
}

/// A world in which nothing was asked of Google.
async fn quiet() -> World {
    let mut world = World::start(small()).await;
    world.create("google").await;
    world
}

/// The fields that a status names as wrong, in order.
fn wrong_fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.domain, "provisioning.appsco");
    assert_eq!(info.reason, "INVALID_REQUEST");
    let named = &details.bad_request().unwrap().field_violations;
    assert!(named.iter().all(|one| !one.description.is_empty()));
    let mut fields: Vec<String> = named.iter().map(|one| one.field.clone()).collect();
    fields.sort();
    fields
}

/// The reason that a status gives, of this code.
fn reason(status: &Status, code: Code) -> String {
    assert_eq!(status.code(), code, "{status:?}");
    let details = status.get_error_details();
    details.error_info().unwrap().reason.clone()
}
