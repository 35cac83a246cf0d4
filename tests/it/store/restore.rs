//! Where a backup can be restored.

use super::backup::{small, words};
use provisiond::{
    model::ManualClock,
    store::{Error, Options, SealingKey, Store, import},
};
use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

#[tokio::test]
async fn a_backup_can_be_restored_where_a_slash_ends_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let (home, file) = small(dir.path()).await;
    let key = SealingKey::load(&home.key_file()).unwrap();
    let into = PathBuf::from(format!("{}/restored/", dir.path().display()));
    import(&file, &into, &key).await.unwrap();
}

#[tokio::test]
async fn a_backup_is_restored_inside_an_empty_directory_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (home, file) = small(dir.path()).await;
    let key = SealingKey::load(&home.key_file()).unwrap();
    // As where a disk is mounted, which can't be replaced; and as a restore that was killed leaves it.
    let into = dir.path().join("mounted");
    fs::create_dir_all(into.join("lost+found")).unwrap();
    fs::create_dir_all(into.join(".importing")).unwrap();
    fs::write(into.join(".importing/db"), "half").unwrap();
    let place = |into: &Path| fs::metadata(into).unwrap().ino();
    let before = place(&into);
    import(&file, &into, &key).await.unwrap();
    assert_eq!(place(&into), before);
    assert!(into.join("lost+found").exists() && !into.join(".importing").exists());
    let options = Options {
        path: into.clone(),
        key: key.clone(),
        clock: Arc::new(ManualClock::default()),
    };
    let store = Store::open(options).await.unwrap();
    assert_eq!(store.unfinished_runs().await.unwrap().len(), 1);
    store.close().await.unwrap();
    assert!(words(import(&file, &into, &key).await).contains("not empty"));
    // What can't be restored leaves it empty.
    let again = dir.path().join("again");
    fs::create_dir(&again).unwrap();
    let other = SealingKey::load_or_create(&dir.path().join("other-key")).unwrap();
    let refused = import(&file, &again, &other).await.unwrap_err();
    assert!(matches!(refused, Error::Unusable(_)), "{refused:?}");
    assert_eq!(fs::read_dir(&again).unwrap().count(), 0);
    let taken = dir.path().join("file");
    fs::write(&taken, "a file").unwrap();
    let refused = import(&file, &taken, &key).await.unwrap_err();
    assert!(refused.to_string().contains("can't use"), "{refused}");
}
