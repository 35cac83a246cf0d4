use super::*;
use crate::support::{Daemon, company, sums_hold};
use provisiond::proto::v1::{
    integration_service_client::IntegrationServiceClient, sync_service_client::SyncServiceClient,
    watch_runs_response::Event,
};
use provisiond::{model::CompanyId, store::Topic};
use std::time::Duration;
use tonic::Code;
use tonic_types::StatusExt as _;

const ADMIN: &str = "admin@acme.test";

fn delete(id: &str) -> v1::DeleteIntegrationRequest {
    v1::DeleteIntegrationRequest {
        name: format!("{}/integrations/{id}", company()),
        etag: String::new(),
    }
}

async fn deleted(world: &mut World, id: &str) -> v1::DeleteIntegrationResponse {
    let answer = world.integrations.delete_integration(delete(id)).await;
    answer.unwrap().into_inner()
}

async fn revocations(world: &World) -> u64 {
    world.google.requests().await["oauth.revoke"]
        .as_u64()
        .unwrap_or(0)
}

/// Nothing is found of the test's integration.
async fn is_gone(world: &mut World, run: &v1::Run) {
    let get = v1::GetIntegrationRequest {
        name: integration(),
    };
    let got = world.integrations.get_integration(get).await;
    assert_eq!(got.unwrap_err().code(), Code::NotFound);
    let get = v1::GetRunRequest {
        name: run.name.clone(),
    };
    assert_eq!(
        world.sync.get_run(get).await.unwrap_err().code(),
        Code::NotFound
    );
    let list = v1::ListRunsRequest {
        parent: integration(),
        ..v1::ListRunsRequest::default()
    };
    assert_eq!(
        world.sync.list_runs(list).await.unwrap_err().code(),
        Code::NotFound
    );
    let list = v1::ListChangesRequest {
        parent: run.name.clone(),
        ..v1::ListChangesRequest::default()
    };
    assert_eq!(
        world.sync.list_changes(list).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_integration_leaves_its_people_and_can_be_made_again() {
    let mut world = World::ready(small()).await;
    let run = world.run().await;
    let (users, groups) = (world.users().await, world.groups().await);
    world.google.forget_requests().await;
    let stale = v1::DeleteIntegrationRequest {
        etag: "stale".to_owned(),
        ..delete("google")
    };
    let stale = world
        .integrations
        .delete_integration(stale)
        .await
        .unwrap_err();
    assert_eq!(stale.code(), Code::Aborted, "{stale:?}");
    let bad = v1::DeleteIntegrationRequest {
        name: "google".to_owned(),
        etag: String::new(),
    };
    let bad = world
        .integrations
        .delete_integration(bad)
        .await
        .unwrap_err();
    assert_eq!(bad.code(), Code::InvalidArgument, "{bad:?}");

    let answer = deleted(&mut world, "google").await;
    assert!(answer.token_revoked, "{answer:?}");
    assert_eq!(revocations(&world).await, 1);
    is_gone(&mut world, &run).await;
    let absent = world
        .integrations
        .delete_integration(delete("google"))
        .await
        .unwrap_err();
    assert_eq!(absent.code(), Code::NotFound, "{absent:?}");
    assert!(absent.get_error_details().resource_info().is_some());
    let plain = |users: Vec<v1::User>| -> Vec<_> {
        users
            .into_iter()
            .map(|user| (user.name, user.user_name, user.given_name))
            .collect()
    };
    assert_eq!(plain(world.users().await), plain(users.clone()));
    assert_eq!(world.groups().await.len(), groups.len());

    world.create("google").await;
    assert_eq!(world.rules().await, []);
    world.authorize(ADMIN).await;
    for template in ["lookup-users", "lookup-groups"] {
        world.apply(template).await;
    }
    let run = world.run().await;
    sums_hold(&run);
    assert_eq!(
        plain(world.users().await),
        plain(users),
        "adopted, none made twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_shared_with_another_integration_is_kept_until_the_last_goes() {
    let mut world = World::ready(small()).await;
    world.create("second").await;
    let request = v1::BeginAuthorizationRequest {
        name: format!("{}/integrations/second", company()),
        ..v1::BeginAuthorizationRequest::default()
    };
    let begun = world
        .integrations
        .begin_authorization(request)
        .await
        .unwrap();
    let page = begun.into_inner().authorization_url;
    let answer = crate::support::browser::decide(&page, ADMIN, "allow", None).await;
    assert_eq!(answer.status().as_u16(), 200);
    world.google.forget_requests().await;
    let first = deleted(&mut world, "second").await;
    assert!(
        !first.token_revoked && first.summary.contains("another integration"),
        "{first:?}"
    );
    assert_eq!(revocations(&world).await, 0);
    let run = world.run().await;
    assert_eq!(run.state(), v1::run::State::Succeeded, "{run:?}");
    let last = deleted(&mut world, "google").await;
    assert!(last.token_revoked, "{last:?}");
    assert_eq!(revocations(&world).await, 1);
    world.create("never").await;
    let none = deleted(&mut world, "never").await;
    assert!(
        !none.token_revoked && none.summary.contains("no authorization"),
        "{none:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_down_does_not_keep_an_integration_from_going() {
    let mut world = World::ready(small()).await;
    world
        .google
        .fault(serde_json::json!({"method": "oauth.revoke", "times": 100, "fault": {"status": {"code": 503}}}))
        .await;
    let answer = deleted(&mut world, "google").await;
    assert!(
        !answer.token_revoked && answer.summary.contains("settings of the account"),
        "{answer:?}"
    );
    assert!(revocations(&world).await > 1, "it was tried again");
    let get = v1::GetIntegrationRequest {
        name: integration(),
    };
    let got = world.integrations.get_integration(get).await;
    assert_eq!(got.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_going_on_is_cancelled_first() {
    let options = Options {
        users: 600,
        groups: 40,
        latency: Duration::from_millis(30),
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    let watch = v1::WatchRunsRequest {
        parent: company(),
        ..v1::WatchRunsRequest::default()
    };
    let mut news = world.sync.watch_runs(watch).await.unwrap().into_inner();
    let run = world.start_run().await;
    world.start_run().await;
    deleted(&mut world, "google").await;
    is_gone(&mut world, &run).await;
    let (mut cancelled, mut shown) = (0, 0);
    while cancelled < 1 || shown < 2 {
        match news.message().await.unwrap().unwrap().event {
            Some(Event::RunFinished(run)) => {
                assert_eq!(run.state(), v1::run::State::Cancelled, "{run:?}");
                cancelled += 1;
            }
            Some(Event::IntegrationChanged(_)) => shown += 1,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_was_killed_goes_on_after_the_start() {
    let options = Options {
        users: 900,
        groups: 60,
        latency: Duration::from_millis(3),
        ..Options::default()
    };
    let mut world = World::ready(options).await;
    world.run().await;
    let users = world.users().await.len();
    let (google, home) = world.stop().await;
    let mut home = Some(home);
    let mut cut_off = false;
    for delay in [4, 12, 30] {
        let place = home.take().unwrap();
        let daemon = Daemon::start(&google, place.path(), "info");
        let mut integrations = IntegrationServiceClient::connect(daemon.grpc.clone())
            .await
            .unwrap();
        let mut sync = SyncServiceClient::connect(daemon.grpc.clone())
            .await
            .unwrap();
        // A run is going on, too, unless the deletion has begun in an earlier round.
        let start = v1::StartRunRequest {
            parent: integration(),
            ..v1::StartRunRequest::default()
        };
        let _ = sync.start_run(start).await;
        let deleting =
            tokio::spawn(async move { integrations.delete_integration(delete("google")).await });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        daemon.kill();
        cut_off |= deleting.await.unwrap().is_err();
        home = Some(place);
    }
    assert!(cut_off, "no kill hit a deletion");
    let mut world = World::with(google, home.unwrap()).await;
    let get = || v1::GetIntegrationRequest {
        name: integration(),
    };
    let mut news = world
        .store
        .subscribe(Topic::all(&CompanyId::try_new("acme").unwrap()));
    loop {
        news.borrow_and_update();
        match world.integrations.get_integration(get()).await {
            Ok(there) => {
                let state = there.into_inner().state();
                assert_eq!(state, v1::integration::State::Deleting);
            }
            Err(gone) => {
                assert_eq!(gone.code(), Code::NotFound, "{gone:?}");
                break;
            }
        }
        news.changed().await.unwrap();
    }
    assert_eq!(world.users().await.len(), users);
    world.create("google").await;
}
