//! Expressions of mappings: Jinja's, without statements, and without all that could take long or much (measured: see the
//! guards below). What one takes is bounded by its own length and by the object's attributes, never by what it computes.

use crate::model::{Attribute, Object, Shape, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

/// Bytes of an expression.
const MAX_SOURCE: usize = 1024;
/// Brackets within brackets: each takes stack of the parser.
const MAX_NESTING: usize = 16;
/// Operators, filters, look-ups and words: each may take stack of the compiler.
const MAX_OPERATORS: usize = 64;
/// Instructions that one evaluation takes.
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
    environment.add_filter("lower", |text: String| text.to_lowercase());
    environment.add_filter("upper", |text: String| text.to_uppercase());
    environment.add_filter("trim", |text: String| text.trim().to_owned());
    environment.add_filter("replace", replace);
    environment.add_filter("split", split);
    environment.add_filter("join", join);
    environment.add_filter("first", |list: value::Value| end(&list, false));
    environment.add_filter("last", |list: value::Value| end(&list, true));
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

fn replace(text: String, from: &str, to: &str) -> Result<String, Error> {
    if from.is_empty() {
        return Ok(text);
    }
    let made = text.matches(from).count().saturating_mul(to.len());
    if made.saturating_add(text.len()) > MAX_MADE {
        return Err(too_large());
    }
    Ok(text.replace(from, to))
}

fn split(text: String, separator: &str) -> Vec<String> {
    if separator.is_empty() {
        return vec![text];
    }
    let parts = text.split(separator).map(|part| part.trim().to_owned());
    parts
        .filter(|part| !part.is_empty())
        .take(MAX_LIST)
        .collect()
}

fn join(list: Vec<String>, separator: &str) -> Result<String, Error> {
    let made: usize = list.iter().map(|text| text.len() + separator.len()).sum();
    if made > MAX_MADE {
        return Err(too_large());
    }
    let mut joined = String::with_capacity(made);
    for (at, text) in list.into_iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&text);
    }
    Ok(joined)
}

/// The first or last of a list, an empty text if there is none.
fn end(list: &value::Value, last: bool) -> Result<value::Value, Error> {
    let items = list.try_iter()?.take(MAX_MADE);
    let found = if last {
        items.last()
    } else {
        items.into_iter().next()
    };
    Ok(found.unwrap_or_else(|| "".into()))
}

/// Refuses what would take the parser or the compiler too deep, before they see it.
fn guard(source: &str) -> Result<(), InvalidExpression> {
    let refused = |text: String| Err(InvalidExpression(text));
    if source.trim().is_empty() || source.len() > MAX_SOURCE {
        return refused(format!(
            "must have 1 to {MAX_SOURCE} bytes, not all of them blanks"
        ));
    }
    let (mut depth, mut deepest, mut operators) = (0usize, 0usize, 0usize);
    let mut word = false;
    let mut rest = source.chars();
    while let Some(c) = rest.next() {
        let begins_word = !word && (c.is_alphabetic() || c == '_');
        word = c.is_alphanumeric() || c == '_';
        match c {
            '"' | '\'' => {
                while let Some(next) = rest.next() {
                    match next {
                        '\\' => drop(rest.next()),
                        end if end == c => break,
                        _ => {}
                    }
                }
            }
            '*' => return refused("there is no `*`".to_owned()),
            '(' | '[' | '{' => {
                depth += 1;
                operators += 1;
                deepest = deepest.max(depth);
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() || c.is_numeric() => {}
            _ if word => operators += usize::from(begins_word),
            _ => operators += 1,
        }
    }
    if deepest > MAX_NESTING {
        return refused(format!("brackets are nested more than {MAX_NESTING} deep"));
    }
    // A name is counted, too: each operator has two sides at most.
    if operators > 2 * MAX_OPERATORS {
        return refused(format!("has more than {MAX_OPERATORS} operators"));
    }
    Ok(())
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, in the parser's words.
    pub fn compile(source: &str) -> Result<Self, InvalidExpression> {
        guard(source)?;
        let compiled = ENVIRONMENT.compile_expression_owned(source.to_owned());
        let compiled = compiled.map_err(|error| InvalidExpression(words(&error)))?;
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
    pub fn evaluate(&self, object: &Object, shape: Shape) -> Result<Option<Value>, String> {
        let value = self
            .0
            .eval(context(object))
            .map_err(|error| words(&error))?;
        convert(&value, shape)
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
