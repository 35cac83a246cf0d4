//! Groups and their direct members. Members of members are never asked for: what Google derives is unreliable.

use super::{Google, convert, listing::Listing, users::same};
use crate::{
    connector::{Cursor, Error, Page, SourceMember},
    model::{Object, SourceId},
};
use serde_json::value::RawValue;

/// The fields of a group that are read.
macro_rules! fields {
    () => {
        "id,email,name,description,aliases,directMembersCount"
    };
}

impl Google {
    /// A page of all groups of all domains, 200 at most.
    pub(super) async fn groups(&self, cursor: Option<Cursor>) -> Result<Page<Object>, Error> {
        let listing = Listing {
            method: "directory.groups.list",
            path: &["groups"],
            query: &[
                ("customer", &self.options.customer),
                ("maxResults", "200"),
                ("fields", concat!("nextPageToken,groups(", fields!(), ")")),
            ],
            rows: "groups",
            never_empty: false,
        };
        self.list(&listing, cursor, convert::group).await
    }

    /// One group. 404 proves that there is none.
    pub(super) async fn group(&self, id: &SourceId) -> Result<Option<Object>, Error> {
        let url = self.url(&["groups", id.as_str()], &[("fields", fields!())])?;
        let row = self.one("directory.groups.get", &url).await?;
        row.map(|row| same(convert::group(&row)?, id)).transpose()
    }

    /// A page of the direct members of a group, 200 at most. [`Error::Forbidden`] for a group of another customer.
    pub(super) async fn group_members(
        &self,
        group: &SourceId,
        cursor: Option<Cursor>,
    ) -> Result<Page<SourceMember>, Error> {
        let listing = Listing {
            method: "directory.members.list",
            path: &["groups", group.as_str(), "members"],
            query: &[
                ("maxResults", "200"),
                ("fields", "nextPageToken,members(id,email,type,status)"),
            ],
            rows: "members",
            never_empty: false,
        };
        let convert = |row: &RawValue| convert::member(row, &self.options.customer);
        self.list(&listing, cursor, convert).await
    }
}
