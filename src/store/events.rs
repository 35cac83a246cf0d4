//! Events: what happened in a company, in order of their sequences. A row covers one event, or all changes of a slice.

use super::{
    Error, Store, Topic,
    changes::Chunk,
    keys::{self, Key, Parse},
    large,
    rows::{ChangesRef, ChangesRow, ChunkRef, EventRow, Moment, Subject},
    tables::{Read, Table, after_prefix},
    txn::Txn,
};
use crate::model::{CompanyId, Event, EventBody, IntegrationId, Run, RunId};
use std::ops::Bound;

/// One reading looks at no more rows than this that hold nothing that is wanted.
const MOST_IN_VAIN: usize = 2000;

pub(super) fn prefix(company: &CompanyId) -> Vec<u8> {
    Key::company(company).done()
}

fn key(company: &CompanyId, first: u64) -> Vec<u8> {
    Key::company(company).number(first).done()
}

/// The key of a chunk of changes.
pub(super) fn chunk_key(
    company: &CompanyId,
    integration: &IntegrationId,
    run: &RunId,
    first: u64,
) -> Vec<u8> {
    let mut key = keys::run(company, integration, run);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The last sequence of a company by its newest row, which therefore must never be deleted; 0 if there is none.
pub(super) fn stored_last_sequence(read: &impl Read, company: &CompanyId) -> Result<u64, Error> {
    let prefix = prefix(company);
    for row in read.prefix_down(Table::Events, &prefix) {
        let (key, raw) = row?;
        let first = Parse(&key[prefix.len()..]).number()?;
        if let Some(row) = large::decode::<EventRow>(read, Table::Events, &key, &raw)? {
            return Ok(first + row.count.max(1) - 1);
        }
    }
    Ok(0)
}

/// How many events all companies have had, as far as sequences tell.
pub(super) fn count_all(read: &impl Read) -> Result<u64, Error> {
    let mut total = 0;
    let mut from = Bound::Unbounded;
    while let Some(row) = read
        .range(Table::Events, from, Bound::Unbounded, false)
        .next()
    {
        let (key, _) = row?;
        let text = Parse(&key).text()?;
        let company =
            CompanyId::try_new(&text).map_err(|_| Error::unreadable("the key of an event"))?;
        total += stored_last_sequence(read, &company)?;
        from = match after_prefix(&prefix(&company)) {
            Bound::Excluded(next) => Bound::Included(next),
            _ => break,
        };
    }
    Ok(total)
}

impl Txn<'_> {
    /// Records an event.
    pub(super) fn publish(&mut self, company: &CompanyId, body: &EventBody) -> Result<(), Error> {
        let row = EventRow::row(Moment::row(self.now()), body)?;
        let sequence = self.take_sequences(company, 1)?;
        self.note_news(Topic::of(company, body.integration(), false), sequence);
        self.put(Table::Events, key(company, sequence), &row)
    }

    /// Records the changes of a slice and, without storing them twice, an event for each.
    pub(super) fn publish_changes(&mut self, run: &Run, chunks: Vec<Chunk>) -> Result<(), Error> {
        let count: u64 = chunks.iter().map(|chunk| u64::from(chunk.count)).sum();
        if count == 0 {
            return Ok(());
        }
        let first = self.take_sequences(&run.company, count)?;
        let mut sequence = first;
        let mut refs = Vec::with_capacity(chunks.len());
        for Chunk { count, value } in chunks {
            refs.push(ChunkRef {
                first: sequence,
                count,
            });
            let key = chunk_key(&run.company, &run.integration, &run.id, sequence);
            self.put_raw(Table::Changes, key, value)?;
            sequence += u64::from(count);
        }
        let refs = ChangesRef::row(&run.integration, &run.id, refs);
        let topics = Topic::of(&run.company, Some(&run.integration), true);
        self.note_news(topics, sequence - 1);
        let row = EventRow::changes(Moment::row(self.now()), count, refs);
        self.put(Table::Events, key(&run.company, first), &row)
    }
}

impl Store {
    /// Durable events after a sequence, at most `limit`, in order.
    ///
    /// # Errors
    /// `BadPosition` if `after` is older than what is kept (the text names the earliest) or newer than the last.
    pub async fn events(
        &self,
        company: &CompanyId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Error> {
        Ok(self.news(&Topic::all(company), after, limit).await?.0)
    }

    /// The sequence before that of the earliest event that is kept.
    pub async fn before_earliest(&self, company: &CompanyId) -> Result<u64, Error> {
        let company = company.clone();
        self.read(move |durable| Ok(earliest(durable, &company)?.map_or(0, |first| first - 1)))
            .await
    }

    /// Like [`Store::events`], of one topic: other recorded changes are not even read. Tells also up to which sequence there is nothing
    /// else to find: that of the company's last event, or less if there may be more; `after` if nothing came after it.
    pub async fn news(
        &self,
        topic: &Topic,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Event>, u64), Error> {
        let core = self.core()?;
        let topic = topic.clone();
        super::blocking(move || {
            let wanted = Wanted {
                topic: &topic,
                after,
                limit,
            };
            let Reading {
                mut found,
                mut last,
                stopped,
            } = read_events(&core.durable, wanted)?;
            if let Some(shown) = core.shown_sequence(&topic.company) {
                found.retain(|event| event.sequence <= shown);
                last = last.min(shown);
            }
            if after > last {
                return Err(Error::BadPosition(format!(
                    "there is no event {after} yet: the last is {last}"
                )));
            }
            let looked_at = match (found.last(), stopped) {
                (Some(event), _) if found.len() >= limit => event.sequence,
                _ if limit == 0 => after,
                (_, Some(stopped)) => stopped.min(last),
                // A commit during the scan may have brought events beyond the last that was known when it began.
                (Some(event), None) => last.max(event.sequence),
                (None, None) => last,
            };
            Ok((found, looked_at))
        })
        .await
    }

    /// The company's last sequence; 0 if there is none.
    pub async fn last_sequence(&self, company: &CompanyId) -> Result<u64, Error> {
        let core = self.core()?;
        let company = company.clone();
        super::blocking(move || {
            let last = stored_last_sequence(&core.durable, &company)?;
            Ok(core
                .shown_sequence(&company)
                .map_or(last, |shown| last.min(shown)))
        })
        .await
    }
}

/// Which events are read: those of a topic after a sequence, at most so many.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    topic: &'w Topic,
    after: u64,
    limit: usize,
}

