//! The sentinel: a small file beside the tables that says what must be in them. A store whose tables come up without it, or with less than
//! it says, has lost something and is not opened.

use super::Error;
use std::{
    fs,
    io::{ErrorKind, Write},
    path::Path,
};
use uuid::Uuid;

/// Name of the file.
pub(super) const FILE: &str = "provisiond-store";
const NEW: &str = "provisiond-store.new";

/// What the sentinel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentinel {
    /// The stored form of everything.
    pub(super) format: u32,
    /// Identity of the store.
    pub(super) epoch: Uuid,
    /// Whether the store was made completely. Before that it has accepted nothing.
    pub(super) ready: bool,
    /// At least so many events were durable, over all companies, going by their last sequences.
    pub(super) events: u64,
}

/// Identity of the store in a directory, also while a daemon has it; none if there is no store.
///
/// # Errors
/// If it can't be read.
pub fn epoch_of(dir: &Path) -> Result<Option<String>, Error> {
    Ok(Sentinel::read(dir)?.map(|sentinel| sentinel.epoch.to_string()))
}

impl Sentinel {
    /// Reads it; none if there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, Error> {
        match fs::read_to_string(dir.join(FILE)) {
            Ok(text) => Self::parse(&text).map(Some).ok_or_else(|| {
                super::open::damaged(dir, &format!("its file {FILE} can't be understood"))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(
                &format!("can't read {}", dir.join(FILE).display()),
                &error,
            )),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
        };
        Some(Self {
            format: value("format")?.parse().ok()?,
            epoch: value("epoch")?.parse().ok()?,
            ready: match value("state")? {
                "ready" => true,
                "creating" => false,
                _ => return None,
            },
            events: value("events")?.parse().ok()?,
        })
    }

    /// Writes it durably, in place of the one before.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let text = format!(
            "# Identifies this store of provisiond; kept up to date by it. Do not edit or remove.\n\
             format = {}\nepoch = {}\nstate = {}\nevents = {}\n",
            self.format,
            self.epoch,
            if self.ready { "ready" } else { "creating" },
            self.events
        );
        let replace = || {
            let mut file = fs::File::create(dir.join(NEW))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(dir.join(NEW), dir.join(FILE))?;
            fs::File::open(dir)?.sync_all()
        };
        replace().map_err(|error| {
            Error::io(&format!("can't write {}", dir.join(FILE).display()), &error)
        })
    }

    /// Whether a file of this name may be in a directory that has no sentinel yet.
    pub(super) fn may_be_there(name: &str) -> bool {
        name == NEW
    }
}
