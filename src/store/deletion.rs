//! Taking an integration away, in slices: while it is being deleted nothing about it changes but by these, so that a deletion
//! that was cut off goes on from where it was.

use super::{
    Error, Store, aside, authorizations,
    began::Noted,
    entities, integrations,
    keys::{self, Key, Parse},
    large, links, members,
    rows::{self, CustomerRow, LinkRow, PackedRow, PendingRow},
    rules, runs,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{
    AuthorizationMethod, CompanyId, Entity, EntityId, EventBody, Integration, IntegrationId,
    IntegrationState, Kind, MemberState, SourceId, Time,
};
use std::collections::BTreeMap;

/// Most records of one kind that a slice takes away.
const MOST: usize = 100;

/// Takes away some of what there is of a kind; answers how much.
type Step = fn(&mut Txn<'_>, &Integration) -> Result<usize, Error>;

/// In this order: the secrets first, what others are told by last.
const STEPS: [Step; 7] = [
    secrets, pending, own_rules, remembered, own_links, changes, own_runs,
];

fn slice(txn: &mut Txn<'_>, integration: &Integration) -> Result<bool, Error> {
    let found = integrations::must(txn, &integration.company, &integration.id)?;
    let name = integrations::name(&found.company, &found.id);
    if found.uid != integration.uid {
        return Err(Error::Missing(name));
    }
    if found.state != IntegrationState::Deleting {
        return Err(Error::Refused(format!("{name} is not being deleted")));
    }
    for step in STEPS {
        if step(txn, &found)? > 0 {
            return Ok(true);
        }
    }
    finish(txn, found)?;
    Ok(false)
}

/// Deletes the first rows under a prefix.
fn sweep(txn: &mut Txn<'_>, table: Table, prefix: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let rows = txn.prefix(table, prefix).take(MOST);
    let keys = rows.map(|row| row.map(|(key, _)| key.to_vec()));
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    for key in &keys {
        txn.delete(table, key.clone())?;
    }
    Ok(keys)
}

fn secrets(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let prefix = Key::integration(integration.uid).done();
    Ok(sweep(txn, Table::Secrets, &prefix)?.len())
}

fn pending(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let id = keys::pack(integration.id.as_str());
    let mut own = Vec::new();
    for row in txn.prefix(Table::Pending, &[]) {
        let (key, raw) = row?;
        let row: Option<PendingRow> = large::decode(txn, Table::Pending, &key, &raw)?;
        let is_own =
            |row: &PendingRow| row.company == integration.company.as_str() && row.integration == id;
        if row.as_ref().is_some_and(is_own) {
            own.push(key.to_vec());
        }
        if own.len() == MOST {
            break;
        }
    }
    for key in &own {
        txn.delete(Table::Pending, key.clone())?;
    }
    Ok(own.len())
}

fn own_rules(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let prefix = rules::prefix(&integration.company, &integration.id).done();
    Ok(sweep(txn, Table::Rules, &prefix)?.len())
}

/// One row of remembered members: they stay members, also those who were deleted, for when they are had back.
fn remembered(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let (company, uid) = (&integration.company, integration.uid);
    let prefix = Key::integration(uid).done();
    let first = txn.prefix(Table::Remembered, &prefix).next().transpose()?;
    let Some((key, raw)) = first else {
        return Ok(0);
    };
    let group = SourceId::try_new(&Parse(&key[prefix.len()..]).text()?)
        .ok_or_else(|| Error::unreadable("the key of remembered members"))?;
    let target = links::get(txn, uid, Kind::Group, group)?.and_then(|link| link.target);
    if let Some((group, _)) = target {
        let row: PackedRow = large::decode(txn, Table::Remembered, &key, &raw)?.unwrap_or_default();
        let mut applied = Vec::new();
        for item in &row.items {
            let member = rows::remembered(item)?;
            if let MemberState::Applied(id) = member.state {
                applied.push((member.kind, id));
            }
        }
        members::release(txn, company, &group, uid, &applied)?;
        aside::release(txn, company, &group, uid, &applied)?;
    }
    txn.delete(Table::Remembered, key.to_vec())?;
    Ok(1)
}

/// Links: what they lead to stays, and its attributes are owned no longer.
fn own_links(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let prefix = Key::integration(integration.uid).done();
    let mut found = Vec::new();
    for row in txn.prefix(Table::Links, &prefix).take(MOST) {
        let (key, raw) = row?;
        let mut rest = Parse(&key[prefix.len()..]);
        let kind = rest.kind()?;
        let source = std::str::from_utf8(rest.0).ok().and_then(SourceId::try_new);
        let source = source.ok_or_else(|| Error::unreadable("the key of a link"))?;
        let row: LinkRow = large::decode(txn, Table::Links, &key, &raw)?.unwrap_or_default();
        found.push((key.to_vec(), kind, row.model(source)?));
    }
    let mut released: BTreeMap<(Kind, EntityId), Entity> = BTreeMap::new();
    let count = found.len();
    for (key, kind, link) in found {
        txn.delete(Table::Links, key)?;
        let Some((id, _)) = link.target else {
            continue;
        };
        let Some(mut entity) = entities::get(txn, &integration.company, kind, &id)? else {
            continue;
        };
        let before = entity.clone();
        entity.owners.retain(|_, owner| *owner != integration.id);
        entity
            .links
            .retain(|link| link.integration != integration.uid);
        if entity != before {
            released.insert((kind, id), entity);
        }
    }
    // What nobody owns any more, the others that provision it may take over.
    for entity in released.values() {
        for link in &entity.links {
            links::reconsider(txn, link.integration, entity.kind, &link.source)?;
        }
    }
    let released = released.into_values().collect();
    let conflicts = entities::put(txn, &integration.company, released)?;
    match conflicts.is_empty() {
        true => Ok(count),
        false => Err(Error::unreadable("the index of addresses")),
    }
}

fn changes(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let prefix = runs::prefix(&integration.company, &integration.id);
    Ok(sweep(txn, Table::Changes, &prefix)?.len())
}

fn own_runs(txn: &mut Txn<'_>, integration: &Integration) -> Result<usize, Error> {
    let prefix = runs::prefix(&integration.company, &integration.id);
    let swept = sweep(txn, Table::Runs, &prefix)?;
    let count = swept.len();
    for key in swept {
        let (company, id) = (&integration.company, &integration.id);
        txn.note_run(Noted::gone(key, company, id));
    }
    Ok(count)
}

/// The integration itself, and what its company is bound to for its sake only.
fn finish(txn: &mut Txn<'_>, integration: Integration) -> Result<(), Error> {
    let company = &integration.company;
    if let Some(consent) = &integration.authorization.consent {
        let customer = &consent.customer_id;
        let mut held = false;
        for id in integrations::ids(txn, company)? {
            let other = integrations::must(txn, company, &id)?;
            let of = other.authorization.consent.as_ref();
            held |= other.uid != integration.uid
                && other.system == integration.system
                && of.is_some_and(|consent| consent.customer_id == *customer);
        }
        let key = authorizations::customer_key(&integration.system, customer);
        let row: Option<CustomerRow> = large::get(txn, Table::Customers, &key)?;
        if !held && row.is_some_and(|row| row.company == company.as_str()) {
            txn.delete(Table::Customers, key)?;
        }
    }
    let key = integrations::key(company, &integration.id);
    txn.delete(Table::Integrations, key)?;
    let company = company.clone();
    txn.publish(&company, &EventBody::IntegrationChanged(integration))
}

/// Whether another integration of this daemon, in whatever company, holds a token of the same account for the same client.
/// A service account's key is no such token, whoever it acts as.
fn shares_token(read: &impl Read, integration: &Integration) -> Result<bool, Error> {
    let subject = |one: &Integration| {
        let consent = one.authorization.consent.as_ref();
        let consent = consent.filter(|one| one.method() == AuthorizationMethod::Consent);
        consent.map(|consent| consent.by.subject.clone())
    };
    let account = subject(integration);
    for other in integrations::everywhere(read)? {
        if other.uid != integration.uid
            && other.state != IntegrationState::Deleting
            && other.system == integration.system
            && account.is_some()
            && subject(&other) == account
            && read
                .raw(Table::Secrets, &authorizations::secret_key(other.uid))?
                .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store {
    /// From now on the integration is being deleted: its id and title stay taken, and nothing about it can be changed but by
    /// [`Store::delete_slice`]. `unless_changed`: the `update_time` that the caller saw, if he gave an etag. Event
    /// `IntegrationChanged`.
    ///
    /// # Errors
    /// `Missing`; `Deleting` if it is so already; `Changed` if it has another `update_time`.
    pub async fn begin_deletion(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        unless_changed: Option<Time>,
    ) -> Result<Integration, Error> {
        let called = integrations::name(company, id);
        self.update_integration(company, id, move |integration| {
            if unless_changed.is_some_and(|seen| seen != integration.update_time) {
                return Err(Error::Changed(called));
            }
            integration.state = IntegrationState::Deleting;
            integration.next_sync = None;
            Ok(Some(EventBody::IntegrationChanged))
        })
        .await
    }

    /// Takes a hundred records at most of an integration that is being deleted away, and at last itself, with event
    /// `IntegrationChanged`: whether there is more to do. Objects and memberships that it provisioned stay, owned by nobody;
    /// secrets, rules, links, runs and changes go, and with the last integration of a customer the company's bond with it.
    /// Runs must have ended before.
    ///
    /// # Errors
    /// `Missing` if it is gone; `Refused` if it is not being deleted.
    pub async fn delete_slice(&self, integration: &Integration) -> Result<bool, Error> {
        let integration = integration.clone();
        self.write(move |txn| slice(txn, &integration)).await
    }

    /// All integrations that are being deleted.
    pub async fn deletions(&self) -> Result<Vec<Integration>, Error> {
        self.read(|durable| {
            let mut all = integrations::everywhere(durable)?;
            all.retain(|one| one.state == IntegrationState::Deleting);
            Ok(all)
        })
        .await
    }

    /// Whether another integration, of any company, holds a refresh token of the same account of the same system; those that
    /// are being deleted do not count.
    pub async fn shares_token(&self, integration: &Integration) -> Result<bool, Error> {
        let integration = integration.clone();
        self.read(move |durable| shares_token(durable, &integration))
            .await
    }
}
