use super::*;
use crate::{
    connector,
    model::{Clock, ServiceAccount},
};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

const AUDIENCE: &str = "https://oauth2.example.com/token";

/// A service account, and the public half of its key.
fn delegate() -> (Delegate, Vec<u8>) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let delegate = Delegate {
        account: ServiceAccount {
            email: "sync@project.iam.gserviceaccount.com".into(),
            client_id: "117".into(),
            key_id: "k1".into(),
        },
        private_key: Secret::new(STANDARD.encode(der.as_ref())),
        subject: "admin@example.com".into(),
        scopes: vec!["users".into(), "groups".into()],
    };
    (delegate, pair.public_key().as_ref().to_vec())
}

async fn assertions(fake: &Fake) -> (Assertions, ManualClock) {
    let (provider, clock) = fake.start().await;
    let options = AssertionOptions {
        token_url: provider.inner().options.token_url.clone(),
        audience: AUDIENCE.into(),
        backoff: Duration::from_millis(1),
    };
    let assertions = Assertions::new(options, Arc::new(clock.clone())).unwrap();
    (assertions, clock)
}

#[tokio::test]
async fn what_is_signed_says_who_acts_as_whom_for_what_and_lives_an_hour() {
    let fake = Fake::default();
    let (assertions, clock) = assertions(&fake).await;
    let (delegate, public) = delegate();
    fake.access("a");
    let before = clock.now().as_second();
    let tokens = assertions.exchange(&delegate).await.unwrap();
    let after = clock.now().as_second();
    assert_eq!(tokens.access.expose(), "a");
    assert_eq!(tokens.scopes, ["groups", "users"]);
    assert!(tokens.refresh.is_none());
    let form = fake.forms.lock().unwrap().remove(0);
    assert_eq!(form.len(), 2, "no client, no secret");
    assert_eq!(
        form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let (signed, signature) = form["assertion"].rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let read = |part: &str| serde_json::from_slice::<Value>(&bytes(part)).unwrap();
    assert_eq!(
        read(header),
        json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
    );
    let claims = read(claims);
    let begun = claims["iat"].as_i64().unwrap();
    assert!((before - 10..=after - 10).contains(&begun), "{claims}");
    assert_eq!(
        claims,
        json!({"iss": "sync@project.iam.gserviceaccount.com", "sub": "admin@example.com",
            "scope": "users groups", "aud": AUDIENCE, "iat": begun, "exp": begun + 3600})
    );
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .verify(signed.as_bytes(), &bytes(signature))
        .unwrap();
    let shown = format!("{delegate:?} {tokens:?}");
    assert!(!shown.contains(delegate.private_key.expose()));
}

#[tokio::test]
async fn refusals_say_where_the_fault_lies_and_never_quote_the_answer() {
    let fake = Fake::default();
    let (assertions, _) = assertions(&fake).await;
    let (delegate, _) = delegate();
    let table = [
        (
            "unauthorized_client",
            "Client is unauthorized",
            Some(Blame::Delegation),
        ),
        ("access_denied", "Account restricted", Some(Blame::Policy)),
        (
            "invalid_grant",
            "Invalid email or User ID",
            Some(Blame::Subject),
        ),
        (
            "invalid_request",
            "Invalid impersonation prn email address",
            Some(Blame::Subject),
        ),
        ("invalid_grant", "Invalid JWT Signature.", Some(Blame::Key)),
        (
            "invalid_grant",
            "Invalid JWT: No valid verifier found for issuer.",
            Some(Blame::Key),
        ),
        (
            "deleted_client",
            "The OAuth client was deleted.",
            Some(Blame::Key),
        ),
        (
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            None,
        ),
    ];
    for (code, description, blame) in table {
        // A key that is refused is tried once more.
        for _ in 0..2 {
            fake.answer(
                400,
                json!({"error": code, "error_description": description}),
            );
        }
        let error = assertions.exchange(&delegate).await.unwrap_err();
        fake.answers.lock().unwrap().clear();
        match (&error, blame) {
            (Error::Assertion(found, text), Some(blame)) => {
                assert_eq!((*found, text), (blame, &format!("{code}: {description}")));
                assert!(matches!(error.into(), connector::Error::ConsentLost(_)));
            }
            (Error::Clock(_), None) => {
                assert!(matches!(error.into(), connector::Error::Rejected(_)));
            }
            _ => panic!("{code} {description}: {error:?}"),
        }
    }
    fake.answer(400, json!({"error": {"code": 400, "message": "hush"}}));
    let odd = assertions.exchange(&delegate).await.unwrap_err();
    assert!(matches!(odd, Error::Protocol(_)), "{odd:?}");
    fake.answer(
        200,
        json!({"access_token": ["hush"], "token_type": "Bearer"}),
    );
    let odd = assertions.exchange(&delegate).await.unwrap_err();
    assert!(
        matches!(odd, Error::Protocol(_)) && !format!("{odd:?}").contains("hush"),
        "{odd:?}"
    );
}

#[tokio::test]
async fn an_outage_is_waited_for_and_a_good_key_that_is_refused_for_a_moment_too() {
    let fake = Fake::default();
    let (assertions, _) = assertions(&fake).await;
    let (delegate, _) = delegate();
    fake.answer(503, json!({}));
    fake.answer(400, json!({"error": "internal_failure"}));
    fake.answer(
        400,
        json!({"error": "invalid_grant", "error_description": "Invalid JWT: No valid verifier found for issuer."}),
    );
    fake.access("a");
    let tokens = assertions.exchange(&delegate).await.unwrap();
    assert_eq!(tokens.access.expose(), "a");
    assert_eq!(fake.asked(), 4);
}
