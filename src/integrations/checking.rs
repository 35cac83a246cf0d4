//! Asking the system now: who we are there, and whether it can be read.

use super::{
    Error, Gap, Integrations, NO_UNITS, gaps, may_read_units,
    readiness::{granted, missing_scopes},
};
use crate::{
    connector::{self, Connector, Standing, catalogue},
    model::{Attribute, CompanyId, Integration, IntegrationId, Kind, Reason, Rule, SourceId},
};
use futures_util::{
    FutureExt as _, StreamExt as _, TryStreamExt as _,
    future::{OptionFuture, join4, ok},
    stream,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// So long the system has to answer one question, all repetitions included.
const PATIENCE: Duration = Duration::from_secs(15);

/// Most groups named by conditions that are asked for.
const MOST_NAMED: usize = 200;
/// Groups that are asked for at once.
const AT_ONCE: usize = 8;

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
    /// Which scopes are needed and were not granted; none if nobody has authorized it.
    pub scopes_missing: Vec<String>,
    /// Who we are there, if the system told.
    pub standing: Option<Standing>,
    /// Whether the account may do what is needed.
    pub account: Outcome,
    /// Whether users can be listed.
    pub users: Outcome,
    /// Whether groups can be listed, and those that conditions of active rules name are there.
    pub groups: Outcome,
    /// Whether organisational units can be listed; none if no active rule needs them.
    pub units: Option<Outcome>,
}

impl Check {
    /// Whether a run could start now, and read.
    pub fn is_good(&self) -> bool {
        let outcomes = [&self.account, &self.users, &self.groups];
        let mut outcomes = outcomes.into_iter().chain(&self.units);
        self.gaps.is_empty() && outcomes.all(|outcome| *outcome == Outcome::Good)
    }

    /// Scopes that were granted, sorted; none if nobody has authorized it.
    pub fn scopes_granted(&self) -> &[String] {
        granted(&self.integration)
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
        let rules = self.0.store.rules(company, id).await?;
        let needs_units = catalogue::need_units(&rules);
        let named = named_groups(&rules);
        let authorized = seen.authorization.consent.is_some();
        let scopes_missing = authorized.then(|| missing_scopes(&seen, &rules));
        let scopes_missing = scopes_missing.unwrap_or_default();
        let connector = match self.connect(company, id).await {
            Ok(connector) => connector,
            Err(Error::Precondition { code, text }) => {
                let outcome = || Outcome::NotTried(Reason::new(code, text.clone()));
                return Ok(Check {
                    gaps: gaps(&seen, &rules),
                    integration: seen,
                    scopes_missing,
                    standing: None,
                    account: outcome(),
                    users: outcome(),
                    groups: outcome(),
                    units: needs_units.then(outcome),
                });
            }
            Err(error) => return Err(error),
        };
        let ask_for_units = needs_units && may_read_units(&seen);
        let (account, users, groups, units) = join4(
            in_time(connector.check()),
            listed(&connector, Kind::User),
            groups(&connector, &named),
            OptionFuture::from(ask_for_units.then(|| units(&connector))),
        )
        .await;
        let failures = [
            account.as_ref().err(),
            users.as_ref().err(),
            groups.as_ref().err(),
            units.as_ref().and_then(|units| units.as_ref().err()),
        ];
        let failures = failures.into_iter().flatten();
        let lost = { failures }.find(|error| error.is_authorization_lost());
        let integration = match lost {
            Some(error) => self.authorization_lost(&seen, &error.to_string()).await?,
            None => seen,
        };
        let no_scope = || Outcome::NotTried(Reason::new("SCOPES_MISSING", NO_UNITS));
        Ok(Check {
            gaps: gaps(&integration, &rules),
            scopes_missing,
            account: match &account {
                Ok(standing) => may(standing, &integration),
                Err(connector::Error::Forbidden(_)) => no_admin(),
                Err(error) => bad(error),
            },
            standing: account.ok(),
            users: outcome(users),
            groups: match groups {
                Ok(gone) if !gone.is_empty() => missing(&gone),
                groups => outcome(groups.map(drop)),
            },
            units: units.map(outcome).or(needs_units.then(no_scope)),
            integration,
        })
    }
}

fn outcome(asked: Result<(), connector::Error>) -> Outcome {
    asked.map_or_else(|error| bad(&error), |()| Outcome::Good)
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
    let reader = connector.reader().ok_or_else(unreadable)?;
    in_time(reader.page(kind, None)).await.map(|_| ())
}

/// The groups that conditions of active rules name.
fn named_groups(rules: &[Rule]) -> Vec<SourceId> {
    let of_groups = Rule::active_conditions(rules).filter(|c| c.attribute == Attribute::GROUPS);
    let named: BTreeSet<&String> = of_groups.flat_map(|condition| &condition.values).collect();
    let named = named.into_iter();
    named.filter_map(|id| SourceId::try_new(id)).collect()
}

/// Whether the first page of groups can be read; tells which of those named are not there.
async fn groups(
    connector: &Arc<dyn Connector>,
    named: &[SourceId],
) -> Result<Vec<SourceId>, connector::Error> {
    listed(connector, Kind::Group).await?;
    let reader = connector.reader().ok_or_else(unreadable)?;
    let asked = stream::iter(named.iter().take(MOST_NAMED))
        .map(|id| async move {
            let found = in_time(reader.get(Kind::Group, id)).await?;
            Ok(found.is_none().then(|| id.clone()))
        })
        .buffered(AT_ONCE)
        .try_filter_map(ok);
    asked.try_collect().boxed().await
}

/// A group that is gone is one that can't be asked who is in it.
fn missing(gone: &[SourceId]) -> Outcome {
    let names: Vec<_> = gone.iter().map(SourceId::as_str).collect();
    let text = format!(
        "conditions of active rules name groups that do not exist, so that everybody whom they are about is deferred: {}; change those \
         conditions",
        names.join(", ")
    );
    Outcome::Bad(Reason::new("GROUP_MISSING", text))
}

/// Whether organisational units can be read.
async fn units(connector: &Arc<dyn Connector>) -> Result<(), connector::Error> {
    let reader = connector.reader().ok_or_else(unreadable)?;
    in_time(reader.units()).await.map(|_| ())
}

/// There is nothing to ask.
pub(super) fn unreadable() -> connector::Error {
    connector::Error::Rejected("this system can't be read".to_owned())
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
