//! The simulator of Google, judged over HTTP by Google's own documents and client.

mod client;
mod oauth;
