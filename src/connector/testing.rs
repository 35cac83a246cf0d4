//! A system for tests, that answers as told, over a real socket.

use super::{
    AccessTokens, Answer, Backoff, Connector as _, Http, HttpOptions,
    google::{Google, GoogleOptions},
    governor::{Governors, Pace},
};
use crate::model::Secret;
use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// How many came before it.
    pub(super) n: usize,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
}

impl Asked {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// A server that is gone with its handle.
pub(super) struct Server {
    pub(super) url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start<F, R>(answer: F) -> Self
    where
        F: Fn(&Asked) -> R + Clone + Send + Sync + 'static,
        R: IntoResponse,
    {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let handle = move |request: Request| {
            let url = Url::parse("http://x").unwrap();
            let url = url.join(&request.uri().to_string()).unwrap();
            let mut log = log.lock().unwrap();
            let asked = Asked {
                n: log.len(),
                path: url.path().to_owned(),
                query: url.query_pairs().into_owned().collect(),
                headers: request.headers().clone(),
            };
            log.push(asked.clone());
            drop(log);
            let response = answer(&asked).into_response();
            async move { response }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(handle);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let url = Url::parse(&url).unwrap();
        Self { url, asked, task }
    }

    /// The requests so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Tokens `token-1`, `token-2` and so on, each valid until refused.
#[derive(Debug, Default)]
pub(super) struct Tokens(AtomicU64);

impl AccessTokens for Tokens {
    fn token(&self) -> Answer<'_, Secret> {
        let n = self.0.load(Ordering::SeqCst) + 1;
        Box::pin(async move { Ok(Secret::new(format!("token-{n}"))) })
    }

    fn invalidate(&self, token: &Secret) {
        let n = self.0.load(Ordering::SeqCst) + 1;
        assert_eq!(token.expose(), format!("token-{n}"));
        self.0.store(n, Ordering::SeqCst);
    }
}

/// As in production, but waits of milliseconds.
pub(super) fn http() -> Http {
    http_with(Pace::default())
}

pub(super) fn http_with(pace: Pace) -> Http {
    let backoff = Backoff {
        base: Duration::from_millis(1),
        ..Backoff::default()
    };
    let options = HttpOptions {
        backoff,
        ..HttpOptions::default()
    };
    Http::new(options, Governors::new(pace)).unwrap()
}

pub(super) fn google_with(server: &Server, http: &Http) -> Google {
    let options = GoogleOptions {
        api_url: server.url.clone(),
        customer: "C01".to_owned(),
        principal: "admin@acme.test".to_owned(),
        address: "admin@acme.test".to_owned(),
    };
    let google = Google::open(options, http, Arc::new(Tokens::default())).unwrap();
    assert_eq!(google.system().as_str(), "google-workspace");
    google
}

pub(super) fn google(server: &Server) -> Google {
    google_with(server, &http())
}

/// 200 with this JSON.
pub(super) fn ok(body: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (json, body.to_string()).into_response()
}

/// A refusal in Google's envelope.
pub(super) fn refuse(status: u16, reason: &str, message: &str) -> Response {
    let body = envelope(status, reason, message).to_string();
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

pub(super) fn envelope(status: u16, reason: &str, message: &str) -> Value {
    let domain = "global";
    let item = json!({"message": message, "domain": domain, "reason": reason});
    json!({"error": {"code": status, "message": message, "errors": [item]}})
}

/// A user as Google sends it.
pub(super) fn user(id: &str, email: &str) -> Value {
    let name = json!({"givenName": "Alice", "familyName": "Example", "fullName": "Alice Example"});
    json!({"id": id, "primaryEmail": email, "name": name, "suspended": false, "archived": false})
}
