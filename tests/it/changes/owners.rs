//! Two integrations that provision the same people: whose word counts, and who takes over.

use super::scene::{SPECIAL, Scene as _, nobody};
use crate::support::{World, browser, company, sums_hold};
use provisiond::proto::v1::{self, Mapping, Rule, run::State};

fn second() -> String {
    format!("{}/integrations/second", company())
}

fn mapping(expression: &str) -> Vec<Mapping> {
    vec![Mapping {
        attribute: "displayName".to_owned(),
        expression: expression.to_owned(),
    }]
}

/// Ann and Bob by one integration, and another one of the same Google that would call Ann otherwise.
async fn two() -> World {
    let mut world = World::ready(nobody()).await;
    for name in ["ann", "bob"] {
        world.person(name).await;
    }
    world.sync().await;
    world.create("second").await;
    let request = v1::BeginAuthorizationRequest {
        name: second(),
        ..v1::BeginAuthorizationRequest::default()
    };
    let begun = world.integrations.begin_authorization(request).await;
    let page = begun.unwrap().into_inner().authorization_url;
    browser::decide(&page, "admin@acme.test", "allow", None).await;
    let rule = Rule {
        title: "People".to_owned(),
        event: v1::Event::Lookup.into(),
        source_kind: v1::Kind::User.into(),
        action: v1::Action::Add.into(),
        target_kind: v1::Kind::User.into(),
        mappings: mapping("'Boss' if name.givenName == 'ann' else displayName"),
        ..Rule::default()
    };
    let request = v1::CreateRuleRequest {
        parent: second(),
        rule: Some(rule),
        rule_id: "people".to_owned(),
        ..v1::CreateRuleRequest::default()
    };
    world.integrations.create_rule(request).await.unwrap();
    world
}

/// A run of the second integration.
async fn run(world: &mut World) -> v1::Run {
    let request = v1::StartRunRequest {
        parent: second(),
        ..v1::StartRunRequest::default()
    };
    let run = world.sync.start_run(request).await.unwrap().into_inner();
    let run = world.finished(&run.name).await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    sums_hold(&run);
    run
}

async fn delete_first(world: &mut World) {
    let request = v1::DeleteIntegrationRequest {
        name: crate::support::integration(),
        etag: String::new(),
    };
    world
        .integrations
        .delete_integration(request)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_integration_owned_is_taken_over_by_the_next_run_of_another() {
    let mut world = two().await;
    run(&mut world).await;
    delete_first(&mut world).await;
    let beginning = world.user("bob").await;
    assert!(beginning.owners.is_empty(), "{beginning:?}");
    let taken = run(&mut world).await;
    assert_eq!(taken.counters.unwrap().modified, 1, "{taken:?}");
    let ann = world.user("ann").await;
    assert_eq!(
        (&*ann.display_name, &*ann.last_writer),
        ("Boss", &*second())
    );
    for name in ["ann", "bob"] {
        let owners = world.user(name).await.owners;
        assert!(!owners.is_empty(), "{name}");
        assert!(owners.iter().all(|one| one.integration == second()));
    }
    let again = run(&mut world).await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 2, "{again:?}");
}
