//! Runs. They are kept by integration; lists over a company merge them, newest first.

use super::{
    Error, Store,
    began::Noted,
    integrations,
    keys::{self, Key, Parse},
    large,
    page::{self, List},
    requests,
    rows::RunRow,
    tables::{Read, Rows, Table, prefix_bounds},
    txn::Txn,
};
use crate::model::{
    CompanyId, EventBody, IntegrationId, Listed, PageRequest, RequestKey, Run, RunId, RunState,
};
use sled::IVec;
use std::{iter::Peekable, ops::Bound};

pub(super) fn prefix(company: &CompanyId, integration: &IntegrationId) -> Vec<u8> {
    Key::company(company).id(integration.as_str()).done()
}

fn row(read: &impl Read, key: &[u8]) -> Result<Option<RunRow>, Error> {
    large::get(read, Table::Runs, key)
}

/// Runs of some integrations of a company as one sequence, newest first.
pub(super) struct Newest<'a>(Vec<(usize, Peekable<Rows<'a>>)>);

impl<'a> Newest<'a> {
    /// From the newest, or from a position: the packed id of a run.
    pub(super) fn of(
        read: &'a impl Read,
        company: &CompanyId,
        integrations: &[IntegrationId],
        from: &Bound<Vec<u8>>,
    ) -> Self {
        let of_one = |integration: &IntegrationId| {
            let prefix = prefix(company, integration);
            let (first, end) = prefix_bounds(&prefix);
            let end = match from {
                Bound::Unbounded => end,
                Bound::Included(id) => Bound::Included([prefix.as_slice(), id].concat()),
                Bound::Excluded(id) => Bound::Excluded([prefix.as_slice(), id].concat()),
            };
            let rows = read.range(Table::Runs, first, end, true);
            (prefix.len(), rows.peekable())
        };
        Self(integrations.iter().map(of_one).collect())
    }
}

impl Iterator for Newest<'_> {
    /// Key, packed id, raw value.
    type Item = Result<(IVec, Vec<u8>, IVec), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut newest: Option<(usize, Vec<u8>)> = None;
        for (place, (length, rows)) in self.0.iter_mut().enumerate() {
            match rows.peek() {
                Some(Ok((key, _))) => {
                    let id = &key[*length..];
                    if newest.as_ref().is_none_or(|(_, best)| id > best.as_slice()) {
                        newest = Some((place, id.to_vec()));
                    }
                }
                Some(Err(error)) => return Some(Err(error.clone())),
                None => {}
            }
        }
        let (place, id) = newest?;
        let row = self.0[place].1.next()?;
        Some(row.map(|(key, raw)| (key, id, raw)))
    }
}

/// The integration named, or all of the company.
pub(super) fn scope(
    read: &impl Read,
    company: &CompanyId,
    integration: Option<&IntegrationId>,
) -> Result<Vec<IntegrationId>, Error> {
    match integration {
        Some(integration) => Ok(vec![integration.clone()]),
        None => integrations::ids(read, company),
    }
}

fn create(txn: &mut Txn<'_>, run: &Run, request: Option<&RequestKey>) -> Result<(), Error> {
    integrations::standing(txn, &run.company, &run.integration)?;
    let key = keys::run(&run.company, &run.integration, &run.id);
    if row(txn, &key)?.is_some() {
        return Err(Error::taken("id", name(run)));
    }
    txn.note_run(Noted::written(key.clone(), run));
    txn.put(Table::Runs, key.clone(), &RunRow::row(run))?;
    requests::remember(txn, &run.company, request, &key)?;
    let event = match run.state {
        RunState::Running => EventBody::RunStarted,
        _ => EventBody::RunQueued,
    };
    txn.publish(&run.company, &event(run.clone()))
}

fn name(run: &Run) -> String {
    format!(
        "{}/runs/{}",
        integrations::name(&run.company, &run.integration),
        run.id
    )
}

/// Writes the row of a run that is there.
pub(super) fn put(txn: &mut Txn<'_>, run: &Run) -> Result<(), Error> {
    let key = keys::run(&run.company, &run.integration, &run.id);
    if txn.raw(Table::Runs, &key)?.is_none() {
        return Err(Error::Missing(name(run)));
    }
    txn.note_run(Noted::written(key.clone(), run));
    txn.put(Table::Runs, key, &RunRow::row(run))
}

/// Writes the row of a run that is there, or makes it and tells of it.
pub(super) fn put_or_create(txn: &mut Txn<'_>, run: &Run) -> Result<(), Error> {
    let key = keys::run(&run.company, &run.integration, &run.id);
    if row(txn, &key)?.is_some() {
        return put(txn, run);
    }
    txn.note_run(Noted::written(key.clone(), run));
    txn.put(Table::Runs, key, &RunRow::row(run))?;
    let event = if run.state.is_final() {
        EventBody::RunFinished
    } else {
        EventBody::RunQueued
    };
    txn.publish(&run.company, &event(run.clone()))
}

