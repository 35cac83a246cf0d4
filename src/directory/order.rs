//! Orders of lists: AIP-132's `order_by`, parsed and applied without asking anybody. Pure.

use crate::{
    model::{Attribute, Entity, Kind, Time, fold_email},
    store::{Along, Index},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::cmp::Reverse;

/// Most fields of an order.
const MOST: usize = 3;
/// Characters of a text that count; more of it would make positions, and so page tokens, long.
const CHARACTERS: usize = 64;

/// In which order to list users or groups; the empty one is by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order(Vec<By>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct By {
    field: Field,
    down: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Id,
    Email,
    Text(Attribute),
    Created,
    Updated,
}

/// What a field says of an object; what says nothing comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Something(Vec<u8>),
    Nothing,
}

/// The same as it counts: either way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Up(Said),
    Down(Reverse<Said>),
}

/// Where an object comes in an order: what its fields say, and its id, as the store sorts it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Vec<Key>, Vec<u8>);

/// The fields that an order may name.
fn fields(kind: Kind) -> impl Iterator<Item = (&'static str, Field)> {
    const NAMES: [(&str, Attribute); 4] = [
        ("given_name", Attribute::GIVEN_NAME),
        ("family_name", Attribute::FAMILY_NAME),
        ("department", Attribute::DEPARTMENT),
        ("title", Attribute::TITLE),
    ];
    let shown = [("display_name", Attribute::DISPLAY_NAME)];
    let own = NAMES.into_iter().filter(move |_| kind == Kind::User);
    let texts = shown.into_iter().chain(own);
    [("name", Field::Id), ("email", Field::Email)]
        .into_iter()
        .chain(texts.map(|(name, attribute)| (name, Field::Text(attribute))))
        .chain([
            ("create_time", Field::Created),
            ("update_time", Field::Updated),
        ])
}

impl Order {
    /// Reads an order of objects of this kind. Fails with what is wrong and what can be named.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        let mut order: Vec<By> = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self(order));
        }
        for part in text.split(',') {
            let words: Vec<&str> = part.split_whitespace().take(3).collect();
            let (name, down) = match words.as_slice() {
                [name] => (*name, false),
                [name, "desc"] => (*name, true),
                _ => return Err(form(kind)),
            };
            let (_, field) = fields(kind)
                .find(|(known, _)| *known == name)
                .ok_or_else(|| form(kind))?;
            if order.iter().any(|by| by.field == field) {
                return Err(format!("names {name} twice"));
            }
            order.push(By { field, down });
            if order.len() > MOST {
                return Err(format!("must name at most {MOST} fields"));
            }
        }
        // No two objects have the same: what comes after it decides nothing.
        let unique = |by: &By| matches!(by.field, Field::Id | Field::Email);
        if let Some(place) = order.iter().position(unique) {
            order.truncate(place + 1);
        }
        Ok(Self(order))
    }

    /// The index of the store that has this order, if one has.
    pub(super) fn along(&self) -> Option<Along> {
        let along = |index, down| Some(Along { index, down });
        match self.0.first() {
            None => along(Index::Id, false),
            Some(By { field, down }) => match field {
                Field::Id => along(Index::Id, *down),
                Field::Email => along(Index::Email, *down),
                Field::Text(_) | Field::Created | Field::Updated => None,
            },
        }
    }

    /// Where an object comes; `id` as the store sorts it.
    pub(super) fn place(&self, id: &[u8], entity: &Entity) -> Place {
        let key = |by: &By| {
            let said = match &by.field {
                Field::Id => Some(id.to_vec()),
                Field::Email => Some(fold_email(entity.email()).into_bytes()),
                Field::Text(attribute) => entity.attributes.text(attribute).map(text),
                Field::Created => Some(time(entity.create_time)),
                Field::Updated => Some(time(entity.update_time)),
            };
            by.key(said.map_or(Said::Nothing, Said::Something))
        };
        Place(self.0.iter().map(key).collect(), id.to_vec())
    }

    /// The place that [`Place::token`] wrote; none if it is not of this order.
    pub(super) fn read(&self, token: &str) -> Option<Place> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mut keys, mut rest) = (Vec::new(), bytes.as_slice());
        for by in &self.0 {
            let said = match rest.split_first()? {
                (0, after) => {
                    rest = after;
                    Said::Nothing
                }
                (1, after) => {
                    let (length, after) = after.split_first_chunk::<2>()?;
                    let length = usize::from(u16::from_be_bytes(*length));
                    let (text, after) = after.split_at_checked(length)?;
                    rest = after;
                    Said::Something(text.to_vec())
                }
                _ => return None,
            };
            keys.push(by.key(said));
        }
        Some(Place(keys, rest.to_vec()))
    }
}

impl By {
    fn key(&self, said: Said) -> Key {
        if self.down {
            Key::Down(Reverse(said))
        } else {
            Key::Up(said)
        }
    }
}

impl Place {
    /// The place as a position in a list.
    pub(super) fn token(&self) -> String {
        let mut bytes = Vec::new();
        for key in &self.0 {
            let (Key::Up(said) | Key::Down(Reverse(said))) = key;
            match said {
                Said::Nothing => bytes.push(0),
                Said::Something(text) => {
                    // An address has at most 1,000 bytes, the rest of what is said fewer.
                    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
                    bytes.push(1);
                    bytes.extend_from_slice(&length.to_be_bytes());
                    bytes.extend_from_slice(&text[..usize::from(length)]);
                }
            }
        }
        bytes.extend_from_slice(&self.1);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// What a caller is told who gave something else.
fn form(kind: Kind) -> String {
    let names: Vec<_> = fields(kind).map(|(name, _)| name).collect();
    format!(
        "must be one to {MOST} of {}, separated by commas, each with \" desc\" after it for the other way round",
        names.join(", ")
    )
}

/// A text as it counts.
fn text(given: &str) -> Vec<u8> {
    let folded = fold_email(given);
    let end = folded.char_indices().nth(CHARACTERS);
    let end = end.map_or(folded.len(), |(end, _)| end);
    folded.as_bytes()[..end].to_vec()
}

/// A moment as bytes that sort as it does.
fn time(moment: Time) -> Vec<u8> {
    let sorted = moment.as_nanosecond().cast_unsigned() ^ (1 << 127);
    sorted.to_be_bytes().to_vec()
}

#[cfg(test)]
mod tests;
