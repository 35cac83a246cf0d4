//! Access tokens for one consent: kept in memory only, renewed once for all who wait.

use super::{Assertions, Delegate, Error, Provider, Tokens};
use crate::{
    connector::{self, AccessTokens},
    model::{Clock, Secret, Time},
};
use futures_util::future::BoxFuture;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// So long before its end an access token is renewed.
const MARGIN: Duration = Duration::from_secs(60);

/// What brings access tokens, and where it does.
#[derive(Debug, Clone)]
pub enum Grant {
    /// A refresh token, that a consent brought.
    RefreshToken(Provider, Secret),
    /// A service account that acts as somebody.
    Delegate(Assertions, Delegate),
}

impl Grant {
    async fn exchange(&self) -> Result<Tokens, Error> {
        match self {
            Self::RefreshToken(provider, token) => provider.refresh(token).await,
            Self::Delegate(assertions, delegate) => assertions.exchange(delegate).await,
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::RefreshToken(_, one), Self::RefreshToken(_, other)) => one == other,
            (Self::Delegate(_, one), Self::Delegate(_, other)) => one == other,
            _ => false,
        }
    }
}

/// Where the grant is kept.
pub trait Kept: Send + Sync + fmt::Debug {
    /// The one in force.
    fn current(&self) -> BoxFuture<'_, Result<Option<Grant>, Error>>;
    /// Keeps the refresh token that the provider gave in place of the one in force.
    fn replace(&self, token: Secret) -> BoxFuture<'_, Result<(), Error>>;
}

#[derive(Debug)]
struct Access {
    token: Secret,
    renew_at: Time,
}

#[derive(Debug, Default)]
struct State {
    access: Option<Access>,
    /// The grant that was refused, and why: it is not tried again.
    refused: Option<(Grant, Error)>,
    /// How the latest attempt failed, if it did.
    failure: Option<Error>,
}

/// Access tokens for one consent.
#[derive(Debug)]
pub struct TokenSource {
    kept: Arc<dyn Kept>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Attempts to renew that have ended; who waited through one takes its outcome.
    attempts: AtomicU64,
    /// Access tokens that the system refused (by hash), so that they are not handed out again.
    bad: std::sync::Mutex<Option<blake3::Hash>>,
}

impl TokenSource {
    /// A source that asks the provider for nothing until the first token is wanted.
    pub fn new(kept: Arc<dyn Kept>, clock: Arc<dyn Clock>) -> Self {
        Self {
            kept,
            clock,
            state: Mutex::default(),
            attempts: AtomicU64::new(0),
            bad: std::sync::Mutex::default(),
        }
    }

    /// An access token that is good for a minute at least.
    pub async fn access(&self) -> Result<Secret, Error> {
        let seen = self.attempts.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if let Some(access) = &state.access
            && self.clock.now() < access.renew_at
            && !self.is_bad(&access.token)
        {
            return Ok(access.token.clone());
        }
        // Somebody else tried while this one waited, and failed: no use in trying again at once.
        if self.attempts.load(Ordering::SeqCst) != seen
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        state.access = None;
        let outcome = self.renew(&mut state).await;
        self.attempts.fetch_add(1, Ordering::SeqCst);
        state.failure = outcome.as_ref().err().cloned();
        let access = outcome?;
        let token = access.token.clone();
        state.access = Some(access);
        Ok(token)
    }

    async fn renew(&self, state: &mut State) -> Result<Access, Error> {
        let absent = || Error::Grant("nothing is kept that brings access tokens".to_owned());
        let mut grant = self.kept.current().await?.ok_or_else(absent)?;
        loop {
            if let Some((refused, error)) = &state.refused
                && refused.is(&grant)
            {
                return Err(error.clone());
            }
            match grant.exchange().await {
                Ok(tokens) => {
                    if let (Grant::RefreshToken(_, old), Some(new)) = (&grant, tokens.refresh)
                        && *old != new
                    {
                        self.kept.replace(new).await?;
                    }
                    return Ok(Access {
                        token: tokens.access,
                        renew_at: self.renew_at(tokens.lifetime),
                    });
                }
                Err(error @ (Error::Grant(_) | Error::Assertion(..))) => {
                    state.refused = Some((grant, error));
                    // An admin may have authorized anew meanwhile.
                    grant = self.kept.current().await?.ok_or_else(absent)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn renew_at(&self, lifetime: Duration) -> Time {
        // A token that lives shorter than the margin is used for half its life.
        let used = lifetime
            .checked_sub(MARGIN)
            .unwrap_or_default()
            .max(lifetime / 2);
        let now = self.clock.now();
        now.checked_add(used).unwrap_or(now)
    }

    fn is_bad(&self, token: &Secret) -> bool {
        let hash = blake3::hash(token.expose().as_bytes());
        self.bad.lock().is_ok_and(|bad| *bad == Some(hash))
    }
}

impl AccessTokens for TokenSource {
    fn token(&self) -> BoxFuture<'_, Result<Secret, connector::Error>> {
        Box::pin(async { self.access().await.map_err(connector::Error::from) })
    }

    fn invalidate(&self, token: &Secret) {
        if let Ok(mut bad) = self.bad.lock() {
            *bad = Some(blake3::hash(token.expose().as_bytes()));
        }
    }
}
