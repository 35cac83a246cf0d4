//! What can't be credentials: each names its field, asks nobody anything, and changes nothing.

use super::*;
use crate::malformed::judge;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tonic_types::StatusExt as _;

const JSON: &str = "service_account_key.json";
const SUBJECT: &str = "service_account_key.subject";

/// The key with another value, or without one.
fn with(key: &Value, name: &str, value: &Value) -> SetCredentialsRequest {
    let mut key = key.clone();
    match value {
        Value::Null => drop(key.as_object_mut().unwrap().remove(name)),
        value => key[name] = value.clone(),
    }
    given(&key, ADMIN)
}

fn raw(json: &str) -> SetCredentialsRequest {
    let mut request = given(&Value::Null, ADMIN);
    if let Some(Credentials::ServiceAccountKey(key)) = &mut request.credentials {
        key.json = json.to_owned();
    }
    request
}

fn pem(der: &[u8]) -> Value {
    let body = STANDARD.encode(der);
    json!(format!(
        "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    ))
}

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[tag, length], content].concat()
}

/// A good RSA key in every way but for its 64 bits: of the greatest primes below 2^32, and the exponent 65537.
fn tiny_key() -> Vec<u8> {
    let (p, q, e) = (4_294_967_291_u128, 4_294_967_279_u128, 65_537_u128);
    let phi = (p - 1) * (q - 1);
    let inverse = |of: u128, modulus: u128| {
        let (mut a, mut b) = ((of % modulus, 1_i128), (modulus, 0_i128));
        while b.0 != 0 {
            let times = a.0 / b.0;
            let rest = a.1 - i128::try_from(times).unwrap() * b.1;
            (a, b) = (b, (a.0 % b.0, rest));
        }
        let modulus = i128::try_from(modulus).unwrap();
        u128::try_from(a.1.rem_euclid(modulus)).unwrap()
    };
    let d = inverse(e, phi);
    assert_eq!((d * e) % phi, 1);
    let numbers = [
        0,
        p * q,
        e,
        d,
        p,
        q,
        d % (p - 1),
        d % (q - 1),
        inverse(q, p),
    ];
    let integer = |number: u128| {
        let bytes = number.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let short = &bytes[zeros.min(15)..];
        let sign: &[u8] = if short[0] > 127 { &[0] } else { &[] };
        der(2, &[sign, short].concat())
    };
    let key = der(0x30, &numbers.map(integer).concat());
    let rsa = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let all = [der(2, &[0]), der(0x30, &rsa), der(4, &key)].concat();
    // Its length takes two bytes.
    [
        &[0x30, 0x81, u8::try_from(all.len()).unwrap()],
        all.as_slice(),
    ]
    .concat()
}

type Row = (&'static str, SetCredentialsRequest, &'static str);

#[rustfmt::skip]
fn files(key: &Value) -> Vec<Row> {
    let number = with(key, "type", &json!(1));
    let without = |name: &str| with(key, name, &Value::Null);
    let with = |name: &str, value: &str| with(key, name, &json!(value));
    vec![
        ("no file", raw(""), JSON),
        ("a file that is none", raw("-----BEGIN PRIVATE KEY-----"), JSON),
        ("a list", raw("[]"), JSON),
        ("a file without end", raw(&format!("{{\"x\": \"{}\"}}", "x".repeat(16 * 1024))), JSON),
        ("no type", without("type"), JSON),
        ("a number as type", number, JSON),
        ("a person's credentials", with("type", "authorized_user"), JSON),
        ("no token_uri", without("token_uri"), JSON),
        ("another token_uri", with("token_uri", "http://169.254.169.254/token"), JSON),
        ("no account", without("client_email"), JSON),
        ("an account that is none", with("client_email", "sync"), JSON),
        ("no client id", with("client_id", ""), JSON),
        ("an id without end", with("private_key_id", &"x".repeat(129)), JSON),
    ]
}

#[rustfmt::skip]
fn keys(key: &Value) -> Vec<Row> {
    let private = |value: Value| with(key, "private_key", &value);
    let secret = key["private_key"].as_str().unwrap();
    let random = aws_lc_rs::rand::SystemRandom::new();
    let elliptic = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    vec![
        ("no private key", private(Value::Null), JSON),
        ("a private key that is none", private(json!("secret")), JSON),
        ("a key in another form", private(json!(secret.replace("PRIVATE KEY", "RSA PRIVATE KEY"))), JSON),
        ("a key that was cut", private(json!(secret.replacen("MII", "MI", 1))), JSON),
        ("an elliptic key", private(pem(elliptic.as_ref())), JSON),
        ("a key too small", private(pem(&tiny_key())), JSON),
    ]
}

#[rustfmt::skip]
fn others(key: &Value) -> Vec<Row> {
    let no_credentials = SetCredentialsRequest { credentials: None, ..given(key, ADMIN) };
    let nameless = SetCredentialsRequest { name: "google".to_owned(), ..given(key, ADMIN) };
    vec![
        ("a bare name", nameless, "name"),
        ("no credentials", no_credentials, "credentials"),
        ("no subject", given(key, " "), SUBJECT),
        ("a subject without domain", given(key, "admin"), SUBJECT),
        ("two subjects", given(key, "a@acme.test b@acme.test"), SUBJECT),
        ("a subject without end", given(key, &format!("{}@acme.test", "x".repeat(250))), SUBJECT),
    ]
}

/// All of them, sent.
pub(super) async fn cases(world: &mut World, key: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    let table = [files(key), keys(key), others(key)].concat();
    for (what, request, field) in table {
        let answer = set(world, request).await.map(drop);
        let rpc = "IntegrationService/SetCredentials";
        cases.push(Case {
            rpc,
            what,
            answer,
            field,
        });
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_credentials_names_its_field_and_asks_nobody() {
    let mut world = unauthorized(small()).await;
    let key = key(&world).await;
    let before = world.store.writes();
    world.google.forget_requests().await;
    for case in cases(&mut world, &key).await {
        judge(&case);
        let what = case.what;
        let status = case.answer.unwrap_err();
        let details = status.get_error_details();
        let named = &details.bad_request().unwrap().field_violations;
        let fields: Vec<_> = named.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, [case.field], "{what}: {named:?}");
        let private = key["private_key"].as_str().unwrap();
        let line = private.lines().nth(1).unwrap();
        assert!(!format!("{status:?}").contains(line), "{what}");
    }
    assert_eq!(
        world.google.requests().await,
        json!({}),
        "somebody was asked"
    );
    assert_eq!(world.store.writes(), before, "something was written");
    // All that is wrong is told at once.
    let both = raw("{}");
    let both = SetCredentialsRequest {
        credentials: both.credentials.map(|Credentials::ServiceAccountKey(key)| {
            Credentials::ServiceAccountKey(v1::ServiceAccountKey {
                subject: String::new(),
                ..key
            })
        }),
        ..both
    };
    let status = set(&mut world, both).await.unwrap_err();
    let details = status.get_error_details();
    assert_eq!(details.bad_request().unwrap().field_violations.len(), 2);
    // A file as people paste it is taken, whatever else it holds.
    let padded = raw(&format!("\n {key:#} \n"));
    set(&mut world, padded).await.unwrap();
}
