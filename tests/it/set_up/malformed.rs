use super::*;
use crate::malformed::{Case, judge};
use tonic::Code;
use tonic_types::StatusExt as _;

#[rustfmt::skip]
async fn integrations(world: &mut World) -> Vec<Case> {
    let limits = |percent| v1::Integration { limits: Some(v1::Limits { max_member_loss_percent: Some(percent) }), ..named() };
    let table = [
        ("a name of nothing", v1::Integration::default(), &["title"][..], "integration.name"),
        ("another system in the mask", named(), &["system"], "update_mask"),
        ("another direction in the mask", named(), &["direction"], "update_mask"),
        ("the switch in the mask", named(), &["active"], "update_mask"),
        ("what the daemon sets", named(), &["title", "create_time"], "update_mask"),
        ("a part of what the daemon sets", named(), &["authorization.state"], "update_mask"),
        ("an unknown path", named(), &["titel"], "update_mask"),
        ("a star among others", named(), &["*", "title"], "update_mask"),
        ("no title", named(), &["title"], "integration.title"),
        ("no title among all fields", named(), &["*"], "integration.title"),
        ("a limit above all", limits(101), &[], "integration.limits.max_member_loss_percent"),
        ("a limit below none", limits(-1), &["limits"], "integration.limits.max_member_loss_percent"),
        ("another system", v1::Integration { system: "systems/other".to_owned(), ..named() }, &[], "integration.system"),
        ("another direction", v1::Integration { direction: 2, ..named() }, &["*"], "integration.direction"),
        ("a protected name", v1::Integration { protected: vec!["*".to_owned(), "boss".to_owned()], ..named() }, &["protected"], "integration.protected[1]"),
        ("too many that are protected", v1::Integration { protected: vec!["a@b.c".to_owned(); 101], ..named() }, &[], "integration.protected"),
        ("a domain with a star", v1::Integration { domains: vec!["*.acme.test".to_owned()], ..named() }, &["domains"], "integration.domains[0]"),
        ("switching on", v1::Integration { active: true, ..named() }, &[], "integration.active"),
    ];
    let (mut cases, rpc) = (Vec::new(), "IntegrationService/UpdateIntegration");
    for (what, integration, paths, field) in table {
        let answer = world.update(integration, paths).await.map(drop);
        cases.push(Case { rpc, what, answer, field });
    }
    let nothing = world.integrations.update_integration(v1::UpdateIntegrationRequest::default()).await;
    cases.push(Case { rpc, what: "no integration", answer: nothing.map(drop), field: "integration" });
    cases
}

#[rustfmt::skip]
async fn rules(world: &mut World, name: &str) -> Vec<Case> {
    let rule = || v1::Rule { name: name.to_owned(), ..v1::Rule::default() };
    let condition = |attribute: &str| v1::Condition { attribute: attribute.to_owned(), operator: 1, values: vec!["x".to_owned()] };
    let table = [
        ("a rule's bare id", v1::Rule { name: "users".to_owned(), ..rule() }, &["title"][..], "rule.name"),
        ("another event in the mask", rule(), &["event"], "update_mask"),
        ("another kind in the mask", rule(), &["source_kind"], "update_mask"),
        ("another target in the mask", rule(), &["target_kind"], "update_mask"),
        ("another action in the mask", rule(), &["action"], "update_mask"),
        ("an etag in the mask", rule(), &["etag"], "update_mask"),
        ("a part of a list", rule(), &["conditions.0.values"], "update_mask"),
        ("another kind", v1::Rule { source_kind: 2, ..rule() }, &[], "rule.source_kind"),
        ("no title of a rule", rule(), &["title"], "rule.title"),
        ("a negative position", v1::Rule { position: -1, ..rule() }, &["position"], "rule.position"),
        ("an unknown attribute", v1::Rule { conditions: vec![condition("shoeSize")], ..rule() }, &[], "rule.conditions[0].attribute"),
        ("a run mode that does not exist", v1::Rule { run_mode: 9, ..rule() }, &["run_mode"], "rule.run_mode"),
    ];
    let (mut cases, rpc) = (Vec::new(), "IntegrationService/UpdateRule");
    for (what, rule, paths, field) in table {
        let answer = world.update_rule(rule, paths).await.map(drop);
        cases.push(Case { rpc, what, answer, field });
    }
    let nothing = world.integrations.update_rule(v1::UpdateRuleRequest::default()).await;
    cases.push(Case { rpc, what: "no rule", answer: nothing.map(drop), field: "rule" });
    cases
}

/// All cases, and how often the store was written to meanwhile.
pub(super) async fn cases() -> (Vec<Case>, u64) {
    let mut world = quiet().await;
    let rule = world.apply("lookup-users").await;
    let before = world.store.writes();
    let mut cases = Box::pin(integrations(&mut world)).await;
    cases.extend(rules(&mut world, &rule.name).await);
    (cases, world.store.writes() - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_update_names_its_field_and_changes_nothing() {
    let (cases, writes) = cases().await;
    cases.iter().for_each(judge);
    assert_eq!(writes, 0, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_is_foreign_or_absent_gets_the_same_answer() {
    let mut world = quiet().await;
    for name in [
        "companies/other/integrations/google",
        "companies/acme/integrations/none",
    ] {
        let integration = v1::Integration {
            name: name.to_owned(),
            title: "x".to_owned(),
            ..v1::Integration::default()
        };
        let status = world.update(integration, &["title"]).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let rule = v1::Rule {
            name: format!("{name}/rules/x"),
            ..v1::Rule::default()
        };
        let status = world.update_rule(rule, &["title"]).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        assert!(status.get_error_details().resource_info().is_some());
    }
}
