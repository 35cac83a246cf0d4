//! What is limited, and what is said then.

use super::{quiet, reason, wrong_fields};
use crate::support::{World, company};
use provisiond::proto::v1::{
    self, admin_service_client::AdminServiceClient,
    directory_service_client::DirectoryServiceClient, sync_service_client::SyncServiceClient,
};
use std::time::Duration;
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_types::StatusExt as _;

/// What clients take in headers at least (those of Java).
const HEADERS: usize = 8192;

/// Bytes that a status takes in headers.
fn size(status: &Status) -> usize {
    let http = status.clone().into_http::<String>();
    let headers = http.headers().iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

fn with_aliases(count: usize, alias: &str) -> v1::CreateUserRequest {
    v1::CreateUserRequest {
        parent: company(),
        user: Some(v1::User {
            user_name: "ann@acme.test".to_owned(),
            aliases: vec![alias.to_owned(); count],
            phone_numbers: vec![" ".to_owned(); count],
            ..v1::User::default()
        }),
        ..v1::CreateUserRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_named_as_long_as_clients_can_take_it() {
    let mut world = quiet().await;
    let refused = world.directory.create_user(with_aliases(15, "x")).await;
    let refused = refused.unwrap_err();
    let fields = wrong_fields(&refused);
    assert_eq!(fields.len(), 30, "{fields:?}");
    assert!(size(&refused) < HEADERS, "{}", size(&refused));

    let refused = world.directory.create_user(with_aliases(50, "x")).await;
    let refused = refused.unwrap_err();
    assert!(size(&refused) < HEADERS, "{}", size(&refused));
    let details = refused.get_error_details();
    let named = &details.bad_request().unwrap().field_violations;
    let more = named.last().unwrap();
    let expected = format!("and {} more", 100 - (named.len() - 1));
    assert_eq!((&*more.field, &more.description), ("", &expected));
    assert!(named.len() > 30, "{}", named.len());
    assert!(refused.message().contains("user.aliases[0]"), "{refused:?}");
    assert!(refused.message().contains("more"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_long_what_is_wrong_may_be_the_answer_arrives() {
    let mut world = quiet().await;
    for text in ["\u{e9} ".repeat(50_000), "x".repeat(100_000)] {
        let request = v1::ListUsersRequest {
            parent: company(),
            filter: format!("{text} = \"x\""),
            order_by: text.clone(),
            ..v1::ListUsersRequest::default()
        };
        let refused = world.directory.list_users(request).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["filter", "order_by"]);
        assert!(size(&refused) < HEADERS, "{}", size(&refused));
        let request = v1::UpdateUserRequest {
            user: Some(v1::User {
                name: text.clone(),
                ..v1::User::default()
            }),
            update_mask: Some(prost_types::FieldMask { paths: vec![text] }),
            validate_only: false,
        };
        let refused = world.directory.update_user(request).await.unwrap_err();
        assert_eq!(reason(&refused, Code::InvalidArgument), "INVALID_REQUEST");
        assert!(size(&refused) < HEADERS, "{}", size(&refused));
    }
}

/// What a status says of the limit that is reached.
fn limit(status: &Status) -> (String, String) {
    assert_eq!(reason(status, Code::ResourceExhausted), "LIMIT_REACHED");
    let details = status.get_error_details();
    let violation = &details.quota_failure().unwrap().violations[0];
    (violation.subject.clone(), violation.description.clone())
}

async fn watch_runs(
    world: &World,
    company: &str,
    count: usize,
) -> Result<Vec<Streaming<v1::WatchRunsResponse>>, Status> {
    let mut open = Vec::new();
    let mut client = SyncServiceClient::connect(world.grpc.clone())
        .await
        .unwrap();
    for _ in 0..count {
        let request = v1::WatchRunsRequest {
            parent: format!("companies/{company}"),
            ..v1::WatchRunsRequest::default()
        };
        open.push(client.watch_runs(request).await?.into_inner());
    }
    Ok(open)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_company_can_t_take_all_streams() {
    let world = quiet().await;
    let mut open = Vec::new();
    for _ in 0..2 {
        open.extend(watch_runs(&world, "acme", 125).await.unwrap());
    }
    let refused = watch_runs(&world, "acme", 1).await.unwrap_err();
    let (subject, text) = limit(&refused);
    assert_eq!(subject, "companies/acme");
    assert!(text.contains("250 streams"), "{text}");
    // Streams of the directory are streams too, and those of others are not hers.
    let mut directory = DirectoryServiceClient::connect(world.grpc.clone())
        .await
        .unwrap();
    let of = |company: &str| v1::WatchDirectoryRequest {
        parent: format!("companies/{company}"),
        position: None,
    };
    let refused = directory.watch_directory(of("acme")).await.unwrap_err();
    assert_eq!(limit(&refused).0, "companies/acme");
    directory.watch_directory(of("other")).await.unwrap();
    watch_runs(&world, "other", 5).await.unwrap();
    // A place is free once its stream is gone.
    open.pop();
    let again = async {
        while directory.watch_directory(of("acme")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn few_backups_are_downloaded_at_once() {
    let mut world = quiet().await;
    // More than what is sent before somebody reads it.
    let users = |part: usize| {
        let users = (0..100).map(move |n| v1::User {
            user_name: format!("u{part}-{n}@acme.test"),
            phone_numbers: (0..50)
                .map(|m| format!("+{m:02} {}", "1".repeat(55)))
                .collect(),
            ..v1::User::default()
        });
        v1::BatchUpsertUsersRequest {
            parent: company(),
            users: users.collect(),
            update_mask: None,
        }
    };
    for part in 0..6 {
        let made = world.directory.batch_upsert_users(users(part)).await;
        let made = made.unwrap().into_inner().results;
        assert!(made.iter().all(|row| row.error.is_none()));
    }
    let small = Channel::from_shared(world.grpc.clone()).unwrap();
    let small = small.initial_stream_window_size(65_535);
    let small = small.initial_connection_window_size(65_535);
    let download = async || {
        let mut client = AdminServiceClient::new(small.connect().await.unwrap());
        let answer = client.backup(v1::BackupRequest {}).await;
        answer.map(tonic::Response::into_inner)
    };
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = download().await.unwrap();
        stream.message().await.unwrap().unwrap();
        open.push(stream);
    }
    let (subject, text) = limit(&download().await.unwrap_err());
    assert_eq!(subject, "downloads of backups");
    assert!(
        text.contains("2 backups") && text.contains("end one"),
        "{text}"
    );
    // One that was read to its end leaves its place, and so does one that is given up.
    let mut read = open.remove(0);
    while read.message().await.unwrap().is_some() {}
    let next = download().await.unwrap();
    open.clear();
    let again = async {
        while download().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again)
        .await
        .unwrap();
    drop(next);
}
