//! What the daemon costs, as ratios to the least that the same work could cost, in one run: `cargo bench`.
//!
//! The simulated Google and the daemon are processes of their own, with default settings; figures are medians of
//! interleaved rounds, so that a noisy machine spoils both sides alike. Choose with `cargo bench -- NAME...`:
//!
//! | name | what |
//! |---|---|
//! | `latency` | first and unchanged sync of 100,000 users with 50 ms added to each request, to bare reading and parsing |
//! | `speed` | the same without latency, to the slower of bare reading and bare loading of a sled; memory, size |
//! | `watchers` | a run with 200 idle and 10 stalled streams, to one with none |
//! | `unary` | reads through the API, to those of a service that does nothing |
//! | `lane` | one object provisioned by itself while a run over all is going on, beyond what the system takes to answer |
//! | `memory` | peak memory at 10,000, 100,000 and 1,000,000 users; minutes long |
//!
//! `--users N` and `--rounds N` change the sizes.

#![allow(clippy::unwrap_used, clippy::panic)]

mod bare;
mod lane;
mod stage;
mod unary;
mod watchers;

/// As the daemon's, so that the bare side is as fast as it can be.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

use stage::{Daemon, Google, Ran};
use std::time::Duration;

/// What is to be measured.
struct Plan {
    names: Vec<String>,
    users: usize,
    /// What `--users` said.
    given: Option<usize>,
    rounds: usize,
}

impl Plan {
    fn read() -> Self {
        let mut plan = Self {
            names: Vec::new(),
            users: 100_000,
            given: None,
            rounds: 3,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().unwrap().parse().unwrap();
            match word.as_str() {
                "--bench" => {}
                "--users" => {
                    plan.users = number();
                    plan.given = Some(plan.users);
                }
                "--rounds" => plan.rounds = number(),
                _ => plan.names.push(word),
            }
        }
        plan
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn seconds(times: &[Duration]) -> f64 {
    median(times.iter().map(Duration::as_secs_f64).collect())
}

/// Ratios round by round, and the median of them.
fn ratio(of: &[Duration], to: &[Duration]) -> f64 {
    let one = |(of, to): (&Duration, &Duration)| of.as_secs_f64() / to.as_secs_f64();
    median(of.iter().zip(to).map(one).collect())
}

fn show(what: &str, ratio: f64, goal: f64) {
    let verdict = if ratio < goal { "reached" } else { "MISSED" };
    println!("{what:<58} {ratio:>6.2}x   goal under {goal}x: {verdict}");
}

const MB: f64 = 1024.0 * 1024.0;

/// Rounds of: bare read, bare load, first sync, unchanged sync.
async fn syncs(plan: &Plan, latency: u64) {
    let google = Google::start(plan.users, latency).await;
    let (mut reads, mut loads) = (Vec::new(), Vec::new());
    let (mut firsts, mut seconds_) = (Vec::new(), Vec::new());
    let (mut last, mut busy) = (None, (0.0, 0.0));
    for _ in 0..plan.rounds {
        let home = tempfile::tempdir().unwrap();
        let mut daemon = Daemon::start(&google, home.path()).await;
        daemon.set_up().await;
        reads.push(bare::read(&google, plan.users).await);
        let idle = daemon.processor();
        let first = daemon.run().await;
        let after_first = daemon.processor();
        assert_eq!(first.added, plan.users as i64);
        let second = daemon.run().await;
        assert_eq!(second.unchanged, plan.users as i64);
        busy = (after_first - idle, daemon.processor() - after_first);
        let memory = daemon.peak_memory();
        daemon.stop();
        loads.push(bare::load(&home.path().join("data")));
        firsts.push(first.time);
        seconds_.push(second.time);
        last = Some((
            memory,
            stage::size(&home.path().join("data")),
            bare::live(&home.path().join("data")),
        ));
    }
    println!(
        "\n{} users, {latency} ms added to each request: bare read and parse {:.2} s, bare sled load {:.2} s, first sync {:.2} s, unchanged sync {:.2} s",
        plan.users,
        seconds(&reads),
        seconds(&loads),
        seconds(&firsts),
        seconds(&seconds_),
    );
    println!("processor time of the daemon, first and unchanged sync, in s: {busy:.2?}");
    if latency > 0 {
        show(
            "first sync / bare read and parse",
            ratio(&firsts, &reads),
            1.2,
        );
        show(
            "unchanged sync / bare read and parse",
            ratio(&seconds_, &reads),
            1.05,
        );
        return;
    }
    let slower: Vec<Duration> = reads.iter().zip(&loads).map(|(a, b)| *a.max(b)).collect();
    show(
        "first sync / slower of bare read and bare load",
        ratio(&firsts, &slower),
        1.5,
    );
    show(
        "unchanged sync / bare read and parse",
        ratio(&seconds_, &reads),
        1.5,
    );
    let (memory, size, live) = last.unwrap();
    println!(
        "peak memory {:.0} MB; store {:.0} MB, {:.2} times its live data, {:.0} bytes a user",
        memory as f64 / MB,
        size as f64 / MB,
        size as f64 / live as f64,
        live as f64 / plan.users as f64,
    );
}

async fn memory(given: Option<usize>) {
    println!("\nusers      peak memory   first sync   bytes a user above an empty daemon");
    let mut empty = 0;
    let sizes = given.map_or(vec![10, 10_000, 100_000, 1_000_000], |users| {
        vec![10, users]
    });
    for users in sizes {
        let google = Google::start(users, 0).await;
        let home = tempfile::tempdir().unwrap();
        let mut daemon = Daemon::start(&google, home.path()).await;
        daemon.set_up().await;
        let Ran { time, .. } = daemon.run().await;
        daemon.run().await;
        let peak = daemon.peak_memory();
        daemon.stop();
        if users == 10 {
            empty = peak;
            continue;
        }
        let more = peak.saturating_sub(empty) / users as u64;
        println!(
            "{users:>9}  {:>8.0} MB  {:>9.1} s   {more}",
            peak as f64 / MB,
            time.as_secs_f64()
        );
    }
}

#[tokio::main]
async fn main() {
    let plan = Plan::read();
    if plan.wants("latency") {
        syncs(&plan, 50).await;
    }
    if plan.wants("speed") {
        syncs(&plan, 0).await;
    }
    if plan.wants("watchers") {
        // So little is told from the noise only by many.
        watchers::measure(plan.users, 7 * plan.rounds).await;
    }
    if plan.wants("lane") {
        lane::measure(plan.users, 0).await;
        lane::measure(plan.users, 50).await;
    }
    if plan.wants("unary") {
        unary::measure().await;
    }
    if plan.wants("memory") {
        memory(plan.given).await;
    }
}
