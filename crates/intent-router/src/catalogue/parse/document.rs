//! Reads a TOML document table by table and collects every problem.

use std::collections::BTreeSet;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::catalogue::{Diagnostic, LineIndex};

/// A value and its byte offset in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// The problems found so far.
pub(super) struct Diagnostics {
    lines: LineIndex,
    pub(super) list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(super) fn new(text: &str) -> Self {
        Self {
            lines: LineIndex::new(text),
            list: Vec::new(),
        }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        self.lines.position(at).line
    }

    /// Adds an error at a byte offset.
    pub(super) fn add(&mut self, path: &str, at: usize, message: impl fmt::Display) {
        self.push(path, at, Diagnostic::error(message.to_string()));
    }

    /// Adds a diagnostic at a byte offset.
    pub(super) fn push(&mut self, path: &str, at: usize, diagnostic: Diagnostic) {
        let start = self.lines.position(at);
        self.list.push(diagnostic.with_path(path).with_start(start));
    }
}

/// A table that is read key by key, and reports the keys that were not read.
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

    /// The table in `value`; another type is a problem.
    pub(super) fn from_value(
        path: String,
        value: Value<'t>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(path, at, table)),
            other => {
                diagnostics.add(&path, at, mismatch("a table", other));
                None
            }
        }
    }

    /// All keys with their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (At<&'t str>, Value<'t>)> + use<'t> {
        self.table.iter().map(|(key, value)| {
            let name = At {
                value: key.get_ref().as_ref(),
                at: key.span().start,
            };
            (name, value)
        })
    }

    /// Marks a key as known and returns its value.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.insert(key);
        self.table.get(key)
    }

    /// Whether the key is there and is not an empty array.
    pub(super) fn holds(&self, key: &str) -> bool {
        let value = self.table.get(key).map(|value| value.get_ref());
        value.is_some_and(|value| !matches!(value, DeValue::Array(array) if array.is_empty()))
    }

    /// A text; another type is a problem.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<At<&'t str>> {
        let value = self.take(key)?;
        as_text(&self.key_path(key), value, diagnostics)
    }

    /// A text that must be there and not be blank.
    pub(super) fn required_text(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<At<&'t str>> {
        if self.take(key).is_none() {
            diagnostics.add(&self.path, self.at, format_args!("`{key}` is missing"));
            return None;
        }
        self.filled_text(key, diagnostics)
    }

    /// A text that is not blank, if it is there.
    pub(super) fn filled_text(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<At<&'t str>> {
        let text = self.text(key, diagnostics)?;
        if text.value.trim().is_empty() {
            diagnostics.add(&self.key_path(key), text.at, "is empty");
            return None;
        }
        Some(text)
    }

    /// A boolean; false if absent, another type is a problem.
    pub(super) fn flag(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> bool {
        let Some(value) = self.take(key) else {
            return false;
        };
        if let DeValue::Boolean(flag) = value.get_ref() {
            return *flag;
        }
        diagnostics.add(
            &self.key_path(key),
            value.span().start,
            mismatch("true or false", value.get_ref()),
        );
        false
    }

    /// The elements of an array with their paths; none if it is absent.
    pub(super) fn array(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<(String, Value<'t>)> {
        let path = self.key_path(key);
        self.take(key)
            .map(|value| elements(&path, value, diagnostics))
            .unwrap_or_default()
    }

    /// An array of texts, each with its path; another type is a problem.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<(String, At<&'t str>)> {
        let path = self.key_path(key);
        self.take(key)
            .map(|value| elements_as_texts(&path, value, diagnostics))
            .unwrap_or_default()
    }

    /// Reports the keys that were not taken.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) {
        for (key, _) in self.entries() {
            if !self.known.contains(key.value) {
                let known: Vec<_> = self.known.iter().copied().collect();
                let message = format!(
                    "unknown key `{}`; known keys are {}",
                    key.value,
                    known.join(", ")
                );
                diagnostics.add(&self.path, key.at, message);
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
fn elements<'t>(
    path: &str,
    value: Value<'t>,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Value<'t>)> {
    match value.get_ref() {
        DeValue::Array(array) => array
            .iter()
            .enumerate()
            .map(|(i, value)| (format!("{path}[{i}]"), value))
            .collect(),
        other => {
            diagnostics.add(path, value.span().start, mismatch("an array", other));
            Vec::new()
        }
    }
}

/// The texts of an array with their paths; another type is a problem.
pub(super) fn elements_as_texts<'t>(
    path: &str,
    value: Value<'t>,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, At<&'t str>)> {
    let elements = elements(path, value, diagnostics);
    let read = |(path, value): (String, Value<'t>)| {
        let text = as_text(&path, value, diagnostics)?;
        Some((path, text))
    };
    elements.into_iter().filter_map(read).collect()
}

pub(super) fn as_text<'t>(
    path: &str,
    value: Value<'t>,
    diagnostics: &mut Diagnostics,
) -> Option<At<&'t str>> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => Some(At { value: text, at }),
        other => {
            diagnostics.add(path, at, mismatch("a string", other));
            None
        }
    }
}

pub(super) fn mismatch(expected: &str, found: &DeValue<'_>) -> String {
    format!("expected {expected}, found {}", found.type_str())
}

/// The value of an integer or a float literal.
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
