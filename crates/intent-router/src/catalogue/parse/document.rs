//! A TOML document read table by table, keeping every problem with its place.

use std::collections::BTreeSet;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::catalogue::Problem;

/// A value and where it starts in the text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// The problems found so far, and what tells the lines they are on.
pub(super) struct Problems {
    line_starts: Vec<usize>,
    pub(super) list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            line_starts: newlines.map(|(i, _)| i + 1).collect(),
            list: Vec::new(),
        }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.line_starts.partition_point(|start| *start <= at)
    }

    pub(super) fn add(&mut self, path: &str, at: usize, message: impl fmt::Display) {
        self.list.push(Problem {
            path: path.to_owned(),
            line: self.line(at),
            message: message.to_string(),
        });
    }
}

/// One table, of which each known key is taken by name.
pub(super) struct Table<'t> {
    pub(super) path: String,
    pub(super) at: usize,
    table: &'t DeTable<'t>,
    known: BTreeSet<&'static str>,
}

type Value<'t> = &'t Spanned<DeValue<'t>>;

impl<'t> Table<'t> {
    pub(super) fn new(path: impl Into<String>, at: usize, table: &'t DeTable<'t>) -> Self {
        Self {
            path: path.into(),
            at,
            table,
            known: BTreeSet::new(),
        }
    }

    /// The table that `value` is; another type is a problem.
    pub(super) fn from_value(
        path: String,
        value: Value<'t>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(path, at, table)),
            other => {
                problems.add(&path, at, mismatch("a table", other));
                None
            }
        }
    }

    /// Every key with its value, for tables whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (At<&'t str>, Value<'t>)> + use<'t> {
        self.table.iter().map(|(key, value)| {
            let name = At {
                value: key.get_ref().as_ref(),
                at: key.span().start,
            };
            (name, value)
        })
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.insert(key);
        self.table.get(key)
    }

    /// Whether there is such a key, with more than an empty array.
    pub(super) fn holds(&self, key: &str) -> bool {
        let value = self.table.get(key).map(|value| value.get_ref());
        value.is_some_and(|value| !matches!(value, DeValue::Array(array) if array.is_empty()))
    }

    pub(super) fn text(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<At<&'t str>> {
        let value = self.take(key)?;
        as_text(&self.key_path(key), value, problems)
    }

    /// A text that must be there and hold more than white space.
    pub(super) fn required_text(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<At<&'t str>> {
        if self.take(key).is_none() {
            problems.add(&self.path, self.at, format_args!("`{key}` is missing"));
            return None;
        }
        let text = self.text(key, problems)?;
        if text.value.trim().is_empty() {
            problems.add(&self.key_path(key), text.at, "is empty");
            return None;
        }
        Some(text)
    }

    pub(super) fn flag(&mut self, key: &'static str, problems: &mut Problems) -> bool {
        let Some(value) = self.take(key) else {
            return false;
        };
        if let DeValue::Boolean(flag) = value.get_ref() {
            return *flag;
        }
        problems.add(
            &self.key_path(key),
            value.span().start,
            mismatch("true or false", value.get_ref()),
        );
        false
    }

    /// The elements of an array with their paths; an absent one is empty.
    pub(super) fn array(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Vec<(String, Value<'t>)> {
        let path = self.key_path(key);
        self.take(key)
            .map(|value| elements(&path, value, problems))
            .unwrap_or_default()
    }

    /// An array of texts, each with its path; another type is a problem.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Vec<(String, At<&'t str>)> {
        let path = self.key_path(key);
        self.take(key)
            .map(|value| elements_as_texts(&path, value, problems))
            .unwrap_or_default()
    }

    /// Reports the keys that nobody took.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, _) in self.entries() {
            if !self.known.contains(key.value) {
                let known: Vec<_> = self.known.iter().copied().collect();
                let message = format!(
                    "unknown key `{}`; known are {}",
                    key.value,
                    known.join(", ")
                );
                problems.add(&self.path, key.at, message);
            }
        }
    }

    pub(super) fn key_path(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path if path.ends_with('"') => format!("{path} {key}"),
            path => format!("{path}.{key}"),
        }
    }
}

/// The elements of an array with their paths; another type is a problem.
fn elements<'t>(path: &str, value: Value<'t>, problems: &mut Problems) -> Vec<(String, Value<'t>)> {
    match value.get_ref() {
        DeValue::Array(array) => array
            .iter()
            .enumerate()
            .map(|(i, value)| (format!("{path}[{i}]"), value))
            .collect(),
        other => {
            problems.add(path, value.span().start, mismatch("an array", other));
            Vec::new()
        }
    }
}

/// The same of texts.
pub(super) fn elements_as_texts<'t>(
    path: &str,
    value: Value<'t>,
    problems: &mut Problems,
) -> Vec<(String, At<&'t str>)> {
    let elements = elements(path, value, problems);
    let read = |(path, value): (String, Value<'t>)| {
        let text = as_text(&path, value, problems)?;
        Some((path, text))
    };
    elements.into_iter().filter_map(read).collect()
}

pub(super) fn as_text<'t>(
    path: &str,
    value: Value<'t>,
    problems: &mut Problems,
) -> Option<At<&'t str>> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => Some(At { value: text, at }),
        other => {
            problems.add(path, at, mismatch("a text", other));
            None
        }
    }
}

pub(super) fn mismatch(expected: &str, found: &DeValue<'_>) -> String {
    format!("expected {expected}, found {}", found.type_str())
}

/// The number that an integer or a float literal stands for.
pub(super) fn number(value: &DeValue<'_>) -> Result<f64, String> {
    let parsed = match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .map(|integer| integer as f64),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| mismatch("a number", value))
}
