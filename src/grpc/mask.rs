//! Update masks (AIP-134): a table says what may become of each field, one row a path.

use super::fields::Notes;
use crate::model::Violation;
use prost_types::FieldMask;
use std::collections::BTreeSet;

/// The field of every request that holds the mask.
const FIELD: &str = "update_mask";
/// Most paths in a mask: more than any resource has fields.
const MOST: usize = 100;
/// Why a mask can't name what the daemon sets.
const OUTPUT: &str = "is set by the daemon: leave it out of the mask";

/// What may become of a field.
pub(super) enum May<M> {
    /// A caller may set it.
    Set {
        /// Whether a message holds it.
        given: fn(&M) -> bool,
        /// Takes it from the one sent into the one kept.
        take: fn(&mut M, &mut M),
    },
    /// It never changes here, for this reason.
    Fixed {
        /// Why.
        why: &'static str,
        /// Whether the one sent holds another value than the one kept.
        differs: fn(&M, &M) -> bool,
    },
    /// It is the daemon's own.
    Output,
}

/// A path, and what may become of its field.
pub(super) type Row<M> = (&'static str, May<M>);

/// Whether a field holds something else than its default.
pub(super) fn is_given<T: Default + PartialEq>(value: &T) -> bool {
    *value != T::default()
}

/// A row for a field that a caller may set.
macro_rules! settable {
    ($field:ident) => {
        (
            stringify!($field),
            $crate::grpc::mask::May::Set {
                given: |sent| $crate::grpc::mask::is_given(&sent.$field),
                take: |kept, sent| kept.$field = std::mem::take(&mut sent.$field),
            },
        )
    };
}

/// A row for a field that never changes here.
macro_rules! fixed {
    ($field:ident, $why:expr) => {
        (
            stringify!($field),
            $crate::grpc::mask::May::Fixed {
                why: $why,
                differs: |sent, kept| {
                    $crate::grpc::mask::is_given(&sent.$field) && sent.$field != kept.$field
                },
            },
        )
    };
}

/// Rows for fields that are the daemon's own.
macro_rules! output {
    ($field:ident) => {
        (stringify!($field), $crate::grpc::mask::May::Output)
    };
}

pub(super) use {fixed, output, settable};

/// Whether a field lies within another, or is the same.
fn within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Notes what a mask must not name.
pub(super) fn check<M>(notes: &mut Notes, table: &[Row<M>], mask: Option<&FieldMask>) {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if !is_all(paths) {
        named(notes, table, paths);
    }
}

/// Whether a mask names a field.
pub(super) fn names(mask: Option<&FieldMask>, field: &str) -> bool {
    mask.is_some_and(|mask| mask.paths.iter().any(|path| path == field))
}

fn is_all(paths: &[String]) -> bool {
    matches!(paths, [only] if only == "*")
}

/// Lays over `kept` what `sent` holds of the fields that the mask names: all that may be set for `*`, those of them that are
/// given for an empty mask. Notes what the mask must not name; `of` is the resource's field in the request.
pub(super) fn lay_over<M>(
    notes: &mut Notes,
    (of, table): (&str, &[Row<M>]),
    mask: Option<FieldMask>,
    mut sent: M,
    kept: &mut M,
) {
    let paths = mask.unwrap_or_default().paths;
    let all = is_all(&paths);
    if !all && !paths.is_empty() {
        // Each once, however often it is named: what was taken is gone from the one sent.
        for row in named(notes, table, &paths) {
            if let Some((_, May::Set { take, .. })) = table.get(row) {
                take(kept, &mut sent);
            }
        }
        return;
    }
    for (path, may) in table {
        match may {
            May::Set { given, take } if all || given(&sent) => take(kept, &mut sent),
            May::Fixed { why, differs } if differs(&sent, kept) => {
                let field = format!("{of}.{path}");
                notes.0.push(Violation::new(field, *why));
            }
            _ => {}
        }
    }
}

/// The rows that a mask names.
fn named<M>(notes: &mut Notes, table: &[Row<M>], paths: &[String]) -> BTreeSet<usize> {
    let mut rows = BTreeSet::new();
    if !notes.few(FIELD, paths, MOST) {
        return rows;
    }
    for path in paths {
        match rows_of(table, path) {
            Ok(more) => rows.extend(more),
            Err(why) => notes.0.push(Violation::new(FIELD, why)),
        }
    }
    rows
}

/// The rows that a path names.
fn rows_of<M>(table: &[Row<M>], path: &str) -> Result<Vec<usize>, String> {
    let mut rows = Vec::new();
    for (at, (row, may)) in table.iter().enumerate() {
        match may {
            May::Set { .. } if within(row, path) => rows.push(at),
            May::Fixed { why, .. } if within(path, row) => return Err(format!("{path} {why}")),
            May::Output if within(path, row) => return Err(format!("{path} {OUTPUT}")),
            _ => {}
        }
    }
    if !rows.is_empty() {
        return Ok(rows);
    }
    if path == "*" {
        return Err("* stands for every field: give it alone".to_owned());
    }
    let settable = table
        .iter()
        .filter(|(_, may)| matches!(may, May::Set { .. }));
    let names: Vec<_> = settable.map(|(path, _)| *path).collect();
    Err(format!(
        "{path:?} is no field that can be changed; those are: {}",
        names.join(", ")
    ))
}

#[cfg(test)]
pub(super) mod tests;
