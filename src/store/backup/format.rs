//! The file of a backup: 8 bytes that say what it is, 4 that say which version of this format, then frames.
//!
//! A frame is its kind (1 byte), the length of its contents (4 bytes), its contents, and a hash (32 bytes) over all that and the hash
//! before: so each hash covers everything up to it, and no frame can be changed, moved, doubled or left out. First comes the head, then
//! records in the order of tables and keys, last the end with the count of each table; nothing comes after it. Numbers are big-endian.

use super::{
    super::{
        Error,
        open::FORMAT,
        rows::{BackupEndRow, BackupHeadRow, Moment},
        tables::Table,
        txn::MAX_VALUE,
    },
    BackupInfo,
};
use crate::model::Time;
use prost::Message;
use sled::IVec;
use std::io::{ErrorKind, Read, Write};
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"PRVDBKUP";
const VERSION: u32 = 1;

const HEAD: u8 = 1;
const RECORDS: u8 = 2;
const END: u8 = 3;

/// Largest contents of a frame, in bytes: a block, its last record, and their lengths.
const LARGEST_FRAME: usize = 2 * 1024 * 1024;
const HASH: usize = 32;

/// A record of a table: its key and its value.
pub(super) type Record = (Table, IVec, IVec);

/// The hash of what comes before the first frame.
fn opening() -> ([u8; 12], [u8; HASH]) {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&VERSION.to_be_bytes());
    (bytes, *blake3::hash(&bytes).as_bytes())
}

fn link(before: &[u8; HASH], head: &[u8; 5], contents: &[u8]) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(head).update(contents);
    *hasher.finalize().as_bytes()
}

/// Writes a backup.
pub(super) struct Writer<W> {
    out: W,
    chain: [u8; HASH],
    size: u64,
    epoch: String,
    take_time: Time,
    counts: Vec<u64>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, head: &BackupHeadRow) -> Result<Self, Error> {
        let (bytes, chain) = opening();
        let mut writer = Self {
            out,
            chain,
            size: 0,
            epoch: epoch(head).unwrap_or_default(),
            take_time: Moment::must(head.take_time)?,
            counts: vec![0; Table::ALL.len()],
        };
        writer.put(&bytes)?;
        writer.frame(HEAD, &head.encode_to_vec())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        let written = self.out.write_all(bytes);
        written.map_err(|error| Error::io("can't write the backup", &error))
    }

    fn frame(&mut self, kind: u8, contents: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(contents.len()).unwrap_or(u32::MAX);
        let mut head = [kind, 0, 0, 0, 0];
        head[1..].copy_from_slice(&length.to_be_bytes());
        self.chain = link(&self.chain, &head, contents);
        self.put(&head)?;
        self.put(contents)?;
        let chain = self.chain;
        self.put(&chain)
    }

    /// Writes a block of records.
    pub(super) fn records(&mut self, block: &[Record]) -> Result<(), Error> {
        let mut contents = Vec::new();
        for (table, key, value) in block {
            let short = |bytes: &[u8]| {
                u16::try_from(bytes.len())
                    .map(u16::to_be_bytes)
                    .map_err(|_| Error::unreadable(&format!("a row of {}", table.name())))
            };
            contents.push(*table as u8);
            contents.extend_from_slice(&short(key)?);
            contents.extend_from_slice(&short(value)?);
            contents.extend_from_slice(key);
            contents.extend_from_slice(value);
            self.counts[*table as usize] += 1;
        }
        self.frame(RECORDS, &contents)
    }

    /// Writes the end.
    pub(super) fn finish(mut self) -> Result<(W, BackupInfo), Error> {
        let counts = std::mem::take(&mut self.counts);
        let records = counts.iter().sum();
        self.frame(END, &BackupEndRow { counts }.encode_to_vec())?;
        let flushed = self.out.flush();
        flushed.map_err(|error| Error::io("can't write the backup", &error))?;
        let info = BackupInfo {
            epoch: self.epoch,
            take_time: self.take_time,
            records,
            size: self.size,
            digest: blake3::Hash::from_bytes(self.chain).to_hex().to_string(),
        };
        Ok((self.out, info))
    }
}

fn epoch(head: &BackupHeadRow) -> Option<String> {
    let epoch = Uuid::from_slice(&head.epoch).ok()?;
    Some(epoch.to_string())
}

/// Reads a backup; what it hands out was checked, but whether the backup is whole is known at its end only.
pub(super) struct Reader<R> {
    input: R,
    chain: [u8; HASH],
    size: u64,
    epoch: String,
    take_time: Time,
    tables: usize,
    counts: Vec<u64>,
    last: Option<(Table, IVec)>,
}

fn bad(why: impl Into<String>) -> Error {
    Error::Backup(why.into())
}

fn damaged(what: &str) -> Error {
    bad(format!("it is damaged: {what}"))
}

