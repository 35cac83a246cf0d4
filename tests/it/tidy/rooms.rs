//! Who imports whom, and who uses what, held against the table.

use super::{
    Violations,
    source::{CodePath, Source},
    table::{BLOCKERS, CLOCK_READS, CLOCKS, CRATES, MAIN, ROOMS, SPAWNERS},
};

/// Everything about imports and uses that the files of `src/` do wrong. `test_only` says which are test code as a whole.
pub(super) fn check(sources: &[Source], test_only: &[String], violations: &mut Violations) {
    for source in sources
        .iter()
        .filter(|source| source.path.starts_with("src/"))
    {
        let paths = source.paths();
        room_is_known(source, violations);
        for path in &paths {
            imports(source, path, violations);
            crates(source, path, violations);
        }
        if test_only.contains(&source.path) {
            continue;
        }
        for path in paths.iter().filter(|path| !source.is_test_only(path.token)) {
            clocks(source, path, violations);
        }
        spawns(source, violations);
    }
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    ROOMS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, allowed)| *allowed)
}

fn is_in(source: &Source, places: &[&str]) -> bool {
    let inner = source.path.trim_start_matches("src/");
    // A room may be a file or a folder: `dev/` is also `dev.rs`, `app.rs` also `app/`.
    let room_file = |place: &str| {
        place.ends_with('/') && inner == format!("{}.rs", place.trim_end_matches('/'))
    };
    let room_folder = |place: &str| {
        !place.contains('/') && inner.starts_with(&format!("{}/", place.trim_end_matches(".rs")))
    };
    places
        .iter()
        .any(|place| inner.starts_with(place) || room_file(place) || room_folder(place))
}

fn room_is_known(source: &Source, violations: &mut Violations) {
    if let Some(room) = source.room().filter(|room| allowed(room).is_none()) {
        let text = format!(
            "`{room}` is no room of the house: move it into one, or give it a line in the table of tests/it/tidy/table.rs"
        );
        violations.add(&source.path, 1, &text);
    }
}

fn imports(source: &Source, path: &CodePath, violations: &mut Violations) {
    let is_main = source.path == "src/main.rs";
    let root = if is_main { "provisiond" } else { "crate" };
    let [first, target, ..] = path.parts.as_slice() else {
        return;
    };
    if first != root || (!is_main && source.room() == Some(target)) {
        return;
    }
    let may = match source.room() {
        Some(room) => allowed(room).unwrap_or_default(),
        None if is_main => MAIN,
        None => &[],
    };
    if may.contains(&target.as_str()) {
        return;
    }
    let from = source
        .room()
        .unwrap_or(if is_main { "main" } else { "lib" });
    let may = if may.is_empty() {
        "nothing of the crate".to_owned()
    } else {
        may.join(", ")
    };
    let text = format!(
        "`{from}` may not import `{target}` (it may: {may}); take a plain type of `model` as an argument, or move the \
         code to the room above both"
    );
    violations.add(&source.path, path.line, &text);
}

fn crates(source: &Source, path: &CodePath, violations: &mut Violations) {
    let Some(first) = path.parts.first() else {
        return;
    };
    let same_family = |name: &str| {
        first == name
            || first
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('_'))
    };
    for (name, places, instead) in CRATES {
        if same_family(name) && !is_in(source, places) {
            let text = format!(
                "`{first}` may be named in {} only: {instead}",
                places.join(", ")
            );
            violations.add(&source.path, path.line, &text);
        }
    }
    let is_status = source.path == "src/grpc/status.rs" || !source.path.starts_with("src/grpc/");
    if !is_status && path.parts.iter().take(2).eq(["tonic", "Code"].iter()) {
        violations.add(
            &source.path,
            path.line,
            "`tonic::Code` is named in grpc/status.rs only: map the error there",
        );
    }
}

fn clocks(source: &Source, path: &CodePath, violations: &mut Violations) {
    let read = CLOCK_READS.iter().find(|read| path.ends_with(read));
    if let Some(read) = read.filter(|_| !is_in(source, CLOCKS)) {
        let text = format!(
            "`{}` reads the clock: take a `model::Clock`, which tests can move",
            read.join("::")
        );
        violations.add(&source.path, path.line, &text);
    }
}

fn spawns(source: &Source, violations: &mut Violations) {
    for at in 0..source.tokens.len() {
        let word = source.word(at);
        let is_call = source.word(at + 1) == "("
            && at > 0
            && source.word(at - 1) != "fn"
            && !source.is_test_only(at);
        let places = match word {
            "spawn" | "spawn_local" | "spawn_on" if is_thread(source, at) => BLOCKERS,
            "spawn_blocking" => BLOCKERS,
            "spawn" | "spawn_local" | "spawn_on" => SPAWNERS,
            _ => continue,
        };
        if is_call && !is_in(source, places) && !is_in(source, SPAWNERS) {
            let line = source.tokens.get(at).map_or(0, |token| token.line);
            let text = format!(
                "`{word}` starts work that nobody drains: tasks are spawned in app.rs and sync/runs.rs only (and \
                 threads in store/); hand the future up, or make it a loop that app.rs starts"
            );
            violations.add(&source.path, line, &text);
        }
    }
}

