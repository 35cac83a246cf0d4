//! Backups: all records of a store as they were at one commit, in one file that says itself whether it is whole.
//!
//! Owns the format of the file (`format.rs`), taking one while the store is written to (`capture.rs`), files that appear whole or not at all
//! and their rotation (`files.rs`), when they are taken (`schedule.rs`), and making a store of one (`import.rs`). May use what the rest of the store does. Deliberately holds no
//! key: secrets stay sealed in a backup, so the key file is to be kept apart from it.
//!
//! A backup begins between two commits. From then on each commit first puts aside what it is about to change where the backup has not been
//! yet, and the backup takes that in place of what is there when it comes by. So a commit waits at most for one block (512 records or
//! 1 MiB) to be read, what is put aside takes at most 64 MiB (else the backup is given up, never the commit), and a store of which no backup
//! is being taken does nothing for it.

mod capture;
mod files;
mod format;
mod import;
mod schedule;

pub(super) use capture::Capture;
pub use files::{Incoming, newest_backup, verify_backup};
pub use import::import;
pub use schedule::BackupSchedule;

use super::{Error, Store, blocking};
use crate::model::Time;
use capture::BOUNDS;
#[cfg(test)]
pub(super) use capture::Bounds;
pub(super) use capture::Capturing;
use files::Scheduled;
use format::Writer;
use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Read as _, Seek as _, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// A download reads its file in pieces of so many bytes.
const CHUNK: usize = 256 * 1024;
/// In the data directory, for a moment: its name is taken away as soon as it is open.
const SPOOL: &str = "backup.spool";

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupInfo {
    /// Of the store that was backed up.
    pub epoch: String,
    /// The moment whose state it is.
    pub take_time: Time,
    /// How many records it holds.
    pub records: u64,
    /// Size of the whole file, in bytes.
    pub size: u64,
    /// The last link of the chain of hashes over all of it (BLAKE3), in hexadecimal digits.
    pub digest: String,
}

/// A backup that was taken and waits to be read. Takes room on the disk until it is dropped, also when the daemon is killed meanwhile.
#[derive(Debug)]
pub struct Spooled {
    /// What it is.
    pub info: BackupInfo,
    file: File,
}

impl Spooled {
    /// The next bytes; none at its end.
    ///
    /// # Errors
    /// `Io`.
    pub async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Error> {
        blocking(move || {
            let mut bytes = Vec::new();
            let piece = (&mut self.file).take(CHUNK as u64).read_to_end(&mut bytes);
            piece.map_err(|error| Error::io("can't read the backup", &error))?;
            Ok((!bytes.is_empty()).then_some((bytes, self)))
        })
        .await
    }
}

/// Writes a backup; answers what was written to, and what it is.
fn dump<W: Write>(begun: &Capturing, out: W) -> Result<(W, BackupInfo), Error> {
    let mut writer = Writer::new(out, &begun.head())?;
    while let Some(block) = begun.block()? {
        writer.records(&block)?;
    }
    writer.finish()
}

/// A backup in a file of the data directory that has no name.
fn spool(begun: &Capturing) -> Result<Spooled, Error> {
    let path = begun.dir().join(SPOOL);
    let failed = |error| Error::io(&format!("can't make {}", path.display()), &error);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    fs::remove_file(&path).map_err(failed)?;
    let (written, info) = dump(begun, BufWriter::new(file))?;
    let mut file = written
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    Ok(Spooled { info, file })
}

impl Store {
    async fn begin_backup(&self) -> Result<Capturing, Error> {
        let core = self.core()?;
        // The committer runs it between two commits.
        self.write(move |txn| Capturing::begin(core, txn.now(), BOUNDS))
            .await
    }

    /// Takes a backup, to be read in pieces. Needs room for it on the disk of the data directory.
    ///
    /// # Errors
    /// `Busy` if one is being taken, or so much changed meanwhile that it was given up; `Full`, `Io`.
    pub async fn backup(&self) -> Result<Spooled, Error> {
        let begun = self.begin_backup().await?;
        blocking(move || spool(&begun)).await
    }

    /// Takes a backup into a new file, which appears under its name once it is durable and was read back whole.
    ///
    /// # Errors
    /// As [`Store::backup`]; `Backup` if the file exists, or is not what was written.
    pub async fn backup_to(&self, file: &Path) -> Result<BackupInfo, Error> {
        let incoming = Incoming::create(file)?;
        let begun = self.begin_backup().await?;
        blocking(move || {
            let (incoming, info) = dump(&begun, incoming)?;
            drop(begun);
            incoming.finish(&info.digest)
        })
        .await
    }

    /// Takes a backup into a directory (made if absent), under a name with its time, and then removes all but the newest `keep`. Nothing is
    /// removed unless the new one was read back whole.
    ///
    /// # Errors
    /// As [`Store::backup_to`].
    pub async fn rotate_backups(
        &self,
        directory: &Path,
        keep: usize,
        now: Time,
    ) -> Result<BackupInfo, Error> {
        let scheduled = Scheduled::begin(directory, now)?;
        let info = self.backup_to(scheduled.file()).await?;
        scheduled.remove_old(keep)?;
        Ok(info)
    }
}
