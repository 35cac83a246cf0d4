//! Refusals that malformed requests do not show: all fields at once, and what others did meanwhile.

use super::{quiet, reason, wrong_fields};
use crate::support::{company, integration};
use provisiond::proto::v1;
use tonic::Code;
use tonic_types::StatusExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_something_new_is_told_at_once() {
    let mut world = quiet().await;
    let before = world.store.writes();
    let user = v1::User {
        user_name: "nobody".to_owned(),
        given_name: "x".repeat(300),
        ..v1::User::default()
    };
    let mut request = v1::CreateUserRequest {
        parent: "acme".to_owned(),
        user: Some(user),
        user_id: "No".to_owned(),
        request_id: "no good".to_owned(),
    };
    let status = world.directory.create_user(request.clone()).await;
    let body = ["request_id", "user.given_name", "user.user_name", "user_id"];
    let with_parent: Vec<&str> = ["parent"].into_iter().chain(body).collect();
    assert_eq!(wrong_fields(&status.unwrap_err()), with_parent);
    request.parent = company();
    let status = world.directory.create_user(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), body);
    let request = v1::CreateGroupRequest {
        parent: String::new(),
        group: None,
        group_id: "No".to_owned(),
        request_id: String::new(),
    };
    let status = world.directory.create_group(request).await.unwrap_err();
    let fields = ["group", "group.email", "group_id", "parent"];
    assert_eq!(wrong_fields(&status), fields);
    let limits = v1::Limits {
        max_member_loss_percent: Some(-1),
    };
    let request = v1::CreateIntegrationRequest {
        parent: "companies/".to_owned(),
        integration: Some(v1::Integration {
            direction: 9,
            limits: Some(limits),
            ..v1::Integration::default()
        }),
        integration_id: "No".to_owned(),
        request_id: "é".to_owned(),
        ..v1::CreateIntegrationRequest::default()
    };
    let status = world.integrations.create_integration(request).await;
    let fields = [
        "integration.direction",
        "integration.limits.max_member_loss_percent",
        "integration.system",
        "integration.title",
        "integration_id",
        "parent",
        "request_id",
    ];
    assert_eq!(wrong_fields(&status.unwrap_err()), fields);
    assert_eq!(world.store.writes(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_rule_or_a_question_is_told_at_once() {
    let mut world = quiet().await;
    let before = world.store.writes();
    let condition = v1::Condition {
        attribute: "shoeSize".to_owned(),
        operator: 99,
        values: Vec::new(),
    };
    let rule = v1::Rule {
        position: -1,
        run_mode: 9,
        conditions: vec![condition],
        source_kind: v1::Kind::User.into(),
        target_kind: v1::Kind::Group.into(),
        ..v1::Rule::default()
    };
    let request = v1::CreateRuleRequest {
        parent: integration(),
        rule: Some(rule),
        rule_id: "No".to_owned(),
        request_id: "x".repeat(65),
        ..v1::CreateRuleRequest::default()
    };
    let status = world.integrations.create_rule(request).await.unwrap_err();
    let fields = [
        "request_id",
        "rule.action",
        "rule.conditions[0].attribute",
        "rule.conditions[0].operator",
        "rule.conditions[0].values",
        "rule.event",
        "rule.position",
        "rule.run_mode",
        "rule.target_kind",
        "rule.title",
        "rule_id",
    ];
    assert_eq!(wrong_fields(&status), fields);
    let request = v1::ApplyRuleTemplateRequest {
        parent: "x".to_owned(),
        template: "none".to_owned(),
        run_mode: 9,
        rule_id: "No".to_owned(),
        ..v1::ApplyRuleTemplateRequest::default()
    };
    let status = world.integrations.apply_rule_template(request).await;
    let fields = ["parent", "rule_id", "run_mode", "template"];
    assert_eq!(wrong_fields(&status.unwrap_err()), fields);
    let request = v1::ListChangesRequest {
        parent: "x".to_owned(),
        page_size: -1,
        page_token: "made-up".to_owned(),
        outcomes: vec![1, 99],
        rule: "r".to_owned(),
        object: String::new(),
    };
    let status = world.sync.list_changes(request).await.unwrap_err();
    let fields = ["outcomes[1]", "page_size", "page_token", "parent", "rule"];
    assert_eq!(wrong_fields(&status), fields);
    let request = v1::WatchRunsRequest {
        parent: "companies/acme/integrations".to_owned(),
        position: Some(v1::watch_runs_request::Position::AfterSequence(-1)),
        include_changes: false,
    };
    let status = world.sync.watch_runs(request).await.unwrap_err();
    assert_eq!(wrong_fields(&status), ["after_sequence", "parent"]);
    assert_eq!(world.store.writes(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_saw_something_older_changes_nothing() {
    let mut world = quiet().await;
    let rule = world.apply("lookup-users").await;
    let etag = world.integration().await.etag;
    let activate = |etag: &str| v1::ActivateIntegrationRequest {
        name: integration(),
        etag: etag.to_owned(),
    };
    let client = &mut world.integrations;
    let active = client.activate_integration(activate(&etag)).await.unwrap();
    let active = active.into_inner();
    assert!(active.active);
    assert_ne!(active.etag, etag);
    let before = world.store.writes();
    let deactivate = v1::DeactivateIntegrationRequest {
        name: integration(),
        etag: etag.clone(),
    };
    let status = client.deactivate_integration(deactivate).await.unwrap_err();
    assert_eq!(reason(&status, Code::Aborted), "ETAG_MISMATCH");
    let delete = |etag: &str| v1::DeleteRuleRequest {
        name: rule.name.clone(),
        etag: etag.to_owned(),
    };
    let status = client.delete_rule(delete(&etag)).await.unwrap_err();
    assert_eq!(reason(&status, Code::Aborted), "ETAG_MISMATCH");
    assert_eq!(world.store.writes(), before);
    client.delete_rule(delete(&rule.etag)).await.unwrap();
    let status = client.delete_rule(delete("")).await.unwrap_err();
    assert_eq!(reason(&status, Code::NotFound), "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_names_its_holder() {
    let mut world = quiet().await;
    let user = |id: &str, user_name: &str| v1::CreateUserRequest {
        parent: company(),
        user: Some(v1::User {
            user_name: user_name.to_owned(),
            ..v1::User::default()
        }),
        user_id: id.to_owned(),
        request_id: String::new(),
    };
    let client = &mut world.directory;
    client
        .create_user(user("anna", "anna@acme.test"))
        .await
        .unwrap();
    let before = world.store.writes();
    let group = v1::CreateGroupRequest {
        parent: company(),
        group: Some(v1::Group {
            email: "Anna@ACME.test".to_owned(),
            ..v1::Group::default()
        }),
        ..v1::CreateGroupRequest::default()
    };
    let again = client.create_user(user("anna", "other@acme.test")).await;
    for status in [
        again.unwrap_err(),
        client.create_group(group).await.unwrap_err(),
    ] {
        assert_eq!(reason(&status, Code::AlreadyExists), "RESOURCE_EXISTS");
        let details = status.get_error_details();
        let holder = &details.resource_info().unwrap().resource_name;
        assert_eq!(holder, "companies/acme/users/anna", "{status:?}");
    }
    assert_eq!(world.store.writes(), before);
}
