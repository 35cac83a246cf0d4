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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        directory::{Directory, New},
        model::{Attribute, Clock, CompanyId, Entity, Kind, ManualClock, Value},
        store::{Options, SealingKey},
    };
    use futures_util::FutureExt as _;
    use std::sync::Arc;
    use tonic::Status;

    fn with_title(user: &Entity, title: &str) -> New {
        let mut attributes = user.attributes.clone();
        attributes.set(Attribute::TITLE, Value::Text(title.to_owned()));
        New {
            attributes,
            ..New::default()
        }
    }

    /// What a caller is told who asks again for what he has asked for, of which the outcome is not durable yet.
    async fn told_again(broken: bool) -> Status {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let options = Options {
            path: dir.path().join("data"),
            key: SealingKey::load_or_create(&dir.path().join("key")).unwrap(),
            clock: Arc::clone(&clock),
        };
        let store = Store::open(options).await.unwrap();
        let directory = Directory::new(store.clone(), clock);
        let company = CompanyId::try_new("acme").unwrap();
        let address = Value::Text("ann@acme.test".to_owned());
        let new = New {
            attributes: [(Attribute::USER_NAME, address)].into_iter().collect(),
            ..New::default()
        };
        let ann = directory.create_user(&company, new, "hr", None).await;
        let ann = ann.unwrap().value;
        let go = store.stall_disk(broken);
        let boss = with_title(&ann, "Boss");
        let mut first = Box::pin(directory.update(ann.clone(), boss.clone(), false, "hr"));
        assert!(first.as_mut().now_or_never().is_none());
        let now = || directory.get(&company, Kind::User, &ann.id);
        while Store::ahead(now()).await.unwrap() == ann {}
        let again = tower::service_fn(|_: Request<Body>| {
            let (directory, ann, boss) = (directory.clone(), ann.clone(), boss.clone());
            async move {
                let seen = directory.get(&ann.company, Kind::User, &ann.id).await;
                let seen = seen.unwrap();
                // There is nothing to change any more.
                let told = directory
                    .update(seen.clone(), boss, false, "hr")
                    .await
                    .unwrap();
                assert_eq!(told, seen);
                Ok::<_, Infallible>(Status::ok("").into_http())
            }
        });
        let request = Request::new(Body::empty());
        let mut answer = Box::pin(Durable(store.clone()).layer(again).call(request));
        for _ in 0..100 {
            assert!(answer.as_mut().now_or_never().is_none());
            tokio::task::spawn_blocking(|| {}).await.unwrap();
        }
        drop(go);
        let answer = answer.await.unwrap();
        assert_eq!(first.await.is_err(), broken);
        Status::from_header_map(answer.headers()).unwrap()
    }

    #[tokio::test]
    async fn that_there_is_nothing_to_do_is_told_once_what_was_done_is_durable() {
        let told = told_again(false).await;
        assert_eq!(told.code(), Status::ok("").code(), "{told:?}");
    }

    #[tokio::test]
    async fn that_there_is_nothing_to_do_is_not_told_if_what_was_done_is_lost() {
        let told = told_again(true).await;
        assert_eq!(told.code(), status::panicked().code(), "{told:?}");
    }
}
