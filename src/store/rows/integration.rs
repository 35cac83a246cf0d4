//! Integrations, what authorizes them, and the store's own row.

use super::{Error, Moment, codes, integration_id, run_id, uid};
use crate::{
    model::{
        Authorization, AuthorizationState, AuthorizedBy, CompanyId, Consent, Direction,
        Integration, IntegrationState, Limits, PendingAuthorization, Schedule, Secret,
        ServiceAccount, SyncInterval, SystemId, Time, Zone,
    },
    store::keys,
};

codes!(
    Direction,
    direction_code,
    direction_of,
    FromSystem = 1,
    ToSystem = 2
);
codes!(
    AuthorizationState,
    auth_code,
    auth_of,
    Required = 1,
    Pending = 2,
    Authorized = 3,
    ReauthorizationRequired = 4,
);

/// What consent was given.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ConsentRow {
    #[prost(string, tag = "1")]
    subject: String,
    #[prost(string, tag = "2")]
    email: String,
    #[prost(string, tag = "3")]
    display_name: String,
    #[prost(message, optional, tag = "4")]
    time: Option<Moment>,
    #[prost(string, tag = "5")]
    domain: String,
    #[prost(string, tag = "6")]
    customer_id: String,
    #[prost(string, repeated, tag = "7")]
    scopes: Vec<String>,
    /// Absent = an admin consented in a browser.
    #[prost(message, optional, tag = "8")]
    service_account: Option<ServiceAccountRow>,
}

/// A service account and which of its keys.
#[derive(Clone, PartialEq, prost::Message)]
struct ServiceAccountRow {
    #[prost(string, tag = "1")]
    email: String,
    #[prost(string, tag = "2")]
    client_id: String,
    #[prost(string, tag = "3")]
    key_id: String,
}

/// An integration; its company is in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct IntegrationRow {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    uid: Vec<u8>,
    #[prost(string, tag = "3")]
    title: String,
    /// Absent = ready, or being deleted.
    #[prost(string, optional, tag = "4")]
    paused: Option<String>,
    #[prost(string, tag = "5")]
    system: String,
    #[prost(uint32, tag = "6")]
    direction: u32,
    #[prost(bool, tag = "7")]
    active: bool,
    #[prost(uint32, optional, tag = "8")]
    max_member_loss_percent: Option<u32>,
    #[prost(uint32, tag = "9")]
    authorization: u32,
    #[prost(message, optional, tag = "10")]
    consent: Option<ConsentRow>,
    #[prost(string, tag = "11")]
    authorization_reason: String,
    /// Only in events: in the integration's own row it is always empty, being known from the runs.
    #[prost(bytes = "vec", tag = "12")]
    pub(in crate::store) last_run: Vec<u8>,
    #[prost(uint32, tag = "13")]
    interruptions: u32,
    #[prost(message, optional, tag = "14")]
    create_time: Option<Moment>,
    #[prost(message, optional, tag = "15")]
    update_time: Option<Moment>,
    /// 0 = daily.
    #[prost(uint32, tag = "16")]
    sync_interval: u32,
    /// Empty = UTC.
    #[prost(string, tag = "17")]
    time_zone: String,
    #[prost(message, optional, tag = "18")]
    next_sync: Option<Moment>,
    #[prost(string, repeated, tag = "20")]
    protected: Vec<String>,
    #[prost(string, repeated, tag = "21")]
    domains: Vec<String>,
    #[prost(bool, tag = "22")]
    deleting: bool,
}

impl IntegrationRow {
    pub(in crate::store) fn row(integration: &Integration) -> Self {
        let Integration {
            company: _,
            id,
            uid,
            title,
            state,
            system,
            direction,
            active,
            schedule: Schedule { interval, zone },
            next_sync,
            limits: Limits {
                max_member_loss_percent,
            },
            protected,
            domains,
            authorization:
                Authorization {
                    state: authorization,
                    consent,
                    reason,
                },
            last_run,
            interruptions,
            create_time,
            update_time,
        } = integration;
        Self {
            id: keys::pack(id.as_str()),
            uid: uid.0.as_bytes().to_vec(),
            title: title.clone(),
            paused: match state {
                IntegrationState::Ready | IntegrationState::Deleting => None,
                IntegrationState::Paused(reason) => Some(reason.clone()),
            },
            system: system.as_str().to_owned(),
            direction: direction_code(*direction),
            active: *active,
            max_member_loss_percent: *max_member_loss_percent,
            authorization: auth_code(*authorization),
            consent: consent.as_ref().map(consent_row),
            authorization_reason: reason.clone(),
            last_run: last_run
                .as_ref()
                .map(|run| keys::pack(run.as_str()))
                .unwrap_or_default(),
            interruptions: *interruptions,
            create_time: Some(Moment::row(*create_time)),
            update_time: Some(Moment::row(*update_time)),
            sync_interval: match interval {
                SyncInterval::Daily => 0,
                SyncInterval::Weekly => 1,
                SyncInterval::Monthly => 2,
            },
            time_zone: if *zone == Zone::default() {
                String::new()
            } else {
                zone.as_str().to_owned()
            },
            next_sync: Moment::maybe(*next_sync),
            protected: protected.clone(),
            domains: domains.clone(),
            deleting: *state == IntegrationState::Deleting,
        }
    }

    /// When it is due next.
    pub(in crate::store) fn next_sync(&self) -> Result<Option<Time>, Error> {
        Moment::optional(self.next_sync)
    }

