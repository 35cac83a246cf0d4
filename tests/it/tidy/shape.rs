//! The shape of the tree: what lies where, how long files and functions are, and that nothing is left over.

use super::{Violations, source::Source};
use std::collections::BTreeSet;

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 70;

/// What may lie at the top of the repository, beside names that begin with a dot.
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "build.rs",
    "proto",
    "src",
    "systemd",
    "tests",
];

/// Files that no `mod` names: cargo does.
const ROOTS: &[&str] = &["src/lib.rs", "src/main.rs", "tests/it/main.rs"];

/// Words that mark what is not finished, in two parts so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// Folders of some one machine.
const MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// Lengths of files and functions, and the opening line of each `mod.rs`.
pub(super) fn lengths(sources: &[Source], violations: &mut Violations) {
    for source in sources {
        let lines = source.text.lines().count();
        if lines > MAX_FILE_LINES {
            let text = format!(
                "{lines} lines, of at most {MAX_FILE_LINES}: give one of its ideas a file of its own"
            );
            violations.add(&source.path, lines, &text);
        }
        for function in source.functions() {
            if function.code_lines > MAX_FUNCTION_LINES {
                let text = format!(
                    "fn {} has {} lines of code, of at most {MAX_FUNCTION_LINES}: name its steps",
                    function.name, function.code_lines
                );
                violations.add(&source.path, function.line, &text);
            }
        }
        if source.path.ends_with("/mod.rs") && !source.text.starts_with("//!") {
            let text = "opens without `//!`: say what the room owns, what it may use, what it deliberately does not do";
            violations.add(&source.path, 1, text);
        }
    }
}

/// Files that no module declares, which the compiler never sees.
pub(super) fn orphans(sources: &[Source], violations: &mut Violations) {
    let declared: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| declares(source, |_| true))
        .collect();
    for source in sources {
        let compiled = source.path.starts_with("src/") || source.path.starts_with("tests/it/");
        if compiled && !ROOTS.contains(&source.path.as_str()) && !declared.contains(&source.path) {
            violations.add(
                &source.path,
                1,
                "no `mod` names this file, so it is not compiled: declare it or delete it",
            );
        }
    }
}

/// The files of modules that are compiled for tests only, and those below them.
pub(super) fn test_only(sources: &[Source]) -> Vec<String> {
    let roots: Vec<String> = sources
        .iter()
        .flat_map(|source| declares(source, |only| only))
        .collect();
    let is_below = |path: &str| {
        roots
            .iter()
            .any(|root| path == root || path.starts_with(&format!("{}/", folder_of(root))))
    };
    sources
        .iter()
        .map(|source| source.path.clone())
        .filter(|path| is_below(path))
        .collect()
}

/// Both places where each module that the file declares may lie.
fn declares(source: &Source, wanted: impl Fn(bool) -> bool) -> Vec<String> {
    let folder = folder_of(&source.path);
    let modules = source
        .declared_modules()
        .into_iter()
        .filter(|(_, only)| wanted(*only));
    modules
        .flat_map(|(name, _)| {
            [
                format!("{folder}/{name}.rs"),
                format!("{folder}/{name}/mod.rs"),
            ]
        })
        .collect()
}

/// The folder in which a file's own modules lie.
fn folder_of(path: &str) -> String {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    if ROOTS.contains(&path) || path.ends_with("/mod.rs") {
        parent.to_owned()
    } else {
        path.trim_end_matches(".rs").to_owned()
    }
}

/// Entries at the top of the repository that the house does not know.
pub(super) fn top_level(paths: &[String], violations: &mut Violations) {
    let entries: BTreeSet<&str> = paths
        .iter()
        .filter_map(|path| path.split('/').next())
        .collect();
    for entry in entries {
        if !entry.starts_with('.') && !TOP_LEVEL.contains(&entry) {
            let text = format!(
                "does not belong at the top, which holds {}: move it into one of them",
                TOP_LEVEL.join(" ")
            );
            violations.add(entry, 1, &text);
        }
    }
}

