//! Integrations.

use super::{
    Created, Error, Store, began,
    keys::Key,
    large,
    page::{self, List},
    requests,
    rows::IntegrationRow,
    schedule,
    tables::{Read, Table},
    txn::Txn,
};
use crate::model::{
    CompanyId, EventBody, Integration, IntegrationId, IntegrationState, Listed, PageRequest,
    RequestKey, Uid, fold_email,
};
use sled::IVec;

pub(super) fn key(company: &CompanyId, id: &IntegrationId) -> Vec<u8> {
    Key::company(company).id(id.as_str()).done()
}

/// The integration, with its last run, which is not kept in its row.
fn decode(
    read: &impl Read,
    company: &CompanyId,
    key: &[u8],
    raw: &IVec,
) -> Result<Option<Integration>, Error> {
    let row: Option<IntegrationRow> = large::decode(read, Table::Integrations, key, raw)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut integration = row.model(company.clone())?;
    integration.last_run = began::last(read, company, &integration.id)?;
    Ok(Some(integration))
}

/// An integration, if there is one.
pub(super) fn get(
    read: &impl Read,
    company: &CompanyId,
    id: &IntegrationId,
) -> Result<Option<Integration>, Error> {
    let key = key(company, id);
    match read.raw(Table::Integrations, &key)? {
        Some(raw) => decode(read, company, &key, &raw),
        None => Ok(None),
    }
}

/// An integration that must be there.
pub(super) fn must(
    read: &impl Read,
    company: &CompanyId,
    id: &IntegrationId,
) -> Result<Integration, Error> {
    get(read, company, id)?.ok_or_else(|| Error::Missing(name(company, id)))
}

/// An integration that must be there, and is not being deleted.
pub(super) fn standing(
    read: &impl Read,
    company: &CompanyId,
    id: &IntegrationId,
) -> Result<Integration, Error> {
    let integration = must(read, company, id)?;
    match integration.state {
        IntegrationState::Deleting => Err(Error::Deleting(name(company, id))),
        _ => Ok(integration),
    }
}

/// The resource name.
pub(super) fn name(company: &CompanyId, id: &IntegrationId) -> String {
    format!("companies/{company}/integrations/{id}")
}

/// All integrations of all companies.
pub(super) fn everywhere(read: &impl Read) -> Result<Vec<Integration>, Error> {
    let mut all = Vec::new();
    for row in read.prefix(Table::Integrations, &[]) {
        let (key, raw) = row?;
        let company = CompanyId::try_new(&super::keys::Parse(&key).text()?)
            .map_err(|_| Error::unreadable("the key of an integration"))?;
        all.extend(decode(read, &company, &key, &raw)?);
    }
    Ok(all)
}

/// The ids of all integrations of a company.
pub(super) fn ids(read: &impl Read, company: &CompanyId) -> Result<Vec<IntegrationId>, Error> {
    let prefix = Key::company(company).done();
    read.prefix(Table::Integrations, &prefix)
        .map(|row| {
            let (key, _) = row?;
            let id = super::keys::Parse(&key[prefix.len()..]).id()?;
            IntegrationId::try_new(&id).map_err(|_| Error::unreadable("the key of an integration"))
        })
        .collect()
}

