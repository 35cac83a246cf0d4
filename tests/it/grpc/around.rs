//! Health, reflection, request ids, and requests that are no requests.

use super::{quiet, reason, small};
use crate::support::{World, company, integration};
use prost::Message as _;
use prost_types::{FileDescriptorProto, Timestamp, source_code_info::Location};
use provisiond::proto::v1;
use std::collections::BTreeSet;
use tonic::{
    Code, Request, Status,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt as _;

const SERVICES: [&str; 3] = [
    "appsco.provisioning.v1.DirectoryService",
    "appsco.provisioning.v1.IntegrationService",
    "appsco.provisioning.v1.SyncService",
];

async fn channel(world: &World) -> Channel {
    let endpoint = Endpoint::from_shared(world.grpc.clone()).unwrap();
    endpoint.connect().await.unwrap()
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_for_each_service_and_for_the_whole() {
    let world = World::start(small()).await;
    let mut health = HealthClient::new(channel(&world).await);
    for service in SERVICES.into_iter().chain([""]) {
        let answer = health.check(of(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let status = health.check(of("nothing")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_health_is_told_of_the_stop_and_holds_nothing_up() {
    let world = World::start(small()).await;
    let mut health = HealthClient::new(channel(&world).await);
    let mut news = health.watch(of("")).await.unwrap().into_inner();
    let first = news.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let stopped = tokio::spawn(world.stop());
    let second = news.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
    // Ended by the daemon, and not cut with the connection.
    assert_eq!(news.message().await.unwrap(), None);
    stopped.await.unwrap();
}

/// Places in a file that carry a comment, as the paths of `descriptor.proto`.
fn commented(file: &FileDescriptorProto) -> BTreeSet<Vec<i32>> {
    let info = file.source_code_info.as_ref().unwrap();
    let said = |place: &&Location| !place.leading_comments().trim().is_empty();
    let places = info.location.iter().filter(said);
    places.map(|place| place.path.clone()).collect()
}

/// Every service and method has a comment.
fn assert_documented(file: &FileDescriptorProto) {
    let commented = commented(file);
    for (s, service) in (0..).zip(&file.service) {
        assert!(commented.contains(&vec![6, s]), "{}", service.name());
        for (m, method) in (0..).zip(&service.method) {
            assert!(commented.contains(&vec![6, s, 2, m]), "{}", method.name());
        }
    }
}

macro_rules! reflection {
    ($name:ident, $version:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest as Ask,
                server_reflection_response::MessageResponse as Answer,
            };
            let world = World::start(small()).await;
            let mut client = ServerReflectionClient::new(channel(&world).await);
            let symbols = SERVICES
                .iter()
                .map(|s| Ask::FileContainingSymbol((*s).to_owned()));
            let asks = [Ask::ListServices(String::new())]
                .into_iter()
                .chain(symbols);
            let requests: Vec<_> = asks
                .map(|ask| ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(ask),
                })
                .collect();
            let stream = futures_util::stream::iter(requests);
            let mut answers = client
                .server_reflection_info(stream)
                .await
                .unwrap()
                .into_inner();
            let mut documented = 0;
            while let Some(answer) = answers.message().await.unwrap() {
                match answer.message_response.unwrap() {
                    Answer::ListServicesResponse(list) => {
                        let names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
                        for service in SERVICES {
                            assert!(names.iter().any(|name| name == service), "{names:?}");
                        }
                    }
                    Answer::FileDescriptorResponse(files) => {
                        for file in &files.file_descriptor_proto {
                            let file = FileDescriptorProto::decode(file.as_slice()).unwrap();
                            assert_documented(&file);
                            documented += file.service.len();
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(documented, SERVICES.len());
        }
    };
}

reflection!(reflection_serves_the_services_with_their_comments, v1);
reflection!(reflection_serves_older_clients_alike, v1alpha);

fn id(metadata: &tonic::metadata::MetadataMap) -> String {
    let id = metadata.get("x-request-id").unwrap();
    id.to_str().unwrap().to_owned()
}

fn get(name: &str, id: Option<&str>) -> Request<v1::GetIntegrationRequest> {
    let mut request = Request::new(v1::GetIntegrationRequest {
        name: name.to_owned(),
    });
    if let Some(id) = id {
        let id = id.parse().unwrap();
        request.metadata_mut().insert("x-request-id", id);
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_request_id_the_callers_if_he_gave_a_good_one() {
    let mut world = quiet().await;
    let client = &mut world.integrations;
    let given = get(&integration(), Some("abc-1"));
    let answer = client.get_integration(given).await.unwrap();
    assert_eq!(id(answer.metadata()), "abc-1");
    let refused = get("companies/acme/integrations/none", Some("abc-2"));
    let status = client.get_integration(refused).await.unwrap_err();
    assert_eq!(id(status.metadata()), "abc-2");
    let mut made = BTreeSet::new();
    let long = "x".repeat(65);
    for unusable in [None, None, Some(long.as_str()), Some("with blank")] {
        let answer = client.get_integration(get(&integration(), unusable)).await;
        let id = id(answer.unwrap().metadata());
        assert!(!id.is_empty() && id.len() <= 64 && Some(id.as_str()) != unusable);
        assert!(made.insert(id), "an id was made twice");
    }
}

/// Sends a message to a method, whether it is the method's or not.
async fn send<M>(world: &World, method: &str, message: M) -> Status
where
    M: prost::Message + 'static,
{
    let mut client = tonic::client::Grpc::new(channel(world).await);
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<M, ()>::default();
    let path = PathAndQuery::from_maybe_shared(format!("/{method}")).unwrap();
    client
        .unary(Request::new(message), path, codec)
        .await
        .unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_as_its_callers_fault() {
    let world = quiet().await;
    let before = world.store.writes();
    // Its first field is a number, where all of these methods expect a text or a message.
    let number = Timestamp {
        seconds: 5,
        nanos: 0,
    };
    for service in [
        "DirectoryService/CreateUser",
        "IntegrationService/CreateIntegration",
        "SyncService/StartRun",
        "SyncService/WatchRuns",
    ] {
        let method = format!("appsco.provisioning.v1.{service}");
        let status = send(&world, &method, number).await;
        assert_eq!(reason(&status, Code::InvalidArgument), "INVALID_REQUEST");
        assert!(!id(status.metadata()).is_empty());
    }
    for nothing in [
        "nothing.At/All",
        "appsco.provisioning.v1.SyncService/Nothing",
    ] {
        let status = send(&world, nothing, ()).await;
        assert_eq!(status.code(), Code::Unimplemented, "{nothing}");
        assert!(!id(status.metadata()).is_empty());
    }
    let large = v1::ListUsersRequest {
        parent: company(),
        page_size: 0,
        page_token: "x".repeat(5 << 20),
        ..v1::ListUsersRequest::default()
    };
    let users = "appsco.provisioning.v1.DirectoryService/ListUsers";
    let status = send(&world, users, large).await;
    assert_eq!(status.code(), Code::OutOfRange);
    // Only the directory takes many objects in one request.
    let large = v1::ListRunsRequest {
        parent: company(),
        page_token: "x".repeat(2 << 20),
        ..v1::ListRunsRequest::default()
    };
    let runs = "appsco.provisioning.v1.SyncService/ListRuns";
    let status = send(&world, runs, large).await;
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(world.store.writes(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_company_is_answered_as_one_that_is_nobodys() {
    let mut world = quiet().await;
    let mut answers = BTreeSet::new();
    for name in [
        "companies/other/integrations/google",
        "companies/acme/integrations/none",
    ] {
        let status = world.integrations.get_integration(get(name, None)).await;
        let status = status.unwrap_err();
        assert_eq!(reason(&status, Code::NotFound), "RESOURCE_NOT_FOUND");
        let details = status.get_error_details();
        let about = details.resource_info().unwrap();
        assert_eq!(about.resource_name, name);
        let told = [
            status.message(),
            &about.description,
            &about.owner,
            &about.resource_type,
        ];
        answers.insert(told.map(|text| text.replace(name, "NAME")));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}
