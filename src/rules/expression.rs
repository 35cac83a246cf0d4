//! Expressions of mappings: Jinja's, without statements, and without all that could take long or much (measured: see the
//! guards below). What one takes is bounded by its own length and by the object's attributes, never by what it computes.

mod guard;

use crate::model::{Attribute, Object, Shape, Value};
use guard::guard;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

/// Instructions that one evaluation takes, or 64 bytes each of the texts that it reads and makes.
const FUEL: u64 = 10_000;
/// Bytes of a text that a filter makes.
const MAX_MADE: usize = 64 * 1024;
/// Bytes of a text that comes out.
const MAX_TEXT: usize = 4096;
/// Texts of a list that comes out.
const MAX_LIST: usize = 100;

/// An expression that can't be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidExpression(String);

/// An expression, compiled once and evaluated for each object.
#[derive(Debug, Clone)]
pub struct Expression(Arc<minijinja::Expression<'static, 'static>>);

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(false);
    environment.add_filter("lower", |state: &State<'_, '_>, held: &value::Value| {
        Ok::<_, Error>(read(state, held)?.to_lowercase())
    });
    environment.add_filter("upper", |state: &State<'_, '_>, held: &value::Value| {
        Ok::<_, Error>(read(state, held)?.to_uppercase())
    });
    environment.add_filter("trim", |state: &State<'_, '_>, held: &value::Value| {
        Ok::<_, Error>(read(state, held)?.trim().to_owned())
    });
    environment.add_filter("replace", replace);
    environment.add_filter("split", split);
    environment.add_filter("join", join);
    environment.add_filter("first", |state: &State<'_, '_>, list: &value::Value| {
        end(state, list, false)
    });
    environment.add_filter("last", |state: &State<'_, '_>, list: &value::Value| {
        end(state, list, true)
    });
    environment.add_filter("length", |held: value::Value| {
        held.len().unwrap_or_default()
    });
    environment.add_filter(
        "default",
        |held: value::Value, other: value::Value| {
            if held.is_true() { held } else { other }
        },
    );
    environment
}

fn too_large() -> Error {
    let text = format!("a text of more than {MAX_MADE} bytes would be made");
    Error::new(ErrorKind::InvalidOperation, text)
}

/// The text that a filter is about, a number or boolean as text. Paid for: what a filter reads is not charged otherwise.
fn read(state: &State<'_, '_>, held: &value::Value) -> Result<String, Error> {
    let text = match (held.as_str(), held.kind()) {
        (Some(text), _) => text.to_owned(),
        (None, value::ValueKind::Number | value::ValueKind::Bool) => held.to_string(),
        _ => return Err(Error::new(ErrorKind::InvalidOperation, "not a text")),
    };
    state.consume_fuel(text.len() as u64 / 64)?;
    Ok(text)
}

fn replace(
    state: &State<'_, '_>,
    held: &value::Value,
    from: &str,
    to: &str,
) -> Result<String, Error> {
    let text = read(state, held)?;
    if from.is_empty() {
        return Ok(text);
    }
    let made = text.matches(from).count().saturating_mul(to.len());
    if made.saturating_add(text.len()) > MAX_MADE {
        return Err(too_large());
    }
    Ok(text.replace(from, to))
}

fn split(
    state: &State<'_, '_>,
    held: &value::Value,
    separator: &str,
) -> Result<Vec<String>, Error> {
    let text = read(state, held)?;
    if separator.is_empty() {
        return Ok(vec![text]);
    }
    let parts = text.split(separator).map(|part| part.trim().to_owned());
    let parts = parts.filter(|part| !part.is_empty());
    Ok(parts.take(MAX_LIST).collect())
}

fn join(state: &State<'_, '_>, list: &value::Value, separator: &str) -> Result<String, Error> {
    let mut joined = String::new();
    for (at, item) in list.try_iter()?.enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&read(state, &item)?);
        if joined.len() > MAX_MADE {
            return Err(too_large());
        }
    }
    Ok(joined)
}

