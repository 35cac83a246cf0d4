//! Head and end of a backup.

use super::Moment;

/// What a backup begins with.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct BackupHeadRow {
    /// The stored form of everything in it.
    #[prost(uint32, tag = "1")]
    pub(in crate::store) store_format: u32,
    /// Of the store that was backed up.
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::store) epoch: Vec<u8>,
    /// The moment whose state it is.
    #[prost(message, optional, tag = "3")]
    pub(in crate::store) take_time: Option<Moment>,
    /// Names of the tables, in the order of their numbers.
    #[prost(string, repeated, tag = "4")]
    pub(in crate::store) tables: Vec<String>,
}

/// What a backup ends with.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct BackupEndRow {
    /// How many records there are of each table.
    #[prost(uint64, repeated, tag = "1")]
    pub(in crate::store) counts: Vec<u64>,
}
