//! Who is in scope by groups and organizational units: they are known by id, read before anybody is judged, and what can't
//! be read decides nothing.

use super::scene::{SPECIAL, Scene, at, code, nobody};
use crate::support::{World, browser, integration, sums_hold};
use provisiond::{
    proto::v1::{self, Kind, Operator, change::Outcome, readiness_gap, run::State},
    sandbox::Options,
};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;

/// Makes groups and puts members in: addresses of users and of groups.
async fn groups(world: &World, groups: &[(&str, &[&str])]) {
    for (group, _) in groups {
        world.group(group).await;
    }
    for (group, members) in groups {
        for member in *members {
            world.join(group, member).await;
        }
    }
}

/// Ann is in "team", Bob in "inner" within "team"; Cid is in neither. Only who is in "team" is provisioned.
async fn in_team() -> World {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    for name in ["ann", "bob", "cid"] {
        world.person(name).await;
    }
    groups(&world, &[("team", &["ann", "inner"]), ("inner", &["bob"])]).await;
    let team = world.choice(Kind::User, "groups", &at("team")).await;
    world.rule_of("groups", Operator::MemberOf, &team).await;
    world
}

async fn there(world: &mut World) -> Vec<String> {
    let users = world.users().await.into_iter();
    let mut all: Vec<String> = users.map(|user| user.user_name).collect();
    all.sort();
    all
}

/// All attributes, to see that nothing was changed.
async fn everything(world: &mut World) -> Vec<v1::User> {
    let mut users = world.users().await;
    users.sort_by(|a, b| a.name.cmp(&b.name));
    users
}

