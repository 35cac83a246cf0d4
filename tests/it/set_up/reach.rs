use super::*;
use crate::support::sums_hold;
use reqwest::Method;
use serde_json::json;

async fn people(world: &World, addresses: &[&str]) {
    for address in addresses {
        let body = json!({
            "primaryEmail": address,
            "name": {"givenName": "Given", "familyName": "Name"},
        });
        world.google.control(Method::POST, "users", body).await;
    }
}

fn protecting(patterns: &[&str]) -> v1::Integration {
    v1::Integration {
        protected: patterns.iter().map(|one| (*one).to_owned()).collect(),
        ..named()
    }
}

async fn addresses(world: &mut World) -> Vec<String> {
    let users = world.users().await;
    let mut all: Vec<_> = users.into_iter().map(|user| user.user_name).collect();
    all.sort();
    all
}

async fn skipped(world: &mut World, run: &v1::Run) -> Vec<(String, String)> {
    let request = v1::ListChangesRequest {
        parent: run.name.clone(),
        outcomes: vec![v1::change::Outcome::Skipped.into()],
        ..v1::ListChangesRequest::default()
    };
    let listed = world.sync.list_changes(request).await.unwrap();
    let changes = listed.into_inner().changes;
    let shown = |change: v1::Change| (change.source.unwrap().label, change.reason.unwrap().code);
    changes.into_iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_protected_is_neither_made_nor_changed_and_the_first_run_says_so() {
    let mut world = World::ready(small()).await;
    people(
        &world,
        &["boss@acme.test", "svc-mail@acme.test", "later@acme.test"],
    )
    .await;
    let patterns = ["BOSS@acme.test", "svc-*@acme.test"];
    world
        .update(protecting(&patterns), &["protected"])
        .await
        .unwrap();
    for told in [2, 0] {
        let run = world.run().await;
        sums_hold(&run);
        let mut counted = run.skipped_by_reason.iter();
        let counted = counted.find(|skip| skip.reason == "PROTECTED");
        assert_eq!(counted.unwrap().count, 2);
        let mut said = skipped(&mut world, &run).await;
        said.retain(|(_, code)| code == "PROTECTED");
        said.sort();
        let expected = ["boss@acme.test", "svc-mail@acme.test"]
            .map(|address| (address.to_owned(), "PROTECTED".to_owned()));
        assert_eq!(said, expected[..told]);
        let users = addresses(&mut world).await;
        assert!(
            !users
                .iter()
                .any(|user| user.starts_with("boss") || user.starts_with("svc"))
        );
        assert!(users.iter().any(|user| user == "later@acme.test"));
    }
    // One that is provisioned already stays as it is, until it is no longer protected.
    world
        .update(protecting(&["later@*"]), &["protected"])
        .await
        .unwrap();
    world
        .google
        .patch_user(
            "later@acme.test",
            json!({"name": {"givenName": "Other", "familyName": "Name"}}),
        )
        .await;
    let given = async |world: &mut World| {
        let users = world.users().await;
        let later = users
            .into_iter()
            .find(|user| user.user_name == "later@acme.test");
        later.unwrap().given_name
    };
    world.run().await;
    assert_eq!(given(&mut world).await, "Given");
    assert!(
        addresses(&mut world)
            .await
            .contains(&"boss@acme.test".to_owned())
    );
    world.update(named(), &["protected"]).await.unwrap();
    world.run().await;
    assert_eq!(given(&mut world).await, "Other");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_other_domains_are_out_of_scope_and_those_linked_are_kept_as_they_are() {
    let mut world = World::ready(small()).await;
    let run = world.run().await;
    let all = run.counters.unwrap().added;
    let narrowed = |domain: &str| v1::Integration {
        domains: vec![domain.to_owned()],
        ..named()
    };
    let updated = world
        .update(narrowed("Elsewhere.test"), &["domains"])
        .await
        .unwrap();
    assert_eq!(updated.domains, ["Elsewhere.test"]);
    people(&world, &["new@acme.test"]).await;
    let before = world.users().await;
    let run = world.run().await;
    sums_hold(&run);
    let counters = run.counters.as_ref().unwrap();
    assert_eq!(
        (counters.out_of_scope, counters.in_scope),
        (all + 1, 0),
        "{run:?}"
    );
    assert_eq!(world.users().await, before);
    world
        .update(narrowed("ACME.test"), &["domains"])
        .await
        .unwrap();
    let run = world.run().await;
    let counters = run.counters.unwrap();
    let groups = world.groups().await.into_iter().map(|group| group.email);
    let linked: Vec<_> = addresses(&mut world)
        .await
        .into_iter()
        .chain(groups)
        .collect();
    let elsewhere = linked
        .iter()
        .filter(|one| !one.ends_with("@acme.test"))
        .count();
    assert!((1..linked.len()).contains(&elsewhere), "{linked:?}");
    let elsewhere = i64::try_from(elsewhere).unwrap();
    assert_eq!((counters.out_of_scope, counters.added), (elsewhere, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_of_another_domain_is_told_why_no_rule_decides_about_him() {
    let mut world = World::ready(small()).await;
    people(&world, &["ann@acme.test"]).await;
    let narrowed = v1::Integration {
        domains: vec!["elsewhere.test".to_owned()],
        ..named()
    };
    world.update(narrowed, &["domains"]).await.unwrap();
    for preview in [true, false] {
        let request = v1::ProvisionObjectRequest {
            parent: integration(),
            kind: v1::Kind::User.into(),
            object: "ann@acme.test".to_owned(),
            preview,
        };
        let told = world.sync.provision_object(request).await.unwrap();
        let told = told.into_inner();
        use v1::provision_object_response::State;
        assert_eq!(told.state(), State::OutOfScope, "{told:?}");
        assert_eq!(told.reason.unwrap().code, "OTHER_DOMAIN");
        assert!(told.changes.is_empty());
    }
}
