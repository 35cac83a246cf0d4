//! Pins the stored bytes of every row: a change of these is a change of the format, for which older stores must still be read.

mod runs;
mod settings;

use super::*;
use crate::model::*;
use prost::Message;
use std::time::Duration;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks the bytes and that they are read back as the same row.
fn pinned<M: Message + Default + PartialEq + std::fmt::Debug>(row: &M, bytes: &str) {
    assert_eq!(hex(&row.encode_to_vec()), bytes);
    assert_eq!(&M::decode(row.encode_to_vec().as_slice()).unwrap(), row);
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n << 120 | n)
}

fn time() -> Time {
    Time::new(1_795_000_000, 5).unwrap()
}

fn company() -> CompanyId {
    CompanyId::try_new("acme").unwrap()
}

fn integration_id() -> IntegrationId {
    IntegrationId::try_new("main").unwrap()
}

fn run_id() -> RunId {
    RunId::try_new(&uuid(3).to_string()).unwrap()
}

fn rule_id() -> RuleId {
    RuleId::try_new("users").unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn attributes() -> Attributes {
    Attributes::from_iter([
        (Attribute::USER_NAME, text("a@x")),
        (Attribute::ACTIVE, Value::Bool(false)),
        (Attribute::ALIASES, Value::List(vec!["b@x".to_owned()])),
        (Attribute::new("own.name"), text("v")),
    ])
}
