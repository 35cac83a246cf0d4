//! Pages of a listing: what a page must hold to be believed, and where the next one is.

use super::{Google, parse};
use crate::connector::{Coverage, Cursor, Error, Page, http::Call};
use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// A listing of the API.
pub(super) struct Listing<'a> {
    /// Google's name of the method.
    pub(super) method: &'static str,
    /// Path below the API's root.
    pub(super) path: &'a [&'a str],
    /// Query without token.
    pub(super) query: &'a [(&'a str, &'a str)],
    /// Key of the rows.
    pub(super) rows: &'static str,
    /// Whether there is always at least one row: the admin's own account, among the users.
    pub(super) never_empty: bool,
}

/// Key of the token of the next page.
const NEXT: &str = "nextPageToken";

impl Google {
    /// A page of a listing. Google leaves the rows' key out where there are none, and at times although there are some:
    /// so an empty first page of a listing that can't be empty is an error, as is one that goes on, and any other is
    /// asked for twice before it is believed.
    pub(super) async fn list<T>(
        &self,
        listing: &Listing<'_>,
        cursor: Option<Cursor>,
        convert: impl Fn(&RawValue) -> Result<T, Error>,
    ) -> Result<Page<T>, Error> {
        let place = cursor.as_ref().map(Place::read).transpose()?;
        let mut query = listing.query.to_vec();
        if let Some(place) = &place {
            query.push(("pageToken", &place.token));
        }
        let url = self.url(listing.path, &query)?;
        let call = Call {
            method: listing.method,
            url: &url,
            continued: place.is_some(),
        };
        let mut answer = self.rows(listing, call, &convert).await?;
        if answer.0.is_none() {
            answer = self.rows(listing, call, &convert).await?;
        }
        let (rows, next) = answer;
        let next = next.map(|token| Place::after(place, token)).transpose()?;
        Ok(Page {
            items: rows.unwrap_or_default(),
            next: next.map(|place| place.cursor()),
            coverage: Coverage::Complete,
        })
    }

    /// The rows, if their key is there, and the next token.
    async fn rows<T>(
        &self,
        listing: &Listing<'_>,
        call: Call<'_>,
        convert: impl Fn(&RawValue) -> Result<T, Error>,
    ) -> Result<(Option<Vec<T>>, Option<String>), Error> {
        let body = self.session.get(call).await?;
        let (rows, next) = parse(call, &body, Rows(listing.rows))?;
        let next = next.filter(|token| !token.is_empty());
        let empty = rows.as_ref().is_none_or(Vec::is_empty);
        if empty && (next.is_some() || (listing.never_empty && !call.continued)) {
            let text = format!("{}: a page without `{}`", listing.method, listing.rows);
            return Err(Error::Protocol(text));
        }
        let rows = rows.map(|rows| rows.into_iter().map(convert).collect());
        Ok((rows.transpose()?, next))
    }
}

/// The rows of a page, if their key is there, and the token of the next one.
type Raw<'a> = (Option<Vec<&'a RawValue>>, Option<String>);

/// Reads a page whose rows have this key.
struct Rows(&'static str);

impl<'de> DeserializeSeed<'de> for Rows {
    type Value = Raw<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Raw<'de>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Rows {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a page with `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        let (mut rows, mut next) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                rows = map.next_value()?;
            } else if key == NEXT {
                next = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok((rows, next))
    }
}

/// Where a listing goes on, with what it takes to notice that its tokens go round in a circle (Brent's algorithm): a
/// token passed before, and how many steps ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The hash of a token passed before.
    mark: u64,
    /// Steps since then.
    steps: u64,
    /// After how many steps the mark moves on.
    power: u64,
    /// The next token.
    token: String,
}

impl Place {
    fn read(cursor: &Cursor) -> Result<Self, Error> {
        let mut parts = cursor.0.splitn(4, '.');
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let numbers = (number(), number(), number());
        match (numbers, parts.next()) {
            ((Some(mark), Some(steps), Some(power)), Some(token)) => Ok(Self {
                mark,
                steps,
                power,
                token: token.to_owned(),
            }),
            _ => Err(Error::CursorLost("not a place in a listing".to_owned())),
        }
    }

    fn cursor(&self) -> Cursor {
        let Self {
            mark,
            steps,
            power,
            token,
        } = self;
        Cursor(format!("{mark:x}.{steps:x}.{power:x}.{token}"))
    }

    fn after(before: Option<Self>, token: String) -> Result<Self, Error> {
        let hash = hash(&token);
        let Some(mut place) = before else {
            return Ok(Self {
                mark: hash,
                steps: 0,
                power: 1,
                token,
            });
        };
        if hash == place.mark || token == place.token {
            let text = "a page token came back: the listing would never end";
            return Err(Error::CursorLost(text.to_owned()));
        }
        place.steps += 1;
        if place.steps >= place.power {
            place.mark = hash;
            place.steps = 0;
            place.power = place.power.saturating_mul(2);
        }
        place.token = token;
        Ok(place)
    }
}

fn hash(token: &str) -> u64 {
    let mut bytes = [0; 8];
    let hash = blake3::hash(token.as_bytes());
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes through tokens as a listing hands them out; tells after how many it stopped.
    fn walk(tokens: impl Iterator<Item = usize>) -> Result<usize, usize> {
        let mut place = None;
        let mut count = 0;
        for token in tokens {
            let next = Place::after(place, format!("~!!~.{token}")).map_err(|_| count)?;
            place = Some(Place::read(&next.cursor()).unwrap());
            assert_eq!(place, Some(next));
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn tokens_that_all_differ_go_on_to_the_end() {
        assert_eq!(walk(0..5000), Ok(5000));
    }

    #[test]
    fn tokens_that_go_round_are_noticed_wherever_the_circle_begins() {
        for start in 0..20 {
            for length in 1..20 {
                let tokens = (0..).map(|n| {
                    if n < start {
                        n
                    } else {
                        start + (n - start) % length
                    }
                });
                let noticed = walk(tokens.take(1000)).unwrap_err();
                assert!(
                    noticed <= 3 * (start + length),
                    "{start} {length} {noticed}"
                );
            }
        }
    }

    #[test]
    fn a_cursor_of_something_else_is_refused() {
        for text in ["", "token", "1.2.token", "x.1.1.token"] {
            let refused = Place::read(&Cursor(text.to_owned()));
            assert!(matches!(refused, Err(Error::CursorLost(_))), "{text}");
        }
    }
}