/// Whether the call at `at` is of a thread rather than a task: its statement names `thread`.
fn is_thread(source: &Source, at: usize) -> bool {
    let statement = (0..at)
        .rev()
        .take_while(|at| !matches!(source.word(*at), ";" | "{" | "}"));
    statement.take(60).any(|at| source.word(at) == "thread")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        let mut violations = Violations::default();
        check(&[Source::new(path, text)], &[], &mut violations);
        violations.0
    }

    fn is_bad(path: &str, text: &str) -> bool {
        !complaints(path, text).is_empty()
    }

    #[test]
    fn no_room_imports_one_above_or_beside_it() {
        for (at, (room, may)) in ROOMS.iter().enumerate() {
            let below = ROOMS.iter().take(at).map(|(name, _)| name);
            let stray = may
                .iter()
                .find(|import| !below.clone().any(|name| name == *import));
            assert_eq!(
                stray, None,
                "the table lets `{room}` import what is not below it"
            );
        }
    }

    #[test]
    fn an_import_up_or_sideways_is_reported_with_what_to_do() {
        let found = complaints(
            "src/store/keys.rs",
            "use crate::{model::Run,\n sync::Door};",
        );
        assert_eq!(found.len(), 1);
        assert!(
            found
                .iter()
                .all(|text| text.starts_with("src/store/keys.rs:2: `store` may not import `sync`"))
        );
        assert!(is_bad(
            "src/grpc/users.rs",
            "fn f() { crate::http::serve() }"
        ));
        assert!(is_bad("src/rules/mod.rs", "use super::store::Store;"));
        assert!(is_bad("src/main.rs", "use provisiond::store::Store;"));
        assert!(is_bad("src/sandbox/mod.rs", "use crate::model::Kind;"));
        assert!(is_bad("src/lib.rs", "pub use crate::store::Store;"));
        assert!(is_bad("src/helpers/mod.rs", ""));
    }

    #[test]
    fn what_the_table_allows_is_not_reported() {
        assert!(!is_bad(
            "src/sync/plan.rs",
            "use crate::{model::Run, sync::record, store::Store}; use super::table;"
        ));
        assert!(!is_bad(
            "src/main.rs",
            "use provisiond::{cli, config::Config};"
        ));
        assert!(!is_bad(
            "src/store/a.rs",
            "// crate::sync\nconst A: &str = \"crate::sync::x tonic::Code\";"
        ));
    }

    #[test]
    fn crates_stay_in_their_rooms() {
        assert!(is_bad("src/sync/run.rs", "use tonic::Status;"));
        assert!(is_bad(
            "src/http/mod.rs",
            "fn f() -> tonic_types::ErrorDetails { g() }"
        ));
        assert!(is_bad("src/directory/users.rs", "type T = sled::Tree;"));
        assert!(is_bad("src/integrations/mod.rs", "use reqwest as http;"));
        assert!(is_bad(
            "src/store/mod.rs",
            "fn f() -> anyhow::Result<()> { g() }"
        ));
        assert!(is_bad("src/grpc/users.rs", "use tonic::{Request, Code};"));
        assert!(!is_bad("src/grpc/status.rs", "use tonic::{Code, Status};"));
        assert!(!is_bad(
            "src/store/tables.rs",
            "let t: sled::Tree = sled.open();"
        ));
    }

    #[test]
    fn clocks_are_read_where_allowed() {
        assert!(is_bad(
            "src/sync/run.rs",
            "fn f() { let t = std::time::Instant::now(); }"
        ));
        assert!(is_bad("src/store/mod.rs", "fn f() { Timestamp::now() }"));
        assert!(!is_bad(
            "src/model/clock.rs",
            "fn f() { jiff::Timestamp::now() }"
        ));
        assert!(!is_bad(
            "src/store/mod.rs",
            "fn f(c: &dyn Clock) { c.now() } #[cfg(test)] mod t { fn g() { Instant::now(); } }"
        ));
    }

    #[test]
    fn tasks_are_spawned_where_they_are_drained() {
        assert!(is_bad(
            "src/grpc/sync.rs",
            "fn f() { tokio::spawn(async {}); }"
        ));
        assert!(is_bad(
            "src/sync/apply.rs",
            "fn f() { self.tracker.spawn(g()); }"
        ));
        assert!(is_bad(
            "src/directory/mod.rs",
            "fn f() { tokio::task::spawn_blocking(g); }"
        ));
        assert!(is_bad("src/store/a.rs", "fn f() { tokio::spawn(g()); }"));
        assert!(!is_bad(
            "src/store/a.rs",
            "fn f() { thread::Builder::new().name(n).spawn(move || g()); }"
        ));
        assert!(!is_bad(
            "src/sync/runs.rs",
            "fn f() { self.tracker.spawn(g()); }"
        ));
        assert!(!is_bad("src/app.rs", "fn f() { tokio::spawn(g()); }"));
    }
}