    pub(in crate::store) fn model(self, company: CompanyId) -> Result<Integration, Error> {
        let schedule = Schedule {
            interval: match self.sync_interval {
                0 => SyncInterval::Daily,
                1 => SyncInterval::Weekly,
                2 => SyncInterval::Monthly,
                _ => return Err(Error::unreadable("a code of SyncInterval")),
            },
            zone: if self.time_zone.is_empty() {
                Zone::default()
            } else {
                Zone::known(&self.time_zone)
            },
        };
        Ok(Integration {
            next_sync: self.next_sync()?,
            schedule,
            company,
            id: integration_id(&self.id)?,
            uid: uid(&self.uid)?,
            title: self.title,
            state: match self.paused {
                _ if self.deleting => IntegrationState::Deleting,
                Some(reason) => IntegrationState::Paused(reason),
                None => IntegrationState::Ready,
            },
            system: SystemId::try_new(&self.system)
                .map_err(|_| Error::unreadable("the system of an integration"))?,
            direction: direction_of(self.direction)?,
            active: self.active,
            limits: Limits {
                max_member_loss_percent: self.max_member_loss_percent,
            },
            protected: self.protected,
            domains: self.domains,
            authorization: Authorization {
                state: auth_of(self.authorization)?,
                consent: self.consent.map(consent).transpose()?,
                reason: self.authorization_reason,
            },
            last_run: super::optional(&self.last_run, run_id)?,
            interruptions: self.interruptions,
            create_time: Moment::must(self.create_time)?,
            update_time: Moment::must(self.update_time)?,
        })
    }
}

fn consent_row(consent: &Consent) -> ConsentRow {
    let Consent {
        by:
            AuthorizedBy {
                subject,
                email,
                display_name,
            },
        time,
        domain,
        customer_id,
        scopes,
        service_account,
    } = consent;
    ConsentRow {
        subject: subject.clone(),
        email: email.clone(),
        display_name: display_name.clone(),
        time: Some(Moment::row(*time)),
        domain: domain.clone(),
        customer_id: customer_id.clone(),
        scopes: scopes.clone(),
        service_account: service_account.as_ref().map(|account| ServiceAccountRow {
            email: account.email.clone(),
            client_id: account.client_id.clone(),
            key_id: account.key_id.clone(),
        }),
    }
}

fn consent(row: ConsentRow) -> Result<Consent, Error> {
    Ok(Consent {
        by: AuthorizedBy {
            subject: row.subject,
            email: row.email,
            display_name: row.display_name,
        },
        time: Moment::must(row.time)?,
        domain: row.domain,
        customer_id: row.customer_id,
        scopes: row.scopes,
        service_account: row.service_account.map(|account| ServiceAccount {
            email: account.email,
            client_id: account.client_id,
            key_id: account.key_id,
        }),
    })
}

/// A pending authorization; the hash of its state is its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct PendingRow {
    #[prost(string, tag = "1")]
    pub(in crate::store) company: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::store) integration: Vec<u8>,
    /// Sealed.
    #[prost(bytes = "vec", tag = "3")]
    pub(in crate::store) verifier: Vec<u8>,
    /// Sealed.
    #[prost(bytes = "vec", tag = "4")]
    pub(in crate::store) nonce: Vec<u8>,
    #[prost(string, tag = "5")]
    redirect_uri: String,
    #[prost(string, optional, tag = "6")]
    return_url: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub(in crate::store) expire_time: Option<Moment>,
}

impl PendingRow {
    /// The row, its secrets already sealed.
    pub(in crate::store) fn row(
        pending: &PendingAuthorization,
        verifier: Vec<u8>,
        nonce: Vec<u8>,
    ) -> Self {
        let PendingAuthorization {
            state_hash: _,
            company,
            integration,
            verifier: _,
            nonce: _,
            redirect_uri,
            return_url,
            expire_time,
        } = pending;
        Self {
            company: company.as_str().to_owned(),
            integration: keys::pack(integration.as_str()),
            verifier,
            nonce,
            redirect_uri: redirect_uri.clone(),
            return_url: return_url.clone(),
            expire_time: Some(Moment::row(*expire_time)),
        }
    }

    /// The pending authorization, its secrets already opened.
    pub(in crate::store) fn model(
        self,
        state_hash: [u8; 32],
        verifier: Secret,
        nonce: Secret,
    ) -> Result<PendingAuthorization, Error> {
        Ok(PendingAuthorization {
            state_hash,
            company: CompanyId::try_new(&self.company)
                .map_err(|_| Error::unreadable("a company"))?,
            integration: integration_id(&self.integration)?,
            verifier,
            nonce,
            redirect_uri: self.redirect_uri,
            return_url: self.return_url,
            expire_time: Moment::must(self.expire_time)?,
        })
    }
}

/// To which company a customer of a system belongs; system and customer are in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct CustomerRow {
    #[prost(string, tag = "1")]
    pub(in crate::store) company: String,
}

/// A sealed secret.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct SealedRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::store) sealed: Vec<u8>,
}

/// The store's own row.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct MetaRow {
    #[prost(uint32, tag = "1")]
    pub(in crate::store) format: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::store) epoch: Vec<u8>,
    /// The epoch, sealed: shows whether the sealing key is the right one.
    #[prost(bytes = "vec", tag = "3")]
    pub(in crate::store) key_check: Vec<u8>,
}
