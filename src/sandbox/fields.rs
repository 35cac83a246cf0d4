//! The `fields` parameter: which parts of an answer are asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::ApiError;
use super::schema::Shape;

/// A selection: everything, or some names with a selection each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// Everything.
    All,
    /// These names; `*` stands for every other.
    Some(BTreeMap<String, Mask>),
}

impl Mask {
    /// Reads `a,b/c,d(e,f/*)` and holds it to what the answer can have.
    ///
    /// # Errors
    /// 400 `invalidParameter` naming the selection that is wrong.
    pub fn parse(text: Option<&str>, shape: &Shape) -> Result<Self, ApiError> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(Self::All);
        };
        let mut parser = Parser { rest: text, text };
        let mask = parser.list(0)?;
        if !parser.rest.is_empty() {
            return Err(refused(text));
        }
        check(&mask, shape, "")?;
        Ok(mask)
    }

    /// The selection under a name; none if the name isn't selected.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(&Self::All),
            Self::Some(names) => names.get(name).or_else(|| names.get("*")),
        }
    }

    /// Puts a value under a name if it is selected, computing it only then.
    pub fn put(&self, into: &mut Map<String, Value>, name: &str, value: impl FnOnce() -> Value) {
        if let Some(mask) = self.get(name)
            && let Some(value) = mask.prune(value())
        {
            into.insert(name.to_owned(), value);
        }
    }

    /// Keeps what is selected; none if nothing is left of a structure.
    pub fn prune(&self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::All, value) => Some(value),
            (Self::Some(_), Value::Object(object)) => {
                let kept: Map<String, Value> = object
                    .into_iter()
                    .filter_map(|(name, value)| {
                        let value = self.get(&name)?.prune(value)?;
                        Some((name, value))
                    })
                    .collect();
                (!kept.is_empty()).then_some(Value::Object(kept))
            }
            (Self::Some(_), Value::Array(items)) => {
                let kept: Vec<Value> = items
                    .into_iter()
                    .filter_map(|item| self.prune(item))
                    .collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            (Self::Some(_), _) => None,
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Some(names), Self::Some(more)) => {
                for (name, mask) in more {
                    match names.get_mut(&name) {
                        Some(known) => known.merge(mask),
                        None => {
                            names.insert(name, mask);
                        }
                    }
                }
            }
            (whole, _) => *whole = Self::All,
        }
    }
}

fn refused(selection: &str) -> ApiError {
    ApiError::new(
        400,
        "invalidParameter",
        format!("Invalid field selection {selection}"),
    )
    .at("fields", "parameter")
}

fn check(mask: &Mask, shape: &Shape, path: &str) -> Result<(), ApiError> {
    let Mask::Some(names) = mask else {
        return Ok(());
    };
    for (name, inner) in names {
        let here = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}/{name}")
        };
        let below = match shape {
            Shape::Any => &Shape::Any,
            Shape::Leaf => return Err(refused(&here)),
            Shape::Object(_) if name == "*" => &Shape::Any,
            Shape::Object(known) => known
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, shape)| shape)
                .ok_or_else(|| refused(&here))?,
        };
        check(inner, below, &here)?;
    }
    Ok(())
}

struct Parser<'a> {
    rest: &'a str,
    text: &'a str,
}

impl Parser<'_> {
    fn list(&mut self, depth: usize) -> Result<Mask, ApiError> {
        // Google's answers are four levels deep at most; a bound keeps the recursion small.
        if depth > 16 {
            return Err(refused(self.text));
        }
        let mut all = Mask::Some(BTreeMap::new());
        loop {
            all.merge(self.selection(depth)?);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => return Ok(all),
            }
        }
    }

    fn selection(&mut self, depth: usize) -> Result<Mask, ApiError> {
        if depth > 16 {
            return Err(refused(self.text));
        }
        let end = self
            .rest
            .find([',', '/', '(', ')'])
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let word = |letter: char| letter.is_ascii_alphanumeric() || "_-$.".contains(letter);
        if name.is_empty() || !(name == "*" || name.chars().all(word)) {
            return Err(refused(self.text));
        }
        self.rest = rest;
        let below = if let Some(rest) = self.rest.strip_prefix('/') {
            self.rest = rest;
            self.selection(depth + 1)?
        } else if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let list = self.list(depth + 1)?;
            self.rest = self
                .rest
                .strip_prefix(')')
                .ok_or_else(|| refused(self.text))?;
            list
        } else {
            Mask::All
        };
        Ok(Mask::Some(BTreeMap::from([(name.to_owned(), below)])))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::USERS;
    use super::*;

    fn prune(fields: &str, value: Value) -> Option<Value> {
        Mask::parse(Some(fields), &USERS).unwrap().prune(value)
    }

    #[test]
    fn a_selection_keeps_exactly_what_it_names() {
        let page = json!({"kind": "k", "nextPageToken": "t", "users": [
            {"id": "1", "name": {"givenName": "A", "familyName": "B"}, "emails": [{"address": "a", "type": "work"}]},
            {"id": "2", "name": {"givenName": "C", "familyName": "D"}},
        ]});
        assert_eq!(
            prune(
                "nextPageToken,users(id,name/givenName,emails(address))",
                page.clone()
            ),
            Some(json!({"nextPageToken": "t", "users": [
                {"id": "1", "name": {"givenName": "A"}, "emails": [{"address": "a"}]},
                {"id": "2", "name": {"givenName": "C"}},
            ]}))
        );
        assert_eq!(prune("*", page.clone()), Some(page.clone()));
        assert_eq!(
            prune("users/id,users/name/familyName", page.clone()),
            Some(json!({"users": [
                {"id": "1", "name": {"familyName": "B"}}, {"id": "2", "name": {"familyName": "D"}},
            ]}))
        );
        assert_eq!(
            prune("users(name/*)", page),
            Some(json!({"users": [
                {"name": {"givenName": "A", "familyName": "B"}}, {"name": {"givenName": "C", "familyName": "D"}},
            ]}))
        );
    }

    #[test]
    fn a_wrong_selection_is_refused() {
        for wrong in [
            "users(",
            "users)",
            "a",
            "users(id",
            "users()",
            ",",
            "users/",
            "users(idd)",
            "users/id/x",
            "nextPageToken/x",
            "users (id)",
            "users(id))",
            "users(id)/x",
        ] {
            let error = Mask::parse(Some(wrong), &USERS).unwrap_err();
            assert!(
                error.to_string().contains("Invalid field selection"),
                "{wrong}"
            );
        }
    }
}
