//! An answer under construction, within its bounds.

use std::borrow::Cow;
use std::collections::BTreeSet;

use intent_router::{Records, TagTemplate};
use serde_json::{Map, Value};

/// The member of an answer that names the queries that were cut.
pub(crate) const TRUNCATED: &str = "truncated";

/// The bounds of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) max_rows: usize,
    pub(crate) max_bytes: usize,
}

/// An answer under construction.
pub(crate) struct Answer<'t> {
    templates: &'t [TagTemplate],
    max_rows: usize,
    bytes_left: usize,
    data: Map<String, Value>,
    /// The rows of the current query.
    rows: Vec<Value>,
    tags: BTreeSet<String>,
    truncated: Vec<Value>,
}

impl<'t> Answer<'t> {
    /// An empty answer, whose rows fill these tags.
    pub(crate) fn new(templates: &'t [TagTemplate], bounds: Bounds) -> Self {
        Self {
            templates,
            max_rows: bounds.max_rows,
            bytes_left: bounds.max_bytes,
            data: Map::new(),
            rows: Vec::new(),
            tags: BTreeSet::new(),
            truncated: Vec::new(),
        }
    }

    /// Makes room for the next row of a query, whose names and values have so many
    /// bytes. If there is none, the query counts as cut: its further rows are not
    /// added.
    pub(crate) fn has_room(&mut self, query: &str, bytes: usize) -> bool {
        if self.rows.len() == self.max_rows || bytes > self.bytes_left {
            self.truncated.push(Value::from(query));
            return false;
        }
        self.bytes_left -= bytes;
        true
    }

    /// Adds a row of the current query.
    pub(crate) fn add(&mut self, row: Map<String, Value>) {
        let column = |name: &str| as_text(row.get(name)?);
        let filled = self.templates.iter().filter_map(|tag| tag.fill(column));
        self.tags.extend(filled);
        self.rows.push(Value::Object(row));
    }

    /// Ends the current query.
    pub(crate) fn end_query(&mut self, query: &str) {
        let rows = Value::Array(std::mem::take(&mut self.rows));
        self.data.insert(query.to_owned(), rows);
    }

    /// The answer with what was added.
    pub(crate) fn finish(mut self) -> Records {
        if !self.truncated.is_empty() {
            let names = Value::Array(self.truncated);
            self.data.insert(TRUNCATED.to_owned(), names);
        }
        Records::new(Value::Object(self.data), self.tags.into_iter().collect())
    }
}

/// A column's value as part of a tag; `None` unless it is text or a number.
fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}
