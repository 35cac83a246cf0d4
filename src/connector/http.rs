//! The HTTP client that all systems share: time-outs, repetitions, pace, counts.

use super::{AccessTokens, Error, Retry, classify, governor::Governor};
use crate::model::{RequestCounts, Secret};
use rand::Rng;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// Sent with every request. Google answers with gzip only if the agent's name holds the word.
const USER_AGENT: &str = concat!("provisiond/", env!("CARGO_PKG_VERSION"), " (gzip)");
/// Largest answer accepted, decompressed.
const LARGEST: usize = 64 << 20;

/// How requests are repeated.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The n-th repetition waits `base * 2^n`, n from 0, plus up to `base` at random.
    pub base: Duration,
    /// Repetitions before giving up.
    pub attempts: u32,
}

impl Default for Backoff {
    /// Google's own advice: 1, 2, 4, 8, 16 s, each plus up to 1 s ("Limits and quotas", exponential backoff).
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            attempts: 5,
        }
    }
}

/// Makes requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    backoff: Backoff,
}

impl Http {
    /// A client: 10 s to connect, 60 s in all, no redirects.
    pub fn new(backoff: Backoff) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| {
                Error::Rejected(format!("the HTTP client can't be set up: {error}"))
            })?;
        Ok(Self { client, backoff })
    }

    /// A session with one system for one account.
    pub fn session(&self, tokens: Arc<dyn AccessTokens>, governor: Arc<Governor>) -> Session {
        Session {
            http: self.clone(),
            tokens,
            governor,
            counts: Arc::default(),
        }
    }
}

/// Requests to one system for one account, counted.
#[derive(Debug, Clone)]
pub struct Session {
    http: Http,
    tokens: Arc<dyn AccessTokens>,
    governor: Arc<Governor>,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    by_method: BTreeMap<&'static str, u64>,
    retries: u64,
    throttled: Duration,
}

impl Session {
    /// Requests made so far.
    pub fn counts(&self) -> RequestCounts {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        RequestCounts {
            by_method: counts
                .by_method
                .iter()
                .map(|(method, n)| ((*method).to_owned(), *n))
                .collect(),
            retries: counts.retries,
            throttled: counts.throttled,
        }
    }

    /// How long the next request has to wait because the system throttles.
    pub fn throttled_for(&self) -> Option<Duration> {
        self.governor.closed_for()
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Reads: a GET is repeated as often as its errors allow. `method` is the system's name of it, for the counts.
    pub async fn get(&self, method: &'static str, url: &Url) -> Result<Vec<u8>, Error> {
        let (mut failed, mut renewed) = (0, false);
        loop {
            let error = match self.once(method, url).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            match error.retry() {
                Retry::Reauthenticate if !renewed => renewed = true,
                Retry::After(least) if failed < self.http.backoff.attempts => {
                    let wait = self.http.backoff.wait(failed).max(least);
                    failed += 1;
                    tracing::debug!(method, %error, ?wait, "a request is repeated");
                    if matches!(error, Error::Throttled { .. }) {
                        self.governor.refused(wait);
                    } else {
                        tokio::time::sleep(wait).await;
                    }
                }
                Retry::Reauthenticate | Retry::After(_) | Retry::Never => return Err(error),
            }
            self.count(|counts| counts.retries += 1);
        }
    }

    async fn once(&self, method: &'static str, url: &Url) -> Result<Vec<u8>, Error> {
        let token = self.tokens.token().await?;
        let (_slot, waited) = self.governor.turn().await;
        self.count(|counts| {
            *counts.by_method.entry(method).or_default() += 1;
            counts.throttled += waited;
        });
        let answer = self.send(url, &token).await;
        match &answer {
            Ok(_) => self.governor.accepted(),
            Err(Error::Unauthorized(_)) => self.tokens.invalidate(&token),
            Err(_) => {}
        }
        answer
    }

    async fn send(&self, url: &Url, token: &Secret) -> Result<Vec<u8>, Error> {
        let request = self
            .http
            .client
            .get(url.clone())
            .bearer_auth(token.expose());
        let mut response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status();
        let after = response.headers().get(http::header::RETRY_AFTER).cloned();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Error::Protocol(format!(
                    "the answer is larger than {LARGEST} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(body);
        }
        Err(classify::of(
            status.as_u16(),
            after.as_ref().and_then(|value| value.to_str().ok()),
            &body,
        ))
    }
}

impl Backoff {
    fn wait(&self, n: u32) -> Duration {
        let jitter = self.base.mul_f64(rand::rng().random_range(0.0..1.0));
        self.base * 2u32.saturating_pow(n) + jitter
    }
}

/// The request or its answer was lost on the way. The URL may hold addresses: it stays out of the text.
fn lost(error: &reqwest::Error) -> Error {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    Error::Unavailable(what.to_owned())
}
