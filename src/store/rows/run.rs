//! Runs.

use super::{
    Error, Moment,
    change::{ObjectRow, object, object_row},
    codes, integration_id, rule_id, run_id, uid,
};
use crate::{
    model::{
        CompanyId, Counters, MemberCounters, Phase, RequestCounts, RuleCounters, Run, RunError,
        RunState, Tally, Trigger,
    },
    store::keys,
};
use std::{collections::BTreeMap, time::Duration};

codes!(
    Trigger,
    trigger_code,
    trigger_of,
    Manual = 1,
    Recovery = 2,
    Schedule = 3
);
codes!(Phase, phase_code, phase_of, Reading = 1, Applying = 2);
codes!(
    RunState,
    state_code,
    state_of,
    Queued = 1,
    Running = 2,
    Succeeded = 3,
    SucceededWithFailures = 4,
    Failed = 5,
    Cancelled = 6,
    Interrupted = 7,
);

/// Declares a message of counters and its conversions.
macro_rules! counters {
    ($(#[$doc:meta])* $row:ident, $model:ident: $($field:ident = $tag:literal),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, prost::Message)]
        pub(in crate::store) struct $row {
            $(#[prost(uint64, tag = $tag)] $field: u64,)*
        }
        impl From<&$model> for $row {
            fn from(model: &$model) -> Self {
                let $model { $($field),* } = *model;
                Self { $($field),* }
            }
        }
        impl From<$row> for $model {
            fn from(row: $row) -> Self {
                Self { $($field: row.$field),* }
            }
        }
    };
}

counters!(
    /// Counts of objects.
    CountersRow, Counters: considered = "1", out_of_scope = "2", unchanged = "3", added = "4", modified = "5",
    skipped = "6", failed = "7", deferred = "8"
);
counters!(
    /// Counts of memberships.
    MemberCountersRow, MemberCounters: considered = "1", unchanged = "2", added = "3", removed = "4", pending = "5",
    skipped = "6", failed = "7"
);

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct RuleCountersRow {
    #[prost(bytes = "vec", tag = "1")]
    rule: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    counters: Option<CountersRow>,
}

/// A run; its company is in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct RunRow {
    #[prost(bytes = "vec", tag = "1")]
    integration: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    uid: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    rules: Vec<Vec<u8>>,
    #[prost(uint32, tag = "5")]
    trigger: u32,
    #[prost(uint32, tag = "6")]
    state: u32,
    /// 0 = none.
    #[prost(uint32, tag = "7")]
    phase: u32,
    #[prost(message, optional, tag = "8")]
    objects: Option<CountersRow>,
    #[prost(message, optional, tag = "9")]
    members: Option<MemberCountersRow>,
    #[prost(message, repeated, tag = "10")]
    by_rule: Vec<RuleCountersRow>,
    #[prost(btree_map = "string, uint64", tag = "11")]
    skips: BTreeMap<String, u64>,
    #[prost(btree_map = "string, uint64", tag = "12")]
    requests: BTreeMap<String, u64>,
    #[prost(uint64, tag = "13")]
    retries: u64,
    /// Nanoseconds.
    #[prost(uint64, tag = "14")]
    throttled: u64,
    #[prost(string, tag = "15")]
    requested_by: String,
    #[prost(message, optional, tag = "16")]
    pub(in crate::store) create_time: Option<Moment>,
    #[prost(message, optional, tag = "17")]
    pub(in crate::store) start_time: Option<Moment>,
    #[prost(message, optional, tag = "18")]
    end_time: Option<Moment>,
    #[prost(string, optional, tag = "19")]
    error_code: Option<String>,
    #[prost(string, tag = "20")]
    error_text: String,
    #[prost(message, optional, tag = "27")]
    scheduled_time: Option<Moment>,
    #[prost(bool, tag = "28")]
    made_up: bool,
    #[prost(message, optional, tag = "29")]
    pub(in crate::store) object: Option<ObjectRow>,
    #[prost(bool, tag = "30")]
    pub(in crate::store) preview: bool,
}

/// Only what tells whether a run goes on.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct RunStateRow {
    #[prost(uint32, tag = "6")]
    state: u32,
}

