//! `provisiond` keeps a company's AppsCo directory in step with its other systems. This page is the map; the README says
//! what it is for and how to use it.
//!
//! # The staircase
//!
//! Work enters at an edge (gRPC, HTTP), becomes plain [`model`] types at once, and goes down one staircase. Results come
//! back as return values only, news through the event log of the store. A room imports from lower floors only, and never
//! from its own.
//!
//! | floor | room | what it owns |
//! |---|---|---|
//! | 6 | `grpc`, `http` | the two listeners: shape in, shape out; no decision |
//! | 4 | `sync` | runs: the one door, the schedule that knocks on it, and the pipe that carries them out |
//! | 3 | `integrations` | settings, rules, readiness, consent; an opened connector for whoever asks |
//! | 2 | `directory`, `oauth` | the AppsCo directory, itself a connector; tokens, refreshed once for all who wait |
//! | 1 | `store`, `rules`, `connector` | what is durable; what is decided, as pure functions; the systems there are |
//! | 0 | `model` | the words of the product, as plain types |
//!
//! Above it stand `app` (builds the floors bottom-up, and is the visible list of tasks), `config`, `cli`, `admin` (backups in and
//! out), and `dev`, a client like any other. `sandbox` simulates Google and imports nothing of the daemon; `proto` is generated.
//!
//! # The ways
//!
//! **A call**: `grpc` (request id, deadline) → shape, every bad field named at once → a use-case → one store transaction →
//! an event → shape. One way down, one return.
//!
//! **A run**: `sync::Runs::start`, the one door → a place, `RUNNING` stored → **read → scope → map → plan → guard →
//! apply → record**, page by page, the next being read while one is applied → commit in slices of at most 100 objects,
//! each in one transaction with its links, changes and counters → the sums are checked → the end is stored. Scope, map,
//! plan and guard are pure. Users go first, then groups, then memberships. One object by itself goes the same way, in a
//! lane beside (`Runs::provision_object`); of two reads of it the newer wins. A preview, of a run or of one object, goes the
//! same way too, over the store and what it has planned so far, and writes nothing but its own records.
//!
//! **A consent**: `http` takes the callback → the pending record is taken, once → code for tokens → scopes, account and
//! customer are checked → sealed → stored. Every refusal is one of a handful of fixed texts. A service account's key takes
//! the same way from the token on, and the same place in the store.
//!
//! **Start and stop**: bind → open the store → build → runs left `RUNNING` become `INTERRUPTED` and are asked for anew →
//! ready. Stop: accept nothing, end streams, runs stop at the next object, drain within the grace period, flush.
//!
//! # What holds, often because something is absent
//!
//! - No run removes anybody: users and groups are deleted by callers only, and can be had back. Memberships go only after a
//!   complete listing of their group, within a limit, and only those that a run applied.
//! - Absence is concluded from a complete listing only; a listing says of itself whether it was one.
//! - No object store access for what is unchanged: a run holds about 40 bytes for each object, a preview some hundred more for
//!   each that it would change, and nothing else grows with the directory. An unchanged run makes at most 8 store writes.
//! - No sled type leaves `store`, no tonic type leaves `grpc` and the clients, `admin` and `dev`; no lock is held across an await, but where one asks for all who wait; nothing unsafe.
//! - No wall clock is read below `app`: time is passed in, so tests move it and nothing sleeps.
//! - No task is spawned but in `app` and `sync`, under one tracker, with the token that ends it.
//! - No secret is in clear outside memory: only what is sealed can be stored, and a secret prints as nothing.
//! - No method of a room takes an id without its company: what is another company's is not found.
//! - No order of runs matters for the end: what is read is compared with what is, so a run done twice is a run done once.
//! - Nothing is told that a loss of power could undo: who has read what is on its way to the disk answers when it is there.
//! - No panic is planned: `unwrap`, `expect` and indexing that can fail are refused by lints; one that happens is answered
//!   as an internal error, and ends nothing else.
//!
//! Held by `tests/it/tidy.rs` (imports, clocks, tasks, sizes), by lints in `Cargo.toml`, and by tests named after each.

// Floor 0
pub mod model;
// Floor 1
pub mod connector;
pub mod rules;
pub mod store;
// Floor 2
pub mod directory;
pub mod oauth;
// Floor 3
pub mod integrations;
// Floor 4
pub mod sync;
// Floor 6
pub mod grpc;
pub mod http;
// Around them
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
#[cfg(feature = "dev")]
pub mod dev;
pub mod proto;
#[cfg(feature = "dev")]
pub mod sandbox;