/// Marks of unfinished work, and paths of some one machine, in any text.
pub(super) fn leftovers(path: &str, text: &str, violations: &mut Violations) {
    for (line, content) in (1..).zip(text.lines()) {
        for mark in UNFINISHED.iter().filter(|mark| stands_alone(content, mark)) {
            let text = format!(
                "`{mark}` marks something unfinished: finish it, or leave it out and open an issue"
            );
            violations.add(path, line, &text);
        }
        for folder in MACHINE.iter().filter(|folder| is_absolute(content, folder)) {
            let text = format!(
                "a path under `{folder}` exists on one machine only: make it relative, or a temporary directory"
            );
            violations.add(path, line, &text);
        }
    }
}

fn stands_alone(line: &str, mark: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(mark).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + mark.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && (mark.ends_with('(') || !after.is_some_and(is_word))
    })
}

/// Whether the folder begins a path, rather than being a part of a longer one or of a URL.
fn is_absolute(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| {
            c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')' | '*' | '/' | '>')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(check: impl Fn(&mut Violations)) -> usize {
        let mut violations = Violations::default();
        check(&mut violations);
        violations.0.len()
    }

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect()
    }

    #[test]
    fn long_files_and_functions_are_reported() {
        let long_function = format!("fn a() {{\n{}}}\n", "b();\n".repeat(MAX_FUNCTION_LINES + 1));
        let long_file = "\n".repeat(MAX_FILE_LINES + 1);
        assert_eq!(
            count(|v| lengths(&sources(&[("src/a.rs", &long_function)]), v)),
            1
        );
        assert_eq!(
            count(|v| lengths(
                &sources(&[("src/a.rs", &long_function.replacen("b();\n", "", 1))]),
                v
            )),
            0
        );
        assert_eq!(
            count(|v| lengths(&sources(&[("src/a.rs", &long_file)]), v)),
            1
        );
        assert_eq!(
            count(|v| lengths(&sources(&[("src/a/mod.rs", "use b;")]), v)),
            1
        );
        assert_eq!(
            count(|v| lengths(&sources(&[("src/a/mod.rs", "//! Owns a.")]), v)),
            0
        );
    }

    #[test]
    fn a_file_that_nothing_declares_is_reported() {
        let tree = [
            ("tests/it/main.rs", "mod a;\nmod b;"),
            ("tests/it/a.rs", "mod c;"),
            ("tests/it/a/c.rs", ""),
        ];
        assert_eq!(count(|v| orphans(&sources(&tree), v)), 0);
        assert_eq!(
            count(|v| orphans(&sources(&[&tree[..], &[("tests/it/c.rs", "")]].concat()), v)),
            1
        );
        assert_eq!(
            count(|v| orphans(
                &sources(&[&tree[..], &[("tests/it/b/mod.rs", "")]].concat()),
                v
            )),
            0
        );
    }

    #[test]
    fn files_for_tests_only_are_known_by_their_declaration() {
        let tree = [
            ("src/a/mod.rs", "#[cfg(test)]\nmod t;\nmod u;"),
            ("src/a/t.rs", ""),
            ("src/a/t/v.rs", ""),
            ("src/a/u.rs", ""),
        ];
        assert_eq!(test_only(&sources(&tree)), ["src/a/t.rs", "src/a/t/v.rs"]);
    }

    #[test]
    fn what_does_not_belong_at_the_top_is_reported() {
        let paths = [
            "src/a.rs",
            ".ci/run",
            "Cargo.toml",
            "scripts/x.sh",
            "scripts/y.sh",
            "notes.md",
        ];
        assert_eq!(count(|v| top_level(&paths.map(str::to_owned), v)), 2);
    }

    #[test]
    fn unfinished_marks_and_machine_paths_are_reported() {
        for mark in UNFINISHED {
            assert_eq!(
                count(|v| leftovers("a", &format!("// {mark} later"), v)),
                1,
                "{mark}"
            );
            assert_eq!(
                count(|v| leftovers("a", &format!("A{mark}B"), v)),
                0,
                "{mark}"
            );
        }
        for folder in MACHINE {
            assert_eq!(
                count(|v| leftovers("a", &format!("let a = \"{folder}x\";"), v)),
                1,
                "{folder}"
            );
            assert_eq!(
                count(|v| leftovers("a", &format!("https://example.com{folder}x"), v)),
                0,
                "{folder}"
            );
        }
    }
}
