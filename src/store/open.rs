//! Opening: every way in which the tables can come up wrong is caught here, and ends in words that say what to do. A store that was there
//! is never opened as an empty one.

use super::{
    Error, Options, SealingKey,
    core::Core,
    events, large,
    rows::{MetaRow, RunStateRow},
    sealing::Purpose,
    sentinel::{self, Sentinel},
    tables::{Durable, Read, Table},
    txn::Buffer,
};
use fs4::fs_std::FileExt;
use prost::Message;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::DirBuilderExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};
use uuid::Uuid;

/// The stored form of everything that this version writes. 1 had a tree of sled for each table, 2 no packed rows, 3 a
/// record of the tree for every row.
pub(super) const FORMAT: u32 = 4;
/// The oldest one that it opens; the store is then of this version's.
const OLDEST: u32 = 2;
const LOCK: &str = "provisiond.lock";
/// Memory for sled's pages.
const CACHE_BYTES: u64 = 24 * 1024 * 1024;
pub(super) const META: &[u8] = b"store";

/// Opens or makes the store.
pub(super) fn open(options: &Options) -> Result<Core, Error> {
    let failed = |error| {
        Error::io(
            &format!("can't use {} as data directory", options.path.display()),
            &error,
        )
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&options.path)
        .map_err(failed)?;
    let dir = fs::canonicalize(&options.path).map_err(failed)?;
    check_key_place(&options.key, &dir)?;
    let lock = lock(&dir)?;
    let mut sentinel = match Sentinel::read(&dir)? {
        Some(sentinel) => sentinel,
        None => begin(&dir)?,
    };
    if sentinel.format > FORMAT {
        return Err(Error::Unusable(format!(
            "the store in {} was written by a newer provisiond (format {}; this one knows {FORMAT}): run the newer version",
            dir.display(),
            sentinel.format
        )));
    }
    if sentinel.format < OLDEST {
        return Err(Error::Unusable(format!(
            "the store in {} was written by an older provisiond (format {}; this one knows {OLDEST} to {FORMAT}): export it with that version, and import \
             the backup with this one",
            dir.display(),
            sentinel.format
        )));
    }
    if !sentinel.ready {
        remove(&dir, |name| {
            matches!(name, "db" | "conf" | "blobs") || name.starts_with("snap.")
        })?;
    }
    // Left by a process killed while opening; with it in the way no later open succeeds.
    remove(&dir, |name| {
        name.starts_with("snap.") && name.ends_with(".generating")
    })?;
    wait_for_files(&dir)?;
    let (db, durable) = open_tables(&dir)?;
    let file = fs::File::open(dir.join("db")).map_err(failed)?;
    if sentinel.ready {
        check(&dir, &sentinel, &durable, &options.key)?;
    } else {
        make(&db, &file, &durable, &sentinel, &options.key)?;
        sentinel.ready = true;
    }
    let (known, events) = guarded(&dir, || survey(&durable))?;
    if events < sentinel.events {
        return Err(damaged(
            &dir,
            &format!(
                "it holds {events} events and should hold {}",
                sentinel.events
            ),
        ));
    }
    (sentinel.events, sentinel.format) = (events, FORMAT);
    sentinel.write(&dir)?;
    Ok(Core::new(durable, db, file, dir, lock, sentinel, known))
}

/// What to do about a store that is damaged.
pub(super) fn damaged(dir: &Path, how: &str) -> Error {
    Error::Damaged(format!(
        "the store in {} is damaged: {how}. Keep a copy of the directory, then restore a backup into it; or set store.path to an empty \
         directory to begin anew",
        dir.display()
    ))
}

