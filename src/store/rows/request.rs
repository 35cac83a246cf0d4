//! Requests that made something, by which their repetition is recognized.

use super::Moment;

/// What a request made; company and request id are in its key.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct RequestRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::store) body: Vec<u8>,
    /// Key of what it made, in the table of its kind.
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::store) made: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::store) expire_time: Option<Moment>,
}
