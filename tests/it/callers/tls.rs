//! TLS of the internal listener, and callers known by their certificates.

use super::{Caller, world};
use provisiond::proto::v1;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::Path;
use tonic::{
    Code, Request,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name, and its key.
fn issue(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// Settings of a listener with TLS, and of these callers.
fn settings(home: &Path, authority: &Authority, callers: &[Caller]) -> Vec<(String, String)> {
    let (certificate, key) = issue(authority, "localhost");
    let file = |name: &str, text: &str| {
        let path = home.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let setting = |key: &str, value: String| (format!("grpc.{key}"), value);
    let tls = [
        setting("tls_cert_file", file("cert.pem", &certificate)),
        setting("tls_key_file", file("key.pem", &key)),
        setting("tls_client_ca_file", file("ca.pem", &authority.pem())),
    ];
    let certificate = (
        "callers.backend.certificate".to_owned(),
        "backend.internal.test".to_owned(),
    );
    let named = [
        ("callers.backend.role".to_owned(), "viewer".to_owned()),
        ("callers.backend.companies".to_owned(), "acme".to_owned()),
        certificate,
    ];
    let callers = callers.iter().flat_map(Caller::settings);
    tls.into_iter().chain(named).chain(callers).collect()
}

async fn connect(url: &str, trusted: &Authority, shown: Option<(String, String)>) -> Channel {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(trusted.pem()))
        .domain_name("localhost");
    let tls = match shown {
        Some((certificate, key)) => tls.identity(Identity::from_pem(certificate, key)),
        None => tls,
    };
    let url = url.replace("http://", "https://");
    Endpoint::from_shared(url)
        .unwrap()
        .tls_config(tls)
        .unwrap()
        .connect_lazy()
}

/// The code with which a listing of a company's integrations ends.
async fn list(channel: Channel, company: &str, bearer: Option<&Caller>) -> Code {
    let mut client = v1::integration_service_client::IntegrationServiceClient::new(channel);
    let mut request = Request::new(v1::ListIntegrationsRequest {
        parent: format!("companies/{company}"),
        ..v1::ListIntegrationsRequest::default()
    });
    if let Some(caller) = bearer {
        let bearer = caller.bearer().parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    let answer = client.list_integrations(request).await;
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_known_by_a_certificate_of_the_authority_or_by_its_token() {
    let (ours, theirs) = (authority(), authority());
    let home = tempfile::tempdir().unwrap();
    let token = [Caller::new("by-token", "viewer", "beta")];
    let world = world(settings(home.path(), &ours, &token)).await;
    let url = &world.grpc;
    let good = Some(issue(&ours, "backend.internal.test"));
    let channel = connect(url, &ours, good.clone()).await;
    assert_eq!(list(channel.clone(), "acme", None).await, Code::Ok);
    assert_eq!(list(channel.clone(), "beta", None).await, Code::NotFound);
    // The token decides where both are shown.
    assert_eq!(list(channel, "beta", Some(&token[0])).await, Code::Ok);
    let channel = connect(url, &ours, Some(issue(&ours, "nobody.internal.test"))).await;
    assert_eq!(list(channel, "acme", None).await, Code::Unauthenticated);
    let channel = connect(url, &ours, None).await;
    assert_eq!(
        list(channel.clone(), "acme", None).await,
        Code::Unauthenticated
    );
    assert_eq!(
        list(channel.clone(), "beta", Some(&token[0])).await,
        Code::Ok
    );
    // Health is open to all.
    let service = String::new();
    let check = HealthCheckRequest { service };
    HealthClient::new(channel).check(check).await.unwrap();
    // A certificate of another authority is refused by the handshake, and so is a daemon of another one by its client.
    let forged = Some(issue(&theirs, "backend.internal.test"));
    let channel = connect(url, &ours, forged).await;
    assert_ne!(list(channel, "acme", None).await, Code::Ok);
    let channel = connect(url, &theirs, good).await;
    assert_ne!(list(channel, "acme", None).await, Code::Ok);
}
