//! The shared client, over a real socket.

use super::{
    Connector as _, Error, Pace, Reader as _,
    google::Google,
    testing::{Server, google, google_with, http, http_with, ok, refuse, user},
};
use crate::model::{Kind, SourceId};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

fn alice() -> Response {
    ok(&user("1", "alice@acme.test"))
}

async fn get(google: &Google) -> Result<bool, Error> {
    let id = SourceId::try_new("1").unwrap();
    let found = google.get(Kind::User, &id).await?;
    Ok(found.is_some())
}

fn busy(status: u16, reason: &str, seconds: &str) -> Response {
    let retry = [(header::RETRY_AFTER, seconds.to_owned())];
    (retry, refuse(status, reason, "slow down")).into_response()
}

#[tokio::test]
async fn requests_say_what_google_wants_to_be_told() {
    let server = Server::start(|_| alice()).await;
    assert_eq!(get(&google(&server)).await, Ok(true));
    let asked = server.asked().remove(0);
    let header = |name| asked.headers[name].to_str().unwrap();
    assert_eq!(header("authorization"), "Bearer token-1");
    assert!(header("user-agent").starts_with("provisiond/"));
    assert!(header("user-agent").contains("gzip"));
    assert!(header("accept-encoding").contains("gzip"));
    assert_eq!(asked.param("prettyPrint"), Some("false"));
}

#[tokio::test]
async fn every_retryable_answer_is_tried_again_and_counted() {
    let server = Server::start(|asked| match asked.n {
        0 => refuse(503, "backendError", "Service unavailable. Please try again"),
        1 => refuse(403, "userRateLimitExceeded", "User-rate limit exceeded."),
        2 => (StatusCode::BAD_GATEWAY, "<html>502</html>").into_response(),
        3 => refuse(429, "rateLimitExceeded", "Quota exceeded for quota metric"),
        4 => refuse(412, "conditionNotMet", "User creation is not complete."),
        _ => alice(),
    })
    .await;
    let google = google(&server);
    assert_eq!(get(&google).await, Ok(true));
    let counts = google.requests();
    assert_eq!(counts.by_method["directory.users.get"], 6);
    assert_eq!(counts.retries, 5);
    assert!(counts.throttled >= Duration::from_millis(2 + 8));
}

