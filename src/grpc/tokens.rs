//! Page tokens: opaque to callers, and bound to the request that they were given out for.

use super::fields::Notes;
use crate::model::{Listed, PageRequest, Violation};
use prost::Message;
use std::{fmt::Display, str::FromStr};

/// Items of a page if none are asked for, and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;
/// What tokens begin with. One of another form is refused, never misread.
const VERSION: &str = "1";
/// Hexadecimal digits of the request's hash: enough to notice a mistake, which is all it is for.
const BOUND: usize = 16;

/// A page of a list that was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// Size and position, as the rooms below know them.
    pub(super) page: PageRequest,
    /// What every token of this list begins with.
    bound: String,
}

impl Asked {
    /// The token of the page after this one; empty if there is none.
    pub(super) fn next<T>(&self, listed: &Listed<T>) -> String {
        let after = |position| format!("{}{position}", self.bound);
        listed.next.as_ref().map(after).unwrap_or_default()
    }

    /// The page of a list that is whole already, in the order of `key`; none if the token's position is no key.
    pub(super) fn of<'a, T, K: Ord + Display + FromStr>(
        &self,
        all: &'a [T],
        key: impl Fn(&T) -> K,
    ) -> Option<Listed<&'a T>> {
        let begin = match &self.page.token {
            None => 0,
            Some(last) => {
                let last = last.parse().ok()?;
                all.partition_point(|item| key(item) <= last)
            }
        };
        let end = all.len().min(begin + self.page.size);
        let items: Vec<&T> = all[begin..end].iter().collect();
        let last = items.last().filter(|_| end < all.len());
        let next = last.map(|item| key(item).to_string());
        Some(Listed { items, next })
    }
}

/// The violation of a token that was not given out for this request.
pub(super) fn foreign() -> Violation {
    let text = "is not one that was given out for this request; leave it out to begin anew";
    Violation::new("page_token", text)
}

/// Reads size and token of a page; `rest` is the request without them.
pub(super) fn page<M: Message>(
    notes: &mut Notes,
    method: &str,
    (size, token): (i32, &str),
    rest: &M,
) -> Option<Asked> {
    let size = notes.take(match usize::try_from(size) {
        Ok(0) => Ok(PAGE),
        Ok(size) => Ok(size.min(LARGEST_PAGE)),
        Err(_) => Err(Violation::new(
            "page_size",
            "must not be negative; leave it out for the default",
        )),
    });
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(method.as_bytes())
        .update(&[0])
        .update(&rest.encode_to_vec());
    let hash = hasher.finalize().to_hex();
    let bound = format!("{VERSION}{}", &hash[..BOUND]);
    let token = notes.take(match token.strip_prefix(&bound) {
        _ if token.is_empty() => Ok(None),
        Some(position) => Ok(Some(position.to_owned())),
        None => Err(foreign()),
    });
    let page = PageRequest {
        size: size?,
        token: token?,
    };
    Some(Asked { page, bound })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::v1::ListUsersRequest;

    fn asked(method: &str, token: &str, parent: &str) -> Result<Asked, Vec<Violation>> {
        let mut notes = Notes::default();
        let rest = ListUsersRequest {
            parent: parent.to_owned(),
            ..ListUsersRequest::default()
        };
        page(&mut notes, method, (2, token), &rest).ok_or(notes.0)
    }

    fn letters(token: &str) -> Option<Listed<&'static char>> {
        const ALL: [char; 5] = ['a', 'b', 'c', 'd', 'e'];
        let asked = asked("ListLetters", token, "companies/a").unwrap();
        let mut page = asked.of(&ALL, |letter| *letter)?;
        page.next = Some(asked.next(&page)).filter(|token| !token.is_empty());
        Some(page)
    }

    #[test]
    fn a_list_is_gone_through_page_by_page() {
        let (mut seen, mut token) = (String::new(), String::new());
        loop {
            let page = letters(&token).unwrap();
            assert!(page.items.len() <= 2);
            seen.extend(page.items);
            match page.next {
                Some(next) => token = next,
                None => break,
            }
        }
        assert_eq!(seen, "abcde");
    }

    #[test]
    fn a_token_of_another_request_is_refused() {
        let token = letters("").unwrap().next.unwrap();
        assert!(asked("ListLetters", &token, "companies/a").is_ok());
        for (method, token, parent) in [
            ("ListLetters", token.as_str(), "companies/b"),
            ("ListNumbers", &token, "companies/a"),
            ("ListLetters", &token[1..], "companies/a"),
            ("ListLetters", "made-up", "companies/a"),
        ] {
            let refused = asked(method, token, parent).unwrap_err();
            assert_eq!(refused, [foreign()], "{method} {token} {parent}");
        }
    }
}
