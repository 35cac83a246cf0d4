//! Recorded outcomes.

use super::{
    Error, Moment, attribute, codes, kind_code, kind_of, name_row,
    rule::{action_code, action_of},
    rule_id,
    value::ValueRow,
};
use crate::{
    model::{Change, Diff, ObjectRef, Outcome, Reason},
    store::keys,
};

codes!(
    Outcome,
    outcome_code,
    outcome_of,
    Applied = 1,
    Skipped = 2,
    Failed = 3,
    Deferred = 4,
    Planned = 5
);

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ObjectRow {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(string, tag = "2")]
    id: String,
    #[prost(string, tag = "3")]
    label: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ReasonRow {
    #[prost(string, tag = "1")]
    code: String,
    #[prost(string, tag = "2")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct DiffRow {
    #[prost(uint32, tag = "1")]
    attribute_code: u32,
    #[prost(string, tag = "2")]
    attribute_name: String,
    #[prost(message, optional, tag = "3")]
    old: Option<ValueRow>,
    #[prost(message, optional, tag = "4")]
    new: Option<ValueRow>,
}

/// A recorded outcome.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ChangeRow {
    #[prost(bytes = "vec", tag = "1")]
    rule: Vec<u8>,
    /// 0 = none.
    #[prost(uint32, tag = "2")]
    action: u32,
    #[prost(message, optional, tag = "3")]
    source: Option<ObjectRow>,
    #[prost(message, optional, tag = "4")]
    target: Option<ObjectRow>,
    #[prost(uint32, tag = "5")]
    outcome: u32,
    #[prost(message, optional, tag = "6")]
    reason: Option<ReasonRow>,
    #[prost(message, repeated, tag = "7")]
    diffs: Vec<DiffRow>,
    #[prost(message, optional, tag = "8")]
    time: Option<Moment>,
}

/// Some recorded outcomes of a run, in order.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ChangesRow {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::store) changes: Vec<ChangeRow>,
}

impl ChangeRow {
    pub(in crate::store) fn row(change: Change) -> Self {
        let Change {
            rule,
            action,
            source,
            target,
            outcome,
            reason,
            diffs,
            time,
        } = change;
        Self {
            rule: rule
                .as_ref()
                .map(|rule| keys::pack(rule.as_str()))
                .unwrap_or_default(),
            action: action.map_or(0, action_code),
            source: Some(object_row(source)),
            target: target.map(object_row),
            outcome: outcome_code(outcome),
            reason: reason.map(|Reason { code, text }| ReasonRow { code, text }),
            diffs: diffs.into_iter().map(diff_row).collect(),
            time: Some(Moment::row(time)),
        }
    }

    pub(in crate::store) fn model(self) -> Result<Change, Error> {
        Ok(Change {
            rule: super::optional(&self.rule, rule_id)?,
            action: match self.action {
                0 => None,
                code => Some(action_of(code)?),
            },
            source: object(super::present(self.source, "the source of a change")?)?,
            target: self.target.map(object).transpose()?,
            outcome: outcome_of(self.outcome)?,
            reason: self.reason.map(|row| Reason {
                code: row.code,
                text: row.text,
            }),
            diffs: self.diffs.into_iter().map(diff).collect::<Result<_, _>>()?,
            time: Moment::must(self.time)?,
        })
    }
}

pub(super) fn object_row(object: ObjectRef) -> ObjectRow {
    let ObjectRef { kind, id, label } = object;
    ObjectRow {
        kind: kind_code(kind),
        id,
        label,
    }
}

pub(super) fn object(row: ObjectRow) -> Result<ObjectRef, Error> {
    Ok(ObjectRef {
        kind: kind_of(row.kind)?,
        id: row.id,
        label: row.label,
    })
}

fn diff_row(diff: Diff) -> DiffRow {
    let Diff {
        attribute,
        old,
        new,
    } = diff;
    let (attribute_code, attribute_name) = name_row(&attribute);
    DiffRow {
        attribute_code,
        attribute_name,
        old: old.map(ValueRow::row),
        new: new.map(ValueRow::row),
    }
}

fn diff(row: DiffRow) -> Result<Diff, Error> {
    Ok(Diff {
        attribute: attribute(row.attribute_code, &row.attribute_name)?,
        old: row.old.map(ValueRow::value).transpose()?,
        new: row.new.map(ValueRow::value).transpose()?,
    })
}