#[tokio::test]
async fn after_five_repetitions_the_last_error_is_the_answer() {
    let server = Server::start(|_| refuse(503, "backendError", "Backend Error")).await;
    let error = get(&google(&server)).await.unwrap_err();
    let text = "directory.users.get: 503 backendError Backend Error";
    assert_eq!(error, Error::Unavailable(text.to_owned()));
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test]
async fn what_trying_again_does_not_change_is_not_tried_again() {
    for (status, reason) in [
        (400, "invalid"),
        (403, "forbidden"),
        (403, "insufficientPermissions"),
        (403, "accessNotConfigured"),
        (404, "notFound"),
        (412, "limitExceeded"),
        (501, "notImplemented"),
    ] {
        let server = Server::start(move |_| refuse(status, reason, "no")).await;
        let _ = get(&google(&server)).await;
        let asked = server.asked();
        let asked = asked
            .iter()
            .filter(|asked| asked.path.ends_with("/users/1"));
        assert_eq!(asked.count(), 1, "{status} {reason}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_a_second_refusal_is_final() {
    let unauthorized = || refuse(401, "authError", "Invalid Credentials");
    let server = Server::start(move |asked| match asked.headers["authorization"].to_str() {
        Ok("Bearer token-1") => unauthorized(),
        _ => alice(),
    })
    .await;
    let google_once = google(&server);
    assert_eq!(get(&google_once).await, Ok(true));
    assert_eq!(server.asked().len(), 2);
    assert_eq!(google_once.requests().retries, 1);

    let server = Server::start(move |_| unauthorized()).await;
    let refused = get(&google(&server)).await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn retry_after_is_obeyed_by_all_who_ask_in_the_same_name() {
    let server = Server::start(|asked| match asked.n {
        0 => busy(429, "rateLimitExceeded", "1"),
        _ => alice(),
    })
    .await;
    let http = http();
    let first = google_with(&server, &http);
    let other = google_with(&server, &http);
    let begin = Instant::now();
    let later = async {
        while server.asked().is_empty() || other.throttled_for().is_none() {
            tokio::task::yield_now().await;
        }
        get(&other).await
    };
    let (a, b) = tokio::join!(get(&first), later);
    assert_eq!((a, b), (Ok(true), Ok(true)));
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.asked().len(), 3);
    let waited = other.requests().throttled;
    assert!(waited > Duration::from_millis(500) && waited < Duration::from_secs(5));
    assert_eq!(other.requests().retries, 0);
}

#[tokio::test]
async fn a_longer_pause_than_is_waited_for_ends_this_request_and_the_next_at_once() {
    let server = Server::start(|_| busy(503, "backendError", "3600")).await;
    let google = google(&server);
    assert!(matches!(get(&google).await, Err(Error::Unavailable(_))));
    let Err(Error::Throttled { after, .. }) = get(&google).await else {
        panic!("the pause was not kept");
    };
    assert!(after.unwrap() > Duration::from_secs(3590));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_the_pace_allows() {
    let pace = Pace {
        concurrency: 3,
        ..Pace::default()
    };
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (n, m) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::start(move |_| {
        m.fetch_max(n.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let n = Arc::clone(&n);
        let body = async_body(Duration::from_millis(5), move || {
            n.fetch_sub(1, Ordering::SeqCst);
            user("1", "alice@acme.test").to_string()
        });
        body.into_response()
    })
    .await;
    let google = google_with(&server, &http_with(pace));
    let all = futures_util::future::join_all((0..30).map(|_| get(&google))).await;
    assert!(all.iter().all(|one| *one == Ok(true)));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

/// A body that comes after a while.
fn async_body(wait: Duration, text: impl FnOnce() -> String + Send + 'static) -> axum::body::Body {
    axum::body::Body::from_stream(futures_util::stream::once(async move {
        tokio::time::sleep(wait).await;
        Ok::<_, std::convert::Infallible>(text())
    }))
}

#[tokio::test]
async fn a_cut_connection_is_tried_again_and_half_an_answer_is_none() {
    let server = Server::start(|asked| {
        if asked.n > 0 {
            return alice();
        }
        let half = futures_util::stream::iter([
            Ok(r#"{"id": "1", "#.to_owned()),
            Err(std::io::Error::other("cut")),
        ]);
        axum::body::Body::from_stream(half).into_response()
    })
    .await;
    assert_eq!(get(&google(&server)).await, Ok(true));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn nobody_there_is_an_error_that_says_so() {
    let server = Server::start(|_| alice()).await;
    let google = google(&server);
    drop(server);
    tokio::task::yield_now().await;
    let Err(Error::Unavailable(text)) = get(&google).await else {
        panic!("somebody answered");
    };
    assert!(!text.contains("http://"), "{text}");
}

#[tokio::test]
async fn redirects_are_not_followed_and_pages_are_no_answers() {
    let server = Server::start(|_| (StatusCode::FOUND, [("location", "/elsewhere")])).await;
    assert!(matches!(
        get(&google(&server)).await,
        Err(Error::Protocol(_))
    ));
    assert_eq!(server.asked().len(), 1);
    let server = Server::start(|_| "<html>Log in to the hotel's network</html>").await;
    assert!(matches!(
        get(&google(&server)).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn check_tells_who_we_are() {
    let server = Server::start(|_| {
        ok(
            &json!({"primaryEmail": "admin@acme.test", "customerId": "C01", "isAdmin": true,
                   "isDelegatedAdmin": false}),
        )
    })
    .await;
    let standing = google(&server).check().await.unwrap();
    assert_eq!(standing.customer_id, "C01");
    assert_eq!(standing.account, "admin@acme.test");
    assert!(standing.admin);
    let path = &server.asked()[0].path;
    assert_eq!(path, "/admin/directory/v1/users/admin@acme.test");

    let message = "Not Authorized to access this resource/api";
    let server = Server::start(move |_| refuse(403, "forbidden", message)).await;
    let refused = google(&server).check().await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
}
