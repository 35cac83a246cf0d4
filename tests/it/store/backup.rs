//! Backups: taken while much is written, restored elsewhere, and refused when anything about them is wrong.

use super::{
    crash::{PER_SLICE, check, full_slice},
    fixtures::*,
};
use provisiond::{
    model::{Clock as _, ManualClock, Time},
    store::{
        BackupSchedule, Error, Incoming, Options, SealingKey, Store, import, newest_backup,
        verify_backup,
    },
};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Why something about a backup was refused.
pub(super) fn words<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Backup(text)) => text,
        other => panic!("not refused as a backup: {other:?}"),
    }
}

/// Reads a download to its end into a file.
async fn download(store: &Store, to: &Path) {
    let mut spooled = store.backup().await.unwrap();
    let info = spooled.info.clone();
    let mut incoming = Incoming::create(to).unwrap();
    while let Some((bytes, rest)) = spooled.next().await.unwrap() {
        incoming.write_all(&bytes).unwrap();
        spooled = rest;
    }
    assert_eq!(incoming.finish(&info.digest).unwrap(), info);
}

/// A backup of a small store, with its home.
pub(super) async fn small(dir: &Path) -> (Home, PathBuf) {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    store
        .commit(full_slice(&integration, &run, 0))
        .await
        .unwrap();
    let file = dir.join("small.backup");
    store.backup_to(&file).await.unwrap();
    store.close().await.unwrap();
    (home, file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_taken_while_much_is_written_is_one_moment_and_the_store_restored_from_it_is_whole()
 {
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    let done = Arc::new(AtomicUsize::new(0));
    let writing = tokio::spawn({
        let (store, done) = (store.clone(), Arc::clone(&done));
        async move {
            let mut under_way = Vec::new();
            for number in 0.. {
                under_way.push(store.commit(full_slice(&integration, &run, number)));
                if under_way.len() == 3 {
                    under_way.remove(0).await.unwrap();
                    if done.fetch_add(1, Ordering::SeqCst) == usize::MAX / 2 {
                        break;
                    }
                }
                if done.load(Ordering::SeqCst) > usize::MAX / 2 {
                    break;
                }
            }
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let mut sizes = Vec::new();
    for round in 0..4usize {
        while done.load(Ordering::SeqCst) < round * 40 + 20 {
            tokio::task::yield_now().await;
        }
        let place = dir.path().join(round.to_string());
        fs::create_dir(&place).unwrap();
        let file = place.join("a.backup");
        let before = done.load(Ordering::SeqCst);
        if round % 2 == 0 {
            store.backup_to(&file).await.unwrap();
        } else {
            download(&store, &file).await;
        }
        let after = done.load(Ordering::SeqCst);
        fs::copy(home.key_file(), place.join("key")).unwrap();
        let key = SealingKey::load(&place.join("key")).unwrap();
        let info = verify_backup(&file).await.unwrap();
        assert_eq!(info.epoch, store.epoch());
        import(&file, &place.join("data"), &key).await.unwrap();
        let users = check(&place, &[]).await;
        assert_eq!(users % PER_SLICE, 0);
        // Of the time in which it was taken, with what was under way.
        let slices = users / PER_SLICE;
        assert!(
            (before..=after + 3).contains(&slices),
            "{before} {slices} {after}"
        );
        sizes.push(slices);
    }
    assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
    done.store(usize::MAX / 2 + 1, Ordering::SeqCst);
    writing.await.unwrap();
}

#[tokio::test]
async fn a_restored_store_is_another_one_and_reads_its_secrets_with_its_own_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let (home, file) = small(dir.path()).await;
    let key = SealingKey::load(&home.key_file()).unwrap();
    let other = SealingKey::load_or_create(&dir.path().join("other")).unwrap();
    let into = dir.path().join("restored");
    let refused = import(&file, &into, &other).await;
    assert!(
        matches!(&refused, Err(Error::Unusable(text)) if text.contains("sealing key")),
        "{refused:?}"
    );
    assert!(matches!(
        SealingKey::load(&dir.path().join("none")),
        Err(Error::Unusable(_))
    ));
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["other", "small.backup"],
        "something is left of what was refused"
    );
    // An empty directory will do, one that holds anything will not.
    fs::create_dir(&into).unwrap();
    let info = import(&file, &into, &key).await.unwrap();
    assert!(words(import(&file, &into, &key).await).contains("not empty"));
    let restored = Store::open(Options {
        path: into,
        key,
        clock: Arc::new(home.clock.clone()),
    });
    let restored = restored.await.unwrap();
    assert_ne!(restored.epoch(), info.epoch);
    assert_eq!(home.open().await.epoch(), info.epoch);
    assert_eq!(
        restored.events(&acme(), 0, 1000).await.unwrap().len(),
        2 + PER_SLICE
    );
}

#[tokio::test]
async fn a_backup_with_a_flipped_bit_anywhere_or_cut_off_anywhere_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let (_home, file) = small(dir.path()).await;
    let good = fs::read(&file).unwrap();
    let bad = dir.path().join("bad.backup");
    let judge = |bytes: Vec<u8>, what: String| {
        fs::write(&bad, bytes).unwrap();
        let bad = bad.clone();
        async move {
            let text = words(verify_backup(&bad).await);
            assert!(text.contains("can't be used: it "), "{what}: {text}");
            text
        }
    };
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        judge(bytes, format!("byte {at} of {}", good.len())).await;
        let text = judge(good[..at].to_vec(), format!("cut off at {at}")).await;
        assert!(text.contains("cut off"), "{at}: {text}");
    }
    let text = judge([good.as_slice(), b"x"].concat(), "one more".to_owned()).await;
    assert!(text.contains("comes after its end"), "{text}");
    let text = judge(
        [good.as_slice(), good.as_slice()].concat(),
        "twice".to_owned(),
    )
    .await;
    assert!(text.contains("comes after its end"), "{text}");
    let mut newer = good.clone();
    newer[11] += 1;
    assert!(judge(newer, "newer".to_owned()).await.contains("format"));
    let text = judge(b"PK\x03\x04 something else".to_vec(), "a zip".to_owned()).await;
    assert!(text.contains("not a backup"), "{text}");
    let key = SealingKey::load_or_create(&dir.path().join("key")).unwrap();
    words(import(&bad, &dir.path().join("into"), &key).await);
    assert!(!dir.path().join("into").exists());
}

/// Where the frames of a backup begin and end.
fn frames(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut frames, mut at) = (Vec::new(), 12);
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap());
        let end = at + 5 + length as usize + 32;
        frames.push(at..end);
        at = end;
    }
    frames
}

