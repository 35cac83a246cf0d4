//! Who authorized: what the system itself says of the account, and why that may not do.

use super::Refusal;
use crate::{
    connector::{self, AccessTokens, Standing},
    integrations::{ActsAs, Integrations, checking::in_time},
    model::{Attribute, Integration, Kind, Secret, SourceId},
    oauth::{self, Blame},
    store,
};
use std::sync::Arc;

/// Why one step ends it all, and what the log should know; never a token or code.
pub(super) struct Stop {
    pub(super) refusal: Refusal,
    pub(super) detail: String,
    pub(super) log: String,
}

impl Stop {
    pub(super) fn new(refusal: Refusal, log: impl Into<String>) -> Self {
        Self {
            refusal,
            detail: String::new(),
            log: log.into(),
        }
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::new(Refusal::Internal, error.to_string())
    }
}

impl From<oauth::Error> for Stop {
    fn from(error: oauth::Error) -> Self {
        let refusal = match &error {
            oauth::Error::Unavailable(_) | oauth::Error::Protocol(_) => Refusal::Unavailable,
            oauth::Error::Grant(_) => Refusal::CodeRefused,
            oauth::Error::Assertion(Blame::Delegation, _) => Refusal::DelegationMissing,
            oauth::Error::Assertion(Blame::Key, _) => Refusal::KeyRefused,
            oauth::Error::Assertion(Blame::Subject, _) => Refusal::SubjectUnknown,
            oauth::Error::Assertion(Blame::Policy, _) => Refusal::AdminPolicy,
            oauth::Error::Clock(_) => Refusal::ClockWrong,
            oauth::Error::Client(_) => Refusal::Misconfigured,
            oauth::Error::Identity(_) => Refusal::IdentityInvalid,
            oauth::Error::Kept(_) => Refusal::Internal,
        };
        Self::new(refusal, error.to_string())
    }
}

impl From<connector::Error> for Stop {
    fn from(error: connector::Error) -> Self {
        let refusal = match &error {
            connector::Error::Forbidden(_) => Refusal::NotAdmin,
            connector::Error::Unauthorized(_) | connector::Error::ConsentLost(_) => {
                Refusal::CodeRefused
            }
            _ => Refusal::Unavailable,
        };
        Self::new(refusal, error.to_string())
    }
}

/// An access token, before anything is stored.
#[derive(Debug)]
pub(super) struct Fresh(pub(super) Secret);

impl AccessTokens for Fresh {
    fn token(&self) -> connector::Answer<'_, Secret> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn invalidate(&self, _token: &Secret) {}
}

impl Integrations {
    /// Asks the system itself who an account is: that proves the rights, and tells the customer.
    pub(super) async fn standing(
        &self,
        integration: &Integration,
        account: ActsAs<'_>,
        name: String,
        access: Secret,
    ) -> Result<(Standing, String), Stop> {
        let tokens = Arc::new(Fresh(access));
        let connectors = &self.0.connectors;
        let connector = connectors.open(&integration.system, None, account, tokens)?;
        let standing = in_time(connector.check()).await?;
        if !standing.admin {
            return Err(Stop::new(
                Refusal::NotAdmin,
                "the account administers nothing",
            ));
        }
        let mut display_name = name;
        // Without the scope `profile` the id token has no name, but the directory does. A nicety: it may fail.
        if display_name.is_empty()
            && let Some((reader, id)) = connector.reader().zip(SourceId::try_new(account.id))
            && let Ok(Some(user)) = reader.get(Kind::User, &id).await
        {
            display_name = full_name(&user);
        }
        Ok((standing, display_name))
    }
}

/// What the store makes of an authorization.
pub(super) fn elsewhere(error: store::Error) -> Stop {
    match error {
        store::Error::Taken {
            what: "customer", ..
        } => Stop::new(Refusal::CustomerElsewhere, error.to_string()),
        other => other.into(),
    }
}

/// An integration stays with the customer it was first authorized for (semantics 15).
pub(super) fn check_customer(integration: &Integration, standing: &Standing) -> Result<(), Stop> {
    let bound = integration.authorization.consent.as_ref();
    match bound {
        Some(consent) if consent.customer_id != standing.customer_id => Err(Stop::new(
            Refusal::CustomerChanged,
            format!(
                "bound to {}, authorized is {}",
                consent.customer_id, standing.customer_id
            ),
        )),
        _ => Ok(()),
    }
}

fn full_name(user: &crate::model::Object) -> String {
    let attributes = &user.attributes;
    let text = |attribute| attributes.text(attribute).unwrap_or_default();
    match text(&Attribute::DISPLAY_NAME) {
        "" => format!(
            "{} {}",
            text(&Attribute::GIVEN_NAME),
            text(&Attribute::FAMILY_NAME)
        )
        .trim()
        .to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_on_the_way_has_its_refusal() {
        let text = String::new;
        for (error, expected) in [
            (connector::Error::Forbidden(text()), Refusal::NotAdmin),
            (connector::Error::Unauthorized(text()), Refusal::CodeRefused),
            (connector::Error::Protocol(text()), Refusal::Unavailable),
        ] {
            assert_eq!(Stop::from(error).refusal, expected);
        }
        for (error, expected) in [
            (oauth::Error::Grant(text()), Refusal::CodeRefused),
            (oauth::Error::Client(text()), Refusal::Misconfigured),
            (oauth::Error::Identity(text()), Refusal::IdentityInvalid),
        ] {
            assert_eq!(Stop::from(error).refusal, expected);
        }
    }
}
