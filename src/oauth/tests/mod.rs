//! A provider that answers as it is told, and what is true of our side of the conversation. Uses `model` and `connector`;
//! deliberately needs no network but loopback.

mod assertion;
mod identity;
mod tokens;

use super::*;
use crate::model::{ManualClock, Secret};
use axum::{Form, Json, Router, extract::State, http::StatusCode, routing};
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use url::Url;

/// A provider that answers the token endpoint from a list, and counts.
#[derive(Clone, Default)]
struct Fake {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    forms: Arc<Mutex<Vec<HashMap<String, String>>>>,
    keys: Arc<Mutex<Vec<Jwk>>>,
    keys_asked: Arc<Mutex<u32>>,
    userinfo: Arc<Mutex<Value>>,
}

async fn token(
    State(fake): State<Fake>,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    // Long enough for others to come and wait.
    tokio::time::sleep(Duration::from_millis(20)).await;
    fake.forms.lock().unwrap().push(form);
    let (status, body) = fake
        .answers
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or((500, json!({})));
    (StatusCode::from_u16(status).unwrap(), Json(body))
}

async fn keys(State(fake): State<Fake>) -> Json<Value> {
    *fake.keys_asked.lock().unwrap() += 1;
    Json(json!({ "keys": *fake.keys.lock().unwrap() }))
}

async fn userinfo(State(fake): State<Fake>) -> Json<Value> {
    Json(fake.userinfo.lock().unwrap().clone())
}

impl Fake {
    async fn start(&self) -> (Provider, ManualClock) {
        let router = Router::new()
            .route("/token", routing::post(token))
            .route("/keys", routing::get(keys))
            .route("/userinfo", routing::get(userinfo))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let clock = ManualClock::default();
        let options = ProviderOptions {
            client_id: "client".into(),
            client_secret: Secret::new("hush".into()),
            auth_url: base.join("auth").unwrap(),
            token_url: base.join("token").unwrap(),
            revoke_url: base.join("revoke").unwrap(),
            userinfo_url: base.join("userinfo").unwrap(),
            jwks_url: base.join("keys").unwrap(),
            issuer: "https://accounts.example.com".into(),
            backoff: Duration::from_millis(1),
        };
        (
            Provider::new(options, Arc::new(clock.clone())).unwrap(),
            clock,
        )
    }

    fn answer(&self, status: u16, body: Value) {
        self.answers.lock().unwrap().push_back((status, body));
    }

    fn access(&self, token: &str) {
        self.answer(
            200,
            json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}),
        );
    }

    fn asked(&self) -> usize {
        self.forms.lock().unwrap().len()
    }
}

#[derive(Debug)]
struct Held(Mutex<Option<Secret>>, Provider);

impl Kept for Held {
    fn current(&self) -> BoxFuture<'_, Result<Option<Grant>, Error>> {
        let token = self.0.lock().unwrap().clone();
        let grant = |token| Grant::RefreshToken(self.1.clone(), token);
        Box::pin(async move { Ok(token.map(grant)) })
    }

    fn replace(&self, token: Secret) -> BoxFuture<'_, Result<(), Error>> {
        *self.0.lock().unwrap() = Some(token);
        Box::pin(async { Ok(()) })
    }
}

async fn source(fake: &Fake) -> (Arc<TokenSource>, Arc<Held>, ManualClock) {
    let (provider, clock) = fake.start().await;
    let first = Mutex::new(Some(Secret::new("refresh-1".into())));
    let kept = Arc::new(Held(first, provider));
    let source = TokenSource::new(kept.clone(), Arc::new(clock.clone()));
    (Arc::new(source), kept, clock)
}

fn callback() -> Url {
    Url::parse("http://127.0.0.1:1/oauth/callback").unwrap()
}
