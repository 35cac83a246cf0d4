//! Authorization: sending an administrator to the system's consent page and taking the answer, or taking the key of a service
//! account.
//!
//! Owns the steps from there to a stored secret, and what every refusal means for people. May use what
//! `integrations` may. Deliberately writes no page: the edges show what happened in their own way.

mod account;
mod complete;
mod key;
mod key_file;
mod refusal;
mod return_url;

pub use complete::{Answer, Completed};
pub use key::NewServiceAccount;
pub use refusal::{Refusal, Refused};
pub use return_url::ReturnUrls;

use super::{Error, Integrations};
use crate::{
    connector::catalogue,
    model::{
        AuthorizationMethod, CompanyId, Integration, IntegrationId, PendingAuthorization, Secret,
        Time, Violation,
    },
};
use std::time::Duration;
use url::Url;

/// For so long a consent page may be answered.
pub const AUTHORIZATION_LIFE: Duration = Duration::from_secs(600);

/// An authorization that was begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The system's consent page, for an administrator's browser.
    pub url: Url,
    /// Until when it can be answered.
    pub expire_time: Time,
}

/// What is asked to be allowed beside what an integration and its rules need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beyond {
    /// To read organisational units, also if no rule needs them.
    pub org_units: bool,
    /// To read the customer's domains, which no rule needs.
    pub domains: bool,
}

/// Where the consent page sends the browser back to.
pub(super) fn redirect_uri(public_url: &Url) -> Url {
    let mut uri = public_url.clone();
    uri.set_query(None);
    uri.set_fragment(None);
    let path = format!("{}/oauth/callback", uri.path().trim_end_matches('/'));
    uri.set_path(&path);
    uri
}

fn hash(state: &Secret) -> [u8; 32] {
    *blake3::hash(state.expose().as_bytes()).as_bytes()
}

impl Integrations {
    /// Hands out a consent page. Also the way to reauthorize: what is authorized stays so meanwhile. Afterwards the browser
    /// goes to `return_url`, if one is given; it must be allowed by configuration.
    pub async fn begin_authorization(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        return_url: Option<&str>,
        beyond: Beyond,
    ) -> Result<Begun, Error> {
        let integration = self.get(company, id).await?;
        let return_url = return_url
            .map(|url| self.0.return_urls.check(url))
            .transpose();
        let return_url =
            return_url.map_err(|why| Error::Invalid(vec![Violation::new("return_url", why)]))?;
        let provider = self.provider(&integration.system)?;
        let method = AuthorizationMethod::Consent;
        let scopes = self.scopes(&integration, method, beyond).await?;
        let begun = provider.begin(&scopes, &self.0.redirect_uri);
        let now = self.0.clock.now();
        let expire_time = now.checked_add(AUTHORIZATION_LIFE).unwrap_or(now);
        let pending = PendingAuthorization {
            state_hash: hash(&begun.state),
            company: company.clone(),
            integration: id.clone(),
            verifier: begun.verifier,
            nonce: begun.nonce,
            redirect_uri: self.0.redirect_uri.to_string(),
            return_url: return_url.map(String::from),
            expire_time,
        };
        self.0.store.begin_authorization(pending).await?;
        Ok(Begun {
            url: begun.url,
            expire_time,
        })
    }
}

impl Integrations {
    /// What is asked for when an integration is authorized.
    async fn scopes(
        &self,
        integration: &Integration,
        method: AuthorizationMethod,
        beyond: Beyond,
    ) -> Result<Vec<&'static str>, Error> {
        let (company, id) = (&integration.company, &integration.id);
        let rules = self.0.store.rules(company, id).await?;
        let mut scopes = catalogue::scopes(&integration.system, integration.direction, method);
        scopes.extend(match beyond.org_units {
            true => catalogue::unit_scopes(&integration.system),
            false => catalogue::scopes_for(&integration.system, &rules),
        });
        if beyond.domains {
            scopes.extend(catalogue::domain_scopes(&integration.system));
        }
        Ok(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redirect_uri_is_below_the_public_url_whatever_its_path() {
        let table = [
            (
                "http://127.0.0.1:8480",
                "http://127.0.0.1:8480/oauth/callback",
            ),
            (
                "https://sync.example.com/",
                "https://sync.example.com/oauth/callback",
            ),
            (
                "https://example.com/sync",
                "https://example.com/sync/oauth/callback",
            ),
            (
                "https://example.com/sync/",
                "https://example.com/sync/oauth/callback",
            ),
        ];
        for (public, expected) in table {
            assert_eq!(
                redirect_uri(&Url::parse(public).unwrap()).as_str(),
                expected
            );
        }
    }
}
