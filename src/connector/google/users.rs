//! Users.

use super::{
    Google, convert,
    listing::Listing,
    wire::{Identified, Owned},
};
use crate::{
    connector::{Cursor, Error, Page, http::Call},
    model::{Kind, Object, SourceId},
};
use serde_json::value::RawValue;

/// The fields of a user that are read.
macro_rules! fields {
    () => {
        "id,primaryEmail,name(givenName,familyName,fullName,displayName),suspended,archived,isAdmin,orgUnitPath,\
         aliases,phones,organizations,relations,externalIds"
    };
}

impl Google {
    /// A page of all users of all domains, 500 at most.
    pub(super) async fn users(&self, cursor: Option<Cursor>) -> Result<Page<Object>, Error> {
        let listing = Listing {
            method: "directory.users.list",
            path: &["users"],
            query: &[
                ("customer", &self.options.customer),
                ("maxResults", "500"),
                ("projection", "basic"),
                ("fields", concat!("nextPageToken,users(", fields!(), ")")),
            ],
            rows: "users",
            never_empty: true,
        };
        self.list(&listing, cursor, convert::user).await
    }

    /// One user. 404 and 412 "User is deleted." prove that there is none.
    pub(super) async fn user(&self, id: &SourceId) -> Result<Option<Object>, Error> {
        let fields = concat!("customerId,", fields!());
        let query = [("projection", "basic"), ("fields", fields)];
        let url = self.url(&["users", id.as_str()], &query)?;
        let Some(row) = self.one("directory.users.get", &url).await? else {
            return Ok(None);
        };
        self.ours("directory.users.get", &row)?;
        same(convert::user(&row)?, id).map(Some)
    }

    /// The id of a user or group by one of its addresses: Google takes them in the place of ids.
    pub(super) async fn id_of(&self, kind: Kind, address: &str) -> Result<Option<SourceId>, Error> {
        let (of, method, fields) = match kind {
            Kind::User => ("users", "directory.users.get", "id,customerId"),
            Kind::Group => ("groups", "directory.groups.get", "id"),
        };
        let url = self.url(&[of, address], &[("fields", fields)])?;
        let Some(row) = self.one(method, &url).await? else {
            return Ok(None);
        };
        self.ours(method, &row)?;
        let row: Identified = serde_json::from_str(row.get())
            .map_err(|error| Error::Protocol(format!("{method}: {error}")))?;
        let id = SourceId::try_new(&row.id);
        id.map(Some)
            .ok_or_else(|| Error::Protocol(format!("{method}: no usable id")))
    }

    /// A user who is asked for by id or address may be another customer's: an administrator of a reseller can read those of
    /// the customers it resells to
    /// (<https://developers.google.com/admin-sdk/reseller/v1/support/directory_api_common_errors>, `users.get`). To others
    /// Google forbids it, and so it is forbidden here: that proves neither presence nor absence. Of groups Google does not
    /// tell the customer.
    fn ours(&self, method: &str, row: &RawValue) -> Result<(), Error> {
        let owned: Owned = serde_json::from_str(row.get())
            .map_err(|error| Error::Protocol(format!("{method}: {error}")))?;
        match owned.customer_id {
            Some(customer) if self.is_bound() && customer != self.options.customer => {
                let text = "is of another customer than the integration is bound to";
                Err(Error::Forbidden(format!("{method}: the user {text}")))
            }
            _ => Ok(()),
        }
    }

    /// One resource, or the proof that there is none. A customer or domain that is not found proves nothing.
    pub(super) async fn one(
        &self,
        method: &'static str,
        url: &url::Url,
    ) -> Result<Option<Box<RawValue>>, Error> {
        let call = Call {
            method,
            url,
            continued: false,
        };
        match self.ask(call).await {
            Ok(row) => Ok(Some(row)),
            Err(Error::NotFound(text)) if !text.ends_with("domain") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What was asked for by id must have that id.
pub(super) fn same(object: Object, id: &SourceId) -> Result<Object, Error> {
    if object.id == *id {
        return Ok(object);
    }
    let text = format!("asked for {id}, and got {}", object.id);
    Err(Error::Protocol(text))
}
