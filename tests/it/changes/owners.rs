//! Two integrations that provision the same people: whose word counts, and who takes over.

use super::scene::{SPECIAL, Scene as _, code, nobody, team};
use crate::support::{World, browser, company, sums_hold};
use prost_types::FieldMask;
use provisiond::proto::v1::{
    self, Mapping, Rule, change::Outcome, run::State, watch_directory_request::Position,
    watch_directory_response::Event,
};

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

async fn remap(world: &mut World, expression: &str) {
    let update = v1::UpdateRuleRequest {
        rule: Some(Rule {
            name: format!("{}/rules/people", second()),
            mappings: mapping(expression),
            ..Rule::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["mappings".to_owned()],
        }),
        validate_only: false,
    };
    world.integrations.update_rule(update).await.unwrap();
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
async fn who_is_owned_by_another_is_skipped_once_with_a_reason() {
    let mut world = two().await;
    let before = world.user("ann").await;
    let first = run(&mut world).await;
    assert_eq!(first.counters.unwrap().added, SPECIAL + 2, "{first:?}");
    let again = run(&mut world).await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 2, "{again:?}");
    assert!(world.changes(&again.name).await.is_empty());

    // What is wanted now is wanted of the other's attribute alone.
    remap(
        &mut world,
        "'Chief' if name.givenName == 'ann' else displayName",
    )
    .await;
    let told = run(&mut world).await;
    let counters = told.counters.unwrap();
    assert_eq!((counters.skipped, counters.modified), (1, 0), "{told:?}");
    let change = world.only_change(&told).await;
    assert_eq!(
        (change.outcome(), code(&change)),
        (Outcome::Skipped, "OWNED_BY")
    );
    let text = &change.reason.as_ref().unwrap().text;
    assert!(
        text.contains("displayName") && text.contains("google"),
        "{text}"
    );
    let again = run(&mut world).await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 2, "{again:?}");
    assert!(world.changes(&again.name).await.is_empty());
    let after = world.user("ann").await;
    assert_eq!(
        (&after.display_name, after.update_time, &after.last_writer),
        (
            &before.display_name,
            before.update_time,
            &before.last_writer
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_integration_owned_is_taken_over_by_the_next_run_of_another() {
    let mut world = two().await;
    run(&mut world).await;
    let bob = world.user("bob").await;
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
    // Of Bob nothing changed but who keeps him up to date: that is no change of his.
    let after = world.user("bob").await;
    assert_eq!(after.update_time, bob.update_time);
    assert_eq!(after.last_writer, bob.last_writer);
    assert_eq!(after.etag, bob.etag);
    let again = run(&mut world).await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 2, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_over_as_he_is_was_not_changed_and_it_is_told() {
    let mut world = two().await;
    let bob = world.user("bob").await;
    run(&mut world).await;
    let after = world.user("bob").await;
    assert_eq!(
        (after.update_time, &after.last_writer),
        (bob.update_time, &bob.last_writer)
    );
    let request = v1::WatchDirectoryRequest {
        parent: company(),
        position: Some(Position::AfterSequence(0)),
    };
    let news = world.directory.watch_directory(request).await;
    let mut news = news.unwrap().into_inner();
    loop {
        let message = news.message().await.unwrap().unwrap();
        if let Some(Event::Change(change)) = message.event
            && change.writer == second()
            && change.object == bob.name
        {
            assert_eq!(
                change.r#type(),
                v1::directory_change::Type::Updated,
                "{change:?}"
            );
            assert!(change.attributes.is_empty(), "{change:?}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_name_another_owns_still_gets_its_members() {
    let mut world = team().await;
    let mut group = world.groups().await.remove(0);
    world.create("second").await;
    let request = v1::BeginAuthorizationRequest {
        name: second(),
        ..v1::BeginAuthorizationRequest::default()
    };
    let begun = world.integrations.begin_authorization(request).await;
    let page = begun.unwrap().into_inner().authorization_url;
    browser::decide(&page, "admin@acme.test", "allow", None).await;
    for kind in [v1::Kind::User, v1::Kind::Group] {
        let rule = Rule {
            title: format!("{kind:?}"),
            event: v1::Event::Lookup.into(),
            source_kind: kind.into(),
            action: v1::Action::Add.into(),
            target_kind: kind.into(),
            ..Rule::default()
        };
        let rule_id = match kind {
            v1::Kind::Group => "people".to_owned(),
            _ => String::new(),
        };
        let request = v1::CreateRuleRequest {
            parent: second(),
            rule: Some(rule),
            rule_id,
            ..v1::CreateRuleRequest::default()
        };
        world.integrations.create_rule(request).await.unwrap();
    }
    run(&mut world).await;
    remap(&mut world, "'Other'").await;
    world.person("eve").await;
    world.join("team", "eve").await;
    let done = run(&mut world).await;
    assert_eq!(done.memberships.unwrap().added, 1, "{done:?}");
    let counters = done.counters.unwrap();
    assert_eq!((counters.modified, counters.added), (1, 1), "{done:?}");
    let codes: Vec<String> = world
        .changes(&done.name)
        .await
        .iter()
        .map(|change| code(change).to_owned())
        .collect();
    assert!(codes.contains(&"OWNED_BY".to_owned()), "{codes:?}");
    group.member_count += 1;
    assert_eq!(
        world.groups().await.remove(0).member_count,
        group.member_count
    );
    assert_eq!(
        world.groups().await.remove(0).display_name,
        group.display_name
    );
}
