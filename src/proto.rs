//! The generated code of `proto/`: messages, servers and clients. Shared by `grpc`, `dev` and the tests; nothing else speaks it.

#[allow(
    clippy::all,
    clippy::too_many_lines,
    missing_docs,
    unused_qualifications,
    rustdoc::all
)]
mod generated {
    tonic::include_proto!("pb");
}

pub use generated::appsco::provisioning::v1;

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