/// The id of an integration of this uid, if there still is one.
pub(super) fn id_of(
    read: &impl Read,
    company: &CompanyId,
    uid: Uid,
) -> Result<Option<IntegrationId>, Error> {
    for id in ids(read, company)? {
        if must(read, company, &id)?.uid == uid {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Writes the row, and when it is due.
pub(super) fn put(txn: &mut Txn<'_>, integration: &Integration) -> Result<(), Error> {
    let mut row = IntegrationRow::row(integration);
    row.last_run.clear();
    let key = key(&integration.company, &integration.id);
    let old: Option<IntegrationRow> = large::get(txn, Table::Integrations, &key)?;
    let old = old.map(|row| row.next_sync()).transpose()?.flatten();
    schedule::keep(txn, integration, old)?;
    txn.put(Table::Integrations, key, &row)
}

/// Changes an integration if `change` makes a difference; publishes it then if `change` says how.
pub(super) fn update(
    txn: &mut Txn<'_>,
    company: &CompanyId,
    id: &IntegrationId,
    change: impl FnOnce(&mut Integration) -> Result<Option<fn(Integration) -> EventBody>, Error>,
) -> Result<Integration, Error> {
    let old = standing(txn, company, id)?;
    let mut new = old.clone();
    let event = change(&mut new)?;
    new.last_run.clone_from(&old.last_run);
    if new == old {
        return Ok(new);
    }
    if (&new.company, &new.id, new.uid) != (company, id, old.uid) {
        return Err(Error::Refused(
            "company, id and uid of an integration never change".to_owned(),
        ));
    }
    if (&new.title, &new.system) != (&old.title, &old.system) {
        check_title(txn, &new)?;
    }
    put(txn, &new)?;
    if let Some(event) = event {
        txn.publish(company, &event(new.clone()))?;
    }
    Ok(new)
}

/// Titles are unique among a company's integrations with the same system, without regard to case.
fn check_title(txn: &Txn<'_>, integration: &Integration) -> Result<(), Error> {
    let company = &integration.company;
    let title = fold_email(&integration.title);
    for id in ids(txn, company)? {
        let other = must(txn, company, &id)?;
        if other.id != integration.id
            && other.system == integration.system
            && fold_email(&other.title) == title
        {
            return Err(Error::taken("title", name(company, &other.id)));
        }
    }
    Ok(())
}

fn create(
    txn: &mut Txn<'_>,
    integration: Integration,
    request: Option<&RequestKey>,
) -> Result<Created<Integration>, Error> {
    let company = &integration.company;
    let key = key(company, &integration.id);
    if let Some(made) = requests::made_before(txn, company, request)? {
        let value = match txn.raw(Table::Integrations, &made)? {
            Some(raw) => decode(txn, company, &made, &raw)?,
            None => None,
        };
        let value = value.ok_or_else(|| Error::Missing("what the same request made".to_owned()))?;
        return Ok(Created {
            value,
            replayed: true,
        });
    }
    if txn.raw(Table::Integrations, &key)?.is_some() {
        return Err(Error::taken("id", name(company, &integration.id)));
    }
    check_title(txn, &integration)?;
    put(txn, &integration)?;
    requests::remember(txn, company, request, &key)?;
    let mut value = integration;
    value.last_run = None;
    let company = value.company.clone();
    txn.publish(&company, &EventBody::IntegrationChanged(value.clone()))?;
    Ok(Created {
        value,
        replayed: false,
    })
}

impl Store {
    /// Makes an integration. Writes event `IntegrationChanged`.
    ///
    /// # Errors
    /// `Taken` (`id`; `title` per company and system; `request_id` with another body).
    pub async fn create_integration(
        &self,
        integration: Integration,
        request: Option<RequestKey>,
    ) -> Result<Created<Integration>, Error> {
        self.write(move |txn| create(txn, integration, request.as_ref()))
            .await
    }

    /// An integration. Its `last_run` is the newest run over all its objects that began.
    pub async fn integration(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
    ) -> Result<Option<Integration>, Error> {
        let (company, id) = (company.clone(), id.clone());
        self.read(move |durable| get(durable, &company, &id)).await
    }

    /// Integrations of a company in order of id (UUIDs first).
    pub async fn integrations(
        &self,
        company: &CompanyId,
        page: &PageRequest,
    ) -> Result<Listed<Integration>, Error> {
        let (company, page) = (company.clone(), page.clone());
        self.read(move |durable| {
            let prefix = Key::company(&company).done();
            page::list(
                durable,
                Table::Integrations,
                &prefix,
                (List::Integrations, &page),
                |rest, raw| decode(durable, &company, &[&prefix, rest].concat(), raw),
            )
        })
        .await
    }

    /// Reads, lets `change` change it, writes; all on the committer, so nothing comes between. `change` returns the event to publish (None = daemon-internal change without news),
    /// or Err = refuse, nothing written. If the row comes out unchanged nothing is written and no event published. What `change` makes of
    /// `last_run` is ignored.
    ///
    /// # Errors
    /// `Missing`; `Deleting`; `Taken` if the new title is another's; `Refused` if company, id or uid were changed; what `change` answers.
    pub async fn update_integration<F>(
        &self,
        company: &CompanyId,
        id: &IntegrationId,
        change: F,
    ) -> Result<Integration, Error>
    where
        F: FnOnce(&mut Integration) -> Result<Option<fn(Integration) -> EventBody>, Error>
            + Send
            + 'static,
    {
        let (company, id) = (company.clone(), id.clone());
        self.write(move |txn| update(txn, &company, &id, change))
            .await
    }
}
