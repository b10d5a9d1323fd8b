//! Writes the generator's rows, and assigns record numbers.

use std::collections::BTreeMap;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Params, ToSql};

use super::calendar::Day;

impl ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

/// The owner of a record, as far as generating records needs it.
pub(super) struct Person {
    pub(super) member_id: String,
    pub(super) employer_id: String,
    pub(super) dependants: i64,
    /// The first member has at least one of everything, so that examples
    /// that ask for `BEN-000001` always show something.
    pub(super) showcase: bool,
}

/// Writes rows and assigns record numbers.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    pub(super) required: Vec<Required>,
    claims: BTreeMap<i16, u32>,
    given: BTreeMap<&'static str, u32>,
}

impl<'c> Writer<'c> {
    /// A writer of rows to tables that hold the reference data.
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            required: required(connection)?,
            claims: BTreeMap::new(),
            given: BTreeMap::new(),
        })
    }

    /// Inserts one row.
    pub(super) fn insert(&self, sql: &'static str, row: impl Params) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// The next claim number of a year, such as `CLM-2025-000001`.
    pub(super) fn claim_number(&mut self, filed_on: Day) -> String {
        let year = filed_on.year();
        let count = self.claims.entry(year).or_default();
        *count += 1;
        format!("CLM-{year}-{count:06}")
    }

    /// The next number of a kind of record, such as `PAY-00000001`.
    pub(super) fn number(&mut self, prefix: &'static str, digits: usize) -> String {
        let count = self.given.entry(prefix).or_default();
        *count += 1;
        format!("{prefix}-{count:0digits$}")
    }
}

/// A document that a type of claim needs.
#[derive(Clone)]
pub(super) struct Required {
    pub(super) claim_type: String,
    pub(super) by_employer: bool,
    pub(super) document_type: String,
    pub(super) title: String,
    pub(super) mandatory: bool,
    pub(super) due_in_days: i64,
}

/// Reads the required documents from the reference data.
fn required(connection: &Connection) -> rusqlite::Result<Vec<Required>> {
    connection
        .prepare(
            "SELECT claim_type, provided_by = 'employer', document_type, title, mandatory,
                    due_in_days
             FROM required_documents ORDER BY claim_type, provided_by, document_type",
        )?
        .query_map([], |row| {
            Ok(Required {
                claim_type: row.get(0)?,
                by_employer: row.get(1)?,
                document_type: row.get(2)?,
                title: row.get(3)?,
                mandatory: row.get(4)?,
                due_in_days: row.get(5)?,
            })
        })?
        .collect()
}
