//! Malformed requests: each gets its code and details, and changes nothing.

#![allow(clippy::unwrap_used)]

use crate::support::{World, company, integration};
use provisiond::{proto::v1, sandbox::Options};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A case: what it is, what came of it, and the field that is named.
type Case = (&'static str, Result<(), Status>, &'static str);

fn rule() -> v1::Rule {
    v1::Rule {
        title: "Users".to_owned(),
        event: v1::Event::Lookup.into(),
        source_kind: v1::Kind::User.into(),
        action: v1::Action::Add.into(),
        target_kind: v1::Kind::User.into(),
        ..v1::Rule::default()
    }
}

fn condition(attribute: &str, operator: i32, values: &[&str]) -> v1::Condition {
    v1::Condition {
        attribute: attribute.to_owned(),
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn good() -> v1::Integration {
    v1::Integration {
        title: "Other".to_owned(),
        system: "systems/google-workspace".to_owned(),
        direction: v1::Direction::FromSystem.into(),
        ..v1::Integration::default()
    }
}

#[rustfmt::skip]
fn integrations_to_make() -> Vec<(&'static str, v1::CreateIntegrationRequest, &'static str)> {
    let good = good();
    let create = |integration: v1::Integration| v1::CreateIntegrationRequest { parent: company(), integration: Some(integration), ..v1::CreateIntegrationRequest::default() };
    let limits = |percent| Some(v1::Limits { max_member_loss_percent: Some(percent) });
    vec![
        ("no parent", v1::CreateIntegrationRequest { parent: String::new(), ..create(good.clone()) }, "parent"),
        ("a bad company", v1::CreateIntegrationRequest { parent: "companies/A B".to_owned(), ..create(good.clone()) }, "parent"),
        ("no integration", v1::CreateIntegrationRequest { integration: None, ..create(good.clone()) }, "integration"),
        ("no title", create(v1::Integration { title: String::new(), ..good.clone() }), "integration.title"),
        ("a long title", create(v1::Integration { title: "x".repeat(101), ..good.clone() }), "integration.title"),
        ("no system", create(v1::Integration { system: String::new(), ..good.clone() }), "integration.system"),
        ("an unknown system", create(v1::Integration { system: "systems/nothing".to_owned(), ..good.clone() }), "integration.system"),
        ("a system without its collection", create(v1::Integration { system: "google-workspace".to_owned(), ..good.clone() }), "integration.system"),
        ("no direction", create(v1::Integration { direction: 0, ..good.clone() }), "integration.direction"),
        ("a direction that is not built", create(v1::Integration { direction: 2, ..good.clone() }), "integration.direction"),
        ("a direction that does not exist", create(v1::Integration { direction: 77, ..good.clone() }), "integration.direction"),
        ("an interval that does not exist", create(v1::Integration { sync_interval: 9, ..good.clone() }), "integration.sync_interval"),
        ("an unknown time zone", create(v1::Integration { time_zone: "Europe/Berlim".to_owned(), ..good.clone() }), "integration.time_zone"),
        ("a time zone that is a distance", create(v1::Integration { time_zone: "+02:00".to_owned(), ..good.clone() }), "integration.time_zone"),
        ("a limit above all", create(v1::Integration { limits: limits(101), ..good.clone() }), "integration.limits.max_member_loss_percent"),
        ("a limit below none", create(v1::Integration { limits: limits(-1), ..good.clone() }), "integration.limits.max_member_loss_percent"),
        ("a bad id", v1::CreateIntegrationRequest { integration_id: "No Good".to_owned(), ..create(good.clone()) }, "integration_id"),
        ("a bad request id", v1::CreateIntegrationRequest { request_id: "x".repeat(65), ..create(good) }, "request_id"),
    ]
}

async fn integrations(world: &mut World) -> Vec<Case> {
    let table = integrations_to_make();
    let mut cases = Vec::new();
    for (what, request, field) in table {
        let answer = world.integrations.create_integration(request).await;
        cases.push((what, answer.map(drop), field));
    }
    cases.extend(other_calls(world).await);
    cases
}

#[rustfmt::skip]
async fn other_calls(world: &mut World) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let list = v1::ListIntegrationsRequest { parent: company(), page_size: -1, page_token: String::new() };
    let answer = world.integrations.list_integrations(list.clone()).await;
    cases.push(("a negative page size", answer.map(drop), "page_size"));
    let list = v1::ListIntegrationsRequest { page_size: 1, page_token: "made-up".to_owned(), ..list };
    let answer = world.integrations.list_integrations(list).await;
    cases.push(("a made-up page token", answer.map(drop), "page_token"));
    let get = v1::GetIntegrationRequest { name: "companies/acme".to_owned() };
    cases.push(("a name of something else", world.integrations.get_integration(get).await.map(drop), "name"));
    let get = v1::GetSystemRequest { name: "google-workspace".to_owned() };
    cases.push(("a system's bare id", world.integrations.get_system(get).await.map(drop), "name"));
    let begin = v1::BeginAuthorizationRequest { name: integration(), return_url: "javascript:x".to_owned(), ..v1::BeginAuthorizationRequest::default() };
    cases.push((
        "a return URL of no kind",
        world.integrations.begin_authorization(begin).await.map(drop),
        "return_url",
    ));
    let complete = v1::CompleteAuthorizationRequest { name: integration(), state: "x".to_owned(), answer: None };
    cases.push((
        "an answer without answer",
        world.integrations.complete_authorization(complete.clone()).await.map(drop),
        "answer",
    ));
    let complete = v1::CompleteAuthorizationRequest { state: String::new(), ..complete };
    cases.push((
        "an answer without state",
        world.integrations.complete_authorization(complete).await.map(drop),
        "state",
    ));
    cases
}

#[rustfmt::skip]
async fn rules(world: &mut World) -> Vec<Case> {
    let create = |rule: v1::Rule| v1::CreateRuleRequest { parent: integration(), rule: Some(rule), ..v1::CreateRuleRequest::default() };
    let with = |condition: v1::Condition| create(v1::Rule { conditions: vec![condition], ..rule() });
    let text = |text: &str| prost_types::Value::from(text);
    let default = |name: &str, value| create(v1::Rule { defaults: [(name.to_owned(), value)].into(), ..rule() });
    let table = vec![
        ("no rule", v1::CreateRuleRequest { rule: None, ..create(rule()) }, "rule"),
        ("no title of a rule", create(v1::Rule { title: String::new(), ..rule() }), "rule.title"),
        ("no event", create(v1::Rule { event: 0, ..rule() }), "rule.event"),
        ("an event that does not exist", create(v1::Rule { event: 9, ..rule() }), "rule.event"),
        ("no source kind", create(v1::Rule { source_kind: 0, ..rule() }), "rule.source_kind"),
        ("no action", create(v1::Rule { action: 0, ..rule() }), "rule.action"),
        ("a user made a group", create(v1::Rule { target_kind: 2, ..rule() }), "rule.target_kind"),
        ("a negative position", create(v1::Rule { position: -1, ..rule() }), "rule.position"),
        ("a run mode that does not exist", create(v1::Rule { run_mode: 9, ..rule() }), "rule.run_mode"),
        ("an unknown attribute", with(condition("shoeSize", 1, &["44"])), "rule.conditions[0].attribute"),
        ("no operator", with(condition("department", 0, &["x"])), "rule.conditions[0].operator"),
        (
            "an operator that does not exist",
            with(condition("department", 99, &["x"])),
            "rule.conditions[0].operator",
        ),
        ("no values", with(condition("department", 1, &[])), "rule.conditions[0].values"),
        ("no pattern", with(condition("department", 7, &["(sales"])), "rule.conditions[0].values"),
        ("a part of a yes or no", with(condition("active", 8, &["tr"])), "rule.conditions[0].operator"),
        ("neither true nor false", with(condition("active", 1, &["maybe"])), "rule.conditions[0].values"),
        ("a default for no attribute", default("shoeSize", text("44")), "rule.defaults[shoeSize]"),
        ("a number as default", default("title", prost_types::Value::from(4.0)), "rule.defaults[title]"),
        ("a bad rule id", v1::CreateRuleRequest { rule_id: "No".to_owned(), ..create(rule()) }, "rule_id"),
    ];
    let mut cases = Vec::new();
    for (what, request, field) in table {
        cases.push((what, world.integrations.create_rule(request).await.map(drop), field));
    }
    let apply = v1::ApplyRuleTemplateRequest { parent: integration(), template: "nothing".to_owned(), ..v1::ApplyRuleTemplateRequest::default() };
    cases.push(("an unknown template", world.integrations.apply_rule_template(apply).await.map(drop), "template"));
    let list = |kind: i32, attribute: &str| v1::ListChoicesRequest { parent: integration(), kind, attribute: attribute.to_owned(), page_token: String::new() };
    for (what, request, field) in [
        ("choices of no kind", list(0, "groups"), "kind"),
        ("choices of free text", list(1, "title"), "attribute"),
        ("units of groups", list(2, "orgUnit"), "attribute"),
        ("a page of another list", v1::ListChoicesRequest { page_token: "1x".to_owned(), ..list(1, "groups") }, "page_token"),
    ] {
        cases.push((what, world.integrations.list_choices(request).await.map(drop), field));
    }
    let maps = |attribute: &str, expression: &str, times| create(v1::Rule { mappings: vec![v1::Mapping { attribute: attribute.to_owned(), expression: expression.to_owned() }; times], ..rule() });
    let map = |attribute: &str, expression: &str| maps(attribute, expression, 1);
    for (what, request, field) in [
        ("a mapping of the address", map("userName", "title"), "rule.mappings[0].attribute"),
        ("a mapping of nothing", map("nothing", "title"), "rule.mappings[0].attribute"),
        ("an expression that is none", map("title", "title ~"), "rule.mappings[0].expression"),
        ("an expression with a filter that there is not", map("title", "title if active else title|nothing"), "rule.mappings[0].expression"),
        ("an attribute mapped twice", maps("title", "department", 2), "rule.mappings[1].attribute"),
        ("mappings without number", maps("title", "department", 20_000), "rule.mappings"),
        ("an expression of what is not there", map("title", "nickname"), "rule.mappings[0].expression"),
        ("an expression of groups", map("title", "groups|first"), "rule.mappings[0].expression"),
        ("an expression without end", map("title", &"x".repeat(1025)), "rule.mappings[0].expression"),
        ("an expression too deep", map("title", &format!("{}1{}", "(".repeat(400), ")".repeat(400))), "rule.mappings[0].expression"),
    ] {
        cases.push((what, world.integrations.create_rule(request).await.map(drop), field));
    }
    let delete = v1::DeleteRuleRequest { name: "rules/x".to_owned(), etag: String::new() };
    cases.push(("a rule's bare name", world.integrations.delete_rule(delete).await.map(drop), "name"));
    cases
}

#[rustfmt::skip]
async fn runs_and_people(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let start = v1::StartRunRequest { parent: integration(), rules: vec!["No Good".to_owned()], request_id: String::new() };
    cases.push(("a bad rule in a run", world.sync.start_run(start).await.map(drop), "rules[0]"));
    let one = |kind: i32, object: String| v1::ProvisionObjectRequest { parent: integration(), kind, object, preview: false };
    for (what, request, field) in [
        ("an object of no kind", one(0, "1".to_owned()), "kind"),
        ("an object of a kind to come", one(99, "1".to_owned()), "kind"),
        ("no object", one(1, String::new()), "object"),
        ("an object without end", one(1, "x".repeat(256)), "object"),
    ] {
        cases.push((what, world.sync.provision_object(request).await.map(drop), field));
    }
    let changes = v1::ListChangesRequest { parent: "companies/acme".to_owned(), ..v1::ListChangesRequest::default() };
    cases.push(("changes of a company", world.sync.list_changes(changes).await.map(drop), "parent"));
    let changes = v1::ListChangesRequest { parent: format!("{}/runs/-", integration()), outcomes: vec![99], ..v1::ListChangesRequest::default() };
    cases.push(("an outcome that does not exist", world.sync.list_changes(changes).await.map(drop), "outcomes[0]"));
    let watch = v1::WatchRunsRequest { parent: "acme".to_owned(), ..v1::WatchRunsRequest::default() };
    cases.push(("a watch of nothing", world.sync.watch_runs(watch).await.map(drop), "parent"));
    let position = Some(v1::watch_runs_request::Position::ResumeToken("x".to_owned()));
    let watch = v1::WatchRunsRequest { parent: company(), position, include_changes: false };
    cases.push(("a made-up resume token", world.sync.watch_runs(watch).await.map(drop), "resume_token"));
    let user = |user: v1::User| v1::CreateUserRequest { parent: company(), user: Some(user), ..v1::CreateUserRequest::default() };
    let named = |user_name: &str| v1::User { user_name: user_name.to_owned(), ..v1::User::default() };
    for (what, request, field) in [
        ("no user", v1::CreateUserRequest { user: None, ..user(named("a@acme.test")) }, "user"),
        ("no address", user(named("")), "user.user_name"),
        ("an address without domain", user(named("somebody")), "user.user_name"),
        (
            "a bad user id",
            v1::CreateUserRequest { user_id: "A".to_owned(), ..user(named("a@acme.test")) },
            "user_id",
        ),
        (
            "a name without end",
            user(v1::User { given_name: "x".repeat(300), ..named("a@acme.test") }),
            "user.given_name",
        ),
    ] {
        cases.push((what, world.directory.create_user(request).await.map(drop), field));
    }
    let group = v1::CreateGroupRequest { parent: company(), group: Some(v1::Group::default()), ..v1::CreateGroupRequest::default() };
    cases.push(("a group without address", world.directory.create_group(group).await.map(drop), "group.email"));
    let update = v1::UpdateUserRequest { user: Some(named("a@acme.test")), ..v1::UpdateUserRequest::default() };
    cases.push(("a user without name to change", world.directory.update_user(update).await.map(drop), "user.name"));
    let update = v1::UpdateGroupRequest::default();
    cases.push(("no group to change", world.directory.update_group(update).await.map(drop), "group"));
    let list = v1::ListUsersRequest { parent: company(), filter: "active".to_owned(), ..v1::ListUsersRequest::default() };
    cases.push(("a filter that is none", world.directory.list_users(list).await.map(drop), "filter"));
    let add = v1::AddMemberRequest { parent: "companies/acme/groups/g".to_owned(), member: "a@acme.test".to_owned() };
    cases.push(("an address as member", world.directory.add_member(add).await.map(drop), "member"));
    let remove = v1::RemoveMemberRequest { name: "companies/acme/groups/g/members/u".to_owned() };
    cases.push(("a member without kind", world.directory.remove_member(remove).await.map(drop), "name"));
    let members = v1::ListMembersRequest { parent: "companies/acme/users/u".to_owned(), page_size: 0, page_token: String::new() };
    cases.push(("members of a user", world.directory.list_members(members).await.map(drop), "parent"));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_request_names_its_field_and_changes_nothing() {
    let mut world = World::start(Options {
        users: 5,
        groups: 1,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    let before = world.store.writes();
    let mut cases = integrations(&mut world).await;
    cases.extend(rules(&mut world).await);
    cases.extend(runs_and_people(&mut world).await);
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for (what, answer, field) in cases {
        let status = answer.expect_err(what);
        assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
        let details = status.get_error_details();
        let named = details
            .bad_request()
            .unwrap_or_else(|| panic!("{what}: no details"));
        let fields: Vec<&str> = named
            .field_violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert!(
            fields.contains(&field),
            "{what}: {field} is not among {fields:?}"
        );
        assert_eq!(
            details.error_info().unwrap().domain,
            "provisioning.appsco",
            "{what}"
        );
    }
    assert_eq!(world.store.writes(), before, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_resource_and_an_absent_one_get_the_same_answer() {
    let mut world = World::start(Options {
        users: 5,
        groups: 1,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    let get = |name: &str| v1::GetIntegrationRequest {
        name: name.to_owned(),
    };
    let foreign = world
        .integrations
        .get_integration(get("companies/other/integrations/google"))
        .await
        .unwrap_err();
    let absent = world
        .integrations
        .get_integration(get("companies/acme/integrations/nothing"))
        .await
        .unwrap_err();
    for status in [&foreign, &absent] {
        assert_eq!(status.code(), Code::NotFound);
        assert!(status.get_error_details().resource_info().is_some());
        assert!(status.metadata().get("x-request-id").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_done_first_is_said() {
    let mut world = World::start(Options {
        users: 5,
        groups: 1,
        ..Options::default()
    })
    .await;
    world.create("google").await;
    let start = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    let status = world.sync.start_run(start).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let details = status.get_error_details();
    let codes: Vec<&str> = details
        .precondition_failure()
        .unwrap()
        .violations
        .iter()
        .map(|v| v.r#type.as_str())
        .collect();
    assert_eq!(codes, ["NOT_AUTHORIZED", "NO_ACTIVE_RULES"]);
    let twice = v1::CreateUserRequest {
        parent: company(),
        user: Some(v1::User {
            user_name: "a@acme.test".to_owned(),
            ..v1::User::default()
        }),
        user_id: String::new(),
        request_id: "once".to_owned(),
    };
    let first = world
        .directory
        .create_user(twice.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        world
            .directory
            .create_user(twice.clone())
            .await
            .unwrap()
            .into_inner(),
        first
    );
    let other = v1::CreateUserRequest {
        user_id: "other".to_owned(),
        ..twice
    };
    let status = world.directory.create_user(other).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
}
