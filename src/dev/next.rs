//! What to ask the daemon next, as lines to paste.

use super::{
    Args,
    client::{COMPANY, INTEGRATION},
    report::Arrived,
};
use std::net::SocketAddr;

const SERVICES: &str = "appsco.provisioning.v1";

/// Three calls with grpcurl, which needs no files for them: the daemon describes itself. They name nothing that differs
/// from one start to the next, so with `--once` they fit a start without it.
pub(super) fn lines(args: &Args, grpc: SocketAddr, arrived: &Arrived) -> String {
    let heading = if args.once {
        "Without --once both stay up, and can be asked:"
    } else {
        "Ask it, with grpcurl:"
    };
    let person = arrived
        .people
        .first()
        .map_or("", |person| person.user.user_name.as_str());
    let calls = [
        (
            "DirectoryService/ListUsers",
            format!("{{\"parent\":\"{COMPANY}\",\"page_size\":3}}"),
        ),
        (
            "SyncService/ListRuns",
            format!("{{\"parent\":\"{INTEGRATION}\",\"page_size\":1}}"),
        ),
        (
            "SyncService/ListChanges",
            format!("{{\"parent\":\"{COMPANY}/integrations/-/runs/-\",\"object\":\"{person}\"}}"),
        ),
    ];
    let mut text = heading.to_owned();
    for (method, body) in calls {
        text += &format!(
            "\n  grpcurl -plaintext -d '{}' {grpc} {SERVICES}.{method}",
            // An apostrophe, as in o'hara@..., would end the shell's quotes.
            body.replace('\'', "'\\''")
        );
    }
    text + "\n"
}