/// The same frames with right hashes: what somebody would make who knows the format.
fn chained(bytes: &[u8], frames: &[Vec<u8>]) -> Vec<u8> {
    let mut all = bytes[..12].to_vec();
    let mut chain = *blake3::hash(&all).as_bytes();
    for frame in frames {
        let hashed = &frame[..frame.len() - 32];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&chain).update(hashed);
        chain = *hasher.finalize().as_bytes();
        all.extend_from_slice(hashed);
        all.extend_from_slice(&chain);
    }
    all
}

#[tokio::test]
async fn blocks_that_are_missing_doubled_or_in_another_order_are_refused_even_with_right_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::new();
    let (store, integration, run) = with_run(&home).await;
    for number in 0..20 {
        store
            .commit(full_slice(&integration, &run, number))
            .await
            .unwrap();
    }
    let file = dir.path().join("good.backup");
    store.backup_to(&file).await.unwrap();
    let good = fs::read(&file).unwrap();
    let ranges = frames(&good);
    assert!(ranges.len() > 4, "too few blocks to change their order");
    let whole: Vec<Vec<u8>> = ranges
        .iter()
        .map(|range| good[range.clone()].to_vec())
        .collect();
    assert_eq!(chained(&good, &whole), good);
    let end = whole.len() - 1;
    let (mut missing, mut doubled, mut swapped) = (whole.clone(), whole.clone(), whole.clone());
    missing.remove(1);
    doubled.insert(2, whole[1].clone());
    swapped.swap(1, 2);
    let endless = whole[..end].to_vec();
    let mut headless = whole.clone();
    headless.remove(0);
    let mut ended_twice = whole.clone();
    ended_twice.push(whole[end].clone());
    let mut unknown = whole.clone();
    unknown[1][0] = 9;
    for (what, changed) in [
        ("missing", missing),
        ("doubled", doubled),
        ("swapped", swapped),
        ("endless", endless),
        ("headless", headless),
        ("ended twice", ended_twice),
        ("unknown kind", unknown),
    ] {
        let plain = [&good[..12], &changed.concat()].concat();
        for bytes in [plain, chained(&good, &changed)] {
            fs::write(&file, bytes).unwrap();
            let text = words(verify_backup(&file).await);
            assert!(text.contains("can't be used"), "{what}: {text}");
        }
    }
}

