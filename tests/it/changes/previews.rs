//! A preview of a whole run says what the run after it does, object by object, and writes nothing.

mod chance;
mod hands;
mod telling;

use super::{
    one_object::Lane as _,
    scene::{SPECIAL, Scene, at, nobody},
};
use crate::support::{World, company, integration, sums_hold};
use provisiond::proto::v1::{
    self, Change, Group, Member, Run, StartRunRequest, User, change::Outcome, run::State,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Everything in the directory.
type Directory = (Vec<User>, Vec<Group>, Vec<Vec<Member>>);

async fn directory(world: &mut World) -> Directory {
    let (users, groups) = (world.users().await, world.groups().await);
    let mut members = Vec::new();
    for group in &groups {
        members.push(world.members(&group.name).await);
    }
    (users, groups, members)
}

/// The preview of a run of these rules; of all automatic ones, if none is named. Fails if the directory has changed.
async fn preview_of(world: &mut World, rules: &[String]) -> Run {
    let before = directory(world).await;
    let asked = StartRunRequest {
        parent: integration(),
        rules: rules.to_vec(),
        preview: true,
        ..StartRunRequest::default()
    };
    let asked = world.sync.start_run(asked).await.unwrap().into_inner();
    assert!(asked.preview);
    let run = world.finished(&asked.name).await;
    assert!(run.preview && run.end_time.is_some());
    sums_hold(&run);
    assert_eq!(directory(world).await, before, "a preview wrote");
    run
}

async fn preview(world: &mut World) -> Run {
    preview_of(world, &[]).await
}

/// What a run recorded, in an order of its own, without what tells one run from another.
async fn told(world: &mut World, run: &Run) -> Vec<Change> {
    let mut all = world.changes(&run.name).await;
    for change in &mut all {
        let wrong = if run.preview {
            Outcome::Applied
        } else {
            Outcome::Planned
        };
        assert_ne!(change.outcome(), wrong, "{change:?}");
        if change.outcome() == Outcome::Planned {
            change.set_outcome(Outcome::Applied);
        }
        (change.name, change.time) = (String::new(), None);
        // It names the holder, who may have no id yet.
        let taken = change.reason.as_mut();
        let taken = taken.filter(|reason| reason.code == "EMAIL_TAKEN");
        taken.into_iter().for_each(|reason| reason.text.clear());
        // Of many members any are named.
        for diff in &mut change.diffs {
            for values in [&mut diff.old_values, &mut diff.new_values] {
                if values.last().is_some_and(|last| last.starts_with("and ")) {
                    values.drain(..values.len() - 1);
                }
            }
        }
    }
    let key = |change: &Change| {
        let diffs = format!("{:?}{:?}", change.reason, change.diffs);
        let source = change.source.clone().unwrap();
        (source.kind, source.id, change.action, diffs)
    };
    all.sort_by_cached_key(key);
    all
}

/// A preview, then the run, which does what the preview said.
async fn foretold_of(world: &mut World, rules: &[String]) -> (Run, Vec<Change>) {
    let preview = preview_of(world, rules).await;
    let planned = told(world, &preview).await;
    let (users, groups, _) = directory(world).await;
    let asked = StartRunRequest {
        parent: integration(),
        rules: rules.to_vec(),
        ..StartRunRequest::default()
    };
    let asked = world.sync.start_run(asked).await.unwrap().into_inner();
    let run = world.finished(&asked.name).await;
    sums_hold(&run);
    let mut done = told(world, &run).await;
    // What is to be made has no id yet.
    let users = users.into_iter().map(|user| user.uid);
    let groups = groups.into_iter().map(|group| group.uid);
    let there: Vec<String> = users.chain(groups).collect();
    for (planned, done) in planned.iter().zip(&mut done) {
        let made = done.target.as_ref();
        if planned.target.is_none() && made.is_some_and(|made| !there.contains(&made.id)) {
            done.target = None;
        }
    }
    assert_same(&planned, &done);
    assert_eq!(counted(&preview), counted(&run));
    (run, done)
}

fn assert_same(planned: &[Change], done: &[Change]) {
    for (planned, done) in planned.iter().zip(done) {
        assert_eq!(planned, done);
    }
    let more = planned
        .iter()
        .chain(done)
        .skip(2 * planned.len().min(done.len()));
    assert_eq!(planned.len(), done.len(), "{:?}", more.collect::<Vec<_>>());
}

type Counted = (
    State,
    Option<v1::Counters>,
    Option<v1::MembershipCounters>,
    Vec<v1::RuleCounters>,
    Vec<v1::ReasonCount>,
);

fn counted(run: &Run) -> Counted {
    (
        run.state(),
        run.counters,
        run.memberships,
        run.rule_counters.clone(),
        run.skipped_by_reason.clone(),
    )
}

async fn foretold(world: &mut World) -> (Run, Vec<Change>) {
    foretold_of(world, &[]).await
}

/// Everything is as it should be, as far as it can be: a preview and a run say so.
async fn settled(world: &mut World) -> Run {
    let (run, _) = foretold(world).await;
    let (objects, members) = (run.counters.unwrap(), run.memberships.unwrap());
    assert_eq!((objects.added, objects.modified), (0, 0), "{run:?}");
    assert_eq!((members.added, members.removed), (0, 0), "{run:?}");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_of_a_first_run_writes_nothing_and_says_what_the_run_does() {
    let mut world = World::ready(nobody()).await;
    world.group("team").await;
    world.group("inner").await;
    for name in ["ann", "bob", "cid"] {
        world.person(name).await;
        world.join("team", name).await;
    }
    world.join("team", "inner").await;
    let written = world.store.writes();
    let told = preview(&mut world).await;
    // Its row four times with an event, the phase, and a slice of users, of groups and of each group's members.
    let written = world.store.writes() - written;
    assert!(written <= 20, "{written} writes");
    assert_eq!(told.state(), State::Succeeded, "{told:?}");
    assert_eq!(told.counters.unwrap().added, SPECIAL + 5, "{told:?}");
    let members = told.memberships.unwrap();
    assert_eq!((members.added, members.pending), (4, 0), "{told:?}");
    assert!(world.users().await.is_empty() && world.groups().await.is_empty());
    let (run, changes) = foretold(&mut world).await;
    assert_eq!(counted(&run), counted(&told));
    assert_eq!(changes.len() as i64, SPECIAL + 5 + 1, "{changes:?}");
    let again = settled(&mut world).await;
    assert_eq!(again.counters.unwrap().unchanged, SPECIAL + 5);
    assert_eq!(again.memberships.unwrap().unchanged, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_not_the_last_run_and_needs_no_integration_that_is_active() {
    let mut world = World::ready(nobody()).await;
    assert!(!world.integration().await.active);
    let told = preview(&mut world).await;
    assert_eq!(told.state(), State::Succeeded);
    assert_eq!(world.integration().await.last_run, "");
    let run = world.sync().await;
    preview(&mut world).await;
    assert_eq!(world.integration().await.last_run, run.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_named_by_a_rule_that_is_not_in_the_run_is_left_alone_in_its_preview_too() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    world.person("ann").await;
    world
        .rule(v1::Rule {
            run_mode: v1::rule::RunMode::Manual.into(),
            mappings: vec![v1::Mapping {
                attribute: "title".to_owned(),
                expression: "'Dr ' ~ name.familyName".to_owned(),
            }],
            conditions: vec![v1::Condition {
                attribute: "name.givenName".to_owned(),
                operator: v1::Operator::Equal.into(),
                values: vec!["ann".to_owned()],
            }],
            ..v1::Rule::default()
        })
        .await;
    world.apply("lookup-users").await;
    let (run, _) = foretold(&mut world).await;
    assert_eq!(run.skipped_by_reason[0].reason, "RULE_NOT_IN_RUN");
    let list = v1::ListRulesRequest {
        parent: integration(),
        ..v1::ListRulesRequest::default()
    };
    let rules = world.integrations.list_rules(list).await.unwrap();
    let rules = rules.into_inner().rules.into_iter();
    let mut manual = rules.filter(|rule| rule.run_mode() == v1::rule::RunMode::Manual);
    let named = [manual.next().unwrap().name];
    let (run, changes) = foretold_of(&mut world, &named).await;
    assert_eq!(run.counters.unwrap().added, 1, "{run:?}");
    let mut diffs = changes[0].diffs.iter();
    assert!(diffs.any(|diff| diff.new_values == ["Dr Person"]));
    assert_eq!(world.user("ann").await.title, "Dr Person");
}

/// Sets these fields of the integration.
async fn set(world: &mut World, to: v1::Integration, fields: &[&str]) {
    let request = v1::UpdateIntegrationRequest {
        integration: Some(v1::Integration {
            name: integration(),
            ..to
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: fields.iter().map(|field| (*field).to_owned()).collect(),
        }),
        ..v1::UpdateIntegrationRequest::default()
    };
    world
        .integrations
        .update_integration(request)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_protected_or_in_no_domain_of_the_integration_is_so_in_a_preview_too() {
    let mut world = World::ready(nobody()).await;
    let ids = [world.person("ann").await, world.person("bob").await];
    let elsewhere = json!({"primaryEmail": "ann@acme-labs.test"});
    world.google.patch_user(&ids[0], elsewhere).await;
    world.group("team").await;
    for name in ["bob", "admin"] {
        world.join("team", name).await;
    }
    let narrowed = v1::Integration {
        protected: vec![at("b*")],
        domains: vec!["acme.test".to_owned()],
        ..v1::Integration::default()
    };
    set(&mut world, narrowed, &["protected", "domains"]).await;
    let (run, _) = foretold(&mut world).await;
    let counters = run.counters.unwrap();
    assert_eq!((counters.out_of_scope, counters.skipped), (1, 1), "{run:?}");
    let members = run.memberships.unwrap();
    assert_eq!((members.added, members.pending), (1, 1), "{run:?}");
    settled(&mut world).await;
    let everybody = v1::Integration::default();
    set(&mut world, everybody, &["protected", "domains"]).await;
    let (run, _) = foretold(&mut world).await;
    assert_eq!(run.counters.unwrap().added, 2, "{run:?}");
    assert_eq!(run.memberships.unwrap().added, 1, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_leaves_what_is_provisioned_by_itself_since_it_began_to_read() {
    let mut world = super::scene::team().await;
    let named = |name: &str| json!({"name": {"givenName": name, "familyName": "Person"}});
    world.edit(&at("ann"), named("Older")).await;
    world.edit(&at("bob"), named("Bobby")).await;
    world.google.forget_requests().await;
    let hold = json!({"method": "directory.users.list", "fault": "hold"});
    world.google.fault(hold).await;
    let request = StartRunRequest {
        parent: integration(),
        preview: true,
        ..StartRunRequest::default()
    };
    let bulk = world.sync.start_run(request).await.unwrap().into_inner();
    world.asked("directory.users.list", 1).await;
    world.edit(&at("ann"), named("Newer")).await;
    world.provision(v1::Kind::User, "ann").await;
    world.control(Method::DELETE, "faults", Value::Null).await;
    let bulk = world.finished(&bulk.name).await;
    sums_hold(&bulk);
    let counters = bulk.counters.unwrap();
    assert_eq!((counters.skipped, counters.modified), (1, 1), "{bulk:?}");
    assert_eq!(bulk.skipped_by_reason[0].reason, "PROVISIONED_MEANWHILE");
    let (run, _) = foretold(&mut world).await;
    assert_eq!(run.counters.unwrap().modified, 1, "{run:?}");
}
