//! Every way in which an authorization is lost at Google, by everybody who may be the first to meet it.

use super::*;
use crate::support::sums_hold;
use provisiond::proto::v1::watch_runs_response::Event;

const GROUP_SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.group.readonly";

/// What happens to the authorization at Google.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// The account's owner takes the consent back.
    Revoked,
    /// No access token is taken, also none that is new.
    Refused,
    /// The account is no administrator any more.
    Demoted,
    /// Of the consent only the signing in is left.
    ScopesWithdrawn,
    Suspended,
    Deleted,
}

const CAUSES: [Cause; 6] = [
    Cause::Revoked,
    Cause::Refused,
    Cause::Demoted,
    Cause::ScopesWithdrawn,
    Cause::Suspended,
    Cause::Deleted,
];

impl Cause {
    async fn strike(self, world: &World) {
        let google = &world.google;
        let account = format!("accounts/{ADMIN}");
        match self {
            Self::Revoked => {
                let who = json!({"email": ADMIN});
                google.control(Method::POST, "revoke", who).await;
            }
            Self::Refused => {
                let refused = json!({"method": "directory.", "times": 1000, "fault": {"status": {"code": 401}}});
                google.fault(refused).await;
            }
            Self::Demoted => {
                let demoted = json!({"is_admin": false});
                google.control(Method::POST, &account, demoted).await;
            }
            Self::ScopesWithdrawn => {
                let scopes = json!({"email": ADMIN, "scopes": [USER_SCOPE, GROUP_SCOPE]});
                google.control(Method::POST, "revoke", scopes).await;
            }
            Self::Suspended => {
                let suspended = json!({"suspended": true});
                google.control(Method::POST, &account, suspended).await;
            }
            Self::Deleted => {
                let admin = format!("users/{ADMIN}");
                google.control(Method::DELETE, &admin, Value::Null).await;
            }
        }
    }

    /// Puts right what consenting again does not.
    async fn undo(self, world: &World, admin: &str) {
        let google = &world.google;
        let account = format!("accounts/{ADMIN}");
        match self {
            Self::Revoked | Self::ScopesWithdrawn => {}
            Self::Refused => {
                google.control(Method::DELETE, "faults", Value::Null).await;
            }
            Self::Demoted => {
                let promoted = json!({"is_admin": true});
                google.control(Method::POST, &account, promoted).await;
            }
            Self::Suspended => {
                let back = json!({"suspended": false});
                google.control(Method::POST, &account, back).await;
            }
            Self::Deleted => {
                let back = format!("users/{admin}/undelete");
                google.control(Method::POST, &back, Value::Null).await;
            }
        }
    }

    /// Part of the reason in words.
    fn says(self) -> &'static str {
        match self {
            Self::Revoked => "invalid_grant",
            Self::Refused => "401 authError",
            Self::Demoted => "admin@acme.test is no administrator any more",
            Self::ScopesWithdrawn => "insufficient authentication scopes",
            Self::Suspended => "Account has been disabled",
            Self::Deleted => "The account has been deleted",
        }
    }
}

/// Who is the first to meet it.
#[derive(Debug, Clone, Copy)]
enum Finder {
    Run,
    Check,
    Choices,
    Object,
}

impl Finder {
    async fn find(self, world: &mut World, cause: Cause) {
        match self {
            Self::Run => {
                let run = world.run().await;
                assert_eq!(run.state(), run::State::Failed, "{cause:?}: {run:?}");
                sums_hold(&run);
                let error = run.error.unwrap();
                let code = match cause {
                    Cause::Refused => "ACCESS_TOKEN_REFUSED",
                    _ => "REAUTHORIZATION_REQUIRED",
                };
                assert_eq!(error.reason, code, "{error:?}");
                assert!(error.message.contains(cause.says()), "{error:?}");
            }
            Self::Check => {
                let request = v1::CheckIntegrationRequest {
                    name: integration(),
                };
                let answer = world.integrations.check_integration(request).await;
                let answer = answer.unwrap().into_inner();
                assert!(!answer.ready, "{cause:?}: {answer:?}");
                let gaps: Vec<_> = answer.readiness.iter().map(|gap| gap.code()).collect();
                assert_eq!(gaps, [readiness_gap::Code::ReauthorizationRequired]);
            }
            Self::Choices => {
                let request = v1::ListChoicesRequest {
                    parent: integration(),
                    kind: v1::Kind::User.into(),
                    attribute: "groups".to_owned(),
                    page_token: String::new(),
                };
                let answer = world.integrations.list_choices(request).await;
                says_what_to_do(&answer.unwrap_err(), cause);
            }
            Self::Object => {
                let request = v1::ProvisionObjectRequest {
                    parent: integration(),
                    kind: v1::Kind::User.into(),
                    object: "nonadmin@acme.test".to_owned(),
                    preview: false,
                };
                let answer = world.sync.provision_object(request).await;
                says_what_to_do(&answer.unwrap_err(), cause);
            }
        }
    }
}

