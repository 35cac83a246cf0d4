//! Something changes at Google between two runs, and ends as the semantics say.

#![allow(clippy::unwrap_used, clippy::panic)]

mod addresses;
mod again;
mod at_scale;
mod attributes;
mod beside;
mod mappings;
mod memberships;
mod one_object;
mod others;
mod owners;
mod previews;
pub mod scene;
mod scope;
