//! Taking the answer of a consent page, step by step.

use super::{
    Refusal, Refused,
    account::{Stop, check_customer, elsewhere},
    hash,
};
use crate::{
    connector::catalogue,
    integrations::{ActsAs, Error, Integrations, name},
    model::{
        AuthorizationMethod, AuthorizedBy, CompanyId, Consent, Integration, IntegrationId,
        PendingAuthorization, Secret,
    },
    oauth::{Provider, Tokens},
    store::{self, TakenAuthorization},
};
use tokio::sync::oneshot;
use url::Url;

/// What the consent page answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Allowed: a code to exchange, decoded once.
    Code(Secret),
    /// Not allowed: the provider's `error`.
    Error(String),
}

/// A consent that was taken.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The integration, authorized.
    pub integration: Integration,
    /// Where to send the browser, if that was asked for.
    pub return_url: Option<String>,
}

impl Integrations {
    /// Takes the answer of a consent page: for the callback, and (with `meant`) for backends that own the redirect URI and
    /// say which integration they mean. Fails with `Error::Refused`; then an integration that was authorized still is.
    ///
    /// Goes on to its end even if nobody waits for it any more: the system gives its tokens once, and a browser that goes
    /// away must not cost a consent.
    pub async fn complete_authorization(
        &self,
        meant: Option<(&CompanyId, &IntegrationId)>,
        state: &Secret,
        answer: Answer,
    ) -> Result<Completed, Error> {
        let meant = match meant {
            Some((company, id)) => Some(self.get(company, id).await?),
            None => None,
        };
        let (integrations, state) = (self.clone(), state.clone());
        self.carried(async move { integrations.complete(meant, &state, answer).await })
            .await
    }

    /// What came of work that goes on to its end, even if nobody waits for it any more.
    pub(super) async fn carried<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = oneshot::channel();
        self.0.background.carry(Box::pin(async move {
            // Whoever asked may be gone.
            let _ = tell.send(work.await);
        }));
        told.await.unwrap_or_else(|_| {
            tracing::error!("an authorization was cut off by the daemon's end");
            Err(refused(Refusal::Internal))
        })
    }

    async fn complete(
        &self,
        meant: Option<Integration>,
        state: &Secret,
        answer: Answer,
    ) -> Result<Completed, Error> {
        let meant = meant.map(|integration| (integration.company, integration.id));
        let pending = match self.0.store.take_authorization(hash(state), meant).await? {
            TakenAuthorization::Taken(pending) => pending,
            TakenAuthorization::Expired(pending) => {
                let stop = Stop::new(Refusal::StateExpired, "answered after its time");
                return Err(self.abandon(pending, stop).await);
            }
            TakenAuthorization::Unknown => return Err(refused(Refusal::StateUnknown)),
        };
        match self.take(&pending, answer).await {
            Ok(integration) => {
                self.forget_tokens(integration.uid);
                tracing::info!(company = %pending.company, integration = %pending.integration, "authorized");
                Ok(Completed {
                    integration,
                    return_url: pending.return_url,
                })
            }
            Err(stop) => Err(self.abandon(pending, stop).await),
        }
    }

    async fn take(
        &self,
        pending: &PendingAuthorization,
        answer: Answer,
    ) -> Result<Integration, Stop> {
        let code = match answer {
            Answer::Code(code) => code,
            Answer::Error(error) => return Err(of_provider(&error)),
        };
        let integration = self
            .0
            .store
            .integration(&pending.company, &pending.integration)
            .await?;
        let integration = integration
            .ok_or_else(|| Stop::new(Refusal::StateUnknown, "the integration is gone"))?;
        let provider = self
            .provider(&integration.system)
            .map_err(|error| Stop::new(Refusal::Misconfigured, error.to_string()))?;
        let method = AuthorizationMethod::Consent;
        let needed = catalogue::scopes(&integration.system, integration.direction, method);
        let mut tokens = exchange(provider, pending, &code, &needed).await?;
        let missing = tokens.missing(&needed);
        if !missing.is_empty() {
            let detail = format!("missing: {}", missing.join(", "));
            return Err(Stop {
                detail: detail.clone(),
                ..Stop::new(Refusal::PartialConsent, detail)
            });
        }
        let no_refresh = || Stop::new(Refusal::NoOfflineAccess, "no refresh token in the answer");
        let refresh = tokens.refresh.take().ok_or_else(no_refresh)?;
        let identity = provider.identify(&tokens, &pending.nonce).await?;
        let no_domain = || Stop::new(Refusal::ConsumerAccount, "no hd in the id token");
        let domain = identity.domain.clone().ok_or_else(no_domain)?;
        let account = ActsAs {
            id: &identity.subject,
            address: &identity.email,
        };
        let name = identity.name.clone();
        let (standing, display_name) = self
            .standing(&integration, account, name, tokens.access)
            .await?;
        check_customer(&integration, &standing)?;
        let consent = Consent {
            by: AuthorizedBy {
                subject: identity.subject,
                email: identity.email,
                display_name,
            },
            time: self.0.clock.now(),
            domain,
            customer_id: standing.customer_id,
            scopes: tokens.scopes,
            service_account: None,
        };
        let store = &self.0.store;
        let (company, id) = (&pending.company, &pending.integration);
        let stored = store.authorize(company, id, consent, refresh, None).await;
        stored.map_err(elsewhere)
    }

    /// Records that it came to nothing, and says so.
    async fn abandon(&self, pending: PendingAuthorization, stop: Stop) -> Error {
        let (company, id) = (&pending.company, &pending.integration);
        let code = stop.refusal.code();
        tracing::warn!(
            integration = name(company, id),
            code,
            detail = stop.log,
            "authorization refused"
        );
        let mut refused = Refused {
            refusal: stop.refusal,
            detail: stop.detail,
            integration: None,
            return_url: pending.return_url,
        };
        let reason = refused.to_string();
        match self
            .0
            .store
            .abandon_authorization(company, id, reason)
            .await
        {
            Ok(integration) => refused.integration = Some(integration),
            Err(store::Error::Missing(_)) => {}
            Err(error) => {
                tracing::error!(integration = name(company, id), %error, "the refusal could not be stored");
            }
        }
        Error::Refused(Box::new(refused))
    }
}

