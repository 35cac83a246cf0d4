//! The tables, and reading them: the same way outside (what was committed) and inside a write (what it has put so far).

use super::{
    Error,
    began::{Began, Noted},
    grouped::{self, Near},
    txn::Buffer,
};
use sled::IVec;
use std::ops::Bound;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A table. Few and fixed: never one per company or run. New ones come last: the place is part of the keys.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Table { $($(#[$doc])* $name,)* }
        impl Table {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),*];
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

tables! {
    /// One row: format, epoch, check of the sealing key.
    Meta = "meta",
    /// company, integration.
    Integrations = "integrations",
    /// system, customer -> company.
    Customers = "customers",
    /// company, integration, rule.
    Rules = "rules",
    /// hash of the state -> pending authorization.
    Pending = "pending",
    /// integration uid, purpose -> sealed secret.
    Secrets = "secrets",
    /// company, kind, entity.
    Entities = "entities",
    /// company, folded address -> kind, entity.
    Emails = "emails",
    /// company, group, lower bound -> members, packed.
    Members = "members",
    /// company, kind, member, lower bound -> groups, packed.
    MemberOf = "member_of",
    /// integration uid, kind, source id.
    Links = "links",
    /// integration uid, source id of a group, lower bound -> remembered members, packed.
    Remembered = "remembered",
    /// company, integration, run.
    Runs = "runs",
    /// company, integration, run, first sequence -> changes, packed.
    Changes = "changes",
    /// company, first sequence -> event, or where its changes are.
    Events = "events",
    /// company, request id -> what it made.
    Requests = "requests",
    /// table, key, part -> the rest of a value that is too large for one row.
    Parts = "parts",
    /// due time, company, integration.
    Schedule = "schedule",
    /// company, kind, entity -> what was deleted and can be had back.
    Deleted = "deleted",
    /// company, kind, entity that was deleted, lower bound -> the groups that it was in, packed.
    DeletedIn = "deleted_in",
}

pub(super) type Row = Result<(IVec, IVec), Error>;
pub(super) type Rows<'a> = Box<dyn Iterator<Item = Row> + 'a>;

/// Reads rows.
pub(super) trait Read {
    /// The raw value of a key.
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<IVec>, Error>;
    /// Raw rows between two keys, upwards or downwards.
    fn range(&self, table: Table, from: Bound<Vec<u8>>, to: Bound<Vec<u8>>, down: bool)
    -> Rows<'_>;

    /// Raw rows whose key starts with `prefix`, upwards.
    fn prefix(&self, table: Table, prefix: &[u8]) -> Rows<'_> {
        let (from, to) = prefix_bounds(prefix);
        self.range(table, from, to, false)
    }

    /// Raw rows whose key starts with `prefix`, downwards.
    fn prefix_down(&self, table: Table, prefix: &[u8]) -> Rows<'_> {
        let (from, to) = prefix_bounds(prefix);
        self.range(table, from, to, true)
    }

    /// The key of the last run over all objects that began, of an integration by its part of the key.
    fn last_began(&self, integration: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The last row under `prefix` whose key is not above `key`.
    fn at_or_before(&self, table: Table, prefix: &[u8], key: &[u8]) -> Option<Row> {
        self.range(
            table,
            Bound::Included(prefix.to_vec()),
            Bound::Included(key.to_vec()),
            true,
        )
        .next()
    }
}

/// The bounds of all keys that start with `prefix`.
pub(super) fn prefix_bounds(prefix: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    (Bound::Included(prefix.to_vec()), after_prefix(prefix))
}

/// The upper bound of all keys that start with `prefix`.
pub(super) fn after_prefix(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

/// All tables, with what was committed; the newest of it may be on its way to the disk (`reading.rs`). They are one tree, in which a key
/// begins with the place of its table: what is written together is then one batch, where a transaction over several trees would look up
/// every key once more. Of some tables several rows share a record of it (`grouped.rs`).
pub(super) struct Durable {
    tree: sled::Tree,
    began: Began,
}

/// The key in the tree.
pub(super) fn placed(table: Table, key: &[u8]) -> Vec<u8> {
    let mut placed = Vec::with_capacity(1 + key.len());
    placed.push(table as u8);
    placed.extend_from_slice(key);
    placed
}

/// The upper bound in the tree.
pub(super) fn placed_end(table: Table, to: Bound<&Vec<u8>>) -> Bound<Vec<u8>> {
    match to {
        Bound::Unbounded => after_prefix(&[table as u8]),
        bound => bound.map(|key| placed(table, key)),
    }
}

impl Durable {
    pub(super) fn open(db: &sled::Db) -> Result<Self, Error> {
        Ok(Self {
            tree: db.open_tree("rows")?,
            began: Began::default(),
        })
    }

    /// Finds out what is kept in memory of what is in the tables.
    pub(super) fn find(&self) -> Result<(), Error> {
        self.began.find(self)
    }

    /// Runs were written.
    pub(super) fn note_runs(&self, noted: &[Noted]) -> Result<(), Error> {
        self.began.note(self, noted)
    }

    /// Puts (`Some`) and deletes (`None`) rows of tables: all of them or none.
    pub(super) fn apply(
        &self,
        changes: impl IntoIterator<Item = (Table, Buffer)>,
    ) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        for (table, changes) in changes {
            if grouped::is_grouped(table) {
                grouped::apply(&self.tree, table, changes, &mut batch)?;
                continue;
            }
            for (key, value) in changes {
                match value {
                    Some(value) => batch.insert(placed(table, &key), value),
                    None => batch.remove(placed(table, &key)),
                }
            }
        }
        Ok(self.tree.apply_batch(batch)?)
    }

    /// The raw value of a key, of which the last one read with the same `near` may be a neighbour. Nothing may be written meanwhile.
    pub(super) fn near(
        &self,
        near: &mut Near,
        table: Table,
        key: &[u8],
    ) -> Result<Option<IVec>, Error> {
        match grouped::is_grouped(table) {
            true => near.get(&self.tree, table, key),
            false => self.raw(table, key),
        }
    }
}

impl Read for Durable {
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<IVec>, Error> {
        if grouped::is_grouped(table) {
            return grouped::get(&self.tree, table, key);
        }
        Ok(self.tree.get(placed(table, key))?)
    }

    fn last_began(&self, integration: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.began.last(integration))
    }

    fn range(
        &self,
        table: Table,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
        down: bool,
    ) -> Rows<'_> {
        if is_empty(&from, &to) {
            return Box::new(std::iter::empty());
        }
        if grouped::is_grouped(table) {
            return match grouped::range(&self.tree, table, (from, to), down) {
                Ok(rows) => Box::new(rows),
                Err(error) => Box::new(std::iter::once(Err(error))),
            };
        }
        let from = match from {
            Bound::Unbounded => Bound::Included(placed(table, &[])),
            bound => bound.map(|key| placed(table, &key)),
        };
        let to = placed_end(table, to.as_ref());
        let rows = self.tree.range::<Vec<u8>, _>((from, to)).map(|row| {
            let (key, value) = row?;
            Ok((key.subslice(1, key.len() - 1), value))
        });
        if down {
            Box::new(rows.rev())
        } else {
            Box::new(rows)
        }
    }
}

/// Whether no key can be between them; maps and the tree panic or misbehave on such bounds.
pub(super) fn is_empty(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Included(a), Bound::Included(b)) => a > b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b))
        | (Bound::Excluded(a), Bound::Included(b)) => a >= b,
        _ => false,
    }
}