#[tokio::test]
async fn scheduled_backups_go_round_and_none_is_removed_before_the_new_one_is_good() {
    let home = Home::new();
    let (store, ..) = with_run(&home).await;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("backups");
    let names = || {
        let mut names: Vec<String> = fs::read_dir(&place)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let day = |days: i64| Time::from_second(1_795_000_000 + days * 86_400).unwrap();
    assert_eq!(newest_backup(&place, day(9)).await.unwrap(), None);
    store.rotate_backups(&place, 2, day(0)).await.unwrap();
    // What is not ours stays; what a killed process left goes.
    fs::write(place.join("notes.txt"), "mine").unwrap();
    fs::write(
        place.join("provisiond-20200101T000000Z.backup.part"),
        "half",
    )
    .unwrap();
    for days in 1..5 {
        store.rotate_backups(&place, 2, day(days)).await.unwrap();
    }
    let kept = names();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(kept[0], "notes.txt");
    assert_eq!(newest_backup(&place, day(9)).await.unwrap(), Some(day(4)));
    for name in &kept[1..] {
        verify_backup(&place.join(name)).await.unwrap();
    }
    // One that fails takes nothing away.
    store.rotate_backups(&place, 1, day(4)).await.unwrap_err();
    assert_eq!(names(), kept);
    // A clock that was set back: the new one stays, and those with names of later times were taken before it.
    store.rotate_backups(&place, 2, day(-9)).await.unwrap();
    assert_eq!(names().len(), 3);
    assert_eq!(newest_backup(&place, day(-8)).await.unwrap(), Some(day(-9)));
    assert_eq!(newest_backup(&place, day(-10)).await.unwrap(), None);
    store.rotate_backups(&place, 2, day(-8)).await.unwrap();
    assert_eq!(newest_backup(&place, day(9)).await.unwrap(), Some(day(-8)));
    store.close().await.unwrap();
    tokio::time::timeout(
        Duration::from_secs(5),
        store.rotate_backups(&place, 1, day(9)),
    )
    .await
    .unwrap()
    .unwrap_err();
    assert_eq!(names().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_go_on_after_the_clock_was_wrong() {
    let home = Home::new();
    let (store, ..) = with_run(&home).await;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("backups");
    let clock = ManualClock::default();
    let now = clock.now();
    let year = Duration::from_secs(365 * 24 * 3600);
    // For a while it went a year ahead.
    store.rotate_backups(&place, 7, now + year).await.unwrap();
    let schedule = BackupSchedule {
        directory: place.clone(),
        every: Duration::from_secs(24 * 3600).try_into().unwrap(),
        keep: 7,
    };
    let keeping = tokio::spawn(schedule.keep(store.clone(), Arc::new(clock.clone())));
    for days in 0..3 {
        let due = now + Duration::from_secs(24 * 3600 * days) - Duration::from_secs(1);
        let taken = async {
            while newest_backup(&place, clock.now()).await.unwrap() < Some(due) {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, taken).await.unwrap();
        clock.advance(Duration::from_secs(24 * 3600));
    }
    keeping.abort();
}
