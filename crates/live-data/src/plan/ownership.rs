//! The tables that a catalogue declares: which of them a query is limited to the
//! asker's rows of, and what it reads.

use std::collections::{BTreeMap, BTreeSet};

use intent_router::{Extent, Read, TableSpec, Tie};

use crate::error::OpenError;

/// A query as it is run, and what it reads.
pub(crate) struct Bound {
    pub(crate) sql: String,
    pub(crate) reads: Vec<Read>,
}

/// The tables that a catalogue declares, by their names in lower case.
#[derive(Clone, Copy)]
pub(crate) struct Declared<'c>(pub(crate) &'c BTreeMap<String, TableSpec>);

impl<'c> Declared<'c> {
    /// The tie of a table; `Tie::None` if it is not declared.
    pub(crate) fn tie(self, name: &str) -> &'c Tie {
        self.0.get(name).map_or(&Tie::None, |spec| &spec.tie)
    }

    /// Checks that the tables have the columns that tie them to members. `columns`
    /// are those of a table, compared as the database compares names.
    pub(crate) fn check_columns(
        self,
        columns: impl Fn(&str) -> Vec<String>,
    ) -> Result<(), OpenError> {
        for (name, spec) in self.0 {
            let needed: Vec<(&String, &String)> = match &spec.tie {
                Tie::None => Vec::new(),
                Tie::Member(columns) => columns.iter().map(|column| (name, column)).collect(),
                Tie::Within { column, table } => vec![(name, column), (table, column)],
            };
            for (table, column) in needed {
                let known = columns(table);
                if !known.iter().any(|known| known.eq_ignore_ascii_case(column)) {
                    let known = known.join(", ");
                    return Err(OpenError::Table {
                        table: table.clone(),
                        reason: format!("has no column `{column}`; its columns are {known}"),
                    });
                }
            }
        }
        Ok(())
    }

    /// The tables among `named` that are tied to members, and the tables that tie them.
    pub(crate) fn hidden(self, named: &BTreeSet<String>) -> BTreeSet<String> {
        let mut hidden = BTreeSet::new();
        for name in named {
            let mut at = Some(name);
            while let Some((name, spec)) = at.and_then(|name| self.0.get_key_value(name)) {
                if spec.tie == Tie::None {
                    break;
                }
                hidden.insert(name.clone());
                at = match &spec.tie {
                    Tie::Within { table, .. } => Some(table),
                    _ => None,
                };
            }
        }
        hidden
    }

    /// Which kinds of record a query reads, and how much of each, if it reads `all`
    /// these tables, and those in `beyond` past the asker's rows.
    pub(crate) fn reads(self, all: &BTreeSet<String>, beyond: &BTreeSet<String>) -> Vec<Read> {
        let mut reads = Vec::new();
        for name in all {
            let spec = self.0.get(name);
            let extent = match spec {
                Some(spec) if !beyond.contains(name) && spec.by_member => Extent::Named,
                Some(_) if !beyond.contains(name) => Extent::Part,
                _ => Extent::Whole,
            };
            let kind = spec.map(|spec| spec.record.clone());
            merge(&mut reads, Read::new(kind, extent));
        }
        reads
    }
}

/// Adds what was read; of one kind, the larger extent stays.
pub(super) fn merge(reads: &mut Vec<Read>, read: Read) {
    match reads.iter_mut().find(|known| known.kind == read.kind) {
        Some(known) => known.extent = known.extent.max(read.extent),
        None => reads.push(read),
    }
}

/// The query with these expressions before its own, on the line of its first word,
/// so that line numbers stay the same.
pub(crate) fn with(sql: &str, expressions: impl Iterator<Item = String>) -> String {
    let expressions = expressions.collect::<Vec<_>>().join(", ");
    match after_keyword(skip_blank(sql), "WITH") {
        None => format!("WITH {expressions} {sql}"),
        Some(rest) => match after_keyword(skip_blank(rest), "RECURSIVE") {
            Some(rest) => format!("WITH RECURSIVE {expressions}, {rest}"),
            None => format!("WITH {expressions}, {rest}"),
        },
    }
}

/// What follows blanks and comments.
fn skip_blank(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, rest)| rest)
        } else {
            return rest;
        };
        rest = after.trim_start();
    }
}

/// What follows the keyword, if the text begins with it.
fn after_keyword<'a>(sql: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, rest) = sql.split_at_checked(keyword.len())?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
    (head.eq_ignore_ascii_case(keyword) && ends).then_some(rest)
}

/// The name in double quotes, as SQL writes any name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
