//! The opened connector of an integration, and its access tokens.

use super::{Error, Integrations, settings::Tell};
use crate::{
    connector::{AccessTokens, Connector},
    model::{
        AuthorizationMethod, AuthorizationState, CompanyId, Consent, EventBody, Integration,
        IntegrationId, Secret, SystemId, Uid,
    },
    oauth::{self, Assertions, Delegate, Grant, Provider, TokenSource},
    store::{self, Store},
};
use futures_util::future::BoxFuture;
use std::{fmt, sync::Arc};

/// A system as the operator configured it.
#[derive(Debug, Clone)]
pub struct SystemSetup {
    /// Which.
    pub id: SystemId,
    /// Who takes consents; none if no client is configured, and then nobody can consent in a browser.
    pub provider: Option<Provider>,
    /// Who takes what service accounts sign.
    pub assertions: Assertions,
}

/// The account at a system as which a connector acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActsAs<'a> {
    /// The system's id of it, or its address where the id is not known yet.
    pub id: &'a str,
    /// Its address, for people.
    pub address: &'a str,
}

/// Opens connectors; made where the systems' addresses and the shared HTTP client are known.
pub trait Connectors: Send + Sync + fmt::Debug {
    /// A connector for a customer of a system, acting as an account there. `customer` is none before it is known.
    /// Fails if there is no such system.
    fn open(
        &self,
        system: &SystemId,
        customer: Option<&str>,
        account: ActsAs<'_>,
        tokens: Arc<dyn AccessTokens>,
    ) -> Result<Arc<dyn Connector>, crate::connector::Error>;
}

/// What an integration lives by, as the store keeps it.
#[derive(Debug)]
struct Kept {
    store: Store,
    setup: SystemSetup,
    company: CompanyId,
    id: IntegrationId,
}

impl oauth::Kept for Kept {
    fn current(&self) -> BoxFuture<'_, Result<Option<Grant>, oauth::Error>> {
        Box::pin(async {
            let held = self.store.credential(&self.company, &self.id).await;
            let held = held.map_err(|error| oauth::Error::Kept(error.to_string()))?;
            held.map(|(consent, secret)| self.setup.grant(consent, secret))
                .transpose()
        })
    }

    fn replace(&self, token: Secret) -> BoxFuture<'_, Result<(), oauth::Error>> {
        Box::pin(async {
            let kept = self
                .store
                .replace_refresh_token(&self.company, &self.id, token);
            kept.await
                .map_err(|error| oauth::Error::Kept(error.to_string()))
        })
    }
}

impl SystemSetup {
    fn grant(&self, consent: Consent, secret: Secret) -> Result<Grant, oauth::Error> {
        if let Some(account) = consent.service_account {
            let delegate = Delegate {
                account,
                private_key: secret,
                subject: consent.by.email,
                scopes: consent.scopes,
            };
            return Ok(Grant::Delegate(self.assertions.clone(), delegate));
        }
        let none = || oauth::Error::Client("the daemon has no OAuth client".to_owned());
        let provider = self.provider.clone().ok_or_else(none)?;
        Ok(Grant::RefreshToken(provider, secret))
    }
}

impl Integrations {
    /// The connector of an integration that is authorized. All connectors of one integration share one access token.
    pub async fn connect(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
    ) -> Result<Arc<dyn Connector>, Error> {
        let integration = self.get(company, id).await?;
        let authorization = &integration.authorization;
        let consent = match (authorization.state, &authorization.consent) {
            (AuthorizationState::Authorized, Some(consent)) => consent,
            (AuthorizationState::ReauthorizationRequired, _) => {
                return Err(super::Gap::reauthorization(&integration).into());
            }
            _ => return Err(super::Gap::NotAuthorized.into()),
        };
        let tokens = self.source(&integration)?;
        let customer = Some(consent.customer_id.as_str());
        let account = ActsAs {
            id: &consent.by.subject,
            address: &consent.by.email,
        };
        let connectors = &self.0.connectors;
        Ok(connectors.open(&integration.system, customer, account, tokens)?)
    }

    /// The system no longer accepts the consent by which this integration, as `seen` when it was connected, lives: it must
    /// be authorized again. Changes nothing if it has been meanwhile.
    pub async fn authorization_lost(
        &self,
        seen: &Integration,
        reason: &str,
    ) -> Result<Integration, Error> {
        let (consent, reason) = (seen.authorization.consent.clone(), reason.to_owned());
        let lost = move |integration: &mut Integration| {
            let authorization = &mut integration.authorization;
            if authorization.state != AuthorizationState::Authorized
                || authorization.consent != consent
            {
                return Ok(None);
            }
            authorization.state = AuthorizationState::ReauthorizationRequired;
            authorization.reason = reason;
            Ok(Some(EventBody::AuthorizationLost as Tell))
        };
        let store = &self.0.store;
        let integration = match store
            .update_integration(&seen.company, &seen.id, lost)
            .await
        {
            // It lives by nothing any more.
            Err(store::Error::Deleting(_)) => return Ok(seen.clone()),
            updated => updated?,
        };
        if integration.authorization.state == AuthorizationState::ReauthorizationRequired {
            tracing::warn!(company = %seen.company, integration = %seen.id, reason = integration.authorization.reason, "authorization lost");
            self.forget_tokens(integration.uid);
        }
        Ok(integration)
    }

    /// The provider of a system, if a client is configured.
    pub(super) fn provider(&self, system: &SystemId) -> Result<&Provider, Error> {
        let provider = self.setup(system)?.provider.as_ref();
        provider.ok_or_else(|| Error::Precondition {
            code: "SYSTEM_NOT_CONFIGURED",
            text: format!(
                "The daemon has no OAuth client for {system}: its operator must set systems.{system}.client_id and \
                 systems.{system}.client_secret_file"
            ),
        })
    }

    /// How a system is configured: each of the catalogue is.
    pub(super) fn setup(&self, system: &SystemId) -> Result<&SystemSetup, Error> {
        let found = self.0.systems.iter().find(|setup| setup.id == *system);
        found.ok_or_else(|| Error::Precondition {
            code: "SYSTEM_NOT_CONFIGURED",
            text: format!("The daemon knows no system {system}"),
        })
    }

    /// Access tokens for the consent of before are good no longer, or not to be used.
    pub(super) fn forget_tokens(&self, uid: Uid) {
        self.sources().remove(&uid);
    }

    fn source(&self, integration: &Integration) -> Result<Arc<TokenSource>, Error> {
        let consent = integration.authorization.consent.as_ref();
        if consent.is_none_or(|consent| consent.method() == AuthorizationMethod::Consent) {
            self.provider(&integration.system)?;
        }
        let setup = self.setup(&integration.system)?;
        let mut sources = self.sources();
        let source = sources.entry(integration.uid).or_insert_with(|| {
            let kept = Arc::new(Kept {
                store: self.0.store.clone(),
                setup: setup.clone(),
                company: integration.company.clone(),
                id: integration.id.clone(),
            });
            Arc::new(TokenSource::new(kept, Arc::clone(&self.0.clock)))
        });
        Ok(Arc::clone(source))
    }

    /// A panic while it was held can't have left half a change: each is one call.
    fn sources(
        &self,
    ) -> std::sync::MutexGuard<'_, std::collections::HashMap<Uid, Arc<TokenSource>>> {
        self.0
            .sources
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl From<super::Gap> for Error {
    fn from(gap: super::Gap) -> Self {
        Self::Precondition {
            code: gap.code(),
            text: gap.text(),
        }
    }
}
