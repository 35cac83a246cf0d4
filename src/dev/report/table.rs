//! The table of what was synced.

use super::super::text::count;
use crate::proto::v1::{Counters, MembershipCounters};

/// Column titles; the second part says whether the column is shown when it holds nothing.
const COLUMNS: [(&str, bool); 10] = [
    ("read", true),
    ("added", true),
    ("updated", true),
    ("unchanged", true),
    ("skipped", true),
    ("failed", true),
    ("removed", false),
    ("pending", false),
    ("deferred", false),
    ("out of scope", false),
];

/// A kind of thing with its numbers, in the order of [`COLUMNS`]; None = it has no such number.
pub(super) struct Row {
    name: String,
    cells: [Option<i64>; COLUMNS.len()],
}

impl Row {
    /// Objects: users or groups.
    pub(super) fn of_objects(name: &str, counters: &Counters) -> Self {
        let Counters {
            considered,
            out_of_scope,
            in_scope: _,
            unchanged,
            added,
            modified,
            skipped,
            failed,
            deferred,
        } = counters;
        let cells = [
            Some(*considered),
            Some(*added),
            Some(*modified),
            Some(*unchanged),
            Some(*skipped),
            Some(*failed),
            None,
            None,
            Some(*deferred),
            Some(*out_of_scope),
        ];
        Self {
            name: name.to_owned(),
            cells,
        }
    }

    /// Memberships of groups.
    pub(super) fn of_memberships(counters: &MembershipCounters) -> Self {
        let MembershipCounters {
            considered,
            unchanged,
            added,
            removed,
            pending,
            skipped,
            failed,
        } = counters;
        let cells = [
            Some(*considered),
            Some(*added),
            None,
            Some(*unchanged),
            Some(*skipped),
            Some(*failed),
            Some(*removed),
            Some(*pending),
            None,
            None,
        ];
        Self {
            name: "memberships".to_owned(),
            cells,
        }
    }
}

/// The table, a line a row, numbers to the right.
pub(super) fn render(rows: &[Row]) -> String {
    let shown = COLUMNS.iter().enumerate().filter(|(index, (_, always))| {
        *always
            || rows.iter().any(|row| {
                row.cells
                    .get(*index)
                    .copied()
                    .flatten()
                    .is_some_and(|number| number != 0)
            })
    });
    let name_width = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = vec![" ".repeat(name_width)];
    lines.extend(rows.iter().map(|row| format!("{:name_width$}", row.name)));
    for (index, (title, _)) in shown {
        let mut column = vec![(*title).to_owned()];
        column.extend(rows.iter().map(|row| {
            row.cells
                .get(index)
                .copied()
                .flatten()
                .map_or_else(|| "-".to_owned(), count)
        }));
        let width = column.iter().map(String::len).max().unwrap_or(0);
        for (line, cell) in lines.iter_mut().zip(column) {
            *line += &format!("  {cell:>width$}");
        }
    }
    lines
        .iter()
        .map(|line| format!("  {}\n", line.trim_end()))
        .collect()
}