fn says_what_to_do(refused: &tonic::Status, cause: Cause) {
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    let text = refused.message();
    assert!(text.contains(cause.says()), "{cause:?}: {text}");
    assert!(text.contains("BeginAuthorization"), "{cause:?}: {text}");
}

/// Users, groups and members of the directory.
async fn directory(world: &mut World) -> (Vec<v1::User>, Vec<v1::Group>, Vec<v1::Member>) {
    let (users, groups) = (world.users().await, world.groups().await);
    let mut members = Vec::new();
    for group in &groups {
        members.extend(world.members(&group.name).await);
    }
    (users, groups, members)
}

async fn lost_and_healed(world: &mut World, cause: Cause, finder: Finder, admin: &str) {
    let before = directory(world).await;
    let watch = v1::WatchRunsRequest {
        parent: integration(),
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(watch).await.unwrap().into_inner();
    cause.strike(world).await;
    finder.find(world, cause).await;
    let now = world.integration().await;
    let authorization = now.authorization.unwrap();
    let state = authorization.state();
    assert_eq!(state, State::ReauthorizationRequired, "{cause:?}");
    let told = loop {
        let message = news.message().await.unwrap().unwrap();
        if let Some(Event::AuthorizationLost(lost)) = message.event {
            break lost;
        }
    };
    assert_eq!(told.integration, integration());
    assert_eq!(authorization.reason, told.reason);
    assert!(told.reason.contains(cause.says()), "{told:?}");
    assert!(!told.reason.contains("stands"), "no talk of runs: {told:?}");
    let [gap] = now.readiness.as_slice() else {
        panic!("{cause:?}: {:?}", now.readiness);
    };
    assert_eq!(gap.code(), readiness_gap::Code::ReauthorizationRequired);
    let request = v1::StartRunRequest {
        parent: integration(),
        ..v1::StartRunRequest::default()
    };
    let refused = world.sync.start_run(request).await.unwrap_err();
    says_what_to_do(&refused, cause);
    assert_eq!(directory(world).await, before, "{cause:?}, {finder:?}");

    cause.undo(world, admin).await;
    world.authorize(ADMIN).await;
    let healed = world.integration().await;
    assert!(healed.readiness.is_empty(), "{:?}", healed.readiness);
    assert_eq!(healed.authorization.unwrap().reason, "");
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{cause:?}: {run:?}");
    assert_eq!(run.counters.unwrap().unchanged, 15, "{cause:?}: {run:?}");
    assert_eq!(directory(world).await, before, "{cause:?}, {finder:?}");
}

async fn every_cause_found_by(finder: Finder) {
    let mut world = synced(small()).await;
    let consent = world.integration().await.authorization.unwrap();
    assert_eq!(consent.state(), State::Authorized);
    let state = world.google.state().await;
    let mut users = state["users"].as_array().unwrap().iter();
    let admin = users.find(|user| user["primaryEmail"] == ADMIN).unwrap();
    let admin = admin["id"].as_str().unwrap();
    for cause in CAUSES {
        lost_and_healed(&mut world, cause, finder, admin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_notices_every_loss_removes_nobody_and_consenting_again_heals_it() {
    every_cause_found_by(Finder::Run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_notices_every_loss() {
    every_cause_found_by(Finder::Check).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lists_choices_notices_every_loss_and_is_told_what_to_do() {
    every_cause_found_by(Finder::Choices).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_provisions_one_object_notices_every_loss_and_is_told_what_to_do() {
    every_cause_found_by(Finder::Object).await;
}

/// What a run ends with while these methods are refused in this way; the authorization stays as it was.
async fn refused_without_a_loss(world: &mut World, faults: &[(&str, u16)]) -> String {
    let before = world.integration().await.authorization;
    for (method, code) in faults {
        let rule = json!({"method": method, "times": 1000, "fault": {"status": {"code": code}}});
        world.google.fault(rule).await;
    }
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Failed, "{run:?}");
    let google = &world.google;
    google.control(Method::DELETE, "faults", Value::Null).await;
    assert_eq!(world.integration().await.authorization, before);
    run.error.unwrap().reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_forbidden_to_who_is_still_an_administrator_costs_the_run_alone() {
    let mut world = synced(small()).await;
    for faults in [
        &[("directory.groups.list", 403)][..],
        &[("directory.users.list", 403)],
        // Who we are can't be told now: that proves nothing.
        &[("directory.users.list", 403), ("directory.users.get", 503)],
    ] {
        let reason = refused_without_a_loss(&mut world, faults).await;
        assert_eq!(reason, "FORBIDDEN", "{faults:?}");
    }
    // A narrower role is a role.
    let delegated = json!({"is_admin": false, "is_delegated_admin": true});
    let account = format!("accounts/{ADMIN}");
    let google = &world.google;
    google.control(Method::POST, &account, delegated).await;
    let run = world.run().await;
    assert_eq!(run.state(), run::State::Succeeded, "{run:?}");
}
