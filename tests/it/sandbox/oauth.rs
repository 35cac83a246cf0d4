//! Consent, codes, tokens, revocation.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{ADMIN, Client, GROUP, REDIRECT, USER, VERIFIER, text, value};

#[tokio::test]
async fn a_consent_ends_in_tokens_that_read_the_directory() {
    let client = Client::small().await;
    let answer = client
        .decide(
            client.auth_url(&[]),
            &[("account", ADMIN), ("action", "allow"), ("scope", USER)],
        )
        .await;
    assert_eq!(value(&answer, "state"), "st/a+te");
    assert_eq!(value(&answer, "hd"), "acme.test");
    assert!(value(&answer, "code").starts_with("4/"));
    let (status, tokens) = client.exchange(value(&answer, "code")).await;
    assert_eq!(status, 200);
    assert_eq!(tokens["expires_in"], 3599);
    assert_eq!(tokens["token_type"], "Bearer");
    let granted = text(&tokens, "scope");
    assert!(granted.contains(USER) && granted.contains("openid"));
    assert!(granted.contains("https://www.googleapis.com/auth/userinfo.email"));
    assert!(
        !granted.contains(GROUP),
        "an unticked scope isn't granted: {granted}"
    );
    let access = text(&tokens, "access_token");
    assert_eq!(
        client.get(&access, "users?customer=my_customer").await.0,
        200
    );
    assert_eq!(
        client.get(&access, "groups?customer=my_customer").await.0,
        403
    );
    let info: Value = client
        .http
        .get(format!("{}/v1/userinfo", client.base))
        .bearer_auth(&access)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(info["email"], ADMIN);
    assert_eq!(info["hd"], "acme.test");
    assert_eq!(info.get("name"), None, "the profile wasn't asked for");
    let (status, again) = client.refresh(&text(&tokens, "refresh_token")).await;
    assert_eq!(status, 200);
    assert_eq!(again.get("refresh_token"), None);
    assert_eq!(
        client
            .get(&text(&again, "access_token"), "users?customer=my_customer")
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn the_id_token_verifies_against_the_published_keys() {
    let client = Client::small().await;
    let token = text(&client.tokens(ADMIN).await, "id_token");
    let keys: jsonwebtoken::jwk::JwkSet = client
        .http
        .get(format!("{}/oauth2/v3/certs", client.base))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&[&client.options.client_id]);
    rules.set_issuer(&["https://accounts.google.com"]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules)
        .unwrap()
        .claims;
    assert_eq!(claims["email"], ADMIN);
    assert_eq!(claims["nonce"], "n-0nce");
    assert_eq!(claims["sub"].as_str().unwrap().len(), 21);
}

#[tokio::test]
async fn a_wrong_authorization_request_gets_a_page_and_no_redirect() {
    let client = Client::small().await;
    let cases = [
        ("client_id", "another", 401, "invalid_client"),
        ("client_id", "", 400, "invalid_request"),
        (
            "redirect_uri",
            "https://evil.example/callback",
            400,
            "redirect_uri_mismatch",
        ),
        (
            "redirect_uri",
            "http://127.0.0.1:9/callback#x",
            400,
            "redirect_uri_mismatch",
        ),
        ("response_type", "token", 400, "invalid_request"),
        ("scope", "", 400, "invalid_request"),
        ("scope", "openid everything", 400, "invalid_scope"),
        ("prompt", "consent none", 400, "invalid_request"),
        ("access_type", "always", 400, "invalid_request"),
        ("code_challenge", "short", 400, "invalid_request"),
        ("code_challenge_method", "S512", 400, "invalid_request"),
    ];
    for (name, wrong, status, error) in cases {
        let page = client
            .http
            .get(client.auth_url(&[(name, wrong)]))
            .send()
            .await
            .unwrap();
        assert_eq!(page.status().as_u16(), status, "{name}={wrong}");
        assert!(page.text().await.unwrap().contains(error), "{name}={wrong}");
    }
    let mut strict = client.options.clone();
    strict.redirect_uris = vec!["https://app.example/cb".to_owned()];
    let strict = Client::start(strict).await;
    let page = strict
        .http
        .get(strict.auth_url(&[("redirect_uri", "https://app.example/cb/")]))
        .send()
        .await
        .unwrap();
    assert_eq!(
        page.status(),
        StatusCode::BAD_REQUEST,
        "one slash more is another URI"
    );
    let page = strict
        .http
        .get(strict.auth_url(&[("redirect_uri", "https://app.example/cb")]))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test]
async fn refusing_consent_and_forbidden_consent_come_back_as_errors() {
    let client = Client::small().await;
    let answer = client
        .decide(
            client.auth_url(&[]),
            &[("account", ADMIN), ("action", "deny")],
        )
        .await;
    assert_eq!(value(&answer, "error"), "access_denied");
    assert_eq!(value(&answer, "state"), "st/a+te");
    let body = json!({"authorize_error": "admin_policy_enforced"});
    client
        .control(Method::POST, &format!("accounts/{ADMIN}"), body)
        .await;
    let answer = client
        .decide(
            client.auth_url(&[]),
            &[("account", ADMIN), ("action", "allow")],
        )
        .await;
    assert_eq!(value(&answer, "error"), "admin_policy_enforced");
}

#[tokio::test]
async fn a_code_works_once_and_its_second_use_ends_what_it_issued() {
    let client = Client::small().await;
    let code = client.allow(ADMIN, &[]).await;
    let (_, tokens) = client.exchange(&code).await;
    let (status, error) = client.exchange(&code).await;
    assert_eq!((status, &error["error"]), (400, &json!("invalid_grant")));
    assert_eq!(
        client
            .get(&text(&tokens, "access_token"), "users?customer=my_customer")
            .await
            .0,
        401
    );
    assert_eq!(client.refresh(&text(&tokens, "refresh_token")).await.0, 400);
}

#[tokio::test]
async fn a_code_needs_its_verifier_its_redirect_uri_its_client_and_its_time() {
    let client = Client::small().await;
    let code = client.allow(ADMIN, &[]).await;
    let whole = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let cases = [
        (
            "code_verifier",
            "another-verifier-of-enough-letters-0123456789",
            400,
            "invalid_grant",
        ),
        ("code_verifier", "", 400, "invalid_grant"),
        (
            "redirect_uri",
            "http://127.0.0.1:9/callback/",
            400,
            "redirect_uri_mismatch",
        ),
        ("client_secret", "wrong", 401, "invalid_client"),
        ("client_id", "wrong", 401, "invalid_client"),
        ("code", "4/made-up", 400, "invalid_grant"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
    ];
    for (name, wrong, status, error) in cases {
        let mut form = whole.to_vec();
        form.retain(|(known, _)| *known != name);
        form.push((name, wrong));
        let (found, body) = client.token(&form).await;
        assert_eq!(
            (found, &body["error"]),
            (status, &json!(error)),
            "{name}={wrong}"
        );
    }
    client
        .control(Method::POST, "clock", json!({"advance_seconds": 601}))
        .await;
    assert_eq!(
        client.exchange(&code).await.1["error"],
        "invalid_grant",
        "ten minutes are over"
    );
}

#[tokio::test]
async fn a_refresh_token_needs_offline_access_and_fresh_consent() {
    let client = Client::small().await;
    let first = client.allow(ADMIN, &[("access_type", "online")]).await;
    assert_eq!(
        client.exchange(&first).await.1.get("refresh_token"),
        None,
        "online"
    );
    let second = client.allow(ADMIN, &[("prompt", "")]).await;
    assert_eq!(
        client.exchange(&second).await.1.get("refresh_token"),
        None,
        "no fresh consent"
    );
    let third = client.allow(ADMIN, &[]).await;
    assert!(client.exchange(&third).await.1["refresh_token"].is_string());
}

#[tokio::test]
async fn revoking_one_token_ends_all_of_the_account() {
    let client = Client::small().await;
    let (one, two) = (client.tokens(ADMIN).await, client.tokens(ADMIN).await);
    let other = client.tokens("admin@other.test").await;
    let url = format!("{}/revoke", client.base);
    let form = [("token", text(&one, "access_token"))];
    assert_eq!(
        client
            .http
            .post(&url)
            .form(&form)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        client
            .http
            .post(&url)
            .form(&form)
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
    assert_eq!(
        client.refresh(&text(&two, "refresh_token")).await.1["error"],
        "invalid_grant"
    );
    assert_eq!(
        client
            .get(&text(&two, "access_token"), "users?customer=my_customer")
            .await
            .0,
        401
    );
    assert_eq!(
        client
            .get(&text(&other, "access_token"), "users?customer=my_customer")
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn tokens_end_by_time_suspension_and_idleness() {
    let client = Client::small().await;
    let tokens = client.tokens(ADMIN).await;
    let (access, refresh) = (
        text(&tokens, "access_token"),
        text(&tokens, "refresh_token"),
    );
    client
        .control(Method::POST, "clock", json!({"advance_seconds": 3600}))
        .await;
    assert_eq!(
        client.get(&access, "users?customer=my_customer").await.0,
        401
    );
    assert_eq!(client.refresh(&refresh).await.0, 200);
    client
        .control(
            Method::POST,
            &format!("accounts/{ADMIN}"),
            json!({"suspended": true}),
        )
        .await;
    assert_eq!(client.refresh(&refresh).await.1["error"], "invalid_grant");
    client
        .control(
            Method::POST,
            &format!("accounts/{ADMIN}"),
            json!({"suspended": false}),
        )
        .await;
    assert_eq!(client.refresh(&refresh).await.0, 200);
    client
        .control(
            Method::POST,
            "clock",
            json!({"advance_seconds": 184 * 86_400}),
        )
        .await;
    assert_eq!(client.refresh(&refresh).await.1["error"], "invalid_grant");
    let secrets = client.control(Method::GET, "secrets", Value::Null).await;
    assert!(
        secrets["access_tokens"]
            .as_array()
            .unwrap()
            .contains(&json!(access))
    );
    assert!(
        secrets["refresh_tokens"]
            .as_array()
            .unwrap()
            .contains(&json!(refresh))
    );
}

#[tokio::test]
async fn who_is_no_administrator_gets_nothing() {
    let client = Client::small().await;
    for account in ["nonadmin@acme.test", "somebody@gmail.test"] {
        let access = client.access(account).await;
        for path in [
            "users?customer=my_customer",
            "groups?customer=my_customer",
            "customers/my_customer",
        ] {
            let (status, body) = client.get(&access, path).await;
            assert_eq!(
                (status, &body["error"]["errors"][0]["reason"]),
                (403, &json!("forbidden")),
                "{account} {path}"
            );
        }
    }
    let access = client.access("nonadmin@acme.test").await;
    let (status, user) = client
        .get(&access, &format!("users/{ADMIN}?viewType=domain_public"))
        .await;
    assert_eq!((status, user.get("isAdmin")), (200, None));
    let access = client.access("admin@other.test").await;
    let (_, own) = client.get(&access, "customers/my_customer").await;
    assert_eq!(own["customerDomain"], "other.test");
    let acme = client.control(Method::GET, "state", Value::Null).await;
    let path = format!("users?customer={}", text(&acme, "customerId"));
    assert_eq!(client.get(&access, &path).await.0, 403);
}
