//! Use-cases on one integration: settings, rules, readiness, authorization, and the opened connector.
//!
//! Owns what makes an integration valid and ready, and the access tokens of each. May use `model`, `store`, `connector`,
//! `rules` and `oauth`. Deliberately starts no run and sends no answer: `sync` and the edges do that.

mod authorization;
mod checking;
mod choices;
mod connections;
mod deletion;
mod error;
mod mappings;
mod patterns;
mod reach;
mod readiness;
mod rules;
mod schedule;
mod settings;
pub mod targets;
mod templates;

pub use authorization::{
    AUTHORIZATION_LIFE, Answer, Begun, Beyond, Completed, NewServiceAccount, Refusal, Refused,
    ReturnUrls,
};
pub use checking::{Check, Outcome as CheckOutcome};
pub use choices::Choice;
pub use connections::{ActsAs, Connectors, SystemSetup};
pub use deletion::TokenFate;
pub use error::Error;
pub use readiness::{Gap, NO_UNITS, gaps, halted, may_read_units};
pub use rules::{NewCondition, NewRule};
pub use settings::NewIntegration;
pub use templates::{ApplyTemplate, OfferedTemplate};

/// The catalogue of systems, for the edges.
pub use crate::connector::catalogue;

use crate::{
    model::{Clock, CompanyId, Integration, IntegrationId, Time, Uid, Violation},
    oauth::TokenSource,
    store::Store,
};
use futures_util::future::BoxFuture;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};
use url::Url;

/// What the use-cases need.
#[derive(Debug)]
pub struct Options {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The systems that can be authorized and reached, as configured.
    pub systems: Vec<SystemSetup>,
    /// Opens connectors.
    pub connectors: Arc<dyn Connectors>,
    /// Under which browsers reach the public listener.
    pub public_url: Url,
    /// Origins to which a browser may be sent back, beside loopback ones if `public_url` is one.
    pub return_origins: Vec<String>,
    /// Carries on what must not stop half-way.
    pub background: Arc<dyn Background>,
}

/// Carries work on to its end, whether or not whoever asked for it still waits; the daemon's stop waits for it.
pub trait Background: Send + Sync + fmt::Debug {
    /// Begins at once.
    fn carry(&self, work: BoxFuture<'static, ()>);
}

/// The use-cases; a cheap handle.
#[derive(Debug, Clone)]
pub struct Integrations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    systems: Vec<SystemSetup>,
    connectors: Arc<dyn Connectors>,
    redirect_uri: Url,
    return_urls: ReturnUrls,
    background: Arc<dyn Background>,
    /// One for each integration that was connected, so that all its runs share one access token.
    sources: Mutex<HashMap<Uid, Arc<TokenSource>>>,
}

impl Integrations {
    /// Asks nobody anything.
    pub fn new(options: Options) -> Self {
        let redirect_uri = authorization::redirect_uri(&options.public_url);
        Self(Arc::new(Inner {
            return_urls: ReturnUrls::new(&options.public_url, &options.return_origins),
            store: options.store,
            clock: options.clock,
            systems: options.systems,
            connectors: options.connectors,
            redirect_uri,
            background: options.background,
            sources: Mutex::default(),
        }))
    }

    /// The integration, or that there is none.
    pub async fn get(&self, company: &CompanyId, id: &IntegrationId) -> Result<Integration, Error> {
        let found = self.0.store.integration(company, id).await?;
        found.ok_or_else(|| Error::NotFound(name(company, id)))
    }

    /// The store, or, for what is only to be checked, one that keeps nothing.
    fn store(&self, check_only: bool) -> Store {
        match check_only {
            true => self.0.store.rehearsal(),
            false => self.0.store.clone(),
        }
    }

    /// What must be registered with a provider as our redirect URI.
    pub fn redirect_uri(&self) -> &Url {
        &self.0.redirect_uri
    }
}

/// The time of a change: never that of the change before, even if the clock stands still or goes back, since etags are
/// made of it.
fn time_of_change(now: Time, before: Time) -> Time {
    let next = before.checked_add(std::time::Duration::from_nanos(1));
    now.max(next.unwrap_or(before))
}

/// Resource name of an integration.
fn name(company: &CompanyId, id: &IntegrationId) -> String {
    format!("companies/{company}/integrations/{id}")
}

/// Collects what is wrong with a request, beside what the edge found already; each field is named once.
struct Checked(Vec<Violation>);

impl Checked {
    fn refuse(&mut self, field: &str, description: impl Into<String>) {
        if !self.0.iter().any(|violation| violation.field == field) {
            self.0.push(Violation::new(field, description));
        }
    }

    /// The value of a required field.
    fn require<T>(&mut self, field: &str, value: Option<T>, description: &str) -> Option<T> {
        if value.is_none() {
            self.refuse(field, description);
        }
        value
    }

    /// A title: 1 to 100 characters on one line, blanks around it left out.
    fn title(&mut self, field: &str, text: &str) -> String {
        let title = text.trim();
        if title.is_empty() || title.chars().count() > 100 {
            self.refuse(field, "must have 1 to 100 characters");
        } else if title.chars().any(char::is_control) {
            self.refuse(
                field,
                "must have no control characters: write it on one line",
            );
        }
        title.to_owned()
    }

    /// What was made of the request, unless something is wrong with it. `made` is none only if something was refused.
    fn finish<T>(self, made: Option<T>) -> Result<T, Error> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(Error::Invalid(self.0)),
        }
    }
}
