use super::*;
use crate::connector::{self, AccessTokens};
use futures_util::future::join_all;

#[tokio::test]
async fn the_consent_page_is_asked_for_with_pkce_offline_access_and_nothing_more() {
    let (provider, _) = Fake::default().start().await;
    let begun = provider.begin(&["openid", "email"], &callback());
    let query: HashMap<_, _> = begun.url.query_pairs().into_owned().collect();
    let get = |name: &str| query.get(name).map(String::as_str);
    assert_eq!(get("response_type"), Some("code"));
    assert_eq!(get("client_id"), Some("client"));
    assert_eq!(get("redirect_uri"), Some(callback().as_str()));
    assert_eq!(get("scope"), Some("openid email"));
    assert_eq!(get("access_type"), Some("offline"));
    assert_eq!(get("prompt"), Some("consent"));
    assert_eq!(get("code_challenge_method"), Some("S256"));
    assert_eq!(get("state"), Some(begun.state.expose()));
    assert_eq!(get("nonce"), Some(begun.nonce.expose()));
    assert_eq!(query.len(), 10, "{query:?}");
    assert!((43..=128).contains(&begun.verifier.expose().len()));
    assert_eq!(begun.state.expose().len(), 43);
    let again = provider.begin(&["openid"], &callback());
    assert_ne!(again.state, begun.state);
    assert_ne!(again.nonce, begun.nonce);
    assert_ne!(again.verifier, begun.verifier);
}

#[tokio::test]
async fn a_code_is_exchanged_once_with_the_verifier_and_scopes_are_normalised() {
    let fake = Fake::default();
    let (provider, _) = fake.start().await;
    fake.answer(200, json!({"access_token": "a", "expires_in": 3599, "token_type": "Bearer", "refresh_token": "r",
        "scope": "openid https://www.googleapis.com/auth/userinfo.email", "id_token": "x.y.z"}));
    let (code, verifier) = (Secret::new("4/P7 q".into()), Secret::new("v".repeat(43)));
    let tokens = provider
        .exchange(&code, &verifier, &callback(), &[])
        .await
        .unwrap();
    assert_eq!(tokens.refresh.as_ref().map(Secret::expose), Some("r"));
    assert_eq!(tokens.missing(&["email", "openid"]), Vec::<String>::new());
    assert_eq!(tokens.missing(&["openid", "users"]), ["users"]);
    assert!(!format!("{tokens:?}").contains("x.y.z"));
    let form = fake.forms.lock().unwrap().remove(0);
    assert_eq!(form["code"], "4/P7 q");
    assert_eq!(form["code_verifier"], "v".repeat(43));
    assert_eq!(form["client_secret"], "hush");
    assert_eq!(form["redirect_uri"], callback().as_str());

    fake.answer(503, json!({}));
    let down = provider.exchange(&code, &verifier, &callback(), &[]).await;
    assert!(matches!(down, Err(Error::Unavailable(_))), "{down:?}");
    assert_eq!(fake.asked(), 1, "a code is not sent again");
}

#[tokio::test]
async fn refusals_are_told_apart_and_never_quote_the_answer() {
    let fake = Fake::default();
    let (provider, _) = fake.start().await;
    let token = Secret::new("r".into());
    let invalid = json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."});
    fake.answer(400, invalid);
    assert!(matches!(
        provider.refresh(&token).await,
        Err(Error::Grant(_))
    ));
    fake.answer(401, json!({"error": "invalid_client"}));
    assert!(matches!(
        provider.refresh(&token).await,
        Err(Error::Client(_))
    ));
    fake.answer(
        200,
        json!({"access_token": {"ya29": "secret-thing"}, "token_type": "Bearer"}),
    );
    let odd = provider.refresh(&token).await.unwrap_err();
    assert!(
        matches!(odd, Error::Protocol(_)) && !format!("{odd:?}").contains("secret"),
        "{odd:?}"
    );
    fake.answer(500, json!({}));
    fake.answer(
        400,
        json!({"error": "internal_failure", "error_description": "Backend Error"}),
    );
    fake.access("a");
    assert_eq!(provider.refresh(&token).await.unwrap().access.expose(), "a");
}

#[tokio::test]
async fn twenty_who_wait_make_one_refresh() {
    let fake = Fake::default();
    let (source, _, clock) = source(&fake).await;
    fake.access("first");
    fake.access("second");
    let all = join_all((0..20).map(|_| source.token())).await;
    assert!(
        all.iter()
            .all(|token| token.as_ref().unwrap().expose() == "first")
    );
    assert_eq!(fake.asked(), 1);
    clock.advance(Duration::from_secs(3599 - 61));
    assert_eq!(source.token().await.unwrap().expose(), "first");
    clock.advance(Duration::from_secs(2));
    assert_eq!(
        source.token().await.unwrap().expose(),
        "second",
        "a minute before its end"
    );
}

#[tokio::test]
async fn a_failed_refresh_fails_all_who_waited_and_the_next_tries_again() {
    let fake = Fake::default();
    let (source, ..) = source(&fake).await;
    fake.answer(401, json!({"error": "invalid_client"}));
    fake.access("later");
    let all = join_all((0..20).map(|_| source.token())).await;
    assert!(
        all.iter()
            .all(|token| matches!(token, Err(connector::Error::Rejected(_))))
    );
    assert_eq!(fake.asked(), 1);
    assert_eq!(source.token().await.unwrap().expose(), "later");
}

#[tokio::test]
async fn a_lost_consent_is_asked_for_once_and_heals_with_a_new_refresh_token() {
    let fake = Fake::default();
    let (source, kept, _) = source(&fake).await;
    fake.answer(400, json!({"error": "invalid_grant"}));
    for _ in 0..3 {
        let lost = source.token().await;
        assert!(
            matches!(lost, Err(connector::Error::ConsentLost(_))),
            "{lost:?}"
        );
    }
    assert_eq!(fake.asked(), 1);
    *kept.0.lock().unwrap() = Some(Secret::new("refresh-2".into()));
    fake.access("healed");
    assert_eq!(source.token().await.unwrap().expose(), "healed");
    assert_eq!(fake.forms.lock().unwrap()[1]["refresh_token"], "refresh-2");
    *kept.0.lock().unwrap() = None;
    assert_eq!(
        source.token().await.unwrap().expose(),
        "healed",
        "as long as it lasts"
    );
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_and_an_invalidated_access_token_is_renewed() {
    let fake = Fake::default();
    let (source, kept, _) = source(&fake).await;
    fake.answer(200, json!({"access_token": "one", "expires_in": 3599, "token_type": "Bearer", "refresh_token": "refresh-2"}));
    let one = source.token().await.unwrap();
    assert_eq!(
        kept.0.lock().unwrap().as_ref().unwrap().expose(),
        "refresh-2"
    );
    fake.access("two");
    source.invalidate(&one);
    source.invalidate(&one);
    assert_eq!(source.token().await.unwrap().expose(), "two");
    source.invalidate(&one);
    assert_eq!(
        source.token().await.unwrap().expose(),
        "two",
        "an old token invalidated again renews nothing"
    );
    assert_eq!(fake.asked(), 2);
}