/// The run of a key.
fn of_key(read: &impl Read, key: &[u8]) -> Result<Option<Run>, Error> {
    let company = CompanyId::try_new(&Parse(key).text()?)
        .map_err(|_| Error::unreadable("the key of a run"))?;
    row(read, key)?.map(|row| row.model(company)).transpose()
}

fn list(
    read: &impl Read,
    company: &CompanyId,
    integration: Option<&IntegrationId>,
    page: &PageRequest,
) -> Result<Listed<Run>, Error> {
    let from = match page::position(List::Runs, page)? {
        Some(last) => Bound::Excluded(last),
        None => Bound::Unbounded,
    };
    let integrations = scope(read, company, integration)?;
    let mut listed = Listed {
        items: Vec::new(),
        next: None,
    };
    let mut last = Vec::new();
    for found in Newest::of(read, company, &integrations, &from) {
        let (key, id, raw) = found?;
        if listed.items.len() == page::size(page) {
            listed.next = Some(page::token(List::Runs, &last));
            break;
        }
        if let Some(row) = large::decode::<RunRow>(read, Table::Runs, &key, &raw)? {
            listed.items.push(row.model(company.clone())?);
        }
        last = id;
    }
    Ok(listed)
}

impl Store {
    /// A new run with event `RunQueued`, or `RunStarted` if it is going on already. It answers the request, if one is given.
    ///
    /// # Errors
    /// `Missing` (integration), `Taken` (`id`).
    pub async fn create_run(&self, run: Run, request: Option<RequestKey>) -> Result<Run, Error> {
        self.write(move |txn| create(txn, &run, request.as_ref()).map(|()| run))
            .await
    }

    /// The run that answered this request in the last 24 h, if one did.
    ///
    /// # Errors
    /// `Taken` (`request_id`) if another request used the id.
    pub async fn run_answering(
        &self,
        company: &CompanyId,
        request: &RequestKey,
    ) -> Result<Option<Run>, Error> {
        let (company, request) = (company.clone(), request.clone());
        self.write(move |txn| {
            let made = requests::made_before(txn, &company, Some(&request))?;
            made.map_or(Ok(None), |key| of_key(txn, &key))
        })
        .await
    }

    /// Writes the row of a run that waits, which from now on answers this request too.
    ///
    /// # Errors
    /// `Missing` if there is no such run.
    pub async fn merge_run(&self, run: Run, request: Option<RequestKey>) -> Result<(), Error> {
        self.write(move |txn| {
            put(txn, &run)?;
            let key = keys::run(&run.company, &run.integration, &run.id);
            requests::remember(txn, &run.company, request.as_ref(), &key)
        })
        .await
    }

    /// Tells of a run by an event alone; its row stays as it is.
    pub async fn tell_run(&self, run: Run, event: fn(Run) -> EventBody) -> Result<(), Error> {
        self.write(move |txn| {
            let company = run.company.clone();
            txn.publish(&company, &event(run))
        })
        .await
    }

    /// Writes the run's row with an event. What `last_run` of its integration is follows from that: nothing else is written.
    ///
    /// # Errors
    /// `Missing` if there is no such run.
    pub async fn save_run(
        &self,
        run: Run,
        event: Option<fn(Run) -> EventBody>,
    ) -> Result<(), Error> {
        self.write(move |txn| {
            put(txn, &run)?;
            match event {
                Some(event) => {
                    let company = run.company.clone();
                    txn.publish(&company, &event(run))
                }
                None => Ok(()),
            }
        })
        .await
    }

    /// A run.
    pub async fn run(
        &self,
        company: &CompanyId,
        integration: &IntegrationId,
        id: &RunId,
    ) -> Result<Option<Run>, Error> {
        let key = keys::run(company, integration, id);
        self.read(move |durable| of_key(durable, &key)).await
    }

    /// Newest first; of one integration, or of all.
    pub async fn runs(
        &self,
        company: &CompanyId,
        integration: Option<&IntegrationId>,
        page: &PageRequest,
    ) -> Result<Listed<Run>, Error> {
        let (company, integration, page) = (company.clone(), integration.cloned(), page.clone());
        self.read(move |durable| list(durable, &company, integration.as_ref(), &page))
            .await
    }

    /// Runs QUEUED or RUNNING, of all companies, oldest first: at start, and for snapshots (filter by company).
    pub async fn unfinished_runs(&self) -> Result<Vec<Run>, Error> {
        let core = self.core()?;
        super::blocking(move || {
            let mut runs = Vec::new();
            for key in core.unfinished() {
                // One that has ended since is not among them any more.
                if let Some(run) = of_key(&core.durable, &key)?
                    && !run.state.is_final()
                {
                    runs.push(run);
                }
            }
            runs.sort_by(|a, b| (a.create_time, &a.id).cmp(&(b.create_time, &b.id)));
            Ok(runs)
        })
        .await
    }
}
