//! What must never happen: an empty store in place of a full one, two processes in one, a hang, a secret in clear.

use super::fixtures::*;
use provisiond::{
    model::{ErrorKind, Kind, Secret, Time},
    store::{Error, Options, SealingKey, Store},
};
use std::{fs, sync::Arc, time::Duration};

/// A store with 300 users, closed.
async fn filled(home: &Home) {
    let (store, integration, run) = with_run(home).await;
    for part in 0..3 {
        let mut given = slice(&run);
        for n in 0..100 {
            let (user, link, change) = provisioned(&integration, part * 100 + n);
            given.entities.push(user);
            given.links.push((Kind::User, link));
            given.changes.push(change);
        }
        store.commit(given).await.unwrap();
    }
    store.close().await.unwrap();
}

async fn count(store: &Store) -> usize {
    let listed = store.entities(&acme(), Kind::User, &page(1000)).await;
    listed.unwrap().items.len()
}

/// A damaged store either does not open, saying what to do, or still has everything.
async fn never_less(home: &Home) -> bool {
    match home.try_open().await {
        Err(Error::Damaged(text)) => {
            assert!(text.contains("backup") && text.contains("data"), "{text}");
            false
        }
        Err(other) => panic!("{other:?}"),
        Ok(store) => {
            match store.entities(&acme(), Kind::User, &page(1000)).await {
                Ok(listed) => assert_eq!(listed.items.len(), 300),
                Err(error) => assert!(matches!(error, Error::Damaged(_)), "{error:?}"),
            }
            true
        }
    }
}

#[tokio::test]
async fn a_truncated_store_never_starts_as_an_empty_or_smaller_one() {
    for keep in [0, 1, 2, 3] {
        let home = Home::new();
        filled(&home).await;
        let db = home.data().join("db");
        let length = fs::metadata(&db).unwrap().len();
        let file = fs::File::options().write(true).open(&db).unwrap();
        file.set_len(length * keep / 4).unwrap();
        assert!(!never_less(&home).await, "{keep} quarters left");
    }
}