/// The first or last of a list, an empty text if there is none.
fn end(state: &State<'_, '_>, list: &value::Value, last: bool) -> Result<value::Value, Error> {
    let mut items = list.try_iter()?;
    if !last {
        return Ok(items.next().unwrap_or_else(|| "".into()));
    }
    let mut found = "".into();
    for item in items {
        state.consume_fuel(1)?;
        found = item;
    }
    Ok(found)
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, in the parser's words, and where.
    pub fn compile(source: &str) -> Result<Self, InvalidExpression> {
        guard(source)?;
        let compiled = ENVIRONMENT.compile_expression_owned(source.to_owned());
        let compiled = compiled.map_err(|error| {
            let before = error.range().and_then(|range| source.get(..range.start));
            let place =
                before.map(|before| format!(", at character {}", before.chars().count() + 1));
            InvalidExpression(words(&error) + &place.unwrap_or_default())
        })?;
        Ok(Self(Arc::new(compiled)))
    }

    /// The attributes of the source object that it names.
    pub fn variables(&self) -> BTreeSet<String> {
        self.0.undeclared_variables(true).into_iter().collect()
    }

    /// What it comes to for an object; none if that is blank.
    ///
    /// # Errors
    /// Why it can't be computed, or is not of that shape. Holds nothing of the object's attributes.
    pub(super) fn evaluate(&self, source: &Source, shape: Shape) -> Result<Option<Value>, String> {
        let value = self.0.eval(source.0.clone());
        convert(&value.map_err(|error| words(&error))?, shape)
    }
}

/// What went wrong, without the values at which it did.
fn words(error: &Error) -> String {
    let what = error.kind().to_string();
    match (error.kind(), error.detail()) {
        (
            ErrorKind::SyntaxError
            | ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction,
            Some(detail),
        ) => format!("{what}: {detail}"),
        (ErrorKind::InvalidOperation, Some(detail)) if detail.contains("would be made") => {
            detail.to_owned()
        }
        (ErrorKind::OutOfFuel, _) => "takes too many steps".to_owned(),
        _ => what,
    }
}

/// An object as expressions see it, made once for all of them.
#[derive(Debug)]
pub(super) struct Source(value::Value);

impl Source {
    /// As this object is.
    pub(super) fn of(object: &Object) -> Self {
        Self(context(object))
    }
}

/// All attributes by name, `name.givenName` as `givenName` within `name`. What is absent is empty; a boolean, none.
fn context(object: &Object) -> value::Value {
    let mut all: BTreeMap<String, value::Value> = BTreeMap::new();
    let mut within: BTreeMap<String, BTreeMap<String, value::Value>> = BTreeMap::new();
    for attribute in Attribute::known() {
        let held = match (object.attributes.get(&attribute), attribute.shape()) {
            (Some(Value::Text(text)), _) => text.as_str().into(),
            (Some(Value::Bool(yes)), _) => (*yes).into(),
            (Some(Value::List(items)), _) => items.iter().map(String::as_str).collect(),
            (None, Shape::Text) => "".into(),
            (None, Shape::YesNo) => ().into(),
            (None, Shape::List) => Vec::<value::Value>::new().into(),
        };
        match attribute.as_str().split_once('.') {
            Some((of, name)) => {
                let inner = within.entry(of.to_owned()).or_default();
                inner.insert(name.to_owned(), held);
            }
            None => drop(all.insert(attribute.to_string(), held)),
        }
    }
    all.extend(within.into_iter().map(|(name, inner)| (name, inner.into())));
    all.into()
}

fn convert(held: &value::Value, shape: Shape) -> Result<Option<Value>, String> {
    let wrong = || format!("is {} and must be {}", held.kind(), shape.words());
    if held.is_none() {
        return Ok(None);
    }
    match shape {
        Shape::Text if held.is_number() => {
            text(&held.to_string()).map(|text| text.map(Value::Text))
        }
        Shape::Text => {
            let given = held.as_str().ok_or_else(wrong)?;
            text(given).map(|text| text.map(Value::Text))
        }
        Shape::YesNo if held.kind() == value::ValueKind::Bool => {
            Ok(Some(Value::Bool(held.is_true())))
        }
        Shape::YesNo => Err(wrong()),
        Shape::List if held.kind() != value::ValueKind::Seq => Err(wrong()),
        Shape::List => {
            let items = held.try_iter().map_err(|_| wrong())?;
            let mut texts = Vec::new();
            for item in items {
                let given = item
                    .as_str()
                    .ok_or("is a list of something else than texts")?;
                texts.extend(text(given)?);
                if texts.len() > MAX_LIST {
                    return Err(format!("is a list of more than {MAX_LIST} texts"));
                }
            }
            Ok((!texts.is_empty()).then_some(Value::List(texts)))
        }
    }
}

fn text(given: &str) -> Result<Option<String>, String> {
    let given = given.trim();
    if given.len() > MAX_TEXT {
        return Err(format!("is a text of more than {MAX_TEXT} bytes"));
    }
    Ok((!given.is_empty()).then(|| given.to_owned()))
}

#[cfg(test)]
mod tests;
