//! Pages of lists: opaque tokens, and one way to list the rows under a prefix.

use super::{
    Error,
    tables::{Read, Table, prefix_bounds},
};
use crate::model::{Listed, PageRequest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sled::IVec;
use std::ops::Bound;

/// Which list a token is of: a token of another is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Integrations = 1,
    Entities = 2,
    Members = 3,
    GroupsOf = 4,
    Runs = 5,
    Changes = 6,
    Deleted = 7,
    Emails = 8,
}

/// How many items the page is to have.
pub(super) fn size(page: &PageRequest) -> usize {
    page.size.clamp(1, 1000)
}

/// The token of a position in a list.
pub(super) fn token(list: List, position: &[u8]) -> String {
    let mut bytes = vec![list as u8];
    bytes.extend_from_slice(position);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The position that the page is to go on from.
pub(super) fn position(list: List, page: &PageRequest) -> Result<Option<Vec<u8>>, Error> {
    let Some(token) = &page.token else {
        return Ok(None);
    };
    match BASE64_URL_SAFE_NO_PAD.decode(token).as_deref() {
        Ok([first, position @ ..]) if *first == list as u8 => Ok(Some(position.to_vec())),
        _ => Err(bad()),
    }
}

/// The answer to a token that is not of this list.
pub(super) fn bad() -> Error {
    Error::BadPosition("the page token is not one of this list: start without one".to_owned())
}

/// How the rows under a prefix are gone through.
#[derive(Clone, Copy)]
pub(super) struct Walk<'p> {
    pub(super) list: List,
    pub(super) page: &'p PageRequest,
    /// From the last to the first.
    pub(super) down: bool,
    /// After so many rows the page ends, however few items they made.
    pub(super) most: usize,
}

impl<'p> Walk<'p> {
    /// From the first, and on until the page is full.
    pub(super) fn whole(list: List, page: &'p PageRequest) -> Self {
        Self {
            list,
            page,
            down: false,
            most: usize::MAX,
        }
    }
}

/// A page of the rows under a prefix, upwards. `make` gets the rest of the key and makes the item, if there still is one.
pub(super) fn list<T>(
    read: &impl Read,
    table: Table,
    prefix: &[u8],
    (list, page): (List, &PageRequest),
    make: impl FnMut(&[u8], &IVec) -> Result<Option<T>, Error>,
) -> Result<Listed<T>, Error> {
    walk(read, table, prefix, Walk::whole(list, page), make)
}

/// [`list`], either way, and with an end to it.
pub(super) fn walk<T>(
    read: &impl Read,
    table: Table,
    prefix: &[u8],
    walk: Walk<'_>,
    mut make: impl FnMut(&[u8], &IVec) -> Result<Option<T>, Error>,
) -> Result<Listed<T>, Error> {
    let Walk {
        list,
        page,
        down,
        most,
    } = walk;
    let (mut from, mut to) = prefix_bounds(prefix);
    if let Some(last) = position(list, page)? {
        let last = Bound::Excluded([prefix, &last].concat());
        *(if down { &mut to } else { &mut from }) = last;
    }
    let mut listed = Listed {
        items: Vec::new(),
        next: None,
    };
    let mut last = Vec::new();
    for (place, row) in read.range(table, from, to, down).enumerate() {
        let (key, raw) = row?;
        if listed.items.len() == size(page) || place == most {
            listed.next = Some(token(list, &last));
            break;
        }
        let rest = &key[prefix.len()..];
        if let Some(item) = make(rest, &raw)? {
            listed.items.push(item);
        }
        last = rest.to_vec();
    }
    Ok(listed)
}
