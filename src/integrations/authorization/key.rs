//! Authorizing by the key of a service account that may act as an administrator (Google's "domain-wide delegation").

use super::{
    Beyond, Refusal, Refused,
    account::{Fresh, Stop, check_customer, elsewhere},
    key_file,
};
use crate::{
    connector::catalogue,
    integrations::{ActsAs, Checked, Error, Integrations, checking::in_time, name},
    model::{
        AuthorizationMethod, AuthorizedBy, CompanyId, Consent, Integration, IntegrationId, Kind,
        Secret, SourceId, Time,
    },
    oauth::Delegate,
    store,
};
use std::sync::Arc;

/// What a caller gives to authorize an integration by.
#[derive(Debug, Clone)]
pub struct NewServiceAccount {
    /// Content of the key file.
    pub key_file: Secret,
    /// Address of the administrator as whom to act.
    pub subject: String,
    /// What the key must allow beside what the rules need.
    pub beyond: Beyond,
}

impl Integrations {
    /// Authorizes an integration by the key of a service account, in the place of whatever authorized it before. The key is
    /// tried at once; with `check_only` nothing else is done. `seen` is the `update_time` that the caller saw, if he wants the
    /// call to fail with `Changed` otherwise. Fails with `Error::Refused` if the system does not take it; then what was
    /// authorized before still is.
    ///
    /// Goes on to its end even if nobody waits for it any more: a key that is stored must also be the one that is used.
    pub async fn set_service_account(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        new: NewServiceAccount,
        seen: Option<Time>,
        check_only: bool,
    ) -> Result<Integration, Error> {
        let integration = self.get(company, id).await?;
        let delegate = self.delegate(&integration, new).await?;
        let integrations = self.clone();
        self.carried(async move {
            let consent = integrations.try_key(&integration, &delegate).await;
            let consent = consent.map_err(|stop| refuse(&integration, &delegate, &stop))?;
            let (company, id) = (&integration.company, &integration.id);
            let store = integrations.store(check_only);
            let stored = store.authorize(company, id, consent, delegate.private_key.clone(), seen);
            let authorized = match stored.await {
                Err(error @ store::Error::Taken { .. }) => {
                    Err(refuse(&integration, &delegate, &elsewhere(error)))
                }
                other => Ok(other?),
            }?;
            if !check_only {
                integrations.forget_tokens(integration.uid);
                tracing::info!(%company, integration = %id, "authorized by a service account's key");
            }
            Ok(authorized)
        })
        .await
    }

    /// Who is to act, for what; all that is wrong with the request.
    async fn delegate(
        &self,
        integration: &Integration,
        new: NewServiceAccount,
    ) -> Result<Delegate, Error> {
        let method = AuthorizationMethod::ServiceAccountKey;
        let mut checked = Checked(Vec::new());
        let system = catalogue::find(&integration.system);
        if !system.is_some_and(|system| system.authorization.contains(&method)) {
            checked.refuse("credentials", "the integration's system takes others");
        }
        let audience = self.setup(&integration.system)?.assertions.audience();
        let key = key_file::read(&mut checked, &new.key_file, audience);
        let subject = new.subject.trim().to_owned();
        if !key_file::is_address(&subject) {
            checked.refuse(
                "service_account_key.subject",
                "must be the e-mail address of the administrator as whom the service account acts",
            );
        }
        let (account, private_key) = checked.finish(key)?;
        let scopes = self.scopes(integration, method, new.beyond).await?;
        Ok(Delegate {
            account,
            private_key,
            subject,
            scopes: scopes.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Asks for a token, and with it who that is: the same that is asked of who consents in a browser.
    async fn try_key(
        &self,
        integration: &Integration,
        delegate: &Delegate,
    ) -> Result<Consent, Stop> {
        let setup = self.setup(&integration.system);
        let setup = setup.map_err(|error| Stop::new(Refusal::Misconfigured, error.to_string()))?;
        let tokens = setup.assertions.exchange(delegate).await?;
        let subject = self
            .account_id(integration, &delegate.subject, &tokens.access)
            .await?;
        let account = ActsAs {
            id: subject.as_str(),
            address: &delegate.subject,
        };
        let (standing, display_name) = self
            .standing(integration, account, String::new(), tokens.access)
            .await?;
        check_customer(integration, &standing)?;
        let domain = standing.account.rsplit_once('@').map(|(_, domain)| domain);
        Ok(Consent {
            by: AuthorizedBy {
                subject: subject.to_string(),
                email: delegate.subject.clone(),
                display_name,
            },
            time: self.0.clock.now(),
            domain: domain.unwrap_or_default().to_owned(),
            customer_id: standing.customer_id,
            scopes: tokens.scopes,
            service_account: Some(delegate.account.clone()),
        })
    }

    /// The system's id of the account of an address.
    async fn account_id(
        &self,
        integration: &Integration,
        address: &str,
        access: &Secret,
    ) -> Result<SourceId, Stop> {
        let tokens = Arc::new(Fresh(access.clone()));
        let connectors = &self.0.connectors;
        let account = ActsAs {
            id: address,
            address,
        };
        let connector = connectors.open(&integration.system, None, account, tokens)?;
        let found = match connector.reader() {
            Some(reader) => in_time(reader.locate(Kind::User, address)).await?,
            None => None,
        };
        found.ok_or_else(|| Stop::new(Refusal::SubjectUnknown, "there is no user of that address"))
    }
}

/// Says what came of it, with what people need to put it right.
fn refuse(integration: &Integration, delegate: &Delegate, stop: &Stop) -> Error {
    let account = &delegate.account;
    let refusal = match stop.refusal {
        // The token was given just now: there is no consent that could have been lost.
        Refusal::CodeRefused => Refusal::Unavailable,
        other => other,
    };
    let about = match refusal {
        Refusal::DelegationMissing => format!(
            "client id {}, scopes {}; ",
            account.client_id,
            delegate.scopes.join(",")
        ),
        Refusal::KeyRefused => format!("key {} of {}; ", account.key_id, account.email),
        Refusal::SubjectUnknown | Refusal::NotAdmin => format!("{}; ", delegate.subject),
        _ => String::new(),
    };
    // Who sets credentials is to see what the system says of them; what went wrong in here stays in the log.
    let detail = match refusal {
        Refusal::Internal | Refusal::CustomerElsewhere => String::new(),
        _ => format!("{about}{}", stop.log),
    };
    let (company, id) = (&integration.company, &integration.id);
    tracing::warn!(
        integration = name(company, id),
        code = refusal.code(),
        detail = stop.log,
        "credentials refused"
    );
    Error::Refused(Box::new(Refused {
        refusal,
        detail,
        integration: None,
        return_url: None,
    }))
}
