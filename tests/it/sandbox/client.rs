//! A person with a browser and an application, against one sandbox.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use provisiond::sandbox::{Options, Sandbox};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

pub const ADMIN: &str = "admin@acme.test";
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub const USER: &str = "https://www.googleapis.com/auth/admin.directory.user";
pub const GROUP: &str = "https://www.googleapis.com/auth/admin.directory.group";
pub const CUSTOMER: &str = "https://www.googleapis.com/auth/admin.directory.customer.readonly";
pub const DOMAIN: &str = "https://www.googleapis.com/auth/admin.directory.domain.readonly";
pub const UNIT: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";
pub const VERIFIER: &str = "a-verifier-of-enough-letters-0123456789-abcdefgh";

pub struct Client {
    /// Ends with this.
    _sandbox: Sandbox,
    pub base: String,
    pub http: reqwest::Client,
    pub options: Options,
}

/// A status and a JSON body; `null` for none.
pub type Answer = (u16, Value);

impl Client {
    pub async fn start(options: Options) -> Self {
        let sandbox = Sandbox::start(options.clone()).await.unwrap();
        let base = sandbox.base_url();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            _sandbox: sandbox,
            base,
            http,
            options,
        }
    }

    pub async fn small() -> Self {
        Self::start(Options::default()).await
    }

    pub fn auth_url(&self, more: &[(&str, &str)]) -> url::Url {
        let mut url = url::Url::parse(&format!("{}/o/oauth2/v2/auth", self.base)).unwrap();
        let challenge = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            VERIFIER.as_bytes(),
        ));
        let scope = format!("openid email {USER} {GROUP} {CUSTOMER} {DOMAIN} {UNIT}");
        let standard = [
            ("client_id", self.options.client_id.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", &scope),
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("state", "st/a+te"),
            ("nonce", "n-0nce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in standard {
            if !more.iter().any(|(other, _)| *other == name) {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        for (name, value) in more.iter().filter(|(_, value)| !value.is_empty()) {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    }

    /// Decides on the consent page; the query of the redirect.
    pub async fn decide(&self, url: url::Url, form: &[(&str, &str)]) -> Vec<(String, String)> {
        let page = self.http.get(url.clone()).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let answer = self.http.post(url).form(form).send().await.unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::FOUND,
            "{:?}",
            answer.text().await
        );
        let target = answer.headers()["location"].to_str().unwrap();
        assert!(target.starts_with(REDIRECT));
        url::Url::parse(target)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect()
    }

    /// Allows everything; the code.
    pub async fn allow(&self, account: &str, more: &[(&str, &str)]) -> String {
        let form = [
            ("account", account),
            ("action", "allow"),
            ("scope", USER),
            ("scope", GROUP),
            ("scope", CUSTOMER),
            ("scope", DOMAIN),
            ("scope", UNIT),
        ];
        let answer = self.decide(self.auth_url(more), &form).await;
        value(&answer, "code").to_owned()
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let mut all: Vec<(&str, &str)> = vec![
            ("client_id", &self.options.client_id),
            ("client_secret", &self.options.client_secret),
        ];
        all.retain(|(name, _)| !form.iter().any(|(other, _)| other == name));
        all.extend(form);
        let url = format!("{}/token", self.base);
        read(self.http.post(url).form(&all).send().await.unwrap()).await
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// All tokens of an account that allowed everything.
    pub async fn tokens(&self, account: &str) -> Value {
        let code = self.allow(account, &[]).await;
        let (status, body) = self.exchange(&code).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub async fn access(&self, account: &str) -> String {
        text(&self.tokens(account).await, "access_token")
    }

    pub async fn call(&self, token: &str, verb: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/admin/directory/v1/{path}", self.base);
        let mut request = self.http.request(verb, url).bearer_auth(token);
        if !body.is_null() {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path, Value::Null).await
    }

    /// A control request, which must succeed.
    pub async fn control(&self, verb: Method, path: &str, body: Value) -> Value {
        let mut request = self
            .http
            .request(verb, format!("{}/sandbox/{path}", self.base));
        if !body.is_null() {
            request = request.json(&body);
        }
        let (status, body) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn fault(&self, rule: Value) {
        self.control(Method::POST, "faults", rule).await;
    }

    /// All rows of a list, page after page, with the number of pages.
    pub async fn all(&self, token: &str, path: &str, array: &str) -> (Vec<Value>, usize) {
        let (mut rows, mut pages, mut next) = (Vec::new(), 0, None::<String>);
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let path = match &next {
                Some(next) => format!("{path}{joint}pageToken={next}"),
                None => path.to_owned(),
            };
            let (status, body) = self.get(token, &path).await;
            assert_eq!(status, 200, "{body}");
            pages += 1;
            rows.extend(body[array].as_array().cloned().unwrap_or_default());
            match body["nextPageToken"].as_str() {
                Some(token) => next = Some(token.to_owned()),
                None => return (rows, pages),
            }
        }
    }
}

/// An administrator at work.
pub struct Admin {
    pub client: Client,
    pub access: String,
}

impl Admin {
    pub async fn start() -> Self {
        Self::of(Options::default()).await
    }

    pub async fn of(options: Options) -> Self {
        let client = Client::start(options).await;
        let access = client.access(ADMIN).await;
        Self { client, access }
    }

    pub async fn call(&self, verb: Method, path: &str, body: Value) -> Answer {
        self.client.call(&self.access, verb, path, body).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    /// The state behind Google's back.
    pub async fn state(&self) -> Value {
        self.client.control(Method::GET, "state", Value::Null).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.client.get(&self.access, path).await
    }
}

pub async fn read(answer: Response) -> Answer {
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map_or("", |(_, value)| value)
}

pub fn text(body: &Value, name: &str) -> String {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {body}"))
        .to_owned()
}

/// Status, reason and message of a refusal in Google's envelope.
pub fn refusal(answer: &Answer) -> (u16, &str, &str) {
    let (status, body) = answer;
    assert_eq!(body["error"]["code"], json!(status), "{body}");
    (
        *status,
        body["error"]["errors"][0]["reason"]
            .as_str()
            .unwrap_or_default(),
        body["error"]["message"].as_str().unwrap_or_default(),
    )
}
