//! Service accounts: whose assertions are taken, and for whom.

use super::client::{ADMIN, Answer, Client, GROUP, USER, text};
use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use provisiond::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

async fn key(client: &Client) -> Value {
    let body = json!({"delegated": {"acme.test": [USER, GROUP]}});
    client.control(Method::POST, "service-accounts", body).await
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn claims(key: &Value) -> Value {
    json!({"iss": key["client_email"], "sub": ADMIN, "scope": USER, "iat": now(), "exp": now() + 3600,
        "aud": "https://oauth2.googleapis.com/token"})
}

fn signed(key: &Value, header: &Value, claims: &Value) -> String {
    let pem = text(key, "private_key");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header(key: &Value) -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]})
}

/// Exchanges an assertion; no client is named.
async fn exchange(client: &Client, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion),
        ("client_id", ""),
        ("client_secret", ""),
    ];
    client.token(&form).await
}

#[tokio::test]
async fn an_assertion_brings_a_token_of_the_scopes_asked_for_and_no_other_kind() {
    let client = Client::start(Options::default()).await;
    let key = key(&client).await;
    let (status, body) = exchange(&client, &signed(&key, &header(&key), &claims(&key))).await;
    assert_eq!(status, 200, "{body}");
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "token_type"]);
    let access = text(&body, "access_token");
    let users = client.get(&access, "users?customer=my_customer").await;
    assert_eq!(users.0, 200);
    let groups = client.get(&access, "groups?customer=my_customer").await;
    assert_eq!(groups.0, 403, "not asked for");
    // What the account itself gives back is another matter.
    let who = json!({"email": ADMIN});
    client.control(Method::POST, "revoke", who).await;
    let users = client.get(&access, "users?customer=my_customer").await;
    assert_eq!(users.0, 200);
}

/// What is said wrongly, and what comes of it.
#[rustfmt::skip]
fn wrong_claims(base: &str, other: &Value) -> Vec<(&'static str, Value, &'static str, &'static str)> {
    vec![
        ("iss", json!("nobody@x.test"), "invalid_grant", "account not found"),
        ("iss", other["client_email"].clone(), "invalid_grant", "Invalid JWT Signature."),
        ("aud", json!(base), "invalid_grant", "audience"),
        ("iat", json!(now() - 60), "invalid_grant", "short-lived"),
        ("iat", json!(now() + 400), "invalid_grant", "short-lived"),
        ("exp", json!(now() + 3700), "invalid_grant", "short-lived"),
        ("exp", json!(now() - 1), "invalid_grant", "short-lived"),
        ("exp", Value::Null, "invalid_grant", "short-lived"),
        ("sub", Value::Null, "invalid_request", "sub"),
        ("sub", json!("nobody@acme.test"), "invalid_grant", "Invalid email or User ID"),
        ("sub", json!("admin@other.test"), "unauthorized_client", "Client is unauthorized"),
        ("sub", json!("somebody@gmail.test"), "unauthorized_client", "Client is unauthorized"),
        ("scope", json!(format!("{USER} openid")), "unauthorized_client", "Client is unauthorized"),
        ("scope", json!(""), "unauthorized_client", "Client is unauthorized"),
    ]
}

#[tokio::test]
async fn an_assertion_that_is_wrong_in_any_way_is_refused_as_google_does() {
    let client = Client::start(Options::default()).await;
    let (key, other) = (key(&client).await, key(&client).await);
    for (name, value, error, says) in wrong_claims(&client.base, &other) {
        let mut claims = claims(&key);
        claims[name] = value;
        let (status, body) = exchange(&client, &signed(&key, &header(&key), &claims)).await;
        let expected = if error == "unauthorized_client" {
            401
        } else {
            400
        };
        assert_eq!(
            (status, &body["error"]),
            (expected, &json!(error)),
            "{claims}"
        );
        assert!(text(&body, "error_description").contains(says), "{body}");
    }
}

#[tokio::test]
async fn only_what_a_key_has_signed_that_was_not_deleted_is_taken() {
    let client = Client::start(Options::default()).await;
    let key = key(&client).await;
    let good = signed(&key, &header(&key), &claims(&key));
    let (signed_part, _) = good.rsplit_once('.').unwrap();
    let unsigned = signed(&key, &json!({"alg": "none"}), &claims(&key));
    let unknown = signed(&key, &json!({"alg": "RS256", "kid": "x"}), &claims(&key));
    for (assertion, error) in [
        (format!("{signed_part}."), "invalid_grant"),
        (unsigned, "invalid_grant"),
        (unknown, "invalid_grant"),
        ("a.b".to_owned(), "invalid_request"),
        (String::new(), "invalid_request"),
    ] {
        let (status, body) = exchange(&client, &assertion).await;
        assert_eq!(
            (status, &body["error"]),
            (400, &json!(error)),
            "{assertion}"
        );
    }
    assert_eq!(exchange(&client, &good).await.0, 200);
    let path = format!(
        "service-accounts/{}/keys/{}",
        text(&key, "client_email"),
        text(&key, "private_key_id")
    );
    client.control(Method::DELETE, &path, Value::Null).await;
    assert_eq!(exchange(&client, &good).await.1["error"], "invalid_grant");
}
