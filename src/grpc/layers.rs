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
        let shown = id.to_str().unwrap_or_default().to_owned();
        let span =
            tracing::info_span!("request", request_id = shown, method = %request.uri().path());
        let answered = id.clone();
        let handler = async move {
            let handler = AssertUnwindSafe(inner.call(request)).catch_unwind();
            let within = deadline.unwrap_or(Duration::MAX);
            let mut response = match tokio::time::timeout(within, handler).await {
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

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(timeout("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(timeout("2H"), Some(Duration::from_secs(7200)));
        for wrong in ["", "S", "5", "123456789S", "5x", "-1S"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }
}
