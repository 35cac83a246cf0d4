//! The store as everybody else sees it: these tests speak only its API, so that another engine in its place can be judged by them.

// Helpers count as no tests for clippy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authorizations;
mod backup;
mod crash;
mod deleted;
mod deletion;
mod directory;
mod events;
mod fixtures;
mod guards;
mod integrations;
mod last_run;
mod listing;
mod meanwhile;
mod members;
mod restore;
mod retention;
mod runs;
mod schedule;
mod slices;
