//! Attributes that come from expressions.

use super::scene::{SPECIAL, Scene, at, code, nobody};
use crate::support::{World, integration, sums_hold};
use prost_types::FieldMask;
use provisiond::proto::v1::{self, Mapping, Rule, run::State};
use serde_json::json;

fn mapping(attribute: &str, expression: &str) -> Mapping {
    Mapping {
        attribute: attribute.to_owned(),
        expression: expression.to_owned(),
    }
}

/// Ann of sales and Bob, by one rule with these mappings.
async fn mapped(mappings: Vec<Mapping>) -> World {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    for name in ["ann", "bob"] {
        world.person(name).await;
    }
    let sales =
        json!({"organizations": [{"primary": true, "title": "Rep", "department": "Sales"}]});
    world.edit(&at("ann"), sales).await;
    world
        .rule(Rule {
            mappings,
            ..Rule::default()
        })
        .await;
    world
}

async fn remap(world: &mut World, mappings: Vec<Mapping>) {
    update(world, mappings, false).await;
}

async fn update(world: &mut World, mappings: Vec<Mapping>, validate_only: bool) {
    let list = v1::ListRulesRequest {
        parent: integration(),
        ..v1::ListRulesRequest::default()
    };
    let rules = world
        .integrations
        .list_rules(list)
        .await
        .unwrap()
        .into_inner();
    let update = v1::UpdateRuleRequest {
        rule: Some(Rule {
            mappings: mappings.clone(),
            ..rules.rules[0].clone()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["mappings".to_owned()],
        }),
        validate_only,
    };
    let updated = world.integrations.update_rule(update).await.unwrap();
    assert_eq!(updated.into_inner().mappings, mappings);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mapped_arrives_and_an_edited_mapping_takes_effect_in_the_next_run() {
    let mut world = mapped(vec![
        mapping("displayName", "name.familyName ~ ', ' ~ name.givenName"),
        mapping("department", "department or 'Unknown'"),
        mapping("title", "''"),
    ])
    .await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, SPECIAL + 2);
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    assert_eq!(
        (&*ann.display_name, &*ann.department),
        ("Person, ann", "Sales")
    );
    assert_eq!(
        (&*bob.display_name, &*bob.department),
        ("Person, bob", "Unknown")
    );
    assert_eq!((&*ann.title, &*ann.given_name), ("", "ann"));
    // What is only checked takes no effect.
    update(&mut world, Vec::new(), true).await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().unchanged, SPECIAL + 2, "{run:?}");

    // What is mapped no more is as usual again, and what was only there by its mapping goes.
    remap(&mut world, vec![mapping("active", "department == 'Sales'")]).await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, SPECIAL + 2, "{run:?}");
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    assert_eq!((&*ann.title, &*ann.display_name), ("Rep", "ann Person"));
    assert_eq!((ann.active, bob.active), (Some(true), Some(false)));
    assert_eq!(bob.department, "");
    remap(&mut world, Vec::new()).await;
    world.sync().await;
    assert_eq!(world.user("bob").await.active, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_that_fails_for_one_object_fails_that_object_alone() {
    // Bob has no title, of which nothing can be taken away.
    let mut world = mapped(vec![mapping("costCenter", "title|length / (title|length)")]).await;
    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    sums_hold(&run);
    let counters = run.counters.unwrap();
    assert!(counters.added > 0 && counters.failed > 0, "{run:?}");
    assert_eq!(world.user("ann").await.cost_center, "1.0");
    let changes = world.changes(&run.name).await;
    let of = |name: &str| {
        let all = changes.iter();
        let mut his = all.filter(|change| change.source.as_ref().unwrap().label == at(name));
        his.next().unwrap()
    };
    assert_eq!(code(of("bob")), "MAPPING_FAILED");
    let text = &of("bob").reason.as_ref().unwrap().text;
    assert!(text.contains("costCenter"), "{text}");
    assert!(
        world
            .users()
            .await
            .iter()
            .all(|user| user.user_name != at("bob"))
    );
    remap(&mut world, vec![mapping("costCenter", "title or 'none'")]).await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().failed, 0);
    assert_eq!(world.user("bob").await.cost_center, "none");
}
