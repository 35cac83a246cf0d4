//! What a caller is told is durable, also that there was nothing to do: an answer waits for what it was made of.

use super::status;
use crate::store::Store;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use std::{
    convert::Infallible,
    task::{Context, Poll},
};
use tonic::body::Body;
use tower::{Layer, Service};

/// Wraps every handler; this is the store that they read.
#[derive(Debug, Clone)]
pub(super) struct Durable(pub(super) Store);

impl<S> Layer<S> for Durable {
    type Service = Waiting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Waiting {
            inner,
            store: self.0.clone(),
        }
    }
}

/// A handler whose answers wait.
#[derive(Debug, Clone)]
pub(super) struct Waiting<S> {
    inner: S,
    store: Store,
}

impl<S> Service<Request<Body>> for Waiting<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (store, handled) = (self.store.clone(), self.inner.call(request));
        Box::pin(async move {
            match store.once_durable(handled).await {
                Ok(answer) => answer,
                Err(error) => Ok(status::store(error).into_http()),
            }
        })
    }
}
