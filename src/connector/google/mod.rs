//! Google Workspace, read through the Directory API of its Admin SDK (v1).
//!
//! Owns Google's wire format and what its answers mean. May use `model` and the rest of `connector`. Deliberately has no
//! memory: each page and each object is asked for when wanted; what was read before is the caller's to know.

mod convert;
mod domains;
mod groups;
mod listing;
mod loose;
mod refusal;
mod standing;
mod units;
mod users;
mod wire;

pub use standing::MY_CUSTOMER;

use super::{
    AccessTokens, Answer, Connector, Cursor, Domain, Error, GovernorKey, Http, OrgUnit, Page,
    Reader, SourceMember, Standing, catalogue,
    http::{Call, Session},
};
use crate::model::{Kind, Object, RequestCounts, SourceId, SystemId};
use serde::de::{DeserializeOwned, DeserializeSeed};
use std::{marker::PhantomData, sync::Arc, time::Duration};
use url::Url;

/// Which Google, and who we are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleOptions {
    /// Root of the API; Google's is `https://admin.googleapis.com/`.
    pub api_url: Url,
    /// The customer's id, such as `C03az79cb`; [`MY_CUSTOMER`] until it is known.
    pub customer: String,
    /// Id or address of the admin who consented: quotas are counted for this account.
    pub principal: String,
    /// Address of that admin, for people to know the account by.
    pub address: String,
}

/// One customer's Google Workspace, in the name of one admin.
#[derive(Debug)]
pub struct Google {
    system: SystemId,
    options: GoogleOptions,
    session: Session,
}

impl Google {
    /// Makes no request yet. Fails if the API's root can't have paths below it.
    pub fn open(
        options: GoogleOptions,
        http: &Http,
        tokens: Arc<dyn AccessTokens>,
    ) -> Result<Self, Error> {
        if options.api_url.cannot_be_a_base() {
            let text = format!("{} is no root of an API", options.api_url);
            return Err(Error::Rejected(text));
        }
        let system = SystemId::try_new(catalogue::GOOGLE_WORKSPACE)
            .map_err(|error| Error::Rejected(error.to_string()))?;
        let key = GovernorKey {
            system: system.clone(),
            customer: options.customer.clone(),
            principal: options.principal.to_lowercase(),
        };
        let session = http.session(&key, tokens, refusal::classify);
        Ok(Self {
            system,
            options,
            session,
        })
    }

    /// The address of a resource, given by its path segments and the query.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Error> {
        // Such a segment would change the path instead of extending it.
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(Error::Rejected("no resource has such a key".to_owned()));
        }
        let mut url = self.options.api_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            let api = ["admin", "directory", "v1"];
            segments.pop_if_empty().extend(api).extend(path);
        }
        url.query_pairs_mut()
            .append_pair("prettyPrint", "false")
            .extend_pairs(query);
        Ok(url)
    }

    async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        parse(call, &self.session.get(call).await?, PhantomData)
    }
}

/// What an answer says.
fn parse<'a, S: DeserializeSeed<'a>>(
    call: Call<'_>,
    body: &'a [u8],
    seed: S,
) -> Result<S::Value, Error> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let read = seed.deserialize(&mut from);
    let read = read.and_then(|value| from.end().map(|()| value));
    read.map_err(|error| {
        let text = format!("{} answered something else: {error}", call.method);
        Error::Protocol(text)
    })
}

impl Connector for Google {
    fn system(&self) -> SystemId {
        self.system.clone()
    }

    fn check(&self) -> Answer<'_, Standing> {
        Box::pin(self.standing())
    }

    fn reader(&self) -> Option<&dyn Reader> {
        Some(self)
    }

    fn requests(&self) -> RequestCounts {
        self.session.requests()
    }

    fn throttled_for(&self) -> Option<Duration> {
        self.session.throttled_for()
    }
}

impl Reader for Google {
    fn page(&self, kind: Kind, cursor: Option<Cursor>) -> Answer<'_, Page<Object>> {
        match kind {
            Kind::User => Box::pin(self.confirmed(self.users(cursor))),
            Kind::Group => Box::pin(self.confirmed(self.groups(cursor))),
        }
    }

    fn members<'a>(
        &'a self,
        group: &'a SourceId,
        cursor: Option<Cursor>,
    ) -> Answer<'a, Page<SourceMember>> {
        Box::pin(self.group_members(group, cursor))
    }

    fn units(&self) -> Answer<'_, Vec<OrgUnit>> {
        Box::pin(self.confirmed(self.org_units()))
    }

    fn domains(&self) -> Answer<'_, Vec<Domain>> {
        Box::pin(self.confirmed(self.all_domains()))
    }

    fn locate<'a>(&'a self, kind: Kind, address: &'a str) -> Answer<'a, Option<SourceId>> {
        Box::pin(self.confirmed(self.id_of(kind, address)))
    }

    fn get<'a>(&'a self, kind: Kind, id: &'a SourceId) -> Answer<'a, Option<Object>> {
        match kind {
            Kind::User => Box::pin(self.confirmed(self.user(id))),
            Kind::Group => Box::pin(self.confirmed(self.group(id))),
        }
    }
}

#[cfg(test)]
mod tests;
