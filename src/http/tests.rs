use super::{
    around,
    page::{Page, redirect},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tower::ServiceExt;

async fn body(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_page_escapes_every_text() {
    let evil = "<script>alert('1')</script>\"&";
    let page = Page::new(StatusCode::OK, evil)
        .text(evil)
        .facts(&[("Name", evil), ("Empty", "")])
        .note(evil);
    let html = body(page.into_response()).await;
    assert!(!html.contains("<script"), "{html}");
    let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;";
    assert_eq!(html.matches(escaped).count(), 5);
    assert!(!html.contains("Empty"));
}

#[test]
fn every_answer_forbids_keeping_framing_and_referring() {
    let page = Page::new(StatusCode::OK, "x").into_response();
    for response in [page, redirect("https://c.example.com/")] {
        let get = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(get(header::CACHE_CONTROL), "no-store");
        assert_eq!(get(header::REFERRER_POLICY), "no-referrer");
        assert_eq!(get(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(get(header::X_FRAME_OPTIONS), "DENY");
        assert!(get(header::CONTENT_SECURITY_POLICY).contains("default-src 'none'"));
    }
}

#[tokio::test]
async fn what_is_no_callback_gets_a_plain_page() {
    let router = around(Router::new().route("/oauth/callback", get(|| async { "reached" })));
    let long = format!("/oauth/callback?code={}", "x".repeat(8192));
    let table = [
        ("GET", "/oauth/callback?code=1", StatusCode::OK),
        ("GET", "/", StatusCode::NOT_FOUND),
        ("GET", "/oauth/callback/", StatusCode::NOT_FOUND),
        ("POST", "/oauth/callback", StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", "/oauth/callback", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", &long, StatusCode::URI_TOO_LONG),
    ];
    for (method, uri, expected) in table {
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected, "{method} {uri}");
        if expected != StatusCode::OK {
            assert!(
                response
                    .headers()
                    .contains_key(header::CONTENT_SECURITY_POLICY)
            );
        }
    }
}