fn check_key_place(key: &SealingKey, dir: &Path) -> Result<(), Error> {
    if key.file().starts_with(dir) {
        return Err(Error::Unusable(format!(
            "the sealing key file {} lies inside the data directory {}, so whoever copies the one has both: move it elsewhere and set \
             sealing.key_file",
            key.file().display(),
            dir.display()
        )));
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<fs::File, Error> {
    let file = fs::File::create(dir.join(LOCK))
        .map_err(|error| Error::io(&format!("can't make {}", dir.join(LOCK).display()), &error))?;
    // For a moment a process that is just ending may hold it, or one that a holder is just starting.
    if lock_within(&file, 50)
        .map_err(|error| Error::io(&format!("can't lock {}", dir.join(LOCK).display()), &error))?
    {
        return Ok(file);
    }
    Err(Error::Locked(format!(
        "another provisiond is using the store in {}: stop it, or set store.path to another directory",
        dir.display()
    )))
}

/// Whether the lock is had, at once or at one of so many further attempts, 50 a second.
fn lock_within(file: &fs::File, attempts: u32) -> std::io::Result<bool> {
    for _ in 0..attempts {
        if FileExt::try_lock_exclusive(file)? {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    FileExt::try_lock_exclusive(file)
}

/// Begins a new store in an empty directory.
fn begin(dir: &Path) -> Result<Sentinel, Error> {
    for name in names(dir)? {
        if name != LOCK && name != "lost+found" && !Sentinel::may_be_there(&name) {
            return Err(Error::Damaged(format!(
                "{} is not empty ({name}) and has no file {}: it is not a store, or an incomplete copy of one. Restore a backup into it, or \
                 set store.path to an empty directory to begin anew",
                dir.display(),
                sentinel::FILE
            )));
        }
    }
    let sentinel = Sentinel {
        format: FORMAT,
        epoch: Uuid::now_v7(),
        ready: false,
        events: 0,
    };
    sentinel.write(dir)?;
    // The directory may be new: its own name must survive a loss of power too, where that can be asked for.
    if let Some(parent) = dir.parent().and_then(|parent| fs::File::open(parent).ok()) {
        let _ = parent.sync_all();
    }
    Ok(sentinel)
}

fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let read = || -> std::io::Result<Vec<String>> {
        fs::read_dir(dir)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    read().map_err(|error| Error::io(&format!("can't list {}", dir.display()), &error))
}

fn remove(dir: &Path, doomed: impl Fn(&str) -> bool) -> Result<(), Error> {
    for name in names(dir)?.iter().filter(|name| doomed(name)) {
        let path = dir.join(name);
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|error| Error::io(&format!("can't remove {}", path.display()), &error))?;
    }
    Ok(())
}

/// Waits until nobody holds sled's own file. With our lock in hand that can only be a store of this process whose files are just being
/// closed by sled's own threads, or a foreign program.
pub(super) fn wait_for_files(dir: &Path) -> Result<(), Error> {
    let path = dir.join("db");
    let failed = |error| Error::io(&format!("can't lock {}", path.display()), &error);
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        // Whether that is right is found out later.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if lock_within(&file, 250).map_err(failed)? {
        return FileExt::unlock(&file).map_err(failed);
    }
    Err(Error::Locked(format!(
        "another program is using {}: end it, or set store.path to another directory",
        path.display()
    )))
}

pub(super) fn open_tables(dir: &Path) -> Result<(sled::Db, Durable), Error> {
    guarded(dir, || {
        let db = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            .open()
            .map_err(|error| match error {
                sled::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                    Error::io("the disk is full", &error)
                }
                error => damaged(dir, &error.to_string()),
            })?;
        let durable = Durable::open(&db)?;
        Ok((db, durable))
    })
}

/// Runs what may panic on damaged pages.
fn guarded<R>(dir: &Path, run: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Err(Error::Damaged(text))) if !text.contains("store.path") => Err(damaged(dir, &text)),
        Ok(result) => result,
        Err(_) => Err(damaged(dir, "its pages can't be read")),
    }
}

/// Writes the store's own row; from then on the store counts as made.
pub(super) fn make(
    db: &sled::Db,
    file: &fs::File,
    durable: &Durable,
    sentinel: &Sentinel,
    key: &SealingKey,
) -> Result<(), Error> {
    let epoch = sentinel.epoch.as_bytes();
    let meta = MetaRow {
        format: FORMAT,
        epoch: epoch.to_vec(),
        key_check: key.seal(Purpose::KeyCheck, META, epoch)?.0,
    };
    let mut value = vec![1];
    value.extend(meta.encode_to_vec());
    let row = (META.into(), Some(value.into()));
    durable.apply([(Table::Meta, Buffer::from([row]))])?;
    db.flush()?;
    file.sync_all()
        .map_err(|error| Error::io("can't write the new store", &error))
}

/// Checks that the tables are those of the sentinel and the key is theirs.
fn check(
    dir: &Path,
    sentinel: &Sentinel,
    durable: &Durable,
    key: &SealingKey,
) -> Result<(), Error> {
    let meta = guarded(dir, || large::get::<MetaRow>(durable, Table::Meta, META))?
        .ok_or_else(|| damaged(dir, "its contents are gone"))?;
    if meta.epoch != sentinel.epoch.as_bytes() {
        return Err(damaged(
            dir,
            &format!("its contents are not those that {} names", sentinel::FILE),
        ));
    }
    if meta.format > FORMAT {
        return Err(Error::Unusable(format!(
            "the store in {} was written by a newer provisiond (format {}; this one knows {FORMAT}): run the newer version",
            dir.display(),
            meta.format
        )));
    }
    let opened = key.open(Purpose::KeyCheck, META, &meta.key_check)?;
    if opened.is_none_or(|epoch| *epoch != meta.epoch) {
        return Err(Error::Unusable(format!(
            "the sealing key in {} is not the one that the store in {} was made with: set sealing.key_file to the right one (what was sealed \
             with a lost key can't be read again; then begin anew with an empty store.path)",
            key.file().display(),
            dir.display()
        )));
    }
    Ok(())
}

/// Reads what is kept in memory: the runs that are going on and those that began last, and how many events there are.
fn survey(durable: &Durable) -> Result<(BTreeSet<Vec<u8>>, u64), Error> {
    let mut going_on = BTreeSet::new();
    for row in durable.prefix(Table::Runs, &[]) {
        let (key, raw) = row?;
        let state = large::decode::<RunStateRow>(durable, Table::Runs, &key, &raw)?;
        if let Some(state) = state
            && !state.state()?.is_final()
        {
            going_on.insert(key.to_vec());
        }
    }
    durable.find()?;
    Ok((going_on, events::count_all(durable)?))
}