async fn no_more_faults(world: &World) {
    world.control(Method::DELETE, "faults", Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_group_within_the_group_is_in_scope_also_in_a_circle() {
    let mut world = in_team().await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, 2, "{run:?}");
    assert_eq!(run.counters.unwrap().out_of_scope, SPECIAL + 1);
    assert_eq!(there(&mut world).await, [at("ann"), at("bob")]);
    // Google refuses circles, but they have been seen: the groups of a planted one are read once each.
    let groups: Value = world.control(Method::GET, "state", Value::Null).await["groups"].clone();
    let id = |name: &str| {
        let all = groups.as_array().unwrap().iter();
        let mut named = all.filter(|group| group["email"] == at(name));
        named.next().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let member = json!({"id": id("team"), "email": at("team"), "type": "GROUP", "role": "MEMBER"});
    let path = format!("groups/{}/members?raw=true", id("inner"));
    world.control(Method::POST, &path, member).await;
    world.join("inner", "cid").await;
    world.google.forget_requests().await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, 1, "{run:?}");
    assert_eq!(world.google.requests().await["directory.members.list"], 2);
    assert_eq!(there(&mut world).await, [at("ann"), at("bob"), at("cid")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_can_not_be_read_defers_its_people_and_puts_nobody_out() {
    let mut world = in_team().await;
    world.sync().await;
    let before = everything(&mut world).await;
    let inner = world.choice(Kind::User, "groups", &at("inner")).await;
    let named = json!({"name": {"givenName": "Anne", "familyName": "Person"}});
    world.edit(&at("ann"), named).await;
    let faults = [
        json!({"status": {"code": 503}}),
        json!({"status": {"code": 403}}),
        json!({"status": {"code": 404}}),
        json!("reset"),
    ];
    for fault in faults {
        let rule = json!({"method": "directory.members.list", "path_contains": inner, "times": 99, "fault": fault});
        world.google.fault(rule).await;
        let run = world.run().await;
        assert_eq!(run.state(), State::SucceededWithFailures, "{fault} {run:?}");
        sums_hold(&run);
        // Ann is in the group itself, so nothing is open about her.
        let counters = run.counters.unwrap();
        assert_eq!(
            (counters.deferred, counters.out_of_scope),
            (SPECIAL + 2, 0),
            "{fault}"
        );
        let changes = world.changes(&run.name).await;
        let open = changes
            .iter()
            .filter(|change| change.outcome() == Outcome::Deferred);
        assert!(
            open.clone()
                .all(|change| code(change) == "MEMBERSHIP_UNKNOWN")
        );
        assert_eq!(open.count() as i64, SPECIAL + 2);
        no_more_faults(&world).await;
    }
    let mut after = everything(&mut world).await;
    assert_eq!(world.user("ann").await.given_name, "Anne");
    after.retain(|user| user.user_name != at("ann"));
    assert!(
        before
            .iter()
            .filter(|user| user.user_name != at("ann"))
            .eq(after.iter())
    );
    // The next one that can read everything heals it.
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().unchanged, 2, "{run:?}");
    assert_eq!(run.counters.unwrap().out_of_scope, SPECIAL + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_members_that_breaks_off_is_no_listing() {
    let mut world = World::start(Options {
        users: 260,
        groups: 0,
        memberships: Some(0),
        ..Options::default()
    })
    .await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    world.group("many").await;
    let state = world.control(Method::GET, "state", Value::Null).await;
    for user in state["users"].as_array().unwrap() {
        let member = json!({"email": user["primaryEmail"], "role": "MEMBER"});
        world
            .control(
                Method::POST,
                &format!("groups/{}/members", at("many")),
                member,
            )
            .await;
    }
    let many = world.choice(Kind::User, "groups", &at("many")).await;
    world.rule_of("groups", Operator::NotMemberOf, &many).await;
    // The second page never comes: who is on it must not be taken for somebody who is not a member.
    let fault = json!({"method": "directory.members.list", "path_contains": "pageToken", "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(fault).await;
    let run = world.run().await;
    let counters = run.counters.unwrap();
    assert_eq!(
        (counters.added, counters.deferred),
        (0, counters.considered),
        "{run:?}"
    );
    no_more_faults(&world).await;
    let run = world.sync().await;
    assert_eq!(
        run.counters.unwrap().out_of_scope,
        run.counters.unwrap().considered
    );
    assert_eq!(there(&mut world).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_group_is_the_same_group() {
    let mut world = in_team().await;
    world.sync().await;
    let renamed = json!({"email": at("crew"), "name": "The crew"});
    world
        .control(Method::PATCH, &format!("groups/{}", at("team")), renamed)
        .await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().unchanged, 2, "{run:?}");
    assert_eq!(run.counters.unwrap().out_of_scope, SPECIAL + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_unit_is_the_same_unit_and_one_within_it_belongs_to_it() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    let page = world.begin_with(true).await;
    browser::decide(&page, "admin@acme.test", "allow", None).await;
    for (name, unit) in [
        ("ann", "/Contractors"),
        ("bob", "/Contractors/Temporary"),
        ("cid", "/Staff"),
    ] {
        world.person(name).await;
        world.edit(&at(name), json!({"orgUnitPath": unit})).await;
    }
    let contractors = world.choice(Kind::User, "orgUnit", "/Contractors").await;
    world
        .rule_of("orgUnit", Operator::MemberOf, &contractors)
        .await;
    world.sync().await;
    assert_eq!(there(&mut world).await, [at("ann"), at("bob")]);
    let renamed = json!({"from": "/Contractors", "to": "/Externals"});
    world
        .control(Method::POST, "orgunits/rename", renamed)
        .await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().unchanged, 2, "{run:?}");
    assert_eq!(
        world.choice(Kind::User, "orgUnit", "/Externals").await,
        contractors
    );
    // Units that can't be listed put nobody out, and let nobody in.
    world
        .edit(&at("cid"), json!({"orgUnitPath": "/Externals"}))
        .await;
    let fault = json!({"method": "directory.orgunits.list", "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(fault).await;
    let run = world.run().await;
    assert_eq!(run.counters.unwrap().deferred, SPECIAL + 3, "{run:?}");
    assert_eq!(there(&mut world).await, [at("ann"), at("bob")]);
    no_more_faults(&world).await;
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, 1, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn units_take_a_right_of_their_own_and_readiness_says_so() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    let choices = v1::ListChoicesRequest {
        parent: integration(),
        kind: Kind::User.into(),
        attribute: "orgUnit".to_owned(),
        page_token: String::new(),
    };
    let refused = world.integrations.list_choices(choices).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("org_units"), "{refused:?}");
    world
        .rule_of("orgUnit", Operator::NotMemberOf, "id:03ph8a2z1")
        .await;
    let gaps = world.integration().await.readiness;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].code(), readiness_gap::Code::ScopesMissing);
    // The rule has it asked for; a unit that there is not decides nothing.
    world.authorize("admin@acme.test").await;
    assert!(world.integration().await.readiness.is_empty());
    let run = world.run().await;
    assert_eq!(run.counters.unwrap().deferred, SPECIAL, "{run:?}");
    for value in ["team@acme.test", "/Staff", "two words"] {
        let condition = v1::Condition {
            attribute: "orgUnit".to_owned(),
            operator: Operator::MemberOf.into(),
            values: vec![value.to_owned()],
        };
        let request = v1::CreateRuleRequest {
            parent: integration(),
            rule: Some(v1::Rule {
                title: value.to_owned(),
                event: v1::Event::Lookup.into(),
                source_kind: Kind::User.into(),
                action: v1::Action::Add.into(),
                target_kind: Kind::User.into(),
                conditions: vec![condition],
                ..v1::Rule::default()
            }),
            ..v1::CreateRuleRequest::default()
        };
        let refused = world.integrations.create_rule(request).await.unwrap_err();
        assert!(refused.message().contains("ListChoices"), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_about_units_without_the_right_to_read_them_loses_nobody_his_consent() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    world.person("ann").await;
    world
        .rule_of("orgUnit", Operator::MemberOf, "id:03ph8a2z1")
        .await;
    let list = v1::ListRulesRequest {
        parent: integration(),
        ..v1::ListRulesRequest::default()
    };
    let rules = world
        .integrations
        .list_rules(list)
        .await
        .unwrap()
        .into_inner()
        .rules;
    // A preview says that it can't be told, and changes nothing.
    let preview = v1::ProvisionObjectRequest {
        parent: integration(),
        kind: Kind::User.into(),
        object: at("ann"),
        preview: true,
    };
    let told = world
        .sync
        .provision_object(preview.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(told.state(), v1::provision_object_response::State::Deferred);
    assert_eq!(told.rules[0].part(), v1::rule_verdict::Part::Unknown);
    // One after it would decide only if it did not.
    world
        .rule_of("name.givenName", Operator::Equal, "ann")
        .await;
    let told = world.sync.provision_object(preview).await;
    let told = told.unwrap().into_inner();
    let parts: Vec<_> = told.rules.iter().map(|rule| rule.part()).collect();
    assert_eq!(parts, [v1::rule_verdict::Part::Unknown; 2]);
    assert_eq!(
        told.rules[1].conditions[0].state(),
        v1::condition_verdict::State::Met
    );
    // Switched off, it keeps nothing from running, and nobody is out of scope.
    let off = v1::UpdateRuleRequest {
        rule: Some(v1::Rule {
            active: Some(false),
            ..rules[0].clone()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["active".to_owned()],
        }),
        ..v1::UpdateRuleRequest::default()
    };
    world.integrations.update_rule(off).await.unwrap();
    let run = world.sync().await;
    let counters = run.counters.unwrap();
    assert_eq!((counters.added, counters.skipped), (1, SPECIAL), "{run:?}");
    let authorization = world.integration().await.authorization.unwrap();
    assert_eq!(authorization.state(), v1::authorization::State::Authorized);
}
