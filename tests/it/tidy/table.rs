//! The table of the house: who may import whom, and which room may use what.

const MODEL: &[&str] = &["model"];
const BELOW_INTEGRATIONS: &[&str] = &["model", "store", "connector"];
const EVERYTHING_BELOW_APP: &[&str] = &[
    "config",
    "model",
    "store",
    "rules",
    "connector",
    "directory",
    "oauth",
    "integrations",
    "sync",
    "proto",
    "grpc",
    "http",
];

/// Each room and what it may import beside itself. The order is that of the floors, so every import goes down.
pub(super) const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("config", MODEL),
    ("store", MODEL),
    ("rules", MODEL),
    ("connector", MODEL),
    ("directory", BELOW_INTEGRATIONS),
    ("oauth", &["model", "connector"]),
    (
        "integrations",
        &["model", "store", "connector", "rules", "oauth"],
    ),
    (
        "sync",
        &[
            "model",
            "store",
            "connector",
            "rules",
            "directory",
            "integrations",
        ],
    ),
    // The generated messages and services: nothing of ours, used by what speaks gRPC.
    ("proto", &[]),
    (
        "grpc",
        &[
            "proto",
            "model",
            "store",
            "directory",
            "integrations",
            "sync",
        ],
    ),
    ("http", &["model", "integrations"]),
    ("app", EVERYTHING_BELOW_APP),
    ("sandbox", &[]),
    ("dev", &["app", "config", "sandbox", "proto"]),
    ("admin", &["config", "model", "store", "proto"]),
    ("cli", &["config", "app", "admin", "dev", "sandbox"]),
];

/// What the binary's `main.rs` may name of the library.
pub(super) const MAIN: &[&str] = &["cli", "config", "app"];

/// A crate, where it may be named, and what to do elsewhere.
pub(super) const CRATES: &[(&str, &[&str], &str)] = &[
    (
        "tonic",
        &["grpc/", "dev/", "admin.rs", "app.rs", "proto.rs"],
        "answer with plain types and let grpc/ translate",
    ),
    (
        "minijinja",
        &["rules/"],
        "let the rules evaluate expressions, behind their guards",
    ),
    ("sled", &["store/"], "ask the store for a named operation"),
    (
        "reqwest",
        &["connector/", "oauth/", "dev/", "sandbox/"],
        "go through the connector's shared client",
    ),
    (
        "anyhow",
        &["main.rs", "cli.rs"],
        "make it a variant of the room's own Error",
    ),
];

/// Where wall and monotonic clocks may be read: the clock itself, the composition root, what
/// times I/O, the programs for developers.
pub(super) const CLOCKS: &[&str] = &["model/clock.rs", "app.rs", "connector/", "dev/", "sandbox/"];
/// The ends of the paths by which they are read. (An id that sorts by time is an id, not a reading.)
pub(super) const CLOCK_READS: &[&[&str]] = &[
    &["SystemTime", "now"],
    &["Instant", "now"],
    &["Timestamp", "now"],
    &["Zoned", "now"],
    &["Time", "now"],
];

/// Where tasks may be spawned.
pub(super) const SPAWNERS: &[&str] = &["app.rs", "sync/runs.rs", "sync/runs/", "dev/", "sandbox/"];
/// Where blocking work may be handed to threads of its own.
pub(super) const BLOCKERS: &[&str] = &["store/"];
