//! The id of a request, known to everything that happens on its behalf.

use http::{HeaderName, HeaderValue, Request};
use uuid::Uuid;

/// Taken from the caller's metadata when given, answered always.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// The id that the request carries, or a new one. A caller's id is taken if it is 1 to 64 visible ASCII characters.
pub(super) fn of<B>(request: &Request<B>) -> HeaderValue {
    let usable = |value: &&HeaderValue| {
        (1..=64).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    let given = request.headers().get(HEADER).filter(usable).cloned();
    given
        .or_else(|| HeaderValue::from_str(&Uuid::now_v7().to_string()).ok())
        .unwrap_or(HeaderValue::from_static("-"))
}

/// The id of the request that is being handled.
pub(super) fn current() -> String {
    CURRENT
        .try_with(|id| id.to_str().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// Runs a handler under the id.
pub(super) async fn under<F: Future>(id: HeaderValue, handler: F) -> F::Output {
    CURRENT.scope(id, handler).await
}
