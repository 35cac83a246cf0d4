//! Values: one format byte, then the row's message. A few tables may hold rows that take more than one record.
//!
//! `01` + message, or `02` + number of parts + 8 bytes of the whole's hash + its beginning, the parts being in [`Table::Parts`]. The hash tells
//! a reader that a write came between two of its reads; it then reads again. Or `03` + the message's length, 4 bytes, low first + the message
//! as an LZ4 block. `04` begins no value: it stands for several rows in one (`grouped.rs`).

use super::{
    Error,
    tables::{Read, Table},
    txn::{MAX_VALUE, Txn},
};
use prost::Message;
use sled::IVec;
use std::borrow::Cow;

const WHOLE: u8 = 1;
const SPLIT: u8 = 2;
const PACKED: u8 = 3;
const HASH: usize = 8;
/// Largest message that is packed: a length above it is damage.
const MAX_PACKED: u32 = 64 * 1024;
/// Bytes of a message in one record.
const PART: usize = MAX_VALUE - 2 - HASH;
/// Largest message of a table that may be split.
const MAX_MESSAGE: usize = 96 * 1024;

/// Largest message of a table whose rows are never split.
pub(super) const MAX_ROW: usize = MAX_VALUE - 1;

/// Whether rows of the table may take several records.
fn may_split(table: Table) -> bool {
    matches!(
        table,
        Table::Integrations
            | Table::Rules
            | Table::Pending
            | Table::Runs
            | Table::Events
            | Table::Deleted
    )
}

fn part_key(table: Table, key: &[u8], part: u8) -> Vec<u8> {
    let mut all = Vec::with_capacity(key.len() + 2);
    all.push(table as u8);
    all.extend_from_slice(key);
    all.push(part);
    all
}

fn hash(bytes: &[u8]) -> [u8; HASH] {
    let mut short = [0; HASH];
    short.copy_from_slice(&blake3::hash(bytes).as_bytes()[..HASH]);
    short
}

/// The value of a message that takes one record.
pub(super) fn whole(message: &impl Message) -> Vec<u8> {
    let mut value = Vec::with_capacity(message.encoded_len() + 1);
    value.push(WHOLE);
    message.encode_raw(&mut value);
    value
}

/// The value of a message of at most 64 KiB that takes one record if it is packed, and no more than it takes unpacked.
pub(super) fn packed(message: &impl Message) -> Vec<u8> {
    let whole = whole(message);
    let mut packed = lz4_flex::block::compress_prepend_size(&whole[1..]);
    if packed.len() + 1 >= whole.len() {
        return whole;
    }
    packed.insert(0, PACKED);
    packed
}

/// What [`packed`] packed, without its first byte.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, block) = packed.split_first_chunk::<4>()?;
    let length = Some(u32::from_le_bytes(*length)).filter(|length| *length <= MAX_PACKED)?;
    lz4_flex::block::decompress(block, length as usize).ok()
}

/// The row of a key.
pub(super) fn get<M: Message + Default>(
    read: &impl Read,
    table: Table,
    key: &[u8],
) -> Result<Option<M>, Error> {
    match read.raw(table, key)? {
        Some(raw) => decode(read, table, key, &raw),
        None => Ok(None),
    }
}

/// The row whose raw value was read by a scan; none if it was deleted meanwhile.
pub(super) fn decode<M: Message + Default>(
    read: &impl Read,
    table: Table,
    key: &[u8],
    raw: &IVec,
) -> Result<Option<M>, Error> {
    let mut raw = Cow::Borrowed(raw);
    for _ in 0..100 {
        if let Some(body) = body(read, table, key, &raw)? {
            return M::decode(body.as_ref())
                .map(Some)
                .map_err(|_| Error::unreadable(&format!("a row of {}", table.name())));
        }
        match read.raw(table, key)? {
            Some(again) => raw = Cow::Owned(again),
            None => return Ok(None),
        }
    }
    Err(Error::unreadable(&format!(
        "a split row of {}",
        table.name()
    )))
}

