//! Keys: typed, big-endian, in the order in which they are listed.
//!
//! An id is `01` + 16 bytes if it is the text of a UUID (lower case, as the daemon makes them), else `02` + its bytes + `00`: so
//! ids that sort by time do so here, and all UUIDs come before all others.

use super::Error;
use crate::model::{CompanyId, IntegrationId, Kind, RunId, Uid};
use uuid::Uuid;

const UUID: u8 = 1;
const TEXT: u8 = 2;

/// Builds a key.
#[derive(Debug, Clone, Default)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// Begins with a company: its text and a zero.
    pub(super) fn company(company: &CompanyId) -> Self {
        Self::default().text(company.as_str())
    }

    /// Begins with an integration's uid.
    pub(super) fn integration(uid: Uid) -> Self {
        Self::default().raw(uid.0.as_bytes())
    }

    /// An id.
    pub(super) fn id(self, id: &str) -> Self {
        match canonical(id) {
            Some(uuid) => self.raw(&[UUID]).raw(uuid.as_bytes()),
            None => self.raw(&[TEXT]).text(id),
        }
    }

    /// A kind.
    pub(super) fn kind(self, kind: Kind) -> Self {
        self.raw(&[kind_byte(kind)])
    }

    /// A text that contains no zero, ended by a zero.
    pub(super) fn text(self, text: &str) -> Self {
        self.raw(text.as_bytes()).raw(&[0])
    }

    /// A number that sorts.
    pub(super) fn number(self, number: u64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    /// Bytes as they are: only last, or where all have the same length.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// The key of a run.
pub(super) fn run(company: &CompanyId, integration: &IntegrationId, id: &RunId) -> Vec<u8> {
    Key::company(company)
        .id(integration.as_str())
        .id(id.as_str())
        .done()
}

/// The byte of a kind, in keys and values.
pub(super) fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::User => 1,
        Kind::Group => 2,
    }
}

/// The UUID of which this is the text, exactly as the daemon writes it.
pub(super) fn canonical(id: &str) -> Option<Uuid> {
    if id.len() != 36 {
        return None;
    }
    let uuid = Uuid::try_parse(id).ok()?;
    (uuid.hyphenated().encode_lower(&mut [0; 36]) == id).then_some(uuid)
}

/// Takes a key apart, from its front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parse<'a>(pub(super) &'a [u8]);

impl Parse<'_> {
    /// A text ended by a zero.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let bad = || Error::unreadable("a key");
        let end = self.0.iter().position(|b| *b == 0).ok_or_else(bad)?;
        let text = std::str::from_utf8(&self.0[..end]).map_err(|_| bad())?;
        self.0 = &self.0[end + 1..];
        Ok(text.to_owned())
    }

    /// An id.
    pub(super) fn id(&mut self) -> Result<String, Error> {
        let bad = || Error::unreadable("a key");
        match self.0.split_first() {
            Some((&UUID, rest)) if rest.len() >= 16 => {
                let (uuid, rest) = rest.split_at(16);
                self.0 = rest;
                Ok(Uuid::from_slice(uuid).map_err(|_| bad())?.to_string())
            }
            Some((&TEXT, rest)) => {
                self.0 = rest;
                self.text()
            }
            _ => Err(bad()),
        }
    }

    /// A kind.
    pub(super) fn kind(&mut self) -> Result<Kind, Error> {
        let (first, rest) = self
            .0
            .split_first()
            .ok_or_else(|| Error::unreadable("a key"))?;
        self.0 = rest;
        match first {
            1 => Ok(Kind::User),
            2 => Ok(Kind::Group),
            _ => Err(Error::unreadable("a key")),
        }
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        let (number, rest) = self
            .0
            .split_first_chunk::<8>()
            .ok_or_else(|| Error::unreadable("a key"))?;
        self.0 = rest;
        Ok(u64::from_be_bytes(*number))
    }
}

/// An id inside a value.
pub(super) fn pack(id: &str) -> Vec<u8> {
    Key::default().id(id).done()
}

/// What [`pack`] packed.
pub(super) fn unpack(bytes: &[u8]) -> Result<String, Error> {
    Parse(bytes).id()
}