impl<R: Read> Reader<R> {
    /// Reads what the backup begins with.
    pub(super) fn new(input: R) -> Result<Self, Error> {
        let (expected, chain) = opening();
        let mut reader = Self {
            input,
            chain,
            size: 0,
            epoch: String::new(),
            take_time: Time::MIN,
            tables: 0,
            counts: vec![0; Table::ALL.len()],
            last: None,
        };
        let mut bytes = [0; 12];
        reader.fill(&mut bytes)?;
        if bytes[..8] != expected[..8] {
            return Err(bad("it is not a backup of provisiond"));
        }
        if bytes != expected {
            return Err(bad(
                "it has another format than this provisiond knows: use the version that wrote it, or a newer one",
            ));
        }
        let (kind, contents) = reader.frame()?;
        let head = BackupHeadRow::decode(contents.as_slice()).ok();
        let head = head.filter(|_| kind == HEAD);
        let head = head.ok_or_else(|| damaged("its head can't be understood"))?;
        if head.store_format > FORMAT {
            return Err(bad(
                "it was written by a newer provisiond: use that version",
            ));
        }
        let known = Table::ALL.iter().map(|table| table.name());
        if head.tables.len() > Table::ALL.len() || !known.zip(&head.tables).all(|(a, b)| a == b) {
            return Err(bad(
                "it has tables that this provisiond does not know: use the version that wrote it, or a newer one",
            ));
        }
        let understood = epoch(&head).zip(Moment::must(head.take_time).ok());
        (reader.epoch, reader.take_time) =
            understood.ok_or_else(|| damaged("its head can't be understood"))?;
        reader.tables = head.tables.len();
        Ok(reader)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        self.input
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => bad("it was cut off: its end is missing"),
                _ => Error::io("can't read the backup", &error),
            })
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), Error> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > LARGEST_FRAME {
            return Err(damaged("a block is larger than any may be"));
        }
        let mut contents = vec![0; length];
        self.fill(&mut contents)?;
        let mut hash = [0; HASH];
        self.fill(&mut hash)?;
        self.chain = link(&self.chain, &head, &contents);
        if hash != self.chain {
            return Err(damaged(
                "the hash of a block is not that of its contents, or blocks are missing, doubled or in another order",
            ));
        }
        Ok((kind, contents))
    }

    /// The next records; none at the end, which is then known to be the right one.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Record>>, Error> {
        let (kind, contents) = self.frame()?;
        match kind {
            RECORDS => self.parse(&contents).map(Some),
            END => self.check_end(&contents).map(|()| None),
            _ => Err(damaged("it has a block of an unknown kind")),
        }
    }

    fn parse(&mut self, mut rest: &[u8]) -> Result<Vec<Record>, Error> {
        let mut block = Vec::new();
        while let Some(([table, k0, k1, v0, v1], after)) = rest.split_first_chunk::<5>() {
            let key_length = usize::from(u16::from_be_bytes([*k0, *k1]));
            let length = usize::from(u16::from_be_bytes([*v0, *v1]));
            let place = usize::from(*table);
            let table = Table::ALL.get(place).filter(|_| place < self.tables);
            let record = after
                .split_at_checked(key_length)
                .and_then(|(key, after)| Some((key, after.split_at_checked(length)?)));
            let (Some(table), Some((key, (value, after)))) = (table, record) else {
                return Err(damaged("a record can't be understood"));
            };
            if length > MAX_VALUE {
                return Err(damaged("a record is larger than any may be"));
            }
            let record: Record = (*table, key.into(), value.into());
            let in_order = |(of, last): &(Table, IVec)| (*of, last) < (record.0, &record.1);
            if !self.last.as_ref().is_none_or(in_order) {
                return Err(damaged("its records are doubled or not in their order"));
            }
            self.last = Some((record.0, record.1.clone()));
            self.counts[place] += 1;
            block.push(record);
            rest = after;
        }
        if rest.is_empty() {
            Ok(block)
        } else {
            Err(damaged("a record can't be understood"))
        }
    }

    fn check_end(&mut self, contents: &[u8]) -> Result<(), Error> {
        let end =
            BackupEndRow::decode(contents).map_err(|_| damaged("its end can't be understood"))?;
        if end.counts != self.counts[..self.tables] {
            return Err(damaged("it does not hold as many records as it says"));
        }
        let more = self.input.read(&mut [0]);
        match more.map_err(|error| Error::io("can't read the backup", &error))? {
            0 => Ok(()),
            _ => Err(damaged("something comes after its end")),
        }
    }

    /// The epoch of the store that was backed up.
    pub(super) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// What the backup is; to be asked at its end.
    pub(super) fn info(self) -> BackupInfo {
        BackupInfo {
            epoch: self.epoch,
            take_time: self.take_time,
            records: self.counts.iter().sum(),
            size: self.size,
            digest: blake3::Hash::from_bytes(self.chain).to_hex().to_string(),
        }
    }
}