#[tokio::test]
async fn a_store_whose_files_are_gone_does_not_start_anew() {
    for lost in [&["db"][..], &["db", "conf", "blobs"], &["provisiond-store"]] {
        let home = Home::new();
        filled(&home).await;
        for name in lost {
            let path = home.data().join(name);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        assert!(!never_less(&home).await, "{lost:?}");
    }
}

#[tokio::test]
async fn flipped_bytes_never_lose_anything_silently() {
    let mut refused = 0;
    for round in 0..6_usize {
        let home = Home::new();
        filled(&home).await;
        let db = home.data().join("db");
        let mut bytes = fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let at = used * (round + 1) / 7;
        for byte in &mut bytes[at..at + 16] {
            *byte = !*byte;
        }
        fs::write(&db, bytes).unwrap();
        refused += usize::from(!never_less(&home).await);
    }
    assert!(refused > 0, "no flip was noticed");
}

#[tokio::test]
async fn what_a_killed_open_leaves_behind_does_not_stop_the_next() {
    let home = Home::new();
    filled(&home).await;
    fs::write(
        home.data().join("snap.0000000000000042.generating"),
        b"half",
    )
    .unwrap();
    fs::write(home.data().join("provisiond-store.new"), b"half").unwrap();
    assert_eq!(count(&home.open().await).await, 300);
}

#[tokio::test]
async fn a_store_killed_while_it_was_made_is_made_again() {
    let home = Home::new();
    home.open().await.close().await.unwrap();
    let sentinel = home.data().join("provisiond-store");
    let text = fs::read_to_string(&sentinel).unwrap();
    fs::write(&sentinel, text.replace("ready", "creating")).unwrap();
    fs::write(home.data().join("db"), b"half").unwrap();
    let (store, _, _) = with_run(&home).await;
    store.close().await.unwrap();
    assert_eq!(home.open().await.unfinished_runs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_directory_with_something_else_in_it_is_not_taken() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::write(home.data().join("thesis.txt"), b"...").unwrap();
    let refused = home.try_open().await.unwrap_err();
    assert!(refused.to_string().contains("thesis.txt"), "{refused}");
    assert!(!home.data().join("db").exists());
}

#[tokio::test]
async fn a_store_of_another_format_is_left_alone() {
    let home = Home::new();
    filled(&home).await;
    let sentinel = home.data().join("provisiond-store");
    let text = fs::read_to_string(&sentinel).unwrap();
    for (format, expected) in [("1", "import the backup with this one"), ("5", "newer")] {
        let other = text.replace("format = 4", &format!("format = {format}"));
        assert_ne!(other, text);
        fs::write(&sentinel, other).unwrap();
        let before = home.bytes();
        match home.try_open().await {
            Err(Error::Unusable(text)) => assert!(text.contains(expected), "{text}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(home.bytes(), before);
    }
    // Of those before, everything is read; what is written then is not for the versions before.
    for earlier in ["format = 2", "format = 3"] {
        fs::write(&sentinel, text.replace("format = 4", earlier)).unwrap();
        home.open().await.close().await.unwrap();
        let now = fs::read_to_string(&sentinel).unwrap();
        assert!(now.contains("format = 4"), "{now}");
    }
}

#[tokio::test]
async fn a_second_process_is_told_which_store_is_in_use() {
    let home = Home::new();
    let store = home.open().await;
    match home.try_open().await {
        Err(Error::Locked(text)) => {
            assert!(text.contains("another provisiond"), "{text}");
            assert!(text.contains(home.data().to_str().unwrap()), "{text}");
        }
        other => panic!("{other:?}"),
    }
    store.close().await.unwrap();
    home.open().await;
}

#[tokio::test]
async fn the_wrong_key_is_told_in_words_and_changes_nothing() {
    let home = Home::new();
    filled(&home).await;
    let right = fs::read_to_string(home.key_file()).unwrap();
    fs::write(home.key_file(), "ab".repeat(32)).unwrap();
    match home.try_open().await {
        Err(Error::Unusable(text)) => assert!(text.contains("sealing.key_file"), "{text}"),
        other => panic!("{other:?}"),
    }
    fs::write(home.key_file(), right).unwrap();
    assert_eq!(count(&home.open().await).await, 300);
}

#[tokio::test]
async fn a_key_inside_the_data_directory_is_refused() {
    let home = Home::new();
    let options = Options {
        path: home.data(),
        key: SealingKey::load_or_create(&home.data().join("deep/er/key")).unwrap(),
        clock: Arc::new(home.clock.clone()),
    };
    match Store::open(options).await {
        Err(Error::Unusable(text)) => assert!(text.contains("inside"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_file_is_made_for_its_owner_alone_and_anything_else_in_it_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    SealingKey::load_or_create(&home.key_file()).unwrap();
    let mode = fs::metadata(home.key_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(home.key_file()).unwrap();
    assert_eq!((text.len(), text.ends_with('\n')), (65, true));
    SealingKey::load_or_create(&home.key_file()).unwrap();
    assert_eq!(fs::read_to_string(home.key_file()).unwrap(), text);
    for bad in ["", "short", &"zz".repeat(32), &"ab".repeat(33)] {
        fs::write(home.key_file(), bad).unwrap();
        let refused = SealingKey::load_or_create(&home.key_file()).unwrap_err();
        assert!(matches!(refused, Error::Unusable(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn secrets_are_in_no_file_in_clear() {
    let home = Home::new();
    let store = home.open().await;
    let of = integration(&acme(), "main");
    store.create_integration(of.clone(), None).await.unwrap();
    let expires = Time::now() + Duration::from_secs(600);
    store
        .begin_authorization(pending(&of, 1, expires))
        .await
        .unwrap();
    let token = Secret::new("1//refresh-token-in-clear".to_owned());
    store
        .authorize(&of.company, &of.id, consent("C01"), token, None)
        .await
        .unwrap();
    store.close().await.unwrap();
    let bytes = home.bytes();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(holds("admin@acme.example"), "what is not secret is there");
    let key = fs::read_to_string(home.key_file()).unwrap();
    for secret in [
        "refresh-token-in-clear",
        "verifier-in-clear",
        "nonce-in-clear",
        key.trim(),
    ] {
        assert!(!holds(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let home = Home::new();
    let store = home.open().await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    let made = store.create_integration(integration(&acme(), "x"), None);
    assert_eq!(made.await.unwrap_err().kind(), ErrorKind::Internal);
    let read = store.integrations(&acme(), &page(1)).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Internal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_two_writers_and_readers_at_once_never_hang_and_lose_nothing() {
    let home = Home::new();
    let (store, integration, _) = with_run(&home).await;
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let (store, integration) = (store.clone(), integration.clone());
            tokio::spawn(async move {
                for n in 0..20 {
                    let (user, _, _) = provisioned(&integration, writer * 100 + n);
                    let id = user.id.clone();
                    store.create_entity(user, None).await.unwrap();
                    let read = store.entity(&acme(), Kind::User, &id).await.unwrap();
                    assert!(read.is_some());
                }
            })
        })
        .collect();
    within(120, async {
        for writer in writers {
            writer.await.unwrap();
        }
    })
    .await;
    within(20, store.close()).await.unwrap();
    assert_eq!(count(&home.open().await).await, 640);
}

#[tokio::test]
async fn a_store_can_be_opened_again_the_moment_it_is_closed_or_dropped() {
    let home = Home::new();
    for round in 0..30 {
        let store = home.open().await;
        let given = integration(&acme(), &format!("i-{round}"));
        store.create_integration(given, None).await.unwrap();
        let listed = store.integrations(&acme(), &page(1000)).await.unwrap();
        assert_eq!(listed.items.len(), round + 1);
        if round % 2 == 0 {
            store.close().await.unwrap();
        }
    }
}
