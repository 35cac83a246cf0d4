//! The HTTP client that all systems share: time-outs, the retry loop, the governor, and the counting of requests.

use super::{
    AccessTokens, Backoff, Error, GovernorKey, Governors, Retry,
    governor::{Governor, Slot},
    retry::retry_after,
};
use crate::model::{RequestCounts, Secret};
use http::{StatusCode, header};
use std::{
    error::Error as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use url::Url;

/// The largest answer that is read, unpacked: far above any page of a listing.
const LARGEST: usize = 64 << 20;

/// How requests are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpOptions {
    /// For a connection to come about.
    pub connect_timeout: Duration,
    /// For one request with its whole answer.
    pub timeout: Duration,
    /// Between repetitions.
    pub backoff: Backoff,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            backoff: Backoff::default(),
        }
    }
}

/// The client; cheap to clone, one for the whole process.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    backoff: Backoff,
    governors: Governors,
}

impl Http {
    /// Fails if the machine offers no TLS roots.
    pub fn new(options: HttpOptions, governors: Governors) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            // Google packs answers only for clients that say gzip here too.
            .user_agent(concat!("provisiond/", env!("CARGO_PKG_VERSION"), " (gzip)"))
            .gzip(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .build()
            .map_err(|error| Error::Unavailable(describe(error)))?;
        Ok(Self {
            client,
            backoff: options.backoff,
            governors,
        })
    }

    /// Requests to one system in one principal's name, counted together.
    pub(super) fn session(
        &self,
        key: &GovernorKey,
        tokens: Arc<dyn AccessTokens>,
        classify: Classify,
    ) -> Session {
        Session {
            client: self.client.clone(),
            backoff: self.backoff,
            governor: self.governors.of(key),
            tokens,
            classify,
            tally: Mutex::default(),
        }
    }
}

/// What a system's refusal means: decided once, here, from status and body.
pub(super) type Classify = fn(StatusCode, &[u8], &Call<'_>) -> Error;

/// A request that can be repeated at will: a GET.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The system's name of the method, such as `directory.users.list`.
    pub(super) method: &'static str,
    /// Where, with the query.
    pub(super) url: &'a Url,
    /// Whether it goes on with a listing.
    pub(super) continued: bool,
}

/// See [`Http::session`].
#[derive(Debug)]
pub(super) struct Session {
    client: reqwest::Client,
    backoff: Backoff,
    governor: Arc<Governor>,
    tokens: Arc<dyn AccessTokens>,
    classify: Classify,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    counts: RequestCounts,
    /// How many wait because the system throttles, and since when the first of them does: time that many spend waiting
    /// side by side counts once.
    waiting: usize,
    since: Option<Instant>,
}

/// A failed try.
struct Failure {
    error: Error,
    /// `Retry-After`.
    after: Option<Duration>,
}

impl Session {
    /// Makes the request, again where that may help; hands out the body of the 2xx answer.
    pub(super) async fn get(&self, call: Call<'_>) -> Result<Vec<u8>, Error> {
        let mut repetition = 0;
        let mut renewed = false;
        loop {
            let slot = self.turn().await?;
            let token = self.tokens.token().await?;
            self.count(call.method, renewed || repetition > 0);
            let asked = Instant::now();
            let failure = match self.exchange(call, &token).await {
                Ok(body) => {
                    self.governor.answered();
                    return Ok(body);
                }
                Err(failure) => failure,
            };
            drop(slot);
            let floor = match failure.error.retry() {
                Retry::Never => return Err(failure.error),
                Retry::Reauthenticate if renewed => return Err(failure.error),
                Retry::Reauthenticate => {
                    renewed = true;
                    self.tokens.invalidate(&token);
                    continue;
                }
                Retry::After(floor) => floor.max(failure.after.unwrap_or_default()),
            };
            let wait = self.backoff.wait(repetition, floor);
            self.tell_others(&failure, asked, wait.unwrap_or(floor));
            let Some(wait) = wait else {
                return Err(failure.error);
            };
            tracing::debug!(method = call.method, ?wait, error = %failure.error, "trying again");
            let throttled = matches!(failure.error, Error::Throttled { .. });
            let waiting = throttled.then(|| self.waiting());
            sleep(wait).await;
            drop(waiting);
            repetition += 1;
        }
    }

    /// Requests made so far.
    pub(super) fn requests(&self) -> RequestCounts {
        let tally = self.tally();
        let mut counts = tally.counts.clone();
        counts.throttled += tally.since.map(|since| since.elapsed()).unwrap_or_default();
        counts
    }

    /// How long nobody may ask, because the system said so.
    pub(super) fn throttled_for(&self) -> Option<Duration> {
        self.governor.paused_for()
    }

    /// What one refusal means for all who ask in the same name.
    fn tell_others(&self, failure: &Failure, asked: Instant, wait: Duration) {
        if matches!(failure.error, Error::Throttled { .. }) {
            self.governor.refused(asked, wait);
        } else if let Some(after) = failure.after {
            self.governor.pause(after);
        }
    }

    /// Waits until a request may be made.
    async fn turn(&self) -> Result<Slot<'_>, Error> {
        let slot = self.governor.slot().await;
        let mut waiting = None;
        while let Err(wait) = self.governor.turn() {
            if wait > self.backoff.longest {
                return Err(Error::Throttled {
                    after: Some(wait),
                    text: "it asked for a longer pause than is waited for".to_owned(),
                });
            }
            waiting.get_or_insert_with(|| self.waiting());
            sleep(wait).await;
        }
        Ok(slot)
    }

    async fn exchange(&self, call: Call<'_>, token: &Secret) -> Result<Vec<u8>, Failure> {
        let request = self.client.get(call.url.clone());
        let request = request
            .bearer_auth(token.expose())
            .header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let after = retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST {
                let error = Error::Protocol(format!("an answer of more than {LARGEST} bytes"));
                return Err(Failure { error, after: None });
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(body);
        }
        let error = match (self.classify)(status, &body, &call) {
            Error::Throttled { text, .. } => Error::Throttled { after, text },
            error => error,
        };
        Err(Failure { error, after })
    }

    fn count(&self, method: &'static str, again: bool) {
        let mut tally = self.tally();
        let counts = &mut tally.counts;
        match counts.by_method.get_mut(method) {
            Some(count) => *count += 1,
            None => drop(counts.by_method.insert(method.to_owned(), 1)),
        }
        counts.retries += u64::from(again);
    }

    fn waiting(&self) -> Waiting<'_> {
        let mut tally = self.tally();
        tally.waiting += 1;
        tally.since.get_or_insert_with(Instant::now);
        drop(tally);
        Waiting(self)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits because the system throttles, until this is dropped.
struct Waiting<'a>(&'a Session);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut tally = self.0.tally();
        tally.waiting -= 1;
        if tally.waiting == 0
            && let Some(since) = tally.since.take()
        {
            tally.counts.throttled += since.elapsed();
        }
    }
}

/// A failure on the way.
fn unreachable(error: reqwest::Error) -> Failure {
    let error = if error.is_builder() {
        Error::Rejected(describe(error))
    } else {
        Error::Unavailable(describe(error))
    };
    Failure { error, after: None }
}

/// The error with its causes, without the URL: that is long, and may hold a page token.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
