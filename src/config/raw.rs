//! The values as given, by dotted key, with where each comes from; collects what is wrong with them.

use super::{Error, Problem, callers, is_safe, systems};
use crate::model::nearest;
use config::{FileFormat, Map, Value, ValueKind};
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};
use url::Url;

const PREFIX: &str = "PROVISIOND_";

pub(super) const KEYS: &[&str] = &[
    "backup.directory",
    "backup.every",
    "backup.keep",
    "grpc.listen",
    "grpc.tls_cert_file",
    "grpc.tls_client_ca_file",
    "grpc.tls_key_file",
    "http.listen",
    "http.public_url",
    "http.return_urls",
    "log.filter",
    "log.format",
    "sealing.key_file",
    "shutdown.grace",
    "store.path",
    "sync.catch_up",
    "retention.events_days",
    "retention.runs_days",
    "sync.runs_at_once",
];

/// All values given, and all that is wrong so far.
pub(super) struct Raw {
    values: BTreeMap<String, Value>,
    problems: Vec<Problem>,
}

impl Raw {
    /// Flag over environment over file. Fails if the file can't be read; unknown keys are only noted.
    pub(super) fn merge(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        overrides: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        if let Some(path) = path {
            flatten("", read_file(path)?, &mut values);
        }
        for (name, text) in env {
            if let Some(key) = key_of_variable(&name) {
                values.insert(key, Value::new(Some(&name), ValueKind::String(text)));
            }
        }
        let flag = "command line".to_owned();
        for (key, text) in overrides {
            values.insert(key, Value::new(Some(&flag), ValueKind::String(text)));
        }
        let problems = unknown_keys(&values);
        Ok(Self { values, problems })
    }

    /// The configuration, unless something was refused.
    pub(super) fn finish<T>(self, config: T) -> Result<T, Error> {
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(Error {
                problems: self.problems,
            })
        }
    }

    /// Notes what is wrong with the value of a key and what to do.
    pub(super) fn refuse(&mut self, key: &str, text: &str) {
        let origin = self.values.get(key).and_then(Value::origin);
        self.problems.push(Problem {
            key: key.to_owned(),
            origin: origin.unwrap_or_default().to_owned(),
            text: text.to_owned(),
        });
    }

    /// Whether anything is given for a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// All keys given.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A text; refused when it is empty or no text at all.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.values.get(key).map(|value| value.kind.clone())? {
            ValueKind::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            ValueKind::String(_) => {
                self.refuse(key, "is empty: give a value, or leave the key out");
                None
            }
            _ => {
                self.refuse(key, "is not a text: put it in quotes");
                None
            }
        }
    }

    /// A whole number within a range; in the environment and on the command line as text.
    pub(super) fn number(&mut self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let number = match self.values.get(key).map(|value| value.kind.clone())? {
            ValueKind::I64(number) => Some(number),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.refuse(key, &format!("must be a number from {least} to {most}"));
        }
        number
    }

    /// Several texts; in the environment and on the command line separated by commas.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let texts = match self.values.get(key).map(|value| value.kind.clone()) {
            None => Some(Vec::new()),
            Some(ValueKind::String(text)) => Some(text.split(',').map(str::to_owned).collect()),
            Some(ValueKind::Array(items)) => items.into_iter().map(text_of).collect(),
            Some(_) => None,
        };
        if texts.is_none() {
            self.refuse(
                key,
                "is not a list of texts: give one such as [\"a\", \"b\"]",
            );
        }
        let texts = texts.unwrap_or_default().into_iter();
        texts
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    }

    /// A path as given, relative to the working directory.
    pub(super) fn path(&mut self, key: &str, default: &Path) -> PathBuf {
        self.text(key)
            .map_or_else(|| default.to_owned(), PathBuf::from)
    }

    /// A URL to which secrets may be sent: https, or http on loopback.
    pub(super) fn url(&mut self, key: &str) -> Option<Url> {
        let text = self.text(key)?;
        match Url::parse(&text) {
            Ok(url) if is_safe(&url) => Some(url),
            Ok(_) => {
                self.refuse(key, &format!("'{text}' must be an https URL; plain http is for loopback addresses (127.0.0.1, localhost) only"));
                None
            }
            Err(error) => {
                self.refuse(
                    key,
                    &format!(
                        "'{text}' is not a URL ({error}): give one such as https://example.com"
                    ),
                );
                None
            }
        }
    }
}

fn text_of(value: Value) -> Option<String> {
    match value.kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    }
}

fn read_file(path: &Path) -> Result<Map<String, Value>, Error> {
    let name = path.display().to_string();
    let problem = |text: String| Error {
        problems: vec![Problem {
            key: name.clone(),
            origin: String::new(),
            text,
        }],
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        problem(format!("can't be read ({error}): give the path of a TOML file that the daemon may read, or no --config at all"))
    })?;
    config::Config::builder()
        .add_source(config::File::from_str(&text, FileFormat::Toml))
        .build()
        .and_then(|all| all.cache.into_table())
        .map(|table| with_origin(&name, table))
        .map_err(|error| problem(format!("is not valid TOML: {error}")))
}

fn with_origin(name: &str, table: Map<String, Value>) -> Map<String, Value> {
    let origin = name.to_owned();
    let named = |value: Value| match value.kind {
        ValueKind::Table(inner) => Value::new(None, ValueKind::Table(with_origin(name, inner))),
        kind => Value::new(Some(&origin), kind),
    };
    table
        .into_iter()
        .map(|(key, value)| (key, named(value)))
        .collect()
}

fn flatten(prefix: &str, table: Map<String, Value>, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = match prefix {
            "" => name,
            prefix => format!("{prefix}.{name}"),
        };
        match value.kind {
            // A caller of whom nothing is said is a mistake, not nobody.
            ValueKind::Table(inner) if inner.is_empty() && prefix == "callers" => {
                into.insert(key, Value::new(None, ValueKind::Nil));
            }
            ValueKind::Table(inner) => flatten(&key, inner, into),
            _ => {
                into.insert(key, value);
            }
        }
    }
}

/// `PROVISIOND_SYSTEMS__GOOGLE_WORKSPACE__CLIENT_ID` is `systems.google-workspace.client_id`.
fn key_of_variable(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?;
    let parts = rest.split("__").enumerate().map(|(at, part)| {
        let part = part.to_ascii_lowercase();
        match at {
            // Ids of systems and names of callers have no underscores, and variables no dashes.
            1 if rest.starts_with("SYSTEMS__") || rest.starts_with("CALLERS__") => {
                part.replace('_', "-")
            }
            _ => part,
        }
    });
    Some(parts.collect::<Vec<_>>().join("."))
}

fn unknown_keys(values: &BTreeMap<String, Value>) -> Vec<Problem> {
    let known: Vec<String> = KEYS
        .iter()
        .map(|key| (*key).to_owned())
        .chain(systems::keys())
        .chain(callers::keys(values.keys().map(String::as_str)))
        .collect();
    let unknown = values.iter().filter(|(key, _)| !known.contains(key));
    unknown
        .map(|(key, value)| Problem {
            key: key.clone(),
            origin: value.origin().unwrap_or_default().to_owned(),
            text: match nearest(key, known.iter().map(String::as_str)) {
                Some(near) => format!("there is no such key; the nearest is {near}"),
                None => "there is no such key".to_owned(),
            },
        })
        .collect()
}
