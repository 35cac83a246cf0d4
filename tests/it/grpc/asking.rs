//! Asking for runs: what waits merges, a request id asks once, and a rule that is not in a run leaves alone what it decides.

use super::{quiet, reason, small};
use crate::support::{World, integration, sums_hold};
use provisiond::proto::v1::{self, Run, StartRunRequest, run::State};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::{Code, Status};

async fn start(world: &mut World, rules: &[&str], id: &str) -> Result<Run, Status> {
    let request = StartRunRequest {
        parent: integration(),
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        request_id: id.to_owned(),
        preview: false,
    };
    world
        .sync
        .start_run(request)
        .await
        .map(|run| run.into_inner())
}

async fn cancel(world: &mut World, run: &Run) -> Run {
    let request = v1::CancelRunRequest {
        name: run.name.clone(),
    };
    world.sync.cancel_run(request).await.unwrap();
    world.finished(&run.name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_merge_into_one_run_and_each_id_asks_once() {
    let mut world = World::ready(small()).await;
    let never =
        json!({"method": "directory.users.list", "times": 9, "fault": {"delay_ms": 600_000}});
    world.google.fault(never).await;
    let users = world.apply("lookup-users").await.name;
    let running = start(&mut world, &[], "first").await.unwrap();
    let waiting = start(&mut world, &[&users], "second").await.unwrap();
    assert_eq!(waiting.state(), State::Queued);
    assert_eq!(waiting.rules, std::slice::from_ref(&users));
    let merged = start(&mut world, &[], "third").await.unwrap();
    assert_eq!(merged.name, waiting.name);
    assert!(merged.rules.is_empty(), "all of them: {merged:?}");
    for (rules, id, run) in [
        (&[][..], "first", &running),
        (&[users.as_str()][..], "second", &waiting),
        (&[][..], "third", &waiting),
    ] {
        let again = start(&mut world, rules, id).await.unwrap();
        assert_eq!(again.name, run.name, "{id}");
    }
    for id in ["first", "third"] {
        let other = start(&mut world, &[&users], id).await.unwrap_err();
        assert_eq!(reason(&other, Code::AlreadyExists), "RESOURCE_EXISTS");
    }
    assert_eq!(cancel(&mut world, &running).await.state(), State::Cancelled);
    world
        .google
        .control(Method::DELETE, "faults", Value::Null)
        .await;
    cancel(&mut world, &waiting).await;
    // What is over is still the answer, though nothing could be started now.
    let who = json!({"email": "admin@acme.test"});
    world.google.control(Method::POST, "revoke", who).await;
    let lost = world.run().await;
    assert_eq!(lost.state(), State::Failed);
    let again = start(&mut world, &[], "third").await.unwrap();
    assert_eq!(again.name, waiting.name);
    assert!(again.end_time.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_rules_are_deleted_while_it_waits_fails_and_says_so() {
    let mut world = World::ready(small()).await;
    let never =
        json!({"method": "directory.users.list", "times": 9, "fault": {"delay_ms": 600_000}});
    world.google.fault(never).await;
    let rule = world.apply("lookup-users").await.name;
    let running = start(&mut world, &[], "").await.unwrap();
    let waiting = start(&mut world, &[&rule], "").await.unwrap();
    let delete = v1::DeleteRuleRequest {
        name: rule,
        ..v1::DeleteRuleRequest::default()
    };
    world.integrations.delete_rule(delete).await.unwrap();
    cancel(&mut world, &running).await;
    let run = world.finished(&waiting.name).await;
    assert_eq!(run.state(), State::Failed, "{run:?}");
    assert_eq!(run.error.unwrap().reason, "NOT_READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_decides_that_is_not_in_the_run_is_left_alone() {
    use v1::rule::RunMode;
    let mut world = quiet().await;
    world.authorize("admin@acme.test").await;
    let apply = |id: &str, run_mode: RunMode| v1::ApplyRuleTemplateRequest {
        parent: integration(),
        template: "lookup-users".to_owned(),
        run_mode: run_mode.into(),
        rule_id: id.to_owned(),
        ..v1::ApplyRuleTemplateRequest::default()
    };
    let client = &mut world.integrations;
    let by_hand = apply("by-hand", RunMode::Manual);
    let by_hand = client.apply_rule_template(by_hand).await.unwrap();
    let none = start(&mut world, &[], "").await.unwrap_err();
    assert_eq!(none.code(), Code::FailedPrecondition, "{none:?}");
    // Everybody meets both rules, and the first of them decides, also in a run without it.
    let second = apply("second", RunMode::Automatic);
    let client = &mut world.integrations;
    client.apply_rule_template(second).await.unwrap();
    let run = world.run().await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    sums_hold(&run);
    let skips = &run.skipped_by_reason;
    let left = skips.iter().find(|one| one.reason == "RULE_NOT_IN_RUN");
    assert_eq!(left.map(|one| one.count), Some(12), "{run:?}");
    assert_eq!(world.users().await.len(), 0);

    let run = start(&mut world, &[&by_hand.into_inner().name], "").await;
    let run = world.finished(&run.unwrap().name).await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    sums_hold(&run);
    assert_eq!(run.counters.unwrap().added, 12, "{run:?}");
    assert_eq!(world.users().await.len(), 12);
}
