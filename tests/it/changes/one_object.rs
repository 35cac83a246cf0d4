//! One object is provisioned by itself: at once, beside a run over all, and the newer read wins.

use super::scene::{Scene, at, code, nobody, team};
use crate::support::{World, integration, sums_hold};
use provisiond::proto::v1::{
    self, Kind, ProvisionObjectResponse, change::Outcome, condition_verdict::State as Tested,
    provision_object_response::State, rule_verdict::Part, run,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tonic::{Code, Status};

pub(super) fn request(kind: Kind, object: &str, preview: bool) -> v1::ProvisionObjectRequest {
    v1::ProvisionObjectRequest {
        parent: integration(),
        kind: kind.into(),
        object: object.to_owned(),
        preview,
    }
}

pub(super) trait Lane {
    async fn ask(
        &self,
        request: v1::ProvisionObjectRequest,
    ) -> Result<ProvisionObjectResponse, Status>;
    async fn provision(&self, kind: Kind, name: &str) -> ProvisionObjectResponse;
    async fn preview(&self, kind: Kind, name: &str) -> ProvisionObjectResponse;
    async fn asked(&self, method: &str, times: u64);
}

impl Lane for World {
    async fn ask(
        &self,
        request: v1::ProvisionObjectRequest,
    ) -> Result<ProvisionObjectResponse, Status> {
        let answer = self.sync.clone().provision_object(request).await;
        answer.map(tonic::Response::into_inner)
    }

    async fn provision(&self, kind: Kind, name: &str) -> ProvisionObjectResponse {
        self.ask(request(kind, &at(name), false)).await.unwrap()
    }

    /// Explains; fails if anything was written.
    async fn preview(&self, kind: Kind, name: &str) -> ProvisionObjectResponse {
        let before = self.store.writes();
        let answer = self.ask(request(kind, &at(name), true)).await.unwrap();
        assert_eq!(self.store.writes(), before, "a preview wrote");
        assert!(answer.run.is_none());
        let planned =
            |change: &v1::Change| change.name.is_empty() && change.outcome() != Outcome::Applied;
        assert!(answer.changes.iter().all(planned), "{answer:?}");
        answer
    }

    /// Waits until Google was asked so often.
    async fn asked(&self, method: &str, times: u64) {
        let asked = async {
            while self.google.requests().await[method].as_u64().unwrap_or(0) < times {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, asked).await.unwrap();
    }
}

fn diffs(answer: &ProvisionObjectResponse) -> Vec<(&str, &[String], &[String])> {
    let all = answer.changes.iter().flat_map(|change| &change.diffs);
    all.map(|diff| (&*diff.attribute, &*diff.old_values, &*diff.new_values))
        .collect()
}

pub(super) fn reason(answer: &ProvisionObjectResponse) -> &str {
    answer.reason.as_ref().map_or("", |reason| &reason.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_explained_then_provisioned_then_as_he_should_be() {
    let mut world = team().await;
    let last_run = world.integration().await.last_run;
    let renamed = json!({"name": {"givenName": "Anne", "familyName": "Person"}});
    world.edit(&at("ann"), renamed).await;
    let preview = world.preview(Kind::User, "ann").await;
    assert_eq!(preview.state(), State::Modified);
    let (old, new) = (["ann".to_owned()], ["Anne".to_owned()]);
    let given = ("name.givenName", &old[..], &new[..]);
    assert!(diffs(&preview).contains(&given), "{preview:?}");
    assert_eq!(preview.changes[0].outcome(), Outcome::Planned);
    assert_eq!(preview.rules[0].part(), Part::Decides);
    assert_eq!(world.user("ann").await.given_name, "ann");

    let done = world.provision(Kind::User, "ann").await;
    assert_eq!(done.state(), State::Modified);
    assert_eq!(diffs(&done), diffs(&preview));
    assert_eq!(world.user("ann").await.given_name, "Anne");
    let run = done.run.clone().unwrap();
    assert_eq!(run.state(), run::State::Succeeded);
    assert_eq!(run.object.as_ref().unwrap().label, at("ann"));
    sums_hold(&run);
    assert_eq!(world.changes(&run.name).await, done.changes);
    assert_eq!(world.integration().await.last_run, last_run);

    // By its id too, and asking again does nothing more.
    let id = done.object.unwrap().id;
    let again = world.ask(request(Kind::User, &id, false)).await.unwrap();
    assert_eq!(again.state(), State::Unchanged);
    assert!(again.changes.is_empty());

    world.person("eve").await;
    let preview = world.preview(Kind::User, "eve").await;
    assert_eq!(
        (preview.state(), reason(&preview)),
        (State::Added, "CREATED")
    );
    let done = world.provision(Kind::User, "eve").await;
    assert_eq!((done.state(), reason(&done)), (State::Added, "CREATED"));
    assert_eq!(world.user("eve").await.given_name, "eve");
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().added, 0, "{run:?}");

    // Gone at the source: kept, and said so; never there: not found.
    world.delete(&format!("users/{}", at("eve"))).await;
    for object in [done.object.unwrap().id, at("Eve")] {
        let gone = world.ask(request(Kind::User, &object, false)).await;
        let gone = gone.unwrap();
        assert_eq!(
            (gone.state(), reason(&gone)),
            (State::Skipped, "ABSENT_AT_SOURCE")
        );
    }
    world.user("eve").await;
    let nobody = world
        .ask(request(Kind::User, "nobody@acme.test", false))
        .await;
    assert_eq!(nobody.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_comes_with_its_members() {
    let mut world = team().await;
    world.person("eve").await;
    world.join("team", "eve").await;
    // Who is not provisioned is waited for.
    let done = world.provision(Kind::Group, "team").await;
    assert_eq!(done.run.unwrap().memberships.unwrap().pending, 1);
    world.provision(Kind::User, "eve").await;
    let preview = world.preview(Kind::Group, "team").await;
    assert_eq!(preview.state(), State::Modified, "{preview:?}");
    let joined = [at("eve")];
    assert_eq!(diffs(&preview), [("members", &[][..], &joined[..])]);
    let done = world.provision(Kind::Group, "team").await;
    assert_eq!(done.state(), State::Modified);
    assert!(world.team_members().await.contains(&at("eve")));
    assert_eq!(
        world.provision(Kind::Group, "team").await.state(),
        State::Unchanged
    );
    // A whole run finds nothing to do.
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 0, "{run:?}");

    world.group("new").await;
    world.join("new", "ann").await;
    let preview = world.preview(Kind::Group, "new").await;
    assert_eq!(preview.state(), State::Added);
    let joined = [at("ann")];
    assert!(
        diffs(&preview).contains(&("members", &[][..], &joined[..])),
        "{preview:?}"
    );
    assert_eq!(
        world.provision(Kind::Group, "new").await.state(),
        State::Added
    );
    let groups = world.groups().await;
    let new = groups
        .iter()
        .find(|group| group.email == at("new"))
        .unwrap();
    assert_eq!(world.members(&new.name).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_rules_decide_about_one_object_too() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    let run_mode = v1::rule::RunMode::Manual.into();
    world
        .rule(v1::Rule {
            run_mode,
            ..v1::Rule::default()
        })
        .await;
    world.person("ann").await;
    let done = world.provision(Kind::User, "ann").await;
    assert_eq!(done.state(), State::Added, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_is_told_with_what_it_saw() {
    let mut world = World::start(nobody()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    let condition = v1::Condition {
        attribute: "name.givenName".to_owned(),
        operator: v1::Operator::Equal.into(),
        values: vec!["Anne".to_owned()],
    };
    // A preview needs neither rules nor anything else but the consent.
    world.person("ann").await;
    assert_eq!(
        world.preview(Kind::User, "ann").await.state(),
        State::OutOfScope
    );
    let refused = world
        .ask(request(Kind::User, &at("ann"), false))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    world
        .rule(v1::Rule {
            conditions: vec![condition.clone()],
            ..v1::Rule::default()
        })
        .await;
    let told = world.preview(Kind::User, "ann").await;
    assert_eq!(told.state(), State::OutOfScope);
    assert_eq!(told.rules.len(), 1);
    assert_eq!(told.rules[0].part(), Part::NotMet);
    let tested = &told.rules[0].conditions[0];
    assert_eq!(tested.condition.as_ref(), Some(&condition));
    assert_eq!(tested.value, Some("ann".into()));
    assert_eq!(tested.state(), Tested::NotMet);
    let renamed = json!({"name": {"givenName": "Anne", "familyName": "Person"}});
    world.edit(&at("ann"), renamed).await;
    world.rule(v1::Rule::default()).await;
    let told = world.preview(Kind::User, "ann").await;
    assert_eq!(told.state(), State::Added);
    let parts: Vec<Part> = told.rules.iter().map(v1::RuleVerdict::part).collect();
    assert_eq!(parts, [Part::Decides, Part::Later]);
    assert_eq!(told.rules[0].conditions[0].state(), Tested::Met);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_all_leaves_what_was_provisioned_since_it_began_to_read() {
    let mut world = team().await;
    let hold = |method: &str| json!({"method": method, "fault": "hold"});
    let named = |name: &str| json!({"name": {"givenName": name, "familyName": "Person"}});
    // The run over all reads Ann and Bob as they are now, and gets the page much later.
    world.edit(&at("ann"), named("Older")).await;
    world.edit(&at("bob"), named("Bobby")).await;
    world.google.forget_requests().await;
    world.google.fault(hold("directory.users.list")).await;
    let bulk = world.start_run().await;
    world.asked("directory.users.list", 1).await;
    world.edit(&at("ann"), named("Newer")).await;
    let done = world.provision(Kind::User, "ann").await;
    assert_eq!(done.state(), State::Modified);
    world
        .google
        .control(Method::DELETE, "faults", Value::Null)
        .await;
    let bulk = world.finished(&bulk.name).await;
    assert_eq!(bulk.state(), run::State::Succeeded, "{bulk:?}");
    sums_hold(&bulk);
    assert_eq!(world.user("ann").await.given_name, "Newer");
    assert_eq!(world.user("bob").await.given_name, "Bobby");
    let changes = world.changes(&bulk.name).await;
    let ann = changes
        .iter()
        .find(|change| change.source.as_ref().unwrap().label == at("ann"));
    assert_eq!(code(ann.unwrap()), "PROVISIONED_MEANWHILE");
    assert_eq!(bulk.counters.unwrap().skipped, 1);
    // The next one has nothing to make up for.
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 0, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_listing_of_a_group_takes_nobody_out_who_was_let_in_since() {
    let mut world = team().await;
    world.person("eve").await;
    world.provision(Kind::User, "eve").await;
    // The run over all must have something to do for the group: Dan has left.
    world
        .delete(&format!("groups/{}/members/{}", at("team"), at("dan")))
        .await;
    world.google.forget_requests().await;
    world
        .google
        .fault(json!({"method": "directory.members.list", "fault": "hold"}))
        .await;
    let bulk = world.start_run().await;
    world.asked("directory.members.list", 1).await;
    world.join("team", "eve").await;
    let done = world.provision(Kind::Group, "team").await;
    assert_eq!(done.state(), State::Modified);
    world
        .google
        .control(Method::DELETE, "faults", Value::Null)
        .await;
    let bulk = world.finished(&bulk.name).await;
    sums_hold(&bulk);
    let there = super::scene::all(&["ann", "bob", "cid", "eve"]);
    assert_eq!(world.team_members().await, there);
    let changes = world.changes(&bulk.name).await;
    assert!(
        changes
            .iter()
            .any(|change| code(change) == "PROVISIONED_MEANWHILE"),
        "{changes:?}"
    );
    let run = world.sync().await;
    assert_eq!(run.counters.unwrap().modified, 0, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_object_asked_for_many_times_at_once_is_made_once() {
    let mut world = team().await;
    world.person("eve").await;
    let asked = (0..20).map(|_| world.provision(Kind::User, "eve"));
    let answers = futures_util::future::join_all(asked).await;
    let count = |state| {
        answers
            .iter()
            .filter(|answer| answer.state() == state)
            .count()
    };
    assert_eq!((count(State::Added), count(State::Unchanged)), (1, 19));
    world.user("eve").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_down_or_does_not_let_us_in_is_an_error_and_no_run() {
    let mut world = team().await;
    let runs = || v1::ListRunsRequest {
        parent: integration(),
        ..v1::ListRunsRequest::default()
    };
    let before = world.sync.list_runs(runs()).await.unwrap().into_inner();
    let down =
        json!({"method": "directory.users.get", "times": 99, "fault": {"status": {"code": 503}}});
    world.google.fault(down).await;
    let refused = world
        .ask(request(Kind::User, &at("ann"), false))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    world
        .google
        .control(Method::DELETE, "faults", Value::Null)
        .await;
    world
        .google
        .control(Method::POST, "revoke", json!({"email": "admin@acme.test"}))
        .await;
    let refused = world
        .ask(request(Kind::User, &at("ann"), false))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert!(
        refused.message().contains("BeginAuthorization"),
        "{refused:?}"
    );
    let lost = world.integration().await.authorization.unwrap().state();
    assert_eq!(lost, v1::authorization::State::ReauthorizationRequired);
    let after = world.sync.list_runs(runs()).await.unwrap().into_inner();
    assert_eq!(after.runs, before.runs);
}
