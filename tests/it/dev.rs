//! The first command of the README, as a newcomer runs it, in small.

// The helpers below are test code too, which the lints see in functions marked as tests only.
#![allow(clippy::panic)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

fn dev(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provisiond"));
    command
        .args(["dev", "--users", "60", "--groups", "8", "--latency", "0"])
        .args([
            "--grpc-listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
        ])
        .args(flags)
        .stdin(Stdio::null());
    command
}

fn told(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{text}\n{problem}",
        output.status
    );
    text
}

/// The numbers of a row of the table.
fn row(text: &str, name: &str) -> Vec<i64> {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no row {name} in\n{text}"));
    let cells = line.split_whitespace().skip(1);
    cells
        .map(|cell| cell.replace(',', "").parse().unwrap_or(0))
        .collect()
}

#[test]
fn dev_once_syncs_a_company_and_tells_what_arrived() {
    let text = told(&dev(&["--once"]).output().unwrap());
    // Read, added, updated, unchanged, skipped, failed.
    let (users, groups) = (row(&text, "users"), row(&text, "groups"));
    assert_eq!(users[..2], [60, 60], "{text}");
    assert_eq!(groups[..2], [8, 8], "{text}");
    assert!(row(&text, "memberships")[1] > 0, "{text}");
    assert!(text.contains("60 users, 8 groups and "), "{text}");
    let calls = text
        .lines()
        .filter(|line| line.trim_start().starts_with("grpcurl "));
    assert_eq!(calls.count(), 3, "{text}");
}

#[test]
fn dev_with_data_that_was_kept_finds_everything_unchanged() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let flags = ["--once", "--data", data.to_str().unwrap()];
    told(&dev(&flags).output().unwrap());
    let text = told(&dev(&flags).output().unwrap());
    // Read, added, updated, unchanged.
    assert_eq!(row(&text, "users")[..4], [60, 0, 0, 60], "{text}");
    assert_eq!(row(&text, "groups")[..4], [8, 0, 0, 8], "{text}");
    assert!(data.is_dir());
}

#[test]
fn dev_stays_up_until_it_is_told_to_stop() {
    let mut child = dev(&[])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("Ctrl-C")),
        "it ended instead"
    );
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_port_that_is_taken_is_named_with_the_flag_that_chooses_another() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provisiond"));
    let command = command.args([
        "dev",
        "--once",
        "--http-listen",
        "127.0.0.1:0",
        "--grpc-listen",
        &taken,
    ]);
    let output = command.output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        problem.contains(&taken) && problem.contains("--grpc-listen"),
        "{problem}"
    );
}

#[test]
fn the_readme_shows_the_two_commands_first() {
    let readme = std::fs::read_to_string(README).unwrap();
    let mut commands = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("\n```").next());
    assert_eq!(commands.next(), Some("cargo run --release -- dev --once"));
    assert_eq!(commands.next(), Some("cargo run --release -- dev"));
    assert_eq!(commands.next(), Some("cargo test"));
    let sections: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let expected = [
        "Try it",
        "Test it",
        "What it is",
        "Using it with a real Google Workspace",
        "Configuration",
        "Architecture",
    ];
    assert_eq!(sections, expected);
}
