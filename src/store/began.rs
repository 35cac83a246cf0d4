//! Which run of each integration over all its objects was the last to begin. Kept in memory, and found out when the store is opened:
//! nothing is written for it, and runs of single objects, however many there are, need not be gone through to find it.

use super::{
    Error,
    keys::{Key, Parse},
    large,
    rows::RunRow,
    tables::{Durable, Read, Table},
};
use crate::model::{CompanyId, IntegrationId, Run, RunId};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is to be known of a run whose row is written.
pub(super) struct Noted {
    /// Its key.
    pub(super) key: Vec<u8>,
    /// How much of the key is its integration's.
    integration: usize,
    /// Whether it waits or runs.
    pub(super) going_on: bool,
    /// Whether it can be the last that began; none if the row goes away.
    began: Option<bool>,
}

impl Noted {
    pub(super) fn written(key: Vec<u8>, run: &Run) -> Self {
        Self {
            integration: part(&run.company, &run.integration).len(),
            key,
            going_on: !run.state.is_final(),
            began: Some(counts(run)),
        }
    }

    pub(super) fn gone(key: Vec<u8>, company: &CompanyId, integration: &IntegrationId) -> Self {
        Self {
            integration: part(company, integration).len(),
            key,
            going_on: false,
            began: None,
        }
    }

    fn integration(&self) -> &[u8] {
        &self.key[..self.integration]
    }
}

/// The last that began of an integration, where some of its runs are written to what is read.
pub(super) fn overlaid(
    read: &impl Read,
    written: &[Noted],
    integration: &[u8],
    before: Option<Vec<u8>>,
) -> Result<Option<Vec<u8>>, Error> {
    let mut last = before;
    for noted in written
        .iter()
        .filter(|noted| noted.integration() == integration)
    {
        let is_last = last.as_ref() == Some(&noted.key);
        match noted.began {
            Some(true) => last = last.max(Some(noted.key.clone())),
            _ if is_last => return scan(read, integration),
            _ => {}
        }
    }
    Ok(last)
}

/// The last that began by what the rows say.
fn scan(read: &impl Read, integration: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let company = CompanyId::try_new(&Parse(integration).text()?)
        .map_err(|_| Error::unreadable("the key of an integration"))?;
    for row in read.prefix_down(Table::Runs, integration) {
        let (key, raw) = row?;
        let row: Option<RunRow> = large::decode(read, Table::Runs, &key, &raw)?;
        let run = row.map(|row| row.model(company.clone())).transpose()?;
        if run.as_ref().is_some_and(counts) {
            return Ok(Some(key.to_vec()));
        }
    }
    Ok(None)
}

/// Whether a run can be the last that began.
fn counts(run: &Run) -> bool {
    run.is_bulk() && run.start_time.is_some()
}

/// The part of a run's key that is its integration's.
fn part(company: &CompanyId, integration: &IntegrationId) -> Vec<u8> {
    Key::company(company).id(integration.as_str()).done()
}

/// The last runs that began: key by the integration's part of it.
#[derive(Default)]
pub(super) struct Began(Mutex<HashMap<Vec<u8>, Vec<u8>>>);

impl Began {
    fn known(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn last(&self, integration: &[u8]) -> Option<Vec<u8>> {
        self.known().get(integration).cloned()
    }

    /// Runs were written. The newest by its id counts, whatever the order in which they began.
    pub(super) fn note(&self, durable: &Durable, noted: &[Noted]) -> Result<(), Error> {
        for one in noted {
            let integration = one.integration();
            let before = self.last(integration);
            let one = std::slice::from_ref(one);
            let last = overlaid(durable, one, integration, before.clone())?;
            if last != before {
                self.set(integration, last);
            }
        }
        Ok(())
    }

    /// Finds out what the tables say, integration by integration.
    pub(super) fn find(&self, durable: &Durable) -> Result<(), Error> {
        for row in durable.prefix(Table::Integrations, &[]) {
            // The key of an integration is what the keys of its runs begin with.
            let (integration, _) = row?;
            self.set(&integration, scan(durable, &integration)?);
        }
        Ok(())
    }

    fn set(&self, integration: &[u8], last: Option<Vec<u8>>) {
        let mut known = self.known();
        match last {
            Some(key) => known.insert(integration.to_vec(), key),
            None => known.remove(integration),
        };
    }
}

/// The last run of an integration over all its objects that began.
pub(super) fn last(
    read: &impl Read,
    company: &CompanyId,
    integration: &IntegrationId,
) -> Result<Option<RunId>, Error> {
    let part = part(company, integration);
    let Some(key) = read.last_began(&part)? else {
        return Ok(None);
    };
    let id = Parse(&key[part.len()..]).id()?;
    let id = RunId::try_new(&id).map_err(|_| Error::unreadable("the key of a run"))?;
    Ok(Some(id))
}
