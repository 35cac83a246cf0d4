//! Asking the system now: who we are there, and whether it can be read.

use super::{Error, Gap, Integrations};
use crate::{
    connector::{self, Connector, Standing},
    model::{CompanyId, Integration, IntegrationId, Kind, Reason},
};
use futures_util::future::join3;
use std::{sync::Arc, time::Duration};

/// So long the system has to answer one question, all repetitions included.
const PATIENCE: Duration = Duration::from_secs(15);

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered as it should be.
    Good,
    /// It was not, and why.
    Bad(Reason),
    /// It was not asked, and why.
    NotTried(Reason),
}

/// What the system answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The integration afterwards: a consent that was turned down is marked as lost.
    pub integration: Integration,
    /// What is missing before a run can start.
    pub gaps: Vec<Gap>,
    /// Who we are there, if the system told.
    pub standing: Option<Standing>,
    /// Whether the account may do what is needed.
    pub account: Outcome,
    /// Whether users can be listed.
    pub users: Outcome,
    /// Whether groups can be listed.
    pub groups: Outcome,
}

impl Check {
    /// Whether a run could start now, and read.
    pub fn is_good(&self) -> bool {
        let outcomes = [&self.account, &self.users, &self.groups];
        self.gaps.is_empty() && outcomes.iter().all(|outcome| **outcome == Outcome::Good)
    }
}

impl Integrations {
    /// Asks the system of an integration now. What the system turns down is part of the answer; a consent that it turns down
    /// is marked as lost, as a run would.
    ///
    /// # Errors
    /// `NotFound`; what the store says.
    pub async fn check(&self, company: &CompanyId, id: &IntegrationId) -> Result<Check, Error> {
        let seen = self.get(company, id).await?;
        let connector = match self.connect(company, id).await {
            Ok(connector) => connector,
            Err(Error::Precondition { code, text }) => {
                let outcome = || Outcome::NotTried(Reason::new(code, text.clone()));
                return Ok(Check {
                    gaps: self.readiness(&seen).await?,
                    integration: seen,
                    standing: None,
                    account: outcome(),
                    users: outcome(),
                    groups: outcome(),
                });
            }
            Err(error) => return Err(error),
        };
        let (account, users, groups) = join3(
            in_time(connector.check()),
            listed(&connector, Kind::User),
            listed(&connector, Kind::Group),
        )
        .await;
        let failures = [
            account.as_ref().err(),
            users.as_ref().err(),
            groups.as_ref().err(),
        ];
        let failures = failures.into_iter().flatten();
        let lost = { failures }.find(|error| error.is_authorization_lost());
        let integration = match lost {
            Some(error) => self.authorization_lost(&seen, &error.to_string()).await?,
            None => seen,
        };
        Ok(Check {
            gaps: self.readiness(&integration).await?,
            account: match &account {
                Ok(standing) => may(standing, &integration),
                Err(connector::Error::Forbidden(_)) => no_admin(),
                Err(error) => bad(error),
            },
            standing: account.ok(),
            users: users.map_or_else(|error| bad(&error), |()| Outcome::Good),
            groups: groups.map_or_else(|error| bad(&error), |()| Outcome::Good),
            integration,
        })
    }
}

fn bad(error: &connector::Error) -> Outcome {
    Outcome::Bad(Reason::new(error.code(), error.to_string()))
}

/// What the system answers, unless it takes too long.
pub(super) async fn in_time<T>(asked: connector::Answer<'_, T>) -> Result<T, connector::Error> {
    let late = |_| {
        let text = format!("no usable answer within {} s", PATIENCE.as_secs());
        Err(connector::Error::Unavailable(text))
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(late)
}

/// Whether the first page of a kind can be read.
async fn listed(connector: &Arc<dyn Connector>, kind: Kind) -> Result<(), connector::Error> {
    let unreadable = || connector::Error::Rejected("this system can't be read".to_owned());
    let reader = connector.reader().ok_or_else(unreadable)?;
    in_time(reader.page(kind, None)).await.map(|_| ())
}

/// Whether the account is an administrator of the customer to which the integration is bound.
fn may(standing: &Standing, integration: &Integration) -> Outcome {
    let consent = integration.authorization.consent.as_ref();
    if consent.is_some_and(|consent| consent.customer_id != standing.customer_id) {
        let text = "the account is of another customer than the integration is bound to: authorize it again, by an administrator of that one";
        return Outcome::Bad(Reason::new("OTHER_CUSTOMER", text));
    }
    match standing.admin {
        true => Outcome::Good,
        false => no_admin(),
    }
}

fn no_admin() -> Outcome {
    let text = "the account is no administrator any more: make it one again, or authorize the integration by another administrator (BeginAuthorization, or SetCredentials for a service account)";
    Outcome::Bad(Reason::new("NOT_AN_ADMINISTRATOR", text))
}
