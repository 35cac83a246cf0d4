//! The generated code of `proto/`: messages, servers and clients. Shared by `grpc`, `dev` and the tests; nothing else speaks it.

use prost::{
    DecodeError, Message,
    bytes::{Buf, BufMut},
    encoding::{DecodeContext, WireType, skip_field},
};
use std::sync::Arc;

#[allow(
    clippy::all,
    clippy::too_many_lines,
    missing_docs,
    unused_qualifications,
    rustdoc::all
)]
mod generated {
    tonic::include_proto!("pb");

    pub mod servers {
        tonic::include_proto!("servers/pb");
    }
}

/// Version 1 of the API.
pub mod v1 {
    pub use super::generated::{appsco::provisioning::v1::*, servers::appsco::provisioning::v1::*};
}

/// A message as it goes over the wire: encoded once, to however many it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded(pub Arc<[u8]>);

impl Encoded {
    /// Encodes a message.
    pub fn new(message: &impl Message) -> Self {
        Self(message.encode_to_vec().into())
    }
}

/// Stands in for the message that was encoded. Servers only send it; decoding skips everything.
impl Message for Encoded {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, buf, context)
    }

    fn clear(&mut self) {
        self.0 = Arc::default();
    }
}

impl std::fmt::Debug for v1::ServiceAccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("ServiceAccountKey");
        shown
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// The files of `proto/`, with their comments: what reflection serves.
pub const DESCRIPTOR: &[u8] = tonic::include_file_descriptor_set!("descriptor");
