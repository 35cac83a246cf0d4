//! Runs and their news.

use super::*;
use v1::{watch_directory_request::Position as OfDirectory, watch_runs_request::Position};

#[rustfmt::skip]
pub(super) async fn cases(world: &mut World) -> Vec<Case> {
    let mut cases = Vec::new();
    let client = &mut world.sync;
    let start = |rule: &str| v1::StartRunRequest { parent: integration(), rules: vec![rule.to_owned()], ..v1::StartRunRequest::default() };
    send!(cases, "SyncService/StartRun", client, start_run, [
        ("a bad rule in a run", start("No Good"), "rules[0]"),
        ("a rule of another integration", start("companies/acme/integrations/other/rules/users"), "rules[0]"),
        ("a bad request id of a run", v1::StartRunRequest { request_id: "é".to_owned(), ..v1::StartRunRequest { parent: integration(), ..v1::StartRunRequest::default() } }, "request_id"),
    ]);
    let one = |kind: i32, object: String| v1::ProvisionObjectRequest { parent: integration(), kind, object, preview: false };
    send!(cases, "SyncService/ProvisionObject", client, provision_object, [
        ("an object of no kind", one(0, "1".to_owned()), "kind"),
        ("an object of a kind to come", one(99, "1".to_owned()), "kind"),
        ("no object", one(1, String::new()), "object"),
        ("an object without end", one(1, "x".repeat(256)), "object"),
    ]);
    let changes = |parent: String| v1::ListChangesRequest { parent, ..v1::ListChangesRequest::default() };
    let of_all = || changes(format!("{}/runs/-", integration()));
    send!(cases, "SyncService/ListChanges", client, list_changes, [
        ("changes of a company", changes(company()), "parent"),
        ("changes of a run of any integration", changes("companies/acme/integrations/-/runs/r".to_owned()), "parent"),
        ("an outcome that does not exist", v1::ListChangesRequest { outcomes: vec![99], ..of_all() }, "outcomes[0]"),
        ("changes by a rule of another integration", v1::ListChangesRequest { rule: "companies/acme/integrations/other/rules/users".to_owned(), ..of_all() }, "rule"),
        ("a negative page size of changes", v1::ListChangesRequest { page_size: -1, ..of_all() }, "page_size"),
    ]);
    let list = v1::ListRunsRequest { parent: integration(), ..v1::ListRunsRequest::default() };
    send!(cases, "SyncService/ListRuns", client, list_runs, [
        ("runs of a company", v1::ListRunsRequest { parent: company(), ..list.clone() }, "parent"),
        ("a made-up page of runs", v1::ListRunsRequest { page_token: "x".to_owned(), ..list }, "page_token"),
    ]);
    let watch = |position| v1::WatchRunsRequest { parent: company(), position: Some(position), include_changes: false };
    send!(cases, "SyncService/WatchRuns", client, watch_runs, [
        ("a watch of nothing", v1::WatchRunsRequest { parent: "acme".to_owned(), ..v1::WatchRunsRequest::default() }, "parent"),
        ("a made-up resume token", watch(Position::ResumeToken("x".to_owned())), "resume_token"),
        ("a negative sequence", watch(Position::AfterSequence(-1)), "after_sequence"),
    ]);
    let watch = |position| v1::WatchDirectoryRequest { parent: company(), position: Some(position) };
    send!(cases, "DirectoryService/WatchDirectory", world.directory, watch_directory, [
        ("a made-up resume token of the directory", watch(OfDirectory::ResumeToken("1.x".to_owned())), "resume_token"),
        ("a negative sequence of the directory", watch(OfDirectory::AfterSequence(-1)), "after_sequence"),
    ]);
    cases
}