/// The message of a value; none if its parts are not of one write.
fn body<'r>(
    read: &impl Read,
    table: Table,
    key: &[u8],
    raw: &'r [u8],
) -> Result<Option<Cow<'r, [u8]>>, Error> {
    match raw {
        [WHOLE, message @ ..] => Ok(Some(Cow::Borrowed(message))),
        [PACKED, packed @ ..] => unpack(packed)
            .map(|message| Some(Cow::Owned(message)))
            .ok_or_else(|| Error::unreadable(&format!("a packed row of {}", table.name()))),
        [SPLIT, parts, rest @ ..] if rest.len() > HASH => {
            let (expected, first) = rest.split_at(HASH);
            let mut whole = first.to_vec();
            for part in 0..*parts {
                match read.raw(Table::Parts, &part_key(table, key, part))? {
                    Some(more) => whole.extend_from_slice(&more),
                    None => return Ok(None),
                }
            }
            Ok((hash(&whole) == expected).then_some(Cow::Owned(whole)))
        }
        _ => Err(Error::unreadable(&format!(
            "a row of {}, of a later format,",
            table.name()
        ))),
    }
}

/// Checks that every split row has its parts, and that there are no others. To be called while nothing is written.
pub(super) fn check_parts(read: &impl Read) -> Result<(), Error> {
    let mut expected = 0;
    for table in Table::ALL.iter().filter(|table| may_split(**table)) {
        for row in read.prefix(*table, &[]) {
            let (key, raw) = row?;
            if let [SPLIT, parts, ..] = *raw {
                expected += u64::from(parts);
            }
            if body(read, *table, &key, &raw)?.is_none() {
                return Err(Error::unreadable(&format!(
                    "a split row of {}",
                    table.name()
                )));
            }
        }
    }
    let mut parts = 0;
    for row in read.prefix(Table::Parts, &[]) {
        row?;
        parts += 1;
    }
    if parts == expected {
        Ok(())
    } else {
        Err(Error::unreadable("parts of split rows"))
    }
}

impl Txn<'_> {
    /// Puts a row.
    pub(super) fn put(
        &mut self,
        table: Table,
        key: Vec<u8>,
        message: &impl Message,
    ) -> Result<(), Error> {
        let size = message.encoded_len();
        let had = self.parts(table, &key)?;
        if size <= MAX_ROW || !may_split(table) {
            self.drop_parts(table, &key, 0, had);
            return self.put_raw(table, key, whole(message));
        }
        if size > MAX_MESSAGE {
            return Err(Error::Refused(format!(
                "a row of {} takes {size} bytes; at most {MAX_MESSAGE} fit",
                table.name()
            )));
        }
        let message = message.encode_to_vec();
        let (first, rest) = message.split_at(PART);
        let parts: Vec<&[u8]> = rest.chunks(PART).collect();
        let count = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let mut value = vec![SPLIT, count];
        value.extend_from_slice(&hash(&message));
        value.extend_from_slice(first);
        for (part, bytes) in (0..count).zip(parts) {
            self.put_raw(Table::Parts, part_key(table, &key, part), bytes.to_vec())?;
        }
        self.drop_parts(table, &key, count, had);
        self.put_raw(table, key, value)
    }

    /// Deletes a row.
    pub(super) fn delete(&mut self, table: Table, key: Vec<u8>) -> Result<(), Error> {
        let had = self.parts(table, &key)?;
        self.drop_parts(table, &key, 0, had);
        self.delete_raw(table, key);
        Ok(())
    }

    /// How many parts beside its first the row has.
    fn parts(&self, table: Table, key: &[u8]) -> Result<u8, Error> {
        if !may_split(table) {
            return Ok(0);
        }
        Ok(match self.raw(table, key)?.as_deref() {
            Some([SPLIT, parts, ..]) => *parts,
            _ => 0,
        })
    }

    fn drop_parts(&mut self, table: Table, key: &[u8], from: u8, to: u8) {
        for part in from..to {
            self.delete_raw(Table::Parts, part_key(table, key, part));
        }
    }
}
