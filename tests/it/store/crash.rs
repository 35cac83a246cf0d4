//! What is acknowledged survives `kill -9`, and nothing half-written is ever seen.

use super::fixtures::*;
use provisiond::{
    model::{Integration, Kind, MemberOrigin, MemberWrite, Run, SystemClock},
    store::{Options, SealingKey, Slice, Store},
};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

const DIR: &str = "PROVISIOND_TEST_STORE";
pub const PER_SLICE: usize = 20;

async fn open(dir: &Path) -> Store {
    Store::open(Options {
        path: dir.join("data"),
        key: SealingKey::load_or_create(&dir.join("key")).unwrap(),
        clock: Arc::new(SystemClock),
    })
    .await
    .unwrap()
}

/// A slice of new users, each with link, change and membership; the run's counter says how many there are with it.
pub fn full_slice(integration: &Integration, run: &Run, number: usize) -> Slice {
    let mut given = slice(run);
    given.run.tally.objects.added = ((number + 1) * PER_SLICE) as u64;
    for _ in 0..PER_SLICE {
        let (mut user, mut link, change) = provisioned(integration, 0);
        let id = user.id.to_string();
        set_email(&mut user, &format!("{id}@acme.example"));
        link.source = source(&id);
        given.members.push(MemberWrite {
            group: entity_id("everybody"),
            kind: Kind::User,
            member: user.id.clone(),
            origin: MemberOrigin::Integration(integration.uid),
            add: true,
        });
        given.entities.push(user);
        given.links.push((Kind::User, link));
        given.changes.push(change);
    }
    given
}

/// The process that is killed: writes slices for ever and tells which are acknowledged. Without the directory it does nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the crash test"]
async fn the_process_that_is_killed() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else {
        return;
    };
    let store = open(&dir).await;
    let integration = match store.integrations(&acme(), &page(1)).await.unwrap().items {
        items if items.is_empty() => {
            let given = integration(&acme(), "main");
            store.create_integration(given, None).await.unwrap().value
        }
        mut items => items.remove(0),
    };
    let run = store.create_run(run(&integration), None).await.unwrap();
    println!("run {}", run.id);
    let mut under_way = Vec::new();
    for number in 0.. {
        under_way.push(store.commit(full_slice(&integration, &run, number)));
        if under_way.len() == 3 {
            under_way.remove(0).await.unwrap();
            println!("ack {}", number - 1);
        }
    }
}

/// Runs the writer for a while; answers its run and how many slices it was told are durable.
fn killed_after(dir: &Path, delay: Duration) -> Option<(String, usize)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::the_process_that_is_killed"])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut run, mut acknowledged) = (None, 0);
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The first line may follow the test's name.
            if let Some((_, id)) = line.split_once("run ").filter(|(_, id)| id.len() == 36) {
                run = Some(id.to_owned());
            }
            if line.starts_with("ack ") {
                acknowledged += 1;
            }
        }
        run.map(|run| (run, acknowledged))
    });
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Everything that belongs together is there together, and all that was acknowledged is.
pub async fn check(dir: &Path, acknowledged: &[(String, usize)]) -> usize {
    let store = open(dir).await;
    let Some(integration) = store
        .integrations(&acme(), &page(1))
        .await
        .unwrap()
        .items
        .pop()
    else {
        assert!(acknowledged.is_empty(), "the integration is lost");
        return 0;
    };
    let mut added = 0;
    let runs = store.runs(&acme(), None, &page(1000)).await.unwrap().items;
    for (id, slices) in acknowledged {
        let run = runs.iter().find(|run| run.id.as_str() == id).unwrap();
        let there = usize::try_from(run.tally.objects.added).unwrap();
        assert!(there >= slices * PER_SLICE, "{there} of {slices} slices");
    }
    for run in &runs {
        added += usize::try_from(run.tally.objects.added).unwrap();
    }
    let (mut users, mut token) = (0, None);
    loop {
        let page = provisiond::model::PageRequest { size: 1000, token };
        let part = store.entities(&acme(), Kind::User, &page).await.unwrap();
        for user in &part.items {
            let holder = store.entity_by_email(&acme(), user.email()).await.unwrap();
            assert_eq!(holder.as_ref(), Some(user));
        }
        users += part.items.len();
        token = part.next;
        if token.is_none() {
            break;
        }
    }
    let (mut links, mut after) = (0, None);
    loop {
        let part = store
            .links(integration.uid, Kind::User, after, 1000)
            .await
            .unwrap();
        links += part.len();
        after = part.last().map(|link| link.source.clone());
        if after.is_none() {
            break;
        }
    }
    let members = store.member_count(&acme(), &entity_id("everybody")).await;
    let last = store.last_sequence(&acme()).await.unwrap();
    let events = store.events(&acme(), 0, usize::MAX).await.unwrap();
    assert_eq!(users, added);
    assert_eq!(links, added);
    assert_eq!(members.unwrap(), added as u64);
    assert_eq!(last, (added + 1 + runs.len()) as u64);
    assert_eq!(events.len() as u64, last);
    assert_eq!(store.unfinished_runs().await.unwrap().len(), runs.len());
    store.close().await.unwrap();
    added
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_survives_being_killed_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..12_u64 {
        // Some while opening, some soon after, some in full swing.
        let delay = Duration::from_millis([15, 60, 250][(round % 3) as usize] + round * 3);
        acknowledged.extend(killed_after(dir.path(), delay));
        check(dir.path(), &acknowledged).await;
    }
    let slices: usize = acknowledged.iter().map(|(_, slices)| slices).sum();
    assert!(slices > 0, "no round got as far as writing");
}
