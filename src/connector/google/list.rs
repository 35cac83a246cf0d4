//! Listings: users 500 a page, groups and members 200 (Google: "Limits and quotas").

use super::{Google, convert, wire};
use crate::{
    connector::{Coverage, Cursor, Error, Page, SourceMember},
    model::{Kind, Object, SourceId},
};
use url::Url;

/// What is read of a user.
pub(super) const USER_FIELDS: &str = "id,primaryEmail,name(givenName,familyName,fullName),isAdmin,suspended,archived,aliases,phones,organizations,relations,externalIds,orgUnitPath";
/// What is read of a group.
pub(super) const GROUP_FIELDS: &str = "id,email,name,description,directMembersCount,aliases";
/// What is read of a member.
const MEMBER_FIELDS: &str = "id,email,type,status";

/// A page of all users or groups of the customer.
pub(super) async fn page(
    google: &Google,
    kind: Kind,
    cursor: Option<Cursor>,
) -> Result<Page<Object>, Error> {
    let (method, collection, size, fields) = match kind {
        Kind::User => ("directory.users.list", "users", "500", USER_FIELDS),
        Kind::Group => ("directory.groups.list", "groups", "200", GROUP_FIELDS),
    };
    let url = google.url(
        &[collection],
        &[
            ("customer", google.options.customer.as_str()),
            ("maxResults", size),
            ("orderBy", "email"),
            // Without nextPageToken the listing would silently end after its first page.
            ("fields", &format!("nextPageToken,{collection}({fields})")),
        ],
    )?;
    let listing = fetch(google, method, url, cursor.as_ref()).await?;
    let rows = match (listing.users, kind) {
        (Some(rows), _) => rows,
        // Google omits empty arrays. But the authorizing admin is a user, so a listing of users is never empty, nor
        // is a page that says that more follows.
        (None, Kind::Group) if cursor.is_none() && listing.next_page_token.is_none() => Vec::new(),
        (None, _) => {
            return Err(Error::Protocol(format!(
                "a page of {collection} without {collection}"
            )));
        }
    };
    let items = rows
        .iter()
        .map(|row| convert::object(kind, row))
        .collect::<Result<_, _>>()?;
    finish(items, listing.next_page_token, cursor.as_ref())
}

/// A page of the direct members of a group. Derived membership is not asked for: it is unreliable.
pub(super) async fn members(
    google: &Google,
    group: &SourceId,
    cursor: Option<Cursor>,
) -> Result<Page<SourceMember>, Error> {
    let fields = format!("nextPageToken,members({MEMBER_FIELDS})");
    let url = google.url(
        &["groups", group.as_str(), "members"],
        &[("maxResults", "200"), ("fields", &fields)],
    )?;
    let listing = fetch(google, "directory.members.list", url, cursor.as_ref()).await?;
    let rows = match listing.users {
        Some(rows) => rows,
        None if listing.next_page_token.is_none() => Vec::new(),
        None => {
            return Err(Error::Protocol(
                "a page of members without members, though more follow".to_owned(),
            ));
        }
    };
    let items = rows
        .into_iter()
        .map(convert::member)
        .collect::<Result<_, _>>()?;
    finish(items, listing.next_page_token, cursor.as_ref())
}

async fn fetch(
    google: &Google,
    method: &'static str,
    mut url: Url,
    cursor: Option<&Cursor>,
) -> Result<wire::Listing, Error> {
    if let Some(Cursor(token)) = cursor {
        url.query_pairs_mut().append_pair("pageToken", token);
    }
    match google.session.get(method, &url).await {
        Ok(body) => wire::parse(&body),
        // The parameters are the same as for the first page, which was accepted: the token is what is refused.
        Err(Error::Rejected(text)) if cursor.is_some() => Err(Error::CursorLost(text)),
        Err(error) => Err(error),
    }
}

fn finish<T>(
    items: Vec<T>,
    next: Option<String>,
    cursor: Option<&Cursor>,
) -> Result<Page<T>, Error> {
    let next = next.filter(|token| !token.is_empty()).map(Cursor);
    if next.is_some() && next.as_ref() == cursor {
        return Err(Error::Protocol(
            "a page that says it is followed by itself".to_owned(),
        ));
    }
    Ok(Page {
        items,
        next,
        coverage: Coverage::Complete,
    })
}
