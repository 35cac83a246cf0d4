//! Authorizations: those that are pending, and the sealed refresh tokens and keys that integrations live by.

use super::{
    Error, SealingKey, Store, TakenAuthorization, integrations,
    keys::{self, Key},
    large,
    rows::{CustomerRow, Moment, PendingRow, SealedRow},
    sealing::Purpose,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{
    AuthorizationMethod, AuthorizationState, CompanyId, Consent, EventBody, Integration,
    IntegrationId, PendingAuthorization, Secret, SystemId, Time, Uid,
};

/// Pending authorizations of other integrations are kept so long after they ended, to tell who comes late what happened.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// So many pending authorizations are looked at when one begins.
const LOOKED_AT: usize = 1000;

/// Where the secret that an integration lives by is kept, whatever it is: there is one, so that each replaces the other.
pub(super) fn secret_key(integration: Uid) -> Vec<u8> {
    Key::integration(integration).raw(b"refresh token").done()
}

/// A secret is sealed for what it is, so that none is ever taken for the other.
fn purpose(consent: &Consent) -> Purpose {
    match consent.method() {
        AuthorizationMethod::Consent => Purpose::RefreshToken,
        AuthorizationMethod::ServiceAccountKey => Purpose::ServiceAccountKey,
    }
}

pub(super) fn customer_key(system: &SystemId, customer: &str) -> Vec<u8> {
    Key::default()
        .text(system.as_str())
        .raw(customer.as_bytes())
        .done()
}

/// What a sealed value of a pending authorization is bound to.
fn bound(state_hash: &[u8; 32], what: &[u8]) -> Vec<u8> {
    [state_hash.as_slice(), what].concat()
}

fn begin(
    txn: &mut Txn<'_>,
    key: &SealingKey,
    pending: &PendingAuthorization,
) -> Result<Integration, Error> {
    drop_expired(txn, pending)?;
    let hash = &pending.state_hash;
    let seal = |what: &[u8], secret: &Secret| {
        key.seal(
            Purpose::Authorization,
            &bound(hash, what),
            secret.expose().as_bytes(),
        )
    };
    let verifier = seal(b"verifier", &pending.verifier)?;
    let nonce = seal(b"nonce", &pending.nonce)?;
    let row = PendingRow::row(pending, verifier.0, nonce.0);
    txn.put(Table::Pending, hash.to_vec(), &row)?;
    integrations::update(txn, &pending.company, &pending.integration, |integration| {
        if integration.authorization.state == AuthorizationState::Required {
            integration.authorization.state = AuthorizationState::Pending;
            integration.authorization.reason.clear();
        }
        Ok(Some(EventBody::IntegrationChanged))
    })
}

fn drop_expired(txn: &mut Txn<'_>, pending: &PendingAuthorization) -> Result<(), Error> {
    let mut over = Vec::new();
    let integration = keys::pack(pending.integration.as_str());
    for row in txn.prefix(Table::Pending, &[]).take(LOOKED_AT) {
        let (key, raw) = row?;
        let Some(row) = large::decode::<PendingRow>(txn, Table::Pending, &key, &raw)? else {
            continue;
        };
        let ended = Moment::must(row.expire_time)?;
        let same = row.company == pending.company.as_str() && row.integration == integration;
        if ended <= txn.now() && (same || txn.now().duration_since(ended) >= KEPT) {
            over.push(key.to_vec());
        }
    }
    over.into_iter()
        .try_for_each(|key| txn.delete(Table::Pending, key))
}

fn take(
    txn: &mut Txn<'_>,
    key: &SealingKey,
    hash: [u8; 32],
    of: Option<(CompanyId, IntegrationId)>,
) -> Result<TakenAuthorization, Error> {
    let Some(row) = large::get::<PendingRow>(txn, Table::Pending, &hash)? else {
        return Ok(TakenAuthorization::Unknown);
    };
    let open = |what: &[u8], sealed: &[u8]| {
        key.open_text(Purpose::Authorization, &bound(&hash, what), sealed)
    };
    let verifier = open(b"verifier", &row.verifier)?;
    let nonce = open(b"nonce", &row.nonce)?;
    let pending = row.model(hash, verifier, nonce)?;
    let is_of = |(company, id)| pending.company == company && pending.integration == id;
    if !of.is_none_or(is_of) {
        return Ok(TakenAuthorization::Unknown);
    }
    txn.delete(Table::Pending, hash.to_vec())?;
    Ok(if pending.expire_time <= txn.now() {
        TakenAuthorization::Expired(pending)
    } else {
        TakenAuthorization::Taken(pending)
    })
}

fn authorize(
    txn: &mut Txn<'_>,
    key: &SealingKey,
    (company, id): (&CompanyId, &IntegrationId),
    consent: Consent,
    secret: &Secret,
    unless_changed: Option<Time>,
) -> Result<Integration, Error> {
    let integration = integrations::standing(txn, company, id)?;
    if unless_changed.is_some_and(|seen| seen != integration.update_time) {
        return Err(Error::Changed(integrations::name(company, id)));
    }
    if let Some(bound) = &integration.authorization.consent
        && bound.customer_id != consent.customer_id
    {
        return Err(Error::taken(
            "customer",
            format!(
                "{} is bound to customer {} ({}), and this is customer {}",
                integrations::name(company, id),
                bound.customer_id,
                bound.domain,
                consent.customer_id
            ),
        ));
    }
    let customer = customer_key(&integration.system, &consent.customer_id);
    match large::get::<CustomerRow>(txn, Table::Customers, &customer)? {
        Some(row) if row.company != company.as_str() => {
            return Err(Error::taken(
                "customer",
                "another company is connected with it",
            ));
        }
        Some(_) => {}
        None => {
            let row = CustomerRow {
                company: company.as_str().to_owned(),
            };
            txn.put(Table::Customers, customer, &row)?;
        }
    }
    put_secret(txn, key, integration.uid, purpose(&consent), secret)?;
    integrations::update(txn, company, id, |integration| {
        let authorization = &mut integration.authorization;
        authorization.state = AuthorizationState::Authorized;
        authorization.consent = Some(consent);
        authorization.reason.clear();
        Ok(Some(EventBody::IntegrationChanged))
    })
}

fn put_secret(
    txn: &mut Txn<'_>,
    key: &SealingKey,
    integration: Uid,
    purpose: Purpose,
    secret: &Secret,
) -> Result<(), Error> {
    let row_key = secret_key(integration);
    let sealed = key.seal(purpose, &row_key, secret.expose().as_bytes())?;
    txn.put(Table::Secrets, row_key, &SealedRow { sealed: sealed.0 })
}

impl Store {
    /// Keeps a pending authorization (secrets sealed); sets the integration PENDING if it was REQUIRED, with event `IntegrationChanged` then.
    /// Drops those of this integration that expired.
    ///
    /// # Errors
    /// `Missing` if there is no such integration.
    pub async fn begin_authorization(
        &self,
        pending: PendingAuthorization,
    ) -> Result<Integration, Error> {
        let key = self.0.key.clone();
        self.write(move |txn| begin(txn, &key, &pending)).await
    }

    /// Takes it, atomically: a second call finds nothing. An expired one is deleted and answered as such. One of another integration than
    /// the one that is meant, if one is, stays, and is as good as unknown.
    pub async fn take_authorization(
        &self,
        state_hash: [u8; 32],
        of: Option<(CompanyId, IntegrationId)>,
    ) -> Result<TakenAuthorization, Error> {
        let key = self.0.key.clone();
        self.write(move |txn| take(txn, &key, state_hash, of)).await
    }

    /// The authorization was refused or failed: a PENDING integration goes back to REQUIRED, for this reason, with event
    /// `IntegrationChanged`; any other state stays.
    ///
    /// # Errors
    /// `Missing` if there is no such integration.
    pub async fn abandon_authorization(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        reason: String,
    ) -> Result<Integration, Error> {
        let (company, id) = (company.clone(), id.clone());
        self.write(move |txn| {
            integrations::update(txn, &company, &id, |integration| {
                let authorization = &mut integration.authorization;
                if authorization.state == AuthorizationState::Pending {
                    authorization.state = AuthorizationState::Required;
                    authorization.reason = reason;
                }
                Ok(Some(EventBody::IntegrationChanged))
            })
        })
        .await
    }

    /// Binds company and integration to the customer and keeps the secret (a refresh token, or the private key of the consent's
    /// service account) sealed in the place of the one before, in one transaction: state AUTHORIZED. `unless_changed`: the
    /// `update_time` that the caller saw, if he gave an etag. Event `IntegrationChanged`.
    ///
    /// # Errors
    /// `Taken` (`customer`) if the customer belongs to another company (semantics 15) or the integration is bound to another customer;
    /// `Changed` if it has another `update_time`; `Missing`.
    pub async fn authorize(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        consent: Consent,
        secret: Secret,
        unless_changed: Option<Time>,
    ) -> Result<Integration, Error> {
        let (company, id, key) = (company.clone(), id.clone(), self.0.key.clone());
        self.write(move |txn| {
            authorize(txn, &key, (&company, &id), consent, &secret, unless_changed)
        })
        .await
    }

    /// What the integration lives by, if there is anything: the consent, and its secret in clear.
    ///
    /// # Errors
    /// `Damaged` if it can't be opened.
    pub async fn credential(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
    ) -> Result<Option<(Consent, Secret)>, Error> {
        let (company, id, key) = (company.clone(), id.clone(), self.0.key.clone());
        self.read(move |durable| {
            let Some(integration) = integrations::get(durable, &company, &id)? else {
                return Ok(None);
            };
            let row_key = secret_key(integration.uid);
            let row: Option<SealedRow> = large::get(durable, Table::Secrets, &row_key)?;
            let Some((row, consent)) = row.zip(integration.authorization.consent) else {
                return Ok(None);
            };
            let secret = key.open_text(purpose(&consent), &row_key, &row.sealed)?;
            Ok(Some((consent, secret)))
        })
        .await
    }

    /// Keeps a refresh token that the system exchanged for the old one; drops it if the integration lives by none any more.
    ///
    /// # Errors
    /// `Missing` if there is no such integration.
    pub async fn replace_refresh_token(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        token: Secret,
    ) -> Result<(), Error> {
        let (company, id, key) = (company.clone(), id.clone(), self.0.key.clone());
        self.write(move |txn| {
            let integration = integrations::standing(txn, &company, &id)?;
            match integration.authorization.consent {
                Some(consent) if consent.method() == AuthorizationMethod::Consent => {
                    put_secret(txn, &key, integration.uid, purpose(&consent), &token)
                }
                _ => Ok(()),
            }
        })
        .await
    }
}
