//! Making a store of a backup: in a directory beside the one that is meant, which takes its place when everything was found good.

use super::{
    super::{
        Error, SealingKey, blocking,
        core::Core,
        large,
        open::{self, FORMAT, META},
        rows::MetaRow,
        sealing::Purpose,
        sentinel::Sentinel,
        tables::{Table, Trees},
        verify,
    },
    BackupInfo,
    files::{named, reader, refused},
    format::Record,
};
use crate::{model::SystemClock, store::Options};
use std::{
    fs::{self, DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use uuid::Uuid;

/// After so many blocks what was written is made durable, which bounds the memory that it takes.
const FLUSH_EVERY: usize = 64;

/// Makes a store of a backup, in a directory that is absent or empty. The store gets an epoch of its own, so that positions in streams of
/// the one that was backed up are refused. Everything is checked before the directory appears: every hash, that the sealing key is the one
/// of the backup, that the store opens, and that its indexes agree.
///
/// # Errors
/// `Backup` if the backup can't be used or the directory is not empty; `Unusable` if the key is another; `Io`.
pub async fn import(from: &Path, into: &Path, key: &SealingKey) -> Result<BackupInfo, Error> {
    let (from, into, key) = (from.to_owned(), into.to_owned(), key.clone());
    blocking(move || {
        let site = Site::begin(&into)?;
        let info = fill(&from, &site.dir, &key)?;
        check(&site.dir, key)?;
        site.finish()?;
        Ok(info)
    })
    .await
}

/// Where the store is made; goes away unless it is finished.
struct Site {
    dir: PathBuf,
    into: PathBuf,
}

impl Site {
    fn begin(into: &Path) -> Result<Self, Error> {
        let failed = |error| Error::io(&format!("can't use {}", into.display()), &error);
        let empty = match fs::read_dir(into) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(failed(error)),
        };
        if !empty {
            return Err(Error::Backup(format!(
                "{} is not empty: a backup is restored into a new or empty directory only",
                into.display()
            )));
        }
        // Without a slash at its end: beside it, not in it.
        let into: PathBuf = into.components().collect();
        let mut dir = into.as_os_str().to_owned();
        dir.push(".importing");
        let dir = PathBuf::from(dir);
        // Left by one that was killed.
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(failed)?;
        Ok(Self { dir, into })
    }

    fn finish(self) -> Result<(), Error> {
        let failed = |error| {
            Error::io(
                &format!("can't put the store into {}", self.into.display()),
                &error,
            )
        };
        open::wait_for_trees(&self.dir)?;
        fs::rename(&self.dir, &self.into).map_err(failed)?;
        let parent = match self.into.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(failed)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Gone already if it took its place.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Writes everything that is in the backup; the store counts as made once all of it is durable.
fn fill(from: &Path, dir: &Path, key: &SealingKey) -> Result<BackupInfo, Error> {
    let mut backup = reader(from)?;
    let mut sentinel = Sentinel {
        format: FORMAT,
        epoch: Uuid::now_v7(),
        ready: false,
        events: 0,
    };
    sentinel.write(dir)?;
    let (db, trees) = open::open_trees(dir)?;
    let mut blocks = 0;
    while let Some(block) = backup.next().map_err(named(from))? {
        insert(&trees, block)?;
        blocks += 1;
        if blocks % FLUSH_EVERY == 0 {
            db.flush()?;
        }
    }
    let meta: MetaRow = large::get(&trees, Table::Meta, META)?
        .ok_or_else(|| refused(from, "the store's own row is not in it"))?;
    let opened = key.open(Purpose::KeyCheck, META, &meta.key_check)?;
    if opened.is_none_or(|epoch| *epoch != meta.epoch) {
        return Err(Error::Unusable(format!(
            "the sealing key in {} is not the one of the store that the backup {} was taken of: set sealing.key_file to the right one",
            key.file().display(),
            from.display()
        )));
    }
    if Uuid::from_slice(&meta.epoch)
        .map(|epoch| epoch.to_string())
        .ok()
        .as_deref()
        != Some(backup.epoch())
    {
        return Err(refused(
            from,
            "its head is of another store than its records",
        ));
    }
    let file = File::open(dir.join("db"))
        .map_err(|error| Error::io("can't read the new store", &error))?;
    open::make(&db, &file, &trees, &sentinel, key)?;
    sentinel.ready = true;
    sentinel.write(dir)?;
    Ok(backup.info())
}

fn insert(trees: &Trees, block: Vec<Record>) -> Result<(), Error> {
    let mut batches: Vec<(Table, sled::Batch)> = Vec::new();
    for (table, key, value) in block {
        if batches.last().is_none_or(|(of, _)| *of != table) {
            batches.push((table, sled::Batch::default()));
        }
        if let Some((_, batch)) = batches.last_mut() {
            batch.insert(key, value);
        }
    }
    for (table, batch) in batches {
        trees.tree(table).apply_batch(batch)?;
    }
    Ok(())
}

/// Opens it as the daemon would, and looks whether what belongs together is.
fn check(dir: &Path, key: SealingKey) -> Result<(), Error> {
    open::wait_for_trees(dir)?;
    let core: Core = open::open(&Options {
        path: dir.to_owned(),
        key,
        clock: Arc::new(SystemClock),
    })?;
    verify::indexes(&core.trees)
}
