//! Rules.

use super::{
    Error, Moment, attribute, codes, integration_id, kind_code, kind_of, name_row, rule_id,
    value::{AttributeRow, attribute_rows, attributes},
};
use crate::{
    model::{Action, CompanyId, Condition, Mapping, Operator, Rule, RuleEvent, RunMode},
    store::keys,
};

codes!(RuleEvent, event_code, event_of, Lookup = 1);
codes!(
    Operator,
    operator_code,
    operator_of,
    Equal = 1,
    NotEqual = 2,
    Contains = 3,
    NotContains = 4,
    Matches = 7,
    StartsWith = 8,
    EndsWith = 9,
    MemberOf = 5,
    NotMemberOf = 6
);
codes!(RunMode, mode_code, mode_of, Automatic = 1, Manual = 2);
codes!(Action, action_code, action_of, Add = 1, Modify = 2);

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ConditionRow {
    #[prost(uint32, tag = "1")]
    attribute_code: u32,
    #[prost(string, tag = "2")]
    attribute_name: String,
    #[prost(uint32, tag = "3")]
    operator: u32,
    #[prost(string, repeated, tag = "4")]
    values: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct MappingRow {
    #[prost(uint32, tag = "1")]
    attribute_code: u32,
    #[prost(string, tag = "2")]
    attribute_name: String,
    #[prost(string, tag = "3")]
    expression: String,
}

/// A rule; its company is in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct RuleRow {
    #[prost(bytes = "vec", tag = "1")]
    integration: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(string, tag = "3")]
    title: String,
    #[prost(uint32, tag = "4")]
    position: u32,
    #[prost(uint32, tag = "5")]
    event: u32,
    #[prost(uint32, tag = "6")]
    source_kind: u32,
    #[prost(message, repeated, tag = "7")]
    conditions: Vec<ConditionRow>,
    #[prost(uint32, tag = "8")]
    action: u32,
    #[prost(uint32, tag = "9")]
    target_kind: u32,
    #[prost(message, repeated, tag = "10")]
    defaults: Vec<AttributeRow>,
    #[prost(uint32, tag = "11")]
    run_mode: u32,
    #[prost(bool, tag = "12")]
    active: bool,
    #[prost(message, optional, tag = "13")]
    create_time: Option<Moment>,
    #[prost(message, optional, tag = "14")]
    update_time: Option<Moment>,
    #[prost(message, repeated, tag = "15")]
    mappings: Vec<MappingRow>,
}

impl RuleRow {
    pub(in crate::store) fn row(rule: &Rule) -> Self {
        let Rule {
            company: _,
            integration,
            id,
            title,
            position,
            event,
            source_kind,
            conditions,
            action,
            target_kind,
            defaults,
            mappings,
            run_mode,
            active,
            create_time,
            update_time,
        } = rule;
        Self {
            integration: keys::pack(integration.as_str()),
            id: keys::pack(id.as_str()),
            title: title.clone(),
            position: *position,
            event: event_code(*event),
            source_kind: kind_code(*source_kind),
            conditions: conditions.iter().map(condition_row).collect(),
            action: action_code(*action),
            target_kind: kind_code(*target_kind),
            defaults: attribute_rows(defaults.clone()),
            run_mode: mode_code(*run_mode),
            active: *active,
            create_time: Some(Moment::row(*create_time)),
            update_time: Some(Moment::row(*update_time)),
            mappings: mappings.iter().map(mapping_row).collect(),
        }
    }

    pub(in crate::store) fn model(self, company: CompanyId) -> Result<Rule, Error> {
        Ok(Rule {
            company,
            integration: integration_id(&self.integration)?,
            id: rule_id(&self.id)?,
            title: self.title,
            position: self.position,
            event: event_of(self.event)?,
            source_kind: kind_of(self.source_kind)?,
            conditions: self
                .conditions
                .into_iter()
                .map(condition)
                .collect::<Result<_, _>>()?,
            action: action_of(self.action)?,
            target_kind: kind_of(self.target_kind)?,
            defaults: attributes(self.defaults)?,
            mappings: self
                .mappings
                .into_iter()
                .map(mapping)
                .collect::<Result<_, _>>()?,
            run_mode: mode_of(self.run_mode)?,
            active: self.active,
            create_time: Moment::must(self.create_time)?,
            update_time: Moment::must(self.update_time)?,
        })
    }
}

fn condition_row(condition: &Condition) -> ConditionRow {
    let Condition {
        attribute,
        operator,
        values,
    } = condition;
    let (attribute_code, attribute_name) = name_row(attribute);
    ConditionRow {
        attribute_code,
        attribute_name,
        operator: operator_code(*operator),
        values: values.clone(),
    }
}

fn condition(row: ConditionRow) -> Result<Condition, Error> {
    Ok(Condition {
        attribute: attribute(row.attribute_code, &row.attribute_name)?,
        operator: operator_of(row.operator)?,
        values: row.values,
    })
}

fn mapping_row(mapping: &Mapping) -> MappingRow {
    let Mapping {
        attribute,
        expression,
    } = mapping;
    let (attribute_code, attribute_name) = name_row(attribute);
    MappingRow {
        attribute_code,
        attribute_name,
        expression: expression.clone(),
    }
}

fn mapping(row: MappingRow) -> Result<Mapping, Error> {
    Ok(Mapping {
        attribute: attribute(row.attribute_code, &row.attribute_name)?,
        expression: row.expression,
    })
}
