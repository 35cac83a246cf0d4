//! From the first run to the deletion: what a key can do, what it costs, how it is lost, healed and replaced.

use super::*;
use crate::support::{browser, company};
use provisiond::proto::v1::{
    AuthorizationMethod, authorization::State, readiness_gap, watch_runs_response::Event,
};
use std::{path::Path, process::Command, time::Duration};
use tonic::Code;

async fn tokens_minted(world: &World) -> u64 {
    let requests = world.google.requests().await;
    requests["oauth.token"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_alone_syncs_everything_and_says_as_whom_it_acts_and_never_itself() {
    let google = crate::support::Google::start(small()).await;
    // No OAuth client is needed.
    let none = ["client_id", "client_secret_file"]
        .map(|key| (format!("systems.google-workspace.{key}"), String::new()));
    let (url, home) = (google.url(), tempfile::tempdir().unwrap());
    let mut world = World::configured(&url, google, home, none.into()).await;
    world.create("google").await;
    for template in ["lookup-users", "lookup-groups"] {
        world.apply(template).await;
    }
    let key = key(&world).await;
    let before = world.integration().await;
    let tried = SetCredentialsRequest {
        validate_only: true,
        ..given(&key, ADMIN)
    };
    let tried = set(&mut world, tried).await.unwrap();
    assert_eq!(tried.authorization.unwrap().state(), State::Authorized);
    assert_eq!(world.integration().await, before, "it was only tried");

    let stale = SetCredentialsRequest {
        etag: "stale".to_owned(),
        ..given(&key, ADMIN)
    };
    let stale = set(&mut world, stale).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted, "{stale:?}");
    let current = SetCredentialsRequest {
        etag: before.etag.clone(),
        ..given(&key, &format!(" {ADMIN} "))
    };
    let answer = set(&mut world, current).await.unwrap();
    assert_eq!(answer, world.integration().await);
    assert!(answer.readiness.is_empty(), "{:?}", answer.readiness);
    assert_eq!(answer.etag, before.etag, "nothing that callers set");
    let given = answer.authorization.unwrap();
    assert_eq!(given.state(), State::Authorized);
    assert_eq!(given.method(), AuthorizationMethod::ServiceAccountKey);
    assert_eq!(given.scopes, [GROUPS, USERS]);
    assert_eq!(given.domain, "acme.test");
    let state = world.google.state().await;
    assert_eq!(state["customerId"], given.customer_id);
    let by = given.authorized_by.unwrap();
    assert!(by.email == ADMIN && !by.display_name.is_empty(), "{by:?}");
    let account = given.service_account.unwrap();
    assert_eq!(key["client_email"], account.email);
    assert_eq!(key["client_id"], account.client_id);
    assert_eq!(key["private_key_id"], account.key_id);

    let run = succeeds(&mut world).await;
    assert_eq!(run.counters.unwrap().added, 15);
    let check = v1::CheckIntegrationRequest {
        name: integration(),
    };
    let check = world.integrations.check_integration(check).await.unwrap();
    let check = check.into_inner();
    assert!(check.ready && check.account == ADMIN, "{check:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_is_minted_for_all_who_wait_and_another_when_it_ends_or_is_refused() {
    let (mut world, _) = by_key(small()).await;
    world.google.forget_requests().await;
    succeeds(&mut world).await;
    succeeds(&mut world).await;
    assert_eq!(tokens_minted(&world).await, 1, "one for both runs");
    expire(&world).await;
    succeeds(&mut world).await;
    assert_eq!(tokens_minted(&world).await, 2, "once for all refused");
    let hour = json!({"advance_seconds": 3550});
    world.google.control(Method::POST, "clock", hour).await;
    world.clock.advance(Duration::from_secs(3550));
    succeeds(&mut world).await;
    assert_eq!(tokens_minted(&world).await, 3, "a minute before its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_deleted_in_mid_life_is_told_removes_nobody_and_heals_without_a_restart() {
    let (mut world, first) = by_key(small()).await;
    succeeds(&mut world).await;
    let users = world.users().await.len();
    let watch = v1::WatchRunsRequest {
        parent: integration(),
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(watch).await.unwrap().into_inner();
    let id = first["private_key_id"].as_str().unwrap();
    let of_key = format!("{}/keys/{id}", path(&first));
    let google = &world.google;
    google.control(Method::DELETE, &of_key, Value::Null).await;
    expire(&world).await;
    let run = world.run().await;
    assert_eq!(run.state(), v1::run::State::Failed, "{run:?}");
    assert_eq!(run.error.unwrap().reason, "REAUTHORIZATION_REQUIRED");
    let told = loop {
        if let Some(Event::AuthorizationLost(lost)) = news.message().await.unwrap().unwrap().event {
            break lost.reason;
        }
    };
    let lost = world.integration().await;
    let authorization = lost.authorization.unwrap();
    assert_eq!(authorization.state(), State::ReauthorizationRequired);
    assert!(told.contains("service account") && told.contains("Invalid JWT Signature"));
    assert_eq!(authorization.reason, told);
    let [gap] = lost.readiness.as_slice() else {
        panic!("{:?}", lost.readiness);
    };
    assert_eq!(gap.code(), readiness_gap::Code::ReauthorizationRequired);
    assert!(gap.message.contains("SetCredentials"), "{gap:?}");
    assert_eq!(world.users().await.len(), users, "nobody is removed");

    let google = &world.google;
    let another = google
        .control(Method::POST, &format!("{}/keys", path(&first)), Value::Null)
        .await;
    let healed = set(&mut world, given(&another, ADMIN)).await.unwrap();
    assert!(healed.readiness.is_empty(), "{:?}", healed.readiness);
    assert!(healed.authorization.unwrap().reason.is_empty());
    let run = succeeds(&mut world).await;
    assert_eq!(run.counters.unwrap().unchanged, 15, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_that_is_withdrawn_is_found_by_a_check_and_the_same_key_heals_it() {
    let (mut world, key) = by_key(small()).await;
    let google = &world.google;
    let nothing = json!({"delegated": {"acme.test": []}});
    google.control(Method::PATCH, &path(&key), nothing).await;
    expire(&world).await;
    let check = v1::CheckIntegrationRequest {
        name: integration(),
    };
    let check = world.integrations.check_integration(check).await.unwrap();
    assert!(!check.into_inner().ready);
    let lost = authorization(&mut world).await;
    assert_eq!(lost.state(), State::ReauthorizationRequired);
    assert!(lost.reason.contains("unauthorized_client"), "{lost:?}");
    let refused = set(&mut world, given(&key, ADMIN)).await.unwrap_err();
    assert!(refused.message().contains(USERS), "{refused:?}");
    assert_eq!(authorization(&mut world).await, lost);
    let google = &world.google;
    let again = json!({"delegated": {"acme.test": [USERS, GROUPS, UNITS, DOMAINS]}});
    google.control(Method::PATCH, &path(&key), again).await;
    let with_all = SetCredentialsRequest {
        org_units: true,
        domains: true,
        ..given(&key, ADMIN)
    };
    let healed = set(&mut world, with_all).await.unwrap();
    let healed = healed.authorization.unwrap();
    assert_eq!(healed.scopes, [DOMAINS, GROUPS, UNITS, USERS]);
    succeeds(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_costs_runs_and_not_the_authorization() {
    let (mut world, _) = by_key(small()).await;
    expire(&world).await;
    let hour = json!({"advance_seconds": 3 * 3600});
    world.google.control(Method::POST, "clock", hour).await;
    let run = world.run().await;
    assert_eq!(run.state(), v1::run::State::Failed, "{run:?}");
    assert!(run.error.unwrap().message.contains("clock"));
    assert_eq!(authorization(&mut world).await.state(), State::Authorized);
    world.clock.advance(Duration::from_secs(3 * 3600));
    succeeds(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_replaces_a_consent_and_a_consent_a_key() {
    let mut world = World::ready(small()).await;
    let consented = authorization(&mut world).await;
    assert_eq!(consented.method(), AuthorizationMethod::Consent);
    assert_eq!(consented.service_account, None);
    succeeds(&mut world).await;
    let first = key(&world).await;
    let set_key = set(&mut world, given(&first, ADMIN)).await.unwrap();
    let set_key = set_key.authorization.unwrap();
    assert_eq!(set_key.method(), AuthorizationMethod::ServiceAccountKey);
    assert_eq!(set_key.customer_id, consented.customer_id);
    world.google.forget_requests().await;
    succeeds(&mut world).await;
    assert_eq!(
        tokens_minted(&world).await,
        1,
        "the token of before is used no longer"
    );
    // The consent is not what it lives by any more.
    let who = json!({"email": ADMIN});
    world.google.control(Method::POST, "revoke", who).await;
    expire(&world).await;
    succeeds(&mut world).await;

    let page = world.begin().await;
    let meanwhile = authorization(&mut world).await;
    assert_eq!(meanwhile.state(), State::Authorized, "{meanwhile:?}");
    let answer = browser::decide(&page, ADMIN, "allow", None).await;
    assert_eq!(answer.status(), 200);
    let again = authorization(&mut world).await;
    assert_eq!(again.method(), AuthorizationMethod::Consent);
    assert_eq!(again.service_account, None);
    // Nor is the key.
    let account = path(&first);
    let google = &world.google;
    google.control(Method::DELETE, &account, Value::Null).await;
    expire(&world).await;
    let run = succeeds(&mut world).await;
    assert_eq!(run.counters.unwrap().unchanged, 15, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_integration_gives_nothing_back_and_its_key_works_on_elsewhere() {
    let (mut world, key) = by_key(small()).await;
    world.create("second").await;
    let second = format!("{}/integrations/second", company());
    let consent = v1::BeginAuthorizationRequest {
        name: second.clone(),
        ..v1::BeginAuthorizationRequest::default()
    };
    let begun = world.integrations.begin_authorization(consent).await;
    let page = begun.unwrap().into_inner().authorization_url;
    let answer = browser::decide(&page, ADMIN, "allow", None).await;
    assert_eq!(answer.status(), 200);
    world.google.forget_requests().await;
    let delete = |name: &str| v1::DeleteIntegrationRequest {
        name: name.to_owned(),
        etag: String::new(),
    };
    let deleted = world
        .integrations
        .delete_integration(delete(&integration()))
        .await;
    let deleted = deleted.unwrap().into_inner();
    assert!(!deleted.token_revoked, "{deleted:?}");
    let account = key["client_email"].as_str().unwrap();
    assert!(deleted.summary.contains(account), "{deleted:?}");
    assert!(world.google.requests().await["oauth.revoke"].is_null());

    // The token of the same admin is the only one: a key is none, and no reason to keep it.
    world.create("google").await;
    set(&mut world, given(&key, ADMIN)).await.unwrap();
    let other = world.integrations.delete_integration(delete(&second)).await;
    let other = other.unwrap().into_inner();
    assert!(other.token_revoked, "{other:?}");
    world.apply("lookup-users").await;
    expire(&world).await;
    succeeds(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_survives_a_restart_and_a_backup_in_which_it_stays_sealed() {
    let (world, key) = by_key(small()).await;
    let (google, home) = world.stop().await;
    let mut world = World::with(google, home).await;
    let run = succeeds(&mut world).await;
    assert_eq!(run.counters.unwrap().added, 15);
    let (google, home) = world.stop().await;
    let (file, elsewhere) = (home.path().join("backup"), tempfile::tempdir().unwrap());
    let provisiond = |data: &Path, args: [&str; 2]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provisiond"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PROVISIOND_")) {
            command.env_remove(name);
        }
        command.env("PROVISIOND_SEALING__KEY_FILE", home.path().join("key"));
        command.arg("--data").arg(data).args(args).arg(&file);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    provisiond(&home.path().join("data"), ["export", "--to"]);
    provisiond(&elsewhere.path().join("data"), ["import", "--from"]);
    let private = key["private_key"].as_str().unwrap();
    let backup = std::fs::read(&file).unwrap();
    for line in private.lines().filter(|line| line.len() == 64) {
        let mut windows = backup.windows(line.len());
        assert!(!windows.any(|bytes| bytes == line.as_bytes()));
    }
    std::fs::copy(home.path().join("key"), elsewhere.path().join("key")).unwrap();
    let mut world = World::with(google, elsewhere).await;
    let run = succeeds(&mut world).await;
    assert_eq!(run.counters.unwrap().unchanged, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_acts_as_one_who_is_no_administrator_any_more_is_told_and_heals_by_another() {
    let (mut world, key) = by_key(small()).await;
    succeeds(&mut world).await;
    let demoted = json!({"is_admin": false});
    let (google, account) = (&world.google, format!("accounts/{ADMIN}"));
    google.control(Method::POST, &account, demoted).await;
    let run = world.run().await;
    assert_eq!(run.state(), v1::run::State::Failed, "{run:?}");
    assert_eq!(run.error.unwrap().reason, "REAUTHORIZATION_REQUIRED");
    let lost = authorization(&mut world).await;
    assert_eq!(lost.state(), State::ReauthorizationRequired);
    let says = "admin@acme.test is no administrator any more";
    assert!(lost.reason.contains(says), "{lost:?}");
    let other = given(&key, "delegated@acme.test");
    set(&mut world, other).await.unwrap();
    let run = succeeds(&mut world).await;
    assert_eq!(run.counters.unwrap().unchanged, 15, "{run:?}");
}
