//! When integrations run by themselves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod calendar;
mod days;
mod deleting;
mod fair;
mod restarts;
mod years;
