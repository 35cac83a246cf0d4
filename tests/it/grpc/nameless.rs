//! Names that are none, sent to every method that takes one.

use super::{quiet, reason};
use crate::methods::{METHODS, channel, send};
use tonic::Code;
use tonic_types::StatusExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn every_method_refuses_what_names_nothing_and_says_which_field_and_changes_nothing() {
    let world = quiet().await;
    let channel = channel(&world).await;
    let before = world.store.writes();
    let names = [
        String::new(),
        "acme".to_owned(),
        "companies/".to_owned(),
        "companies/ACME/integrations/google".to_owned(),
        "companies/acme/integrations/google/rules/users/more".to_owned(),
        "systems/google-workspace/x".to_owned(),
        format!("companies/{}", "x".repeat(64)),
        format!("companies/acme/integrations/{}", "é".repeat(5000)),
        "companies/../integrations/*".to_owned(),
    ];
    let mut tried = 0;
    for method in METHODS.iter().filter(|method| method.2.is_named()) {
        let named = names.iter().map(|name| method.2.request(name.clone()));
        for request in named.chain([Vec::new()]) {
            let status = send(&channel, method.0, &request, None).await;
            let shown = format!("{} {request:?}", method.0);
            assert_eq!(status.code(), Code::InvalidArgument, "{shown}");
            assert_eq!(reason(&status, Code::InvalidArgument), "INVALID_REQUEST");
            let details = status.get_error_details();
            let named = &details.bad_request().unwrap().field_violations;
            let about = |field: &str| {
                ["name", "parent", "user", "group", "integration", "rule"]
                    .iter()
                    .any(|end| field.ends_with(end))
            };
            assert!(
                named.iter().any(|one| about(&one.field)),
                "{shown}: {named:?}"
            );
            // What was sent is not sent back at length.
            assert!(status.message().len() < 4096, "{shown}");
            tried += 1;
        }
    }
    assert!(tried >= 300, "{tried}");
    assert_eq!(world.store.writes(), before);
}
