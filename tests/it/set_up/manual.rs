//! Integrations whose rules run only when someone names them.

use super::*;
use provisiond::proto::v1::run::State;
use tonic::Code;
use tonic_types::StatusExt as _;

fn codes(readiness: &[v1::ReadinessGap]) -> Vec<&'static str> {
    let each = readiness.iter().map(|gap| gap.code().as_str_name());
    each.collect()
}

async fn start(world: &mut World, rules: &[String]) -> Result<v1::Run, Status> {
    let request = v1::StartRunRequest {
        parent: integration(),
        rules: rules.to_vec(),
        ..v1::StartRunRequest::default()
    };
    let run = world.sync.start_run(request).await?;
    Ok(run.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_with_manual_rules_alone_lacks_an_automatic_one_and_runs_those_that_are_named()
 {
    let mut world = World::start(small()).await;
    world.create("google").await;
    world.authorize("admin@acme.test").await;
    let request = v1::ApplyRuleTemplateRequest {
        parent: integration(),
        template: "lookup-users".to_owned(),
        run_mode: v1::rule::RunMode::Manual.into(),
        ..v1::ApplyRuleTemplateRequest::default()
    };
    let rule = world.integrations.apply_rule_template(request).await;
    let rule = rule.unwrap().into_inner();

    let readiness = world.integration().await.readiness;
    assert_eq!(codes(&readiness), ["CODE_NO_AUTOMATIC_RULES"]);
    assert!(readiness[0].message.contains("automatic"), "{readiness:?}");
    let request = v1::CheckIntegrationRequest {
        name: integration(),
    };
    let checked = world.integrations.check_integration(request).await;
    let checked = checked.unwrap().into_inner();
    assert!(!checked.ready);
    assert_eq!(checked.readiness, readiness);

    let refused = start(&mut world, &[]).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    let details = refused.get_error_details();
    let why = &details.precondition_failure().unwrap().violations;
    let why: Vec<&str> = why.iter().map(|one| one.r#type.as_str()).collect();
    assert_eq!(why, ["NO_AUTOMATIC_RULES"]);

    let run = start(&mut world, &[rule.name]).await.unwrap();
    let run = world.finished(&run.name).await;
    assert_eq!(run.state(), State::Succeeded, "{run:?}");
    world.apply("lookup-groups").await;
    assert_eq!(world.integration().await.readiness, []);
}
