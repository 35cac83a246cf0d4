//! Taking the answer of a consent page, step by step.

use super::{Refusal, Refused, hash};
use crate::{
    connector::{self, AccessTokens, Standing, catalogue},
    integrations::{Error, Integrations, name},
    model::{
        Attribute, AuthorizedBy, CompanyId, Consent, Integration, IntegrationId, Kind,
        PendingAuthorization, Secret, SourceId,
    },
    oauth::{self, Identity, Provider, Tokens},
    store::{self, TakenAuthorization},
};
use std::sync::Arc;
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

/// Why one step ends it all, and what the log should know; never a token or code.
struct Stop {
    refusal: Refusal,
    detail: String,
    log: String,
}

impl Stop {
    fn new(refusal: Refusal, log: impl Into<String>) -> Self {
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

/// The access token that came with the consent, before anything is stored.
#[derive(Debug)]
struct Fresh(Secret);

impl AccessTokens for Fresh {
    fn token(&self) -> connector::Answer<'_, Secret> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn invalidate(&self, _token: &Secret) {}
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
        let (tell, told) = oneshot::channel();
        let (integrations, state) = (self.clone(), state.clone());
        self.0.background.carry(Box::pin(async move {
            let completed = integrations.complete(meant, &state, answer).await;
            // Whoever asked may be gone.
            let _ = tell.send(completed);
        }));
        told.await.unwrap_or_else(|_| {
            tracing::error!("a consent was cut off by the daemon's end");
            Err(refused(Refusal::Internal))
        })
    }

    async fn complete(
        &self,
        meant: Option<Integration>,
        state: &Secret,
        answer: Answer,
    ) -> Result<Completed, Error> {
        let pending = match self.0.store.take_authorization(hash(state)).await? {
            TakenAuthorization::Taken(pending) => pending,
            TakenAuthorization::Expired(pending) => {
                let stop = Stop::new(Refusal::StateExpired, "answered after its time");
                return Err(self.abandon(pending, stop).await);
            }
            TakenAuthorization::Unknown => return Err(refused(Refusal::StateUnknown)),
        };
        let is_meant = |integration: Integration| {
            pending.company == integration.company && pending.integration == integration.id
        };
        if !meant.is_none_or(is_meant) {
            let stop = Stop::new(Refusal::StateUnknown, "answered for another integration");
            self.abandon(pending, stop).await;
            return Err(refused(Refusal::StateUnknown));
        }
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
        let needed = catalogue::scopes(&integration.system, integration.direction);
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
        let (standing, display_name) = self
            .standing(&integration, &identity, tokens.access)
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
        };
        let stored = self
            .0
            .store
            .authorize(&pending.company, &pending.integration, consent, refresh)
            .await;
        stored.map_err(|error| match error {
            store::Error::Taken {
                what: "customer", ..
            } => Stop::new(Refusal::CustomerElsewhere, error.to_string()),
            other => other.into(),
        })
    }

    /// Asks the system itself who consented: that proves the rights, and tells the customer.
    async fn standing(
        &self,
        integration: &Integration,
        identity: &Identity,
        access: Secret,
    ) -> Result<(Standing, String), Stop> {
        let tokens = Arc::new(Fresh(access));
        let connectors = &self.0.connectors;
        let connector = connectors.open(&integration.system, None, &identity.subject, tokens)?;
        let standing = connector.check().await?;
        if !standing.admin {
            return Err(Stop::new(
                Refusal::NotAdmin,
                "the account administers nothing",
            ));
        }
        let mut display_name = identity.name.clone();
        // Without the scope `profile` the id token has no name, but the directory does. A nicety: it may fail.
        if display_name.is_empty()
            && let Some((reader, id)) = connector.reader().zip(SourceId::try_new(&identity.subject))
            && let Ok(Some(user)) = reader.get(Kind::User, &id).await
        {
            display_name = full_name(&user);
        }
        Ok((standing, display_name))
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
fn refused(refusal: Refusal) -> Error {
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

/// An integration stays with the customer it was first authorized for (semantics 15).
fn check_customer(integration: &Integration, standing: &Standing) -> Result<(), Stop> {
    let bound = integration.authorization.consent.as_ref();
    match bound {
        Some(consent) if consent.customer_id != standing.customer_id => Err(Stop::new(
            Refusal::CustomerChanged,
            format!(
                "bound to {}, consent is for {}",
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