impl Wanted<'_> {
    /// Whether those of this integration are wanted, or without one those of the directory itself.
    fn covers(&self, integration: Option<&IntegrationId>) -> bool {
        let only = self.topic.integration.as_ref();
        only.is_none() || only == integration
    }
}

/// What a reading came to.
struct Reading {
    found: Vec<Event>,
    /// The last sequence that there is.
    last: u64,
    /// Up to where it went, if it stopped though there are more rows and fewer events than wanted.
    stopped: Option<u64>,
}

/// The sequence of the earliest event that is kept, if there is any.
fn earliest(read: &impl Read, company: &CompanyId) -> Result<Option<u64>, Error> {
    let prefix = prefix(company);
    let first = read.prefix(Table::Events, &prefix).next().transpose()?;
    let first = first.map(|(key, _)| Parse(&key[prefix.len()..]).number());
    first.transpose()
}

fn read_events(read: &impl Read, wanted: Wanted<'_>) -> Result<Reading, Error> {
    let Wanted {
        topic,
        after,
        limit,
    } = wanted;
    let company = &topic.company;
    let last = stored_last_sequence(read, company)?;
    let mut reading = Reading {
        found: Vec::new(),
        last,
        stopped: None,
    };
    if after >= last || limit == 0 {
        return Ok(reading);
    }
    let prefix = prefix(company);
    let start = match read.at_or_before(Table::Events, &prefix, &key(company, after + 1)) {
        Some(row) => row?.0.to_vec(),
        None => {
            let kept = earliest(read, company)?.unwrap_or(last + 1);
            return Err(Error::BadPosition(format!(
                "events after {after} are no longer kept: the earliest kept is {kept}"
            )));
        }
    };
    let end = after_prefix(&prefix);
    let mut in_vain = 0;
    for row in read.range(Table::Events, Bound::Included(start), end, false) {
        let (key, raw) = row?;
        let first = Parse(&key[prefix.len()..]).number()?;
        let Some(row) = large::decode::<EventRow>(read, Table::Events, &key, &raw)? else {
            continue;
        };
        let upto = first + row.count.max(1) - 1;
        let before = reading.found.len();
        expand(read, first, row, wanted, &mut reading.found)?;
        if reading.found.len() >= limit {
            break;
        }
        in_vain += usize::from(reading.found.len() == before);
        if in_vain == MOST_IN_VAIN && upto > after {
            reading.stopped = Some(upto);
            break;
        }
    }
    Ok(reading)
}

/// The events of a row, those that are wanted.
fn expand(
    read: &impl Read,
    first: u64,
    row: EventRow,
    wanted: Wanted<'_>,
    found: &mut Vec<Event>,
) -> Result<(), Error> {
    let Topic {
        company, changes, ..
    } = wanted.topic;
    let time = Moment::must(row.time)?;
    let Some(Subject::Changes(refs)) = row.subject else {
        let body = row.body(company.clone())?;
        if first > wanted.after && wanted.covers(body.integration()) {
            found.push(Event {
                sequence: first,
                time,
                body,
            });
        }
        return Ok(());
    };
    if !changes {
        return Ok(());
    }
    let (integration, run) = refs.ids()?;
    if !wanted.covers(Some(&integration)) {
        return Ok(());
    }
    for chunk in refs.chunks {
        if chunk.first + u64::from(chunk.count) <= wanted.after + 1 {
            continue;
        }
        let key = chunk_key(company, &integration, &run, chunk.first);
        // Those of an integration that was deleted are gone with it.
        let Some(chunk_row) = large::get::<ChangesRow>(read, Table::Changes, &key)? else {
            continue;
        };
        for (sequence, change) in (chunk.first..).zip(chunk_row.changes) {
            if found.len() >= wanted.limit {
                return Ok(());
            }
            if sequence > wanted.after {
                let change = change.model()?;
                found.push(Event {
                    sequence,
                    time: change.time,
                    body: EventBody::Change {
                        integration: integration.clone(),
                        run: run.clone(),
                        change,
                    },
                });
            }
        }
    }
    Ok(())
}
