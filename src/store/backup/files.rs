//! Files of backups: each appears under its name whole and durable, or not at all; and a directory of them, of which the oldest go.

use super::{super::Error, BackupInfo, format::Reader};
use crate::{model::Time, store::blocking};
use jiff::{civil::DateTime, tz::TimeZone};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{BufReader, BufWriter, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Name of a scheduled backup, by its time (UTC).
const NAME: &str = "provisiond-%Y%m%dT%H%M%SZ.backup";
/// What the name of a file ends with that is being written.
const PART: &str = ".part";

/// A backup that arrives; its file is taken away again unless it is finished.
#[derive(Debug)]
pub struct Incoming {
    out: BufWriter<File>,
    part: PathBuf,
    to: PathBuf,
}

fn exists(to: &Path) -> Error {
    Error::Backup(format!(
        "{} exists: give another name, or move it away",
        to.display()
    ))
}

impl Incoming {
    /// Begins a file with mode 0600, beside where it is to be.
    ///
    /// # Errors
    /// `Backup` if the file exists, `Io`.
    pub fn create(to: &Path) -> Result<Self, Error> {
        if to.symlink_metadata().is_ok() {
            return Err(exists(to));
        }
        let mut part = to.as_os_str().to_owned();
        part.push(PART);
        let part = PathBuf::from(part);
        let failed = |error| Error::io(&format!("can't make {}", part.display()), &error);
        // One that was left there by a process that was killed may have another mode.
        match fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)
            .map_err(failed)?;
        Ok(Self {
            out: BufWriter::new(file),
            to: to.to_owned(),
            part,
        })
    }

    /// Makes it durable, reads it back, and gives it its name.
    ///
    /// # Errors
    /// `Backup` if it is not whole, does not have this digest, or somebody else made a file of that name; `Io`.
    pub fn finish(mut self, digest: &str) -> Result<BackupInfo, Error> {
        let failed = |error| Error::io(&format!("can't write {}", self.to.display()), &error);
        self.out.flush().map_err(failed)?;
        self.out.get_ref().sync_all().map_err(failed)?;
        let info = verify(&self.part)?;
        if info.digest != digest {
            return Err(refused(&self.part, "it is not the one that was sent"));
        }
        if self.to.symlink_metadata().is_ok() {
            return Err(exists(&self.to));
        }
        fs::rename(&self.part, &self.to).map_err(failed)?;
        let parent = match self.to.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let synced = File::open(parent).and_then(|dir| dir.sync_all());
        synced.map_err(failed)?;
        Ok(info)
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Gone already if it was given its name.
        let _ = fs::remove_file(&self.part);
    }
}

/// The error of a backup that can't be used, with the name of its file.
pub(super) fn refused(file: &Path, why: &str) -> Error {
    Error::Backup(format!(
        "the backup {} can't be used: {why}",
        file.display()
    ))
}

/// Names the file in what a reader says of it.
pub(super) fn named(file: &Path) -> impl Fn(Error) -> Error + Copy + '_ {
    move |error| match error {
        Error::Backup(why) => refused(file, &why),
        other => other,
    }
}

/// Opens a backup to read it.
pub(super) fn reader(file: &Path) -> Result<Reader<BufReader<File>>, Error> {
    let opened = File::open(file)
        .map_err(|error| Error::io(&format!("can't read {}", file.display()), &error))?;
    Reader::new(BufReader::with_capacity(1 << 20, opened)).map_err(named(file))
}

fn verify(file: &Path) -> Result<BackupInfo, Error> {
    let mut reader = reader(file)?;
    while reader.next().map_err(named(file))?.is_some() {}
    Ok(reader.info())
}

/// Reads a whole backup and says what it is.
///
/// # Errors
/// `Backup` if it can't be used, saying why; `Io`.
pub async fn verify_backup(file: &Path) -> Result<BackupInfo, Error> {
    let file = file.to_owned();
    blocking(move || verify(&file)).await
}

fn time_of(name: &str) -> Option<Time> {
    let time = DateTime::strptime(NAME, name).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn list(directory: &Path) -> Result<Vec<String>, Error> {
    let read = || -> std::io::Result<Vec<String>> {
        fs::read_dir(directory)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    read().map_err(|error| Error::io(&format!("can't list {}", directory.display()), &error))
}

/// The time of the newest scheduled backup in a directory; none if there is none, or no such directory. One whose name is of a
/// later time than now does not count: it was taken while the clock was wrong.
///
/// # Errors
/// `Io`.
pub async fn newest_backup(directory: &Path, now: Time) -> Result<Option<Time>, Error> {
    let directory = directory.to_owned();
    blocking(move || {
        if !directory.exists() {
            return Ok(None);
        }
        Ok(list(&directory)?
            .iter()
            .filter_map(|name| time_of(name))
            .filter(|time| *time <= now)
            .max())
    })
    .await
}

/// A scheduled backup and the directory that it goes to.
pub(super) struct Scheduled {
    directory: PathBuf,
    file: PathBuf,
    now: Time,
}

impl Scheduled {
    /// Makes the directory, and takes away what killed processes left half-written there.
    pub(super) fn begin(directory: &Path, now: Time) -> Result<Self, Error> {
        let failed = |error| Error::io(&format!("can't use {}", directory.display()), &error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
        for name in list(directory)? {
            if name.strip_suffix(PART).and_then(time_of).is_some() {
                fs::remove_file(directory.join(name)).map_err(failed)?;
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            file: directory.join(now.strftime(NAME).to_string()),
            now,
        })
    }

    /// Where the new one is to be.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Removes all scheduled backups but the newest so many. Those whose names are of later times than now are older than the one
    /// just taken, and go first: the clock was set back.
    pub(super) fn remove_old(&self, keep: usize) -> Result<(), Error> {
        let mut names = list(&self.directory)?;
        names.retain(|name| time_of(name).is_some());
        let age = |name: &String| {
            let time = time_of(name);
            (time <= Some(self.now), time)
        };
        names.sort_by_key(|name| std::cmp::Reverse(age(name)));
        for name in names.iter().skip(keep) {
            let old = self.directory.join(name);
            if old != self.file {
                fs::remove_file(&old).map_err(|error| {
                    Error::io(&format!("can't remove {}", old.display()), &error)
                })?;
            }
        }
        Ok(())
    }
}