async fn exchange(
    provider: &Provider,
    pending: &PendingAuthorization,
    code: &Secret,
    needed: &[&str],
) -> Result<Tokens, Stop> {
    let redirect_uri = Url::parse(&pending.redirect_uri)
        .map_err(|error| Stop::new(Refusal::Internal, error.to_string()))?;
    Ok(provider
        .exchange(code, &pending.verifier, &redirect_uri, needed)
        .await?)
}

/// A refusal of which nothing more is known.
pub(super) fn refused(refusal: Refusal) -> Error {
    Error::Refused(Box::new(Refused {
        refusal,
        detail: String::new(),
        integration: None,
        return_url: None,
    }))
}

/// By the `error` that the consent page answered with.
fn of_provider(error: &str) -> Stop {
    let refusal = match error {
        "access_denied" => Refusal::Denied,
        "admin_policy_enforced" | "org_internal" => Refusal::AdminPolicy,
        "invalid_client"
        | "deleted_client"
        | "unauthorized_client"
        | "redirect_uri_mismatch"
        | "invalid_scope" => Refusal::Misconfigured,
        "server_error" | "temporarily_unavailable" => Refusal::Unavailable,
        _ => Refusal::ProviderError,
    };
    let shown: String = error
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(100)
        .collect();
    Stop::new(refusal, format!("the consent page answered: {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_consent_page_answers_is_told_apart() {
        let table = [
            ("access_denied", Refusal::Denied),
            ("admin_policy_enforced", Refusal::AdminPolicy),
            ("deleted_client", Refusal::Misconfigured),
            ("temporarily_unavailable", Refusal::Unavailable),
            ("anything\nelse", Refusal::ProviderError),
        ];
        for (error, expected) in table {
            assert_eq!(of_provider(error).refusal, expected, "{error}");
        }
        assert!(!of_provider("a\nb").log.contains('\n'));
    }
}
