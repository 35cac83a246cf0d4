//! The simulated Google, and what tests ask of it directly.

use provisiond::sandbox::{Options, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

pub struct Google {
    sandbox: Sandbox,
    http: reqwest::Client,
    pub options: Options,
}

impl Google {
    pub async fn start(options: Options) -> Self {
        let sandbox = Sandbox::start(options.clone()).await.unwrap();
        let http = reqwest::Client::new();
        Self {
            sandbox,
            http,
            options,
        }
    }

    pub fn url(&self) -> String {
        self.sandbox.base_url()
    }

    /// A control request (see `sandbox/mod.rs`), which must succeed.
    pub async fn control(&self, verb: Method, path: &str, body: Value) -> Value {
        let mut request = self
            .http
            .request(verb, format!("{}/sandbox/{path}", self.url()));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Everything that the company holds, as plain JSON.
    pub async fn state(&self) -> Value {
        self.control(Method::GET, "state", Value::Null).await
    }

    /// Lays values over a user, without Google's checks.
    pub async fn patch_user(&self, key: &str, values: Value) {
        self.control(Method::PATCH, &format!("users/{key}?raw=true"), values)
            .await;
    }

    /// Adds a rule of faults (see `sandbox/faults.rs`).
    pub async fn fault(&self, rule: Value) {
        self.control(Method::POST, "faults", rule).await;
    }

    /// Forgets the log of requests.
    pub async fn forget_requests(&self) {
        self.control(Method::DELETE, "requests", Value::Null).await;
    }

    /// Requests by Google's name of the method, since they were forgotten.
    pub async fn requests(&self) -> Value {
        let log = self.control(Method::GET, "requests", Value::Null).await;
        log.get("counts").cloned().unwrap_or(json!({}))
    }
}