impl RunStateRow {
    pub(in crate::store) fn state(&self) -> Result<RunState, Error> {
        state_of(self.state)
    }
}

impl RunRow {
    pub(in crate::store) fn row(run: &Run) -> Self {
        let Run {
            company: _,
            integration,
            integration_uid,
            id,
            rules,
            trigger,
            state,
            phase,
            tally,
            requests,
            requested_by,
            create_time,
            start_time,
            end_time,
            error,
            scheduled_time,
            made_up,
            object,
            preview,
        } = run;
        let Tally {
            objects,
            members,
            rules: by_rule,
            skips,
        } = tally;
        let RequestCounts {
            by_method,
            retries,
            throttled,
        } = requests;
        let error = error.as_ref();
        Self {
            integration: keys::pack(integration.as_str()),
            uid: integration_uid.0.as_bytes().to_vec(),
            id: keys::pack(id.as_str()),
            rules: rules.iter().map(|r| keys::pack(r.as_str())).collect(),
            trigger: trigger_code(*trigger),
            state: state_code(*state),
            phase: phase.map_or(0, phase_code),
            objects: Some(objects.into()),
            members: Some(members.into()),
            by_rule: by_rule.iter().map(by_rule_row).collect(),
            skips: skips.clone(),
            requests: by_method.clone(),
            retries: *retries,
            throttled: u64::try_from(throttled.as_nanos()).unwrap_or(u64::MAX),
            requested_by: requested_by.clone(),
            create_time: Some(Moment::row(*create_time)),
            start_time: Moment::maybe(*start_time),
            end_time: Moment::maybe(*end_time),
            error_code: error.map(|RunError { code, .. }| code.clone()),
            error_text: error
                .map(|RunError { text, .. }| text.clone())
                .unwrap_or_default(),
            scheduled_time: Moment::maybe(*scheduled_time),
            made_up: *made_up,
            object: object.clone().map(object_row),
            preview: *preview,
        }
    }

    pub(in crate::store) fn model(self, company: CompanyId) -> Result<Run, Error> {
        let error_text = self.error_text;
        let rules = self.rules.iter().map(|rule| rule_id(rule));
        let by_rule = self.by_rule.iter().map(by_rule);
        Ok(Run {
            company,
            integration: integration_id(&self.integration)?,
            integration_uid: uid(&self.uid)?,
            id: run_id(&self.id)?,
            rules: rules.collect::<Result<_, _>>()?,
            trigger: trigger_of(self.trigger)?,
            state: state_of(self.state)?,
            phase: match self.phase {
                0 => None,
                code => Some(phase_of(code)?),
            },
            tally: Tally {
                objects: self.objects.unwrap_or_default().into(),
                members: self.members.unwrap_or_default().into(),
                rules: by_rule.collect::<Result<_, _>>()?,
                skips: self.skips,
            },
            requests: RequestCounts {
                by_method: self.requests,
                retries: self.retries,
                throttled: Duration::from_nanos(self.throttled),
            },
            requested_by: self.requested_by,
            create_time: Moment::must(self.create_time)?,
            start_time: Moment::optional(self.start_time)?,
            end_time: Moment::optional(self.end_time)?,
            error: self.error_code.map(|code| RunError {
                code,
                text: error_text,
            }),
            scheduled_time: Moment::optional(self.scheduled_time)?,
            made_up: self.made_up,
            object: self.object.map(object).transpose()?,
            preview: self.preview,
        })
    }
}

fn by_rule_row(counted: &RuleCounters) -> RuleCountersRow {
    let RuleCounters { rule, counters } = counted;
    RuleCountersRow {
        rule: keys::pack(rule.as_str()),
        counters: Some(counters.into()),
    }
}

fn by_rule(row: &RuleCountersRow) -> Result<RuleCounters, Error> {
    Ok(RuleCounters {
        rule: rule_id(&row.rule)?,
        counters: row.counters.unwrap_or_default().into(),
    })
}
