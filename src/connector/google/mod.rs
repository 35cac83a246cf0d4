//! Google Workspace: the Directory API v1 of the Admin SDK.
//!
//! Owns Google's paths, fields and shapes, and their translation into objects by canonical name. May use the shared HTTP
//! client. Deliberately writes nothing yet, and concludes nothing: what it can't make sense of is an error or a defect.

mod convert;
mod list;
mod wire;

use super::{
    Answer, Connector, Cursor, Error, Page, Reader, Session, SourceMember, Standing, catalogue,
};
use crate::model::{Kind, Object, RequestCounts, SourceId, SystemId};
use url::Url;

/// How to reach one customer.
#[derive(Debug, Clone)]
pub struct Options {
    /// Root of the API, such as `https://admin.googleapis.com/`.
    pub api_url: Url,
    /// The customer's id, or `my_customer` while it is not known.
    pub customer: String,
    /// Address of the account that we act as.
    pub account: String,
}

/// One customer of Google Workspace.
#[derive(Debug)]
pub struct Google {
    options: Options,
    session: Session,
}

impl Google {
    /// Opens it: asks nothing yet.
    pub fn open(options: Options, session: Session) -> Self {
        Self { options, session }
    }

    /// The URL of a path under the Directory API, given in segments, with `prettyPrint` off and these parameters.
    fn url(&self, segments: &[&str], parameters: &[(&str, &str)]) -> Result<Url, Error> {
        let mut url = self.options.api_url.clone();
        let bad = || Error::Rejected("api_url can't be a base of paths".to_owned());
        let mut path = url.path_segments_mut().map_err(|()| bad())?;
        path.pop_if_empty()
            .extend(["admin", "directory", "v1"])
            .extend(segments);
        drop(path);
        url.query_pairs_mut()
            .append_pair("prettyPrint", "false")
            .extend_pairs(parameters);
        Ok(url)
    }

    async fn standing(&self) -> Result<Standing, Error> {
        let account = self.options.account.as_str();
        let fields = [(
            "fields",
            "id,primaryEmail,isAdmin,isDelegatedAdmin,customerId",
        )];
        let body = self
            .session
            .get(
                "directory.users.get",
                &self.url(&["users", account], &fields)?,
            )
            .await?;
        let me: wire::Me = wire::parse(&body)?;
        Ok(Standing {
            customer_id: me.customer_id,
            account: me.primary_email.to_lowercase(),
            admin: me.is_admin || me.is_delegated_admin,
            consent: None,
        })
    }

    async fn one(&self, kind: Kind, id: &SourceId) -> Result<Option<Object>, Error> {
        let (method, collection, fields) = match kind {
            Kind::User => ("directory.users.get", "users", list::USER_FIELDS),
            Kind::Group => ("directory.groups.get", "groups", list::GROUP_FIELDS),
        };
        let url = self.url(&[collection, id.as_str()], &[("fields", fields)])?;
        match self.session.get(method, &url).await {
            Ok(body) => convert::object(kind, &wire::parse(&body)?).map(Some),
            // 404, or 412 "User is deleted." within 20 days of the deletion.
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Connector for Google {
    fn system(&self) -> SystemId {
        SystemId::known(catalogue::GOOGLE_WORKSPACE)
    }

    fn check(&self) -> Answer<'_, Standing> {
        Box::pin(self.standing())
    }

    fn reader(&self) -> Option<&dyn Reader> {
        Some(self)
    }

    fn requests(&self) -> RequestCounts {
        self.session.counts()
    }

    fn throttled_for(&self) -> Option<std::time::Duration> {
        self.session.throttled_for()
    }
}

impl Reader for Google {
    fn page(&self, kind: Kind, cursor: Option<Cursor>) -> Answer<'_, Page<Object>> {
        Box::pin(list::page(self, kind, cursor))
    }

    fn members<'a>(
        &'a self,
        group: &'a SourceId,
        cursor: Option<Cursor>,
    ) -> Answer<'a, Page<SourceMember>> {
        Box::pin(list::members(self, group, cursor))
    }

    fn get<'a>(&'a self, kind: Kind, id: &'a SourceId) -> Answer<'a, Option<Object>> {
        Box::pin(self.one(kind, id))
    }
}
