//! Moments, values and attributes.

use super::{Error, USER_NAME, attribute, name_row};
use crate::model::{Attributes, Time, Value};

/// A moment.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::store) struct Moment {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Moment {
    pub(in crate::store) fn row(time: Time) -> Self {
        Self {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        }
    }

    pub(in crate::store) fn maybe(time: Option<Time>) -> Option<Self> {
        time.map(Self::row)
    }

    pub(in crate::store) fn time(self) -> Result<Time, Error> {
        Time::new(self.seconds, self.nanos).map_err(|_| Error::unreadable("a time"))
    }

    /// A moment that must be there.
    pub(in crate::store) fn must(row: Option<Self>) -> Result<Time, Error> {
        super::present(row, "a time")?.time()
    }

    pub(in crate::store) fn optional(row: Option<Self>) -> Result<Option<Time>, Error> {
        row.map(Self::time).transpose()
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ListRow {
    #[prost(string, repeated, tag = "1")]
    items: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(in crate::store) enum AnyValue {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Yes(bool),
    #[prost(message, tag = "3")]
    List(ListRow),
}

/// A value.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ValueRow {
    #[prost(oneof = "AnyValue", tags = "1, 2, 3")]
    value: Option<AnyValue>,
}

impl ValueRow {
    pub(super) fn row(value: Value) -> Self {
        let value = match value {
            Value::Text(text) => AnyValue::Text(text),
            Value::Bool(yes) => AnyValue::Yes(yes),
            Value::List(items) => AnyValue::List(ListRow { items }),
        };
        Self { value: Some(value) }
    }

    pub(super) fn value(self) -> Result<Value, Error> {
        Ok(match super::present(self.value, "a value")? {
            AnyValue::Text(text) => Value::Text(text),
            AnyValue::Yes(yes) => Value::Bool(yes),
            AnyValue::List(list) => Value::List(list.items),
        })
    }
}

/// An attribute with its value.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct AttributeRow {
    #[prost(uint32, tag = "1")]
    code: u32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, optional, tag = "3")]
    value: Option<ValueRow>,
}

impl AttributeRow {
    /// The text, if this is the primary address.
    pub(super) fn user_name(&self) -> Option<&str> {
        match &self.value {
            Some(ValueRow {
                value: Some(AnyValue::Text(text)),
            }) if self.code == USER_NAME => Some(text),
            _ => None,
        }
    }
}

pub(super) fn attribute_rows(attributes: Attributes) -> Vec<AttributeRow> {
    attributes
        .into_iter()
        .map(|(name, value)| {
            let (code, name) = name_row(&name);
            AttributeRow {
                code,
                name,
                value: Some(ValueRow::row(value)),
            }
        })
        .collect()
}

pub(super) fn attributes(rows: Vec<AttributeRow>) -> Result<Attributes, Error> {
    rows.into_iter()
        .map(|row| {
            let value = super::present(row.value, "a value")?.value()?;
            Ok((attribute(row.code, &row.name)?, value))
        })
        .collect()
}
