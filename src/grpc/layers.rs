//! What happens to every request before and after its handler: id, log span, panics, deadline.

use super::{request_id, status};
use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    task::{Context, Poll},
    time::Duration,
};
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument;

/// What the paths of our own services begin with.
const OURS: &str = "/appsco.";
/// The step of the runtime's timers.
const TICK: Duration = Duration::from_millis(1);

/// Wraps every handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around;

impl<S> Layer<S> for Around {
    type Service = Wrapped<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Wrapped { inner }
    }
}

/// A handler with what is around it.
#[derive(Debug, Clone)]
pub(super) struct Wrapped<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for Wrapped<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone takes the place of the one that was polled ready.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let id = request_id::of(&request);
        let deadline = request
            .headers()
            .get("grpc-timeout")
            .and_then(|value| timeout(value.to_str().ok()?));
        let ours = request.uri().path().starts_with(OURS);
        let shown = id.to_str().unwrap_or_default().to_owned();
        let span = tracing::info_span!(
            "request",
            request_id = shown,
            method = %request.uri().path(),
            caller = tracing::field::Empty
        );
        let answered = id.clone();
        let handled = AssertUnwindSafe(async move { inner.call(request).await }).catch_unwind();
        // Begun before the transport's own, and ends before it: that one would say CANCELLED.
        let within = deadline.map_or(Duration::MAX, |d| d.saturating_sub(TICK));
        let handled = tokio::time::timeout(within, handled);
        let handler = async move {
            let mut response = match handled.await {
                Ok(Ok(Ok(response))) if status::is_unreadable(ours, response.headers()) => {
                    status::unreadable().into_http()
                }
                Ok(Ok(Ok(response))) => response,
                Ok(Ok(Err(never))) => match never {},
                Ok(Err(_)) => status::panicked().into_http(),
                Err(_) => status::deadline().into_http(),
            };
            response.headers_mut().insert(request_id::HEADER, answered);
            tracing::debug!(status = ?response.headers().get("grpc-status"), "answered");
            Ok(response)
        };
        Box::pin(request_id::under(id, handler).instrument(span))
    }
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Requests").
fn timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n * 3600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;
    use tonic_types::StatusExt as _;

    /// What a handler's answer becomes: its status, and the request id with it.
    async fn answer<F>(handler: fn() -> F, headers: &[(&str, &str)]) -> (Status, String)
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let inner = tower::service_fn(move |_: Request<Body>| async move {
            Ok::<_, Infallible>(handler().await)
        });
        let mut request = Request::builder().uri("/appsco.Service/Method");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = Around.layer(inner).call(request).await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        (status, id.to_owned())
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_its_text() {
        let handler = || async { panic!("the secret of the handler") };
        let (status, id) = answer(handler, &[("x-request-id", "r-1")]).await;
        assert_eq!(
            (status.code(), id.as_str()),
            (status::panicked().code(), "r-1")
        );
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.request_info().unwrap().request_id, "r-1");
        assert_eq!(details.error_info().unwrap().reason, "INTERNAL");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_passes_is_told_as_one() {
        let handler = std::future::pending::<Response<Body>>;
        let (status, id) = answer(handler, &[("grpc-timeout", "50m")]).await;
        assert_eq!(status.code(), status::deadline().code());
        assert!(!id.is_empty());
    }

    #[tokio::test]
    async fn a_request_that_can_not_be_read_is_its_callers_fault() {
        let handler = || async { Status::internal("failed to decode").into_http() };
        let (status, _) = answer(handler, &[]).await;
        assert_eq!(status.code(), status::unreadable().code());
        assert!(status.get_error_details().error_info().is_some());
    }

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(timeout("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(timeout("2H"), Some(Duration::from_secs(7200)));
        for wrong in ["", "S", "5", "123456789S", "5x", "-1S"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }
}
