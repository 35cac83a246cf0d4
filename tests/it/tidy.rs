//! The house, held: reads the project's own files and reports, all at once, what the layout does not allow and what to
//! do instead.

mod proto;
mod rooms;
mod shape;
mod source;
mod table;
mod tokens;

use source::Source;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// What is wrong, one line each: `path:line: what, and what to do`.
#[derive(Debug, Default)]
struct Violations(Vec<String>);

impl Violations {
    fn add(&mut self, path: &str, line: usize, text: &str) {
        self.0.push(format!("{path}:{line}: {text}"));
    }

    fn assert_none(&self) {
        assert!(
            self.0.is_empty(),
            "\n\n{}\n\n{} to put right\n",
            self.0.join("\n"),
            self.0.len()
        );
    }
}

/// The top of the repository.
fn top() -> PathBuf {
    // Read when run, so that a test binary can be pointed at another checkout.
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// Every file below `folder`, as paths from the top; none if there is no such folder.
fn files_below(folder: &str) -> io::Result<Vec<String>> {
    let top = top();
    let mut waiting = vec![top.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else {
                found.push(from_top(&top, &entry.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn from_top(top: &Path, path: &Path) -> String {
    path.strip_prefix(top)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// What git keeps; without git (an unpacked archive), what the project's folders hold.
fn kept_files() -> io::Result<Vec<String>> {
    let listed = Command::new("git")
        .arg("-C")
        .arg(top())
        .args(["ls-files", "-z"])
        .output();
    if let Ok(listed) = listed.as_ref().map_err(drop).and_then(|out| {
        if out.status.success() {
            Ok(out)
        } else {
            Err(())
        }
    }) {
        let names = String::from_utf8_lossy(&listed.stdout);
        return Ok(names
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect());
    }
    let folders = ["src", "tests", "proto", "systemd", ".ci"];
    let mut found = folders
        .iter()
        .map(|folder| files_below(folder))
        .collect::<io::Result<Vec<_>>>()?
        .concat();
    for entry in fs::read_dir(top())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            found.push(from_top(&top(), &entry.path()));
        }
    }
    Ok(found)
}

fn sources() -> io::Result<Vec<Source>> {
    let files = [files_below("src")?, files_below("tests")?].concat();
    let rust = files.iter().filter(|path| path.ends_with(".rs"));
    rust.map(|path| Ok(Source::new(path, &fs::read_to_string(top().join(path))?)))
        .collect()
}

#[test]
fn rooms_import_only_what_lies_below_them_and_use_only_what_is_theirs() {
    let sources = sources().expect("the source files are readable");
    let mut violations = Violations::default();
    rooms::check(&sources, &shape::test_only(&sources), &mut violations);
    violations.assert_none();
}

#[test]
fn files_and_functions_are_short_and_every_room_says_what_it_is() {
    let mut violations = Violations::default();
    shape::lengths(
        &sources().expect("the source files are readable"),
        &mut violations,
    );
    violations.assert_none();
}

#[test]
fn every_source_file_is_compiled() {
    let mut violations = Violations::default();
    shape::orphans(
        &sources().expect("the source files are readable"),
        &mut violations,
    );
    violations.assert_none();
}

#[test]
fn nothing_lies_about_and_nothing_is_left_unfinished() {
    let kept = kept_files().expect("the project's files can be listed");
    let mut violations = Violations::default();
    shape::top_level(&kept, &mut violations);
    for path in kept {
        // Neither links to nowhere nor what is not text concerns us.
        if let Ok(text) = fs::read_to_string(top().join(&path)) {
            shape::leftovers(&path, &text, &mut violations);
        }
    }
    violations.assert_none();
}

#[test]
fn every_declaration_of_the_protocol_is_commented() {
    let mut violations = Violations::default();
    for path in files_below("proto").expect("the protocol is readable") {
        if path.ends_with(".proto") {
            let text = fs::read_to_string(top().join(&path)).expect("a protocol file is readable");
            proto::check(&path, &text, &mut violations);
        }
    }
    violations.assert_none();
}
