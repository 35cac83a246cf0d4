//! Who we are, and whether a refusal means that we may nothing any more.

use super::{Google, wire::Account};
use crate::connector::{Error, Standing, http::Call};

/// What stands for the customer of whoever asks, before its id is known.
pub const MY_CUSTOMER: &str = "my_customer";

impl Google {
    /// Who we are. Fails with [`Error::Forbidden`] for an account that may not read its customer's directory.
    pub(super) async fn standing(&self) -> Result<Standing, Error> {
        let query = [("fields", "primaryEmail,customerId,isAdmin,isDelegatedAdmin")];
        let url = self.url(&["users", &self.options.principal], &query)?;
        let call = Call {
            method: "directory.users.get",
            url: &url,
            continued: false,
        };
        let account: Account = self.ask(call).await?;
        let admin = account.is_admin == Some(true) || account.is_delegated_admin == Some(true);
        Ok(Standing {
            customer_id: account.customer_id,
            account: account.primary_email,
            admin,
        })
    }

    /// What Google answers. That it forbids something is asked about before it is believed: to an administrator it forbids
    /// what his role does not allow, or what is another customer's; to who is none any more it forbids all that is not public
    /// in his domain (`viewType` of <https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/get>), in
    /// the same words, and then only authorizing anew helps. What can't be told now is not concluded.
    ///
    /// Before the customer is known there is no authorization yet that could be lost.
    pub(super) async fn confirmed<T>(
        &self,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let text = match asked.await {
            Err(Error::Forbidden(text)) if self.is_bound() => text,
            other => return other,
        };
        match self.standing().await {
            Ok(standing) if !standing.admin => Err(self.demoted(&text)),
            Err(Error::Forbidden(_) | Error::NotFound(_)) => Err(self.demoted(&text)),
            Err(lost @ (Error::ConsentLost(_) | Error::Unauthorized(_))) => Err(lost),
            Ok(_) | Err(_) => Err(Error::Forbidden(text)),
        }
    }

    /// Whether the customer is known that is read.
    pub(super) fn is_bound(&self) -> bool {
        self.options.customer != MY_CUSTOMER
    }

    fn demoted(&self, text: &str) -> Error {
        let account = &self.options.address;
        Error::ConsentLost(format!(
            "the account {account} is no administrator any more, or may no longer read users ({text})"
        ))
    }
}
