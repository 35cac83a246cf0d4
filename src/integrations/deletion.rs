//! Giving up the authorization of an integration that is being deleted.

use super::{Error, Integrations};
use crate::model::{CompanyId, Integration, IntegrationId, Time};
use std::fmt;

/// What became of the token of an integration that was deleted. Prints as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFate {
    /// There was none.
    None,
    /// The system was told to end it.
    Revoked,
    /// The system was not told: another integration holds one of the same account, and revoking ends them all.
    Shared,
    /// There is nothing to tell the system: it was the key of this service account, which the daemon did not make.
    Key(String),
    /// The system could not be told, for this reason.
    NotRevoked(String),
}

impl TokenFate {
    /// Stable, in capitals.
    pub fn code(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Revoked => "REVOKED",
            Self::Shared => "SHARED",
            Self::Key(_) => "KEY",
            Self::NotRevoked(_) => "NOT_REVOKED",
        }
    }
}

impl fmt::Display for TokenFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("There was no authorization to revoke."),
            Self::Revoked => f.write_str("Its authorization was revoked at the system."),
            Self::Shared => f.write_str(
                "Its authorization was forgotten, and not revoked at the system: another integration of this daemon was \
                 authorized by the same account, and revoking one ends both.",
            ),
            Self::Key(account) => write!(
                f,
                "The key of the service account {account} was forgotten; at the system it is good until it is deleted there."
            ),
            Self::NotRevoked(why) => write!(
                f,
                "Its authorization was forgotten, but could not be revoked at the system ({why}): remove the application's \
                 access in the settings of the account that had authorized it."
            ),
        }
    }
}

impl Integrations {
    /// From now on it is being deleted and can't be changed. `seen` is the `update_time` that the caller saw, if he wants the
    /// call to fail with `Changed` otherwise.
    pub async fn begin_deletion(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        seen: Option<Time>,
    ) -> Result<Integration, Error> {
        Ok(self.0.store.begin_deletion(company, id, seen).await?)
    }

    /// Gives the token of an integration that is being deleted back to the system, unless that would end the authorization of
    /// another. Fails only if the store does.
    pub async fn give_up_token(&self, integration: &Integration) -> Result<TokenFate, Error> {
        self.forget_tokens(integration.uid);
        let (store, company, id) = (&self.0.store, &integration.company, &integration.id);
        let Some((consent, token)) = store.credential(company, id).await? else {
            return Ok(TokenFate::None);
        };
        if let Some(account) = consent.service_account {
            return Ok(TokenFate::Key(account.email));
        }
        if store.shares_token(integration).await? {
            return Ok(TokenFate::Shared);
        }
        let revoked = match self.provider(&integration.system) {
            Ok(provider) => provider.revoke(&token).await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Ok(match revoked {
            Ok(()) => TokenFate::Revoked,
            Err(why) => {
                tracing::warn!(%company, integration = %id, why, "the token could not be revoked");
                TokenFate::NotRevoked(why)
            }
        })
    }
}
