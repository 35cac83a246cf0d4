use super::*;
use tonic::Code;
use tonic_types::StatusExt as _;

fn named(name: &str) -> v1::Rule {
    v1::Rule {
        name: name.to_owned(),
        ..v1::Rule::default()
    }
}

/// A world with both templates applied, and its rules.
async fn with_rules() -> (World, Vec<v1::Rule>) {
    let mut world = quiet().await;
    for template in ["lookup-users", "lookup-groups"] {
        world.apply(template).await;
    }
    let rules = world.rules().await;
    (world, rules)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_of_a_rule_that_may_change_does_so_alone() {
    let (mut world, rules) = with_rules().await;
    let mut kept = rules[0].clone();
    let condition = v1::Condition {
        attribute: "department".to_owned(),
        operator: v1::Operator::Equal.into(),
        values: vec!["Sales".to_owned()],
    };
    let value = prost_types::Value::from("Member");
    let mapping = v1::Mapping {
        attribute: "department".to_owned(),
        expression: "department or 'Unknown'".to_owned(),
    };
    let wanted = v1::Rule {
        title: "New".to_owned(),
        position: 9,
        conditions: vec![condition],
        defaults: [("title".to_owned(), value)].into(),
        mappings: vec![mapping],
        run_mode: v1::rule::RunMode::Manual.into(),
        active: Some(false),
        ..named(&kept.name)
    };
    type Lay = fn(&mut v1::Rule, v1::Rule);
    let table: [(&str, Lay); 7] = [
        ("title", |to, from| to.title = from.title),
        ("position", |to, from| to.position = from.position),
        ("conditions", |to, from| to.conditions = from.conditions),
        ("defaults", |to, from| to.defaults = from.defaults),
        ("mappings", |to, from| to.mappings = from.mappings),
        ("run_mode", |to, from| to.run_mode = from.run_mode),
        ("active", |to, from| to.active = from.active),
    ];
    for (path, lay) in table {
        let updated = world.update_rule(wanted.clone(), &[path]).await.unwrap();
        assert_ne!(updated.etag, kept.etag, "{path}");
        lay(&mut kept, wanted.clone());
        (kept.etag, kept.update_time) = (updated.etag.clone(), updated.update_time);
        assert_eq!(updated, kept, "{path}");
    }
    assert_eq!(world.rules().await, [rules[1].clone(), kept.clone()]);
    let all = v1::Rule {
        title: "Bare".to_owned(),
        ..named(&kept.name)
    };
    let bare = world.update_rule(all, &["*"]).await.unwrap();
    let expected = v1::Rule {
        title: "Bare".to_owned(),
        position: rules[1].position + 1,
        event: kept.event,
        source_kind: kept.source_kind,
        action: kept.action,
        target_kind: kept.target_kind,
        run_mode: v1::rule::RunMode::Automatic.into(),
        active: Some(true),
        etag: bare.etag.clone(),
        create_time: kept.create_time,
        update_time: bare.update_time,
        ..named(&kept.name)
    };
    assert_eq!(bare, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_can_not_take_the_position_of_another_and_zero_moves_it_to_the_end() {
    let (mut world, rules) = with_rules().await;
    let names = [rules[0].name.as_str(), rules[1].name.as_str()];
    let moved = |to: i32| v1::Rule {
        position: to,
        ..named(names[0])
    };
    let taken = world
        .update_rule(moved(2), &["position"])
        .await
        .unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists, "{taken:?}");
    let details = taken.get_error_details();
    assert_eq!(details.resource_info().unwrap().resource_name, names[1]);
    let same = world.update_rule(moved(1), &["position"]).await.unwrap();
    assert_eq!(same, rules[0], "its own position is free for it");
    let last = world.update_rule(moved(0), &["position"]).await.unwrap();
    assert_eq!(last.position, 3);
    let order: Vec<_> = world.rules().await.into_iter().map(|r| r.name).collect();
    assert_eq!(order, [names[1], names[0]]);
    let again = world.update_rule(moved(0), &["position"]).await.unwrap();
    assert_eq!(again, last, "the last stays where it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_position_there_is_none_and_a_rule_in_it_can_still_be_changed() {
    const LAST: i32 = 1_000_000;
    let (mut world, rules) = with_rules().await;
    let (first, second) = (rules[0].name.as_str(), rules[1].name.as_str());
    let at = |name: &str, position| v1::Rule {
        position,
        ..named(name)
    };
    let last = world.update_rule(at(second, LAST), &["position"]).await;
    assert_eq!(last.unwrap().position, LAST);
    let apply = v1::ApplyRuleTemplateRequest {
        parent: integration(),
        template: "lookup-users".to_owned(),
        ..v1::ApplyRuleTemplateRequest::default()
    };
    let made = world.integrations.apply_rule_template(apply).await;
    let moved = world.update_rule(at(first, 0), &["position"]).await;
    for refused in [made.map(drop), moved.map(drop)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        let text = refused.message();
        assert!(text.contains(second) && text.contains("1000000"), "{text}");
    }
    let titled = v1::Rule {
        title: "Last".to_owned(),
        ..named(second)
    };
    let titled = world.update_rule(titled, &["title"]).await.unwrap();
    assert_eq!((titled.title.as_str(), titled.position), ("Last", LAST));
    let back = world.update_rule(at(second, 0), &["position"]).await;
    assert_eq!(back.unwrap().position, rules[0].position + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn regular_expressions_have_a_budget_by_condition_and_by_integration() {
    let (mut world, rules) = with_rules().await;
    // Each takes about a twentieth of what all may take together.
    let search = |pattern: &str, times| {
        let condition = v1::Condition {
            attribute: "title".to_owned(),
            operator: v1::Operator::Matches.into(),
            values: vec![pattern.to_owned()],
        };
        vec![condition; times]
    };
    let create = |conditions| v1::CreateRuleRequest {
        parent: integration(),
        rule: Some(v1::Rule {
            conditions,
            ..v1::Rule {
                name: String::new(),
                position: 0,
                ..rules[0].clone()
            }
        }),
        ..v1::CreateRuleRequest::default()
    };
    let large = world
        .integrations
        .create_rule(create(search(r"\w{20}", 1)))
        .await;
    let large = large.unwrap_err();
    assert_eq!(large.code(), Code::InvalidArgument, "{large:?}");
    assert!(large.message().contains("256 KiB"), "{}", large.message());
    let first = v1::CreateRuleRequest {
        request_id: "first".to_owned(),
        ..create(search(r"\w+ \w+", 16))
    };
    let made = world.integrations.create_rule(first.clone()).await;
    let made = made.unwrap().into_inner();
    let more = world
        .integrations
        .create_rule(create(search(r"\w+ \w+", 16)))
        .await;
    let more = more.unwrap_err();
    assert_eq!(more.code(), Code::FailedPrecondition, "{more:?}");
    let details = more.get_error_details();
    let why = &details.precondition_failure().unwrap().violations[0];
    assert_eq!(why.r#type, "LIMIT");
    assert!(why.description.contains("2048 KiB"), "{why:?}");
    let edited = v1::Rule {
        conditions: search(r"\w+ \w+", 16),
        ..named(&rules[0].name)
    };
    let edited = world.update_rule(edited, &["conditions"]).await;
    assert_eq!(edited.unwrap_err().code(), Code::FailedPrecondition);
    // Small ones are many, and what was made before is answered alike.
    let small = world
        .integrations
        .create_rule(create(search("^(lead|head) of", 20)))
        .await;
    small.unwrap();
    let again = world.integrations.create_rule(first).await;
    assert_eq!(again.unwrap().into_inner(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_rule_keeps_to_its_etag_and_decides_from_the_next_run_on() {
    let mut world = World::ready(small()).await;
    let rule = world.rules().await.remove(0);
    let mut edited = rule.clone();
    edited.conditions = vec![v1::Condition {
        attribute: "userName".to_owned(),
        operator: v1::Operator::Equal.into(),
        values: vec!["ADMIN@acme.test".to_owned()],
    }];
    let edited = world.update_rule(edited, &[]).await.unwrap();
    let stale = world.update_rule(rule, &["title"]).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted, "{stale:?}");
    let run = world.run().await;
    assert_eq!(world.users().await.len(), 1, "{run:?}");
    let off = v1::Rule {
        active: Some(false),
        ..edited
    };
    world.update_rule(off, &["active"]).await.unwrap();
    let run = world.run().await;
    assert_eq!(world.users().await.len(), 1, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_only_validated_is_not_kept() {
    let (mut world, rules) = with_rules().await;
    let before = world.store.writes();
    let update = |position: i32| v1::UpdateRuleRequest {
        rule: Some(v1::Rule {
            position,
            ..named(&rules[0].name)
        }),
        update_mask: mask(&["position"]),
        validate_only: true,
    };
    let answer = world.integrations.update_rule(update(7)).await.unwrap();
    assert_eq!(answer.into_inner().position, 7);
    let taken = world.integrations.update_rule(update(2)).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists);
    let create = v1::CreateRuleRequest {
        parent: integration(),
        rule: Some(v1::Rule {
            name: String::new(),
            position: 0,
            ..rules[0].clone()
        }),
        validate_only: true,
        ..v1::CreateRuleRequest::default()
    };
    let made = world.integrations.create_rule(create).await.unwrap();
    assert_eq!(made.into_inner().position, 3);
    assert_eq!(world.rules().await, rules);
    assert_eq!(world.store.writes(), before);
}
