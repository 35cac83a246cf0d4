//! JSON of which little is certain, read without copying what is not kept.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, ops::Deref};

/// A text, borrowed where it is written as it is.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// A value that may be anything: kept if it is a text, a number (as text), or `true`.
#[derive(Debug, Default)]
pub(super) enum Scalar<'a> {
    /// Nothing of these.
    #[default]
    Other,
    Yes,
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other | Self::Yes => None,
        }
    }
}

/// An item of one of the lists of a user, with the fields that are looked at.
#[derive(Debug, Default)]
pub(super) struct Item<'a> {
    pub(super) primary: bool,
    pub(super) kind: Scalar<'a>,
    pub(super) value: Scalar<'a>,
    pub(super) title: Scalar<'a>,
    pub(super) department: Scalar<'a>,
    pub(super) name: Scalar<'a>,
    pub(super) cost_center: Scalar<'a>,
}

/// A list of items; anything else counts as a list of it alone, and nothing as an empty one.
#[derive(Debug, Default)]
pub(super) struct Items<'a>(Vec<Item<'a>>);

impl<'a> Deref for Items<'a> {
    type Target = [Item<'a>];
    fn deref(&self) -> &[Item<'a>] {
        &self.0
    }
}

/// Reads anything as `Self`; what is not told otherwise is the default.
trait Loose<'de>: Default {
    fn text(_: Cow<'de, str>) -> Self {
        Self::default()
    }
    fn yes() -> Self {
        Self::default()
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    /// What anything but a list or nothing means.
    fn alone(self) -> Self {
        self
    }
}

impl<'de> Loose<'de> for Scalar<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Self::Text(text)
    }
    fn yes() -> Self {
        Self::Yes
    }
}

impl<'de> Loose<'de> for Item<'de> {
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut item = Self::default();
        while let Some(key) = map.next_key::<Text<'_>>()? {
            let field = match &*key {
                "primary" => {
                    item.primary = matches!(map.next_value()?, Scalar::Yes);
                    continue;
                }
                "type" => &mut item.kind,
                "value" => &mut item.value,
                "title" => &mut item.title,
                "department" => &mut item.department,
                "name" => &mut item.name,
                "costCenter" => &mut item.cost_center,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = map.next_value()?;
        }
        Ok(item)
    }
}

impl<'de> Loose<'de> for Items<'de> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Self(items))
    }
    fn map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Ok(Self(vec![Item::map(map)?]))
    }
    fn alone(self) -> Self {
        Self(vec![Item::default()])
    }
}

struct Anything<T>(std::marker::PhantomData<T>);

impl<'de, T: Loose<'de>> Visitor<'de> for Anything<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, yes: bool) -> Result<T, E> {
        Ok(if yes { T::yes() } else { T::default() }.alone())
    }
    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::text(number.to_string().into()).alone())
    }
    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::text(number.to_string().into()).alone())
    }
    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        let number = serde_json::Number::from_f64(number);
        Ok(number
            .map_or_else(T::default, |number| T::text(number.to_string().into()))
            .alone())
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::text(text.into()).alone())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text.to_owned().into()).alone())
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::map(map)
    }
}

macro_rules! loose {
    ($($name:ident),*) => {
        $(impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(Anything::<$name<'de>>(std::marker::PhantomData))
            }
        })*
    };
}

loose!(Scalar, Item, Items);

#[cfg(test)]
mod tests {
    use super::*;

    fn items(json: &str) -> Vec<(String, bool)> {
        let items: Items<'_> = serde_json::from_str(json).unwrap();
        let value = |item: &Item<'_>| item.value.text().unwrap_or("-").to_owned();
        items
            .iter()
            .map(|item| (value(item), item.primary))
            .collect()
    }

    #[test]
    fn a_list_of_anything_is_read() {
        for (json, expected) in [
            ("null", vec![]),
            ("[]", vec![]),
            ("\"x\"", vec![("-", false)]),
            ("7", vec![("-", false)]),
            ("true", vec![("-", false)]),
            ("{}", vec![("-", false)]),
            (r#"{"value": "a"}"#, vec![("a", false)]),
            (r#"[null, [1, {"value": 2}], 3.5]"#, vec![("-", false); 3]),
            (
                r#"[{"value": "a\u0301", "primary": true, "x": {"value": "b"}}, {"value": 12}]"#,
                vec![("a\u{301}", true), ("12", false)],
            ),
            (
                r#"[{"value": -1, "primary": "true"}, {"value": 1.5}, {"value": [9]}]"#,
                vec![("-1", false), ("1.5", false), ("-", false)],
            ),
            (r#"[{"value": "a", "value": "b"}]"#, vec![("b", false)]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(value, primary)| (value.to_owned(), primary))
                .collect();
            assert_eq!(items(json), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        assert!(serde_json::from_str::<Items<'_>>(r#"[{"value": }]"#).is_err());
        assert!(serde_json::from_str::<Text<'_>>("1").is_err());
    }
}
