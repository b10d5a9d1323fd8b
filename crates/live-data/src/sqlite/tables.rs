//! The tables of a database as the catalogue declares them: which of them a query
//! reads, and how it is limited to the rows of the member who asks.
//!
//! A table that is tied to members is hidden behind a common table expression
//! of its name, which holds only the asker's rows. So a query that names the table
//! cannot read another member's rows, whatever its text; a query that names it with
//! `main.` reads all rows, on purpose. SQLite's authorizer reports the tables that
//! a query reads. Those that it reads even if the expressions are empty, it reads
//! beyond the asker's rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use intent_router::{Catalogue, Tie};
use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::fault::fault;
use crate::error::{OpenError, QueryFault};
use crate::plan::{Bound, Declared, quoted, with};

/// The tables of a database, with what a catalogue declares of them.
pub(super) struct Tables<'c> {
    declared: Declared<'c>,
    /// The columns of the tables that are declared.
    columns: BTreeMap<String, Vec<String>>,
    /// Every table of the database by its name in lower case.
    stored: BTreeMap<String, Stored>,
}

/// How a table is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    Table,
    /// Of a virtual table, which reads it.
    Shadow,
    View,
}

impl<'c> Tables<'c> {
    /// Checks the declared tables against the database.
    pub(super) fn of(connection: &Connection, catalogue: &'c Catalogue) -> Result<Self, OpenError> {
        let refuse = |table: &str, reason: String| OpenError::Table {
            table: table.to_owned(),
            reason,
        };
        let mut tables = Self {
            declared: Declared(catalogue.tables()),
            columns: BTreeMap::new(),
            stored: stored(connection)
                .map_err(|error| refuse("sqlite_schema", error.to_string()))?,
        };
        for name in tables.declared.0.keys() {
            match tables.stored.get(name) {
                Some(Stored::Table) => {}
                Some(Stored::View) => {
                    let reason = "is a view; declare the tables that it reads";
                    return Err(refuse(name, reason.to_owned()));
                }
                Some(Stored::Shadow) | None => {
                    return Err(refuse(name, "is not in the database".to_owned()));
                }
            }
            let columns =
                columns(connection, name).map_err(|error| refuse(name, error.to_string()))?;
            tables.columns.insert(name.clone(), columns);
        }
        tables.declared.check_columns(|table| {
            let columns = tables.columns.get(table);
            columns.cloned().unwrap_or_default()
        })?;
        Ok(tables)
    }

    /// The query limited to the asker's rows, if it has `:user_id`.
    pub(super) fn bind(
        &self,
        connection: &mut Connection,
        sql: &str,
        asks_who: bool,
    ) -> Result<Bound, QueryFault> {
        let named = self.read_by(connection, sql, &BTreeSet::new())?;
        let hidden = if asks_who {
            self.declared.hidden(&named)
        } else {
            BTreeSet::new()
        };
        if hidden.is_empty() {
            return Ok(Bound {
                sql: sql.to_owned(),
                reads: self.declared.reads(&named, &named),
            });
        }
        let bound = with(sql, hidden.iter().map(|name| self.part(name)));
        let empty = with(sql, hidden.iter().map(|name| self.empty(name)));
        let all = self.read_by(connection, &bound, &hidden)?;
        let beyond = self.read_by(connection, &empty, &hidden)?;
        Ok(Bound {
            reads: self.declared.reads(&all, &beyond),
            sql: bound,
        })
    }

    /// The asker's rows of a table. The first comparison of a column is SQLite's, to
    /// use an index; the second compares text byte for byte, so that no conversion
    /// or difference in case takes somebody for a member.
    fn part(&self, name: &str) -> String {
        let rows = match self.declared.tie(name) {
            Tie::Member(columns) => {
                let same = |column: &String| {
                    let column = quoted(column);
                    format!(
                        "({column} = :user_id \
                         AND CAST({column} AS TEXT) COLLATE BINARY = :user_id)"
                    )
                };
                columns.iter().map(same).collect::<Vec<_>>().join(" OR ")
            }
            Tie::Within { column, table } => {
                let column = quoted(column);
                format!("{column} IN (SELECT {column} FROM {})", quoted(table))
            }
            Tie::None => "1".to_owned(),
        };
        let name = quoted(name);
        format!("{name} AS NOT MATERIALIZED (SELECT * FROM main.{name} WHERE {rows})")
    }

    /// A table of the same columns without rows.
    fn empty(&self, name: &str) -> String {
        let columns = self.columns.get(name).into_iter().flatten();
        let columns: Vec<_> = columns
            .map(|column| format!("NULL AS {}", quoted(column)))
            .collect();
        let name = quoted(name);
        let columns = columns.join(", ");
        format!("{name} AS NOT MATERIALIZED (SELECT {columns} WHERE 0)")
    }

    /// The tables that a query reads, without the expressions that hide the
    /// `hidden` ones.
    fn read_by(
        &self,
        connection: &mut Connection,
        sql: &str,
        hidden: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, QueryFault> {
        let found = Arc::new(Mutex::new(BTreeSet::new()));
        let sink = Arc::clone(&found);
        let hidden = hidden.clone();
        let note = move |context: AuthContext<'_>| {
            if let AuthAction::Read { table_name, .. } = context.action {
                let name = table_name.to_ascii_lowercase();
                // An expression that hides a table has its name, but no database.
                if context.database_name.is_some() || !hidden.contains(&name) {
                    sink.lock().insert(name);
                }
            }
            Authorization::Allow
        };
        let failed = |error: rusqlite::Error| QueryFault::Sql(error.to_string());
        connection.authorizer(Some(note)).map_err(failed)?;
        let prepared = connection.prepare(sql).map(drop).map_err(fault);
        let none = None::<fn(AuthContext<'_>) -> Authorization>;
        connection.authorizer(none).map_err(failed)?;
        prepared?;
        let found = found.lock();
        let counts = |name: &&String| match self.stored.get(*name) {
            Some(Stored::Table) => true,
            // Its virtual table is reported too, unless a query reads this one itself.
            Some(Stored::Shadow) => !found.iter().any(|table| {
                let rest = name.strip_prefix(table.as_str());
                rest.is_some_and(|rest| rest.starts_with('_'))
            }),
            // The tables of a view are reported too; the rest are functions and
            // names that the query itself defines.
            Some(Stored::View) | None => false,
        };
        Ok(found.iter().filter(counts).cloned().collect())
    }
}

/// The tables of the database and how each is stored.
fn stored(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Stored>> {
    let sql = "SELECT lower(name), type FROM pragma_table_list WHERE schema = 'main'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let stored = match row.get::<_, String>(1)?.as_str() {
            "view" => Stored::View,
            "shadow" => Stored::Shadow,
            _ => Stored::Table,
        };
        Ok((row.get(0)?, stored))
    })?;
    rows.collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = format!("SELECT * FROM main.{}", quoted(table));
    let statement = connection.prepare(&sql)?;
    Ok(statement.column_names().map(str::to_owned).collect())
}

#[cfg(test)]
mod plans;
#[cfg(test)]
mod tests;
