//! Making a store of a backup: in a place beside or inside the directory that is meant, until everything was found good.

use super::{
    super::{
        Error, SealingKey, blocking,
        core::Core,
        large,
        open::{self, FORMAT, META},
        rows::MetaRow,
        sealing::Purpose,
        sentinel::{self, Sentinel},
        tables::Table,
        txn::Buffer,
        verify,
    },
    BackupInfo,
    files::{named, reader, refused},
};
use crate::{model::SystemClock, store::Options};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use uuid::Uuid;

/// After so many blocks what was written is made durable, which bounds the memory that it takes.
const FLUSH_EVERY: usize = 64;

/// Makes a store of a backup, in a directory that is absent or empty (a disk may be mounted there). The store gets an epoch of its own, so that positions in streams of
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

/// Where the store is made; goes away unless it is finished. Of a directory that is there this is a place inside of it, since it
/// may be where a disk is mounted, or all that may be written to; else one beside it, which takes its name.
struct Site {
    dir: PathBuf,
    into: PathBuf,
    inside: bool,
}

/// The place, and what its name ends with.
const PLACE: &str = ".importing";

impl Site {
    fn begin(into: &Path) -> Result<Self, Error> {
        let failed = |error| Error::io(&format!("can't use {}", into.display()), &error);
        let inside = match fs::read_dir(into) {
            Ok(entries) => {
                for entry in entries {
                    let name = entry.map_err(failed)?.file_name();
                    // The one is of a disk itself, the other was left by one that was killed.
                    if name != "lost+found" && name != PLACE {
                        return Err(Error::Backup(format!(
                            "{} is not empty: a backup is restored into a new or empty directory only",
                            into.display()
                        )));
                    }
                }
                true
            }
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        // Without a slash at its end, or the place would be inside of it.
        let into: PathBuf = into.components().collect();
        let dir = if inside {
            into.join(PLACE)
        } else {
            let mut dir = into.clone().into_os_string();
            dir.push(PLACE);
            PathBuf::from(dir)
        };
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
        Ok(Self { dir, into, inside })
    }

    fn finish(self) -> Result<(), Error> {
        open::wait_for_files(&self.dir)?;
        let finished = if self.inside {
            self.move_out()
        } else {
            fs::rename(&self.dir, &self.into).and_then(|()| self.sync_parent())
        };
        finished.map_err(|error| {
            let doing = format!("can't put the store into {}", self.into.display());
            Error::io(&doing, &error)
        })
    }

    /// Moves the files to where they belong. The sentinel goes last: without it they are no store, and nobody takes them for one.
    fn move_out(&self) -> std::io::Result<()> {
        let synced = |dir: &Path| File::open(dir).and_then(|dir| dir.sync_all());
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            if name != sentinel::FILE {
                fs::rename(self.dir.join(&name), self.into.join(&name))?;
            }
        }
        synced(&self.into)?;
        let sentinel = |dir: &Path| dir.join(sentinel::FILE);
        fs::rename(sentinel(&self.dir), sentinel(&self.into))?;
        fs::remove_dir(&self.dir)?;
        synced(&self.into)
    }

    fn sync_parent(&self) -> std::io::Result<()> {
        let parent = match self.into.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        File::open(parent).and_then(|parent| parent.sync_all())
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
    let (db, durable) = open::open_tables(dir)?;
    let mut blocks = 0;
    while let Some(block) = backup.next().map_err(named(from))? {
        let mut changes: BTreeMap<Table, Buffer> = BTreeMap::new();
        for (table, key, value) in block {
            changes.entry(table).or_default().insert(key, Some(value));
        }
        durable.apply(changes)?;
        blocks += 1;
        if blocks % FLUSH_EVERY == 0 {
            db.flush()?;
        }
    }
    let meta: MetaRow = large::get(&durable, Table::Meta, META)?
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
    open::make(&db, &file, &durable, &sentinel, key)?;
    sentinel.ready = true;
    sentinel.write(dir)?;
    Ok(backup.info())
}

/// Opens it as the daemon would, and looks whether what belongs together is.
fn check(dir: &Path, key: SealingKey) -> Result<(), Error> {
    open::wait_for_files(dir)?;
    let core: Core = open::open(&Options {
        path: dir.to_owned(),
        key,
        clock: Arc::new(SystemClock),
    })?;
    verify::indexes(&core.durable)
}
