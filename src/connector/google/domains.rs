//! Domains.

use super::{Google, wire::Domains};
use crate::connector::{Domain, Error, http::Call};

impl Google {
    /// All domains of the customer, in one page (`domains.list`:
    /// <https://developers.google.com/workspace/admin/directory/reference/rest/v1/domains/list>), but for those that are only
    /// other names of one, in which nobody's primary address is. Each customer has its primary domain at least.
    pub(super) async fn all_domains(&self) -> Result<Vec<Domain>, Error> {
        let method = "directory.domains.list";
        let query = [("fields", "domains(domainName,isPrimary,verified)")];
        let url = self.url(&["customer", &self.options.customer, "domains"], &query)?;
        let call = Call {
            method,
            url: &url,
            continued: false,
        };
        let domains: Domains = self.ask(call).await?;
        if domains.all.is_empty() {
            return Err(Error::Protocol(format!("{method}: without any")));
        }
        let domains = domains.all.into_iter().map(|domain| Domain {
            name: domain.name,
            primary: domain.primary == Some(true),
            verified: domain.verified != Some(false),
        });
        Ok(domains.collect())
    }
}
