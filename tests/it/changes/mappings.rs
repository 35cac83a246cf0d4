//! Attributes that come from expressions.

use super::scene::{SPECIAL, Scene, at, code, nobody};
use crate::support::{World, integration, sums_hold};
use prost_types::FieldMask;
use provisiond::{
    proto::v1::{self, Mapping, Rule, run::State},
    sandbox::Options,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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

/// A text of 62,500 bytes, made of nothing.
fn huge() -> String {
    let (y, z) = ("y".repeat(250), "z".repeat(250));
    format!("'x'|replace('x', '{y}')|replace('y', '{z}')")
}

/// The department and title of everybody at the source, by address.
async fn sources(world: &World) -> BTreeMap<String, (String, String)> {
    let state = world.google.state().await;
    let each = state["users"].as_array().unwrap().iter().map(|user| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let work = &user["organizations"][0];
        let held = (text(&work["department"]), text(&work["title"]));
        (text(&user["primaryEmail"]), held)
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_expressions_that_are_accepted_fail_whom_they_concern_and_keep_nobody_waiting() {
    let mut world = World::start(Options {
        users: 300,
        groups: 0,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    let sales = |then: &str, other: &str| format!("({then}) if department == 'Sales' else {other}");
    // All that may be spent is nearly spent on four attributes, and on the last one more than that.
    let nearly = format!("{}|lower|length", huge());
    let more = format!("{}{}", huge(), "|lower|upper".repeat(5));
    let mut mappings: Vec<Mapping> = ["costCenter", "organization", "employeeNumber", "manager"]
        .map(|attribute| mapping(attribute, &sales(&nearly, attribute)))
        .into();
    mappings.push(mapping("title", &sales(&more, "title")));
    world
        .rule(Rule {
            mappings,
            ..Rule::default()
        })
        .await;
    let sources = sources(&world).await;
    let (concerned, others): (Vec<_>, Vec<_>) = sources
        .into_iter()
        .partition(|(_, (department, _))| department == "Sales");
    assert!(concerned.len() > 10 && others.len() > 100, "{concerned:?}");

    let run = world.run().await;
    assert_eq!(run.state(), State::SucceededWithFailures, "{run:?}");
    sums_hold(&run);
    let counters = run.counters.unwrap();
    let count = |of: usize| i64::try_from(of).unwrap();
    let (failed, added) = (count(concerned.len()), count(others.len()));
    assert_eq!((counters.failed, counters.added), (failed, added));
    let changes = world.changes(&run.name).await;
    let failed = changes
        .iter()
        .filter(|change| code(change) == "MAPPING_FAILED");
    let failed: BTreeSet<&str> = failed
        .map(|change| {
            let text = &change.reason.as_ref().unwrap().text;
            assert!(text.contains("title takes too many steps"), "{text}");
            change.source.as_ref().unwrap().label.as_str()
        })
        .collect();
    assert!(
        failed
            .iter()
            .copied()
            .eq(concerned.iter().map(|(address, _)| address.as_str()))
    );
    let users = world.users().await;
    let had = users
        .into_iter()
        .map(|user| (user.user_name, (user.department, user.title)));
    assert_eq!(
        had.collect::<BTreeMap<_, _>>(),
        others.into_iter().collect()
    );
}
