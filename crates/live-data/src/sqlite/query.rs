//! Checks a catalogue's queries in SQLite, then binds and runs them.

use std::collections::BTreeSet;

use intent_router::{Found, Intent, Records, SourceError};
use rusqlite::types::Null;
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement};

use super::fault::fault;
use super::rows;
use super::tables::Tables;
use crate::error::{OpenError, QueryFault};
use crate::plan::{Answer, Bound, Bounds, Calls, Checked, Failure, MEMBER_ID, Plan, Query, Values};

/// Checks an intent's queries and tags.
pub(super) fn of_intent(
    connection: &mut Connection,
    tables: &Tables<'_>,
    intent: &Intent,
) -> Result<Plan<String>, OpenError> {
    Plan::of_intent(intent, |spec| {
        check(connection, tables, &spec.sql, &spec.parameters())
    })
}

/// Checks the query that looks members up.
pub(super) fn of_member(
    connection: &mut Connection,
    tables: &Tables<'_>,
    sql: &str,
) -> Result<Plan<String>, OpenError> {
    Plan::of_member(|allowed| check(connection, tables, sql, allowed))
}

fn check(
    connection: &mut Connection,
    tables: &Tables<'_>,
    sql: &str,
    allowed: &BTreeSet<&str>,
) -> Result<Checked<String>, QueryFault> {
    let statement = connection.prepare(sql).map_err(fault)?;
    // A statement without columns (BEGIN, ATTACH) counts as read-only.
    if !statement.readonly() || statement.column_count() == 0 {
        return Err(QueryFault::NotAQuery);
    }
    let columns = statement.column_names();
    let columns = columns.into_iter().map(str::to_owned).collect();
    // Before the expressions of `bind`, whose `:user_id` gives a `?1` of the query its name.
    for parameter in parameters(&statement) {
        if !parameter
            .strip_prefix(':')
            .is_some_and(|name| allowed.contains(name))
        {
            return Err(QueryFault::UnknownParameter(parameter));
        }
    }
    drop(statement);
    let asks_who = allowed.contains("user_id");
    let Bound { sql: bound, reads } = tables.bind(connection, sql, asks_who)?;
    let parameters = parameters(&connection.prepare(&bound).map_err(fault)?);
    Ok(Checked {
        statement: bound,
        columns,
        parameters,
        reads,
    })
}

/// SQLite's names of a statement's parameters, in order.
fn parameters(statement: &Statement<'_>) -> Vec<String> {
    let name = |index| statement.parameter_name(index).unwrap_or("?").to_owned();
    (1..=statement.parameter_count()).map(name).collect()
}

impl Plan<String> {
    /// Runs the queries, all on one state of the database.
    pub(in crate::sqlite) fn records(
        &self,
        connection: &Connection,
        values: &Values,
        bounds: Bounds,
        calls: &Calls,
    ) -> Result<Found<Records>, Failure> {
        let begun = connection.unchecked_transaction();
        let snapshot = begun.map_err(|error| self.failure("", &error))?;
        let mut answer = self.answer(bounds);
        for query in &self.queries {
            calls.add_one();
            self.collect(&snapshot, query, values, &mut answer)?;
        }
        Ok(Found::new(answer.finish(), self.calls()))
    }

    fn collect(
        &self,
        connection: &Connection,
        query: &Query<String>,
        values: &Values,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let failure = |error| self.failure(&query.name, &error);
        let mut statement = self.bind(connection, query, values)?;
        let mut result = statement.raw_query();
        while let Some(row) = result.next().map_err(failure)? {
            let weight = rows::weight(row, &query.columns).map_err(failure)?;
            if !answer.has_room(&query.name, weight) {
                break;
            }
            let object = rows::object(row, &query.columns)
                .map_err(|reason| Failure::Source(self.query_error(&query.name, reason)))?;
            answer.add(object);
        }
        answer.end_query(&query.name);
        Ok(())
    }

    /// Whether the look-up finds the asker.
    pub(super) fn is_member(
        &self,
        connection: &Connection,
        asker: &str,
        values: &Values,
        calls: &Calls,
    ) -> Result<Found<bool>, Failure> {
        let mut found = false;
        for query in &self.queries {
            calls.add_one();
            let failure = |error| self.failure(&query.name, &error);
            let mut statement = self.bind(connection, query, values)?;
            let mut result = statement.raw_query();
            if let Some(row) = result.next().map_err(failure)? {
                // SQLite may have compared by conversion (`042` with 42) or
                // without case; only the exact id is the asker.
                let member_id = row.get_ref(MEMBER_ID).map(rows::text);
                found |= member_id.map_err(failure)? == asker;
            }
        }
        Ok(Found::new(found, self.calls()))
    }

    /// Looks up a member that nobody is, to see whether members can be looked up.
    pub(super) fn probe(&self, connection: &Connection) -> Result<(), Failure> {
        let nobody = self.nobody();
        // Probes are no calls for a request.
        self.is_member(connection, "", &nobody, &Calls::default())
            .map(drop)
    }

    fn bind<'c>(
        &self,
        connection: &'c Connection,
        query: &Query<String>,
        values: &Values,
    ) -> Result<CachedStatement<'c>, Failure> {
        let failure = |error| self.failure(&query.name, &error);
        let mut statement = connection
            .prepare_cached(&query.statement)
            .map_err(failure)?;
        for (index, value) in (1..).zip(query.bound(values)) {
            match value {
                Some(text) => statement.raw_bind_parameter(index, text),
                None => statement.raw_bind_parameter(index, Null),
            }
            .map_err(failure)?;
        }
        Ok(statement)
    }

    fn failure(&self, query: &str, error: &rusqlite::Error) -> Failure {
        Failure::of(error, |reason| self.query_error(query, reason))
    }
}

impl Failure {
    /// The failure that an error of SQLite stands for; `otherwise` says what it is
    /// when it is about the query and not about the database.
    fn of(error: &rusqlite::Error, otherwise: impl FnOnce(String) -> SourceError) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::TimedOut,
            // Locks are waited for until the deadline.
            Some(ErrorCode::DatabaseBusy) => Self::Source(SourceError::Locked),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Connection(SourceError::Damaged(text))
            }
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
                Self::Connection(SourceError::Unavailable(text))
            }
            // Every query was checked when the source was opened, so one that SQLite
            // refuses may have met another schema than the file has now.
            Some(ErrorCode::Unknown | ErrorCode::SchemaChanged) => {
                Self::Connection(otherwise(text))
            }
            Some(ErrorCode::DatabaseLocked | ErrorCode::OutOfMemory) => {
                Self::Source(SourceError::Unavailable(text))
            }
            _ => Self::Source(otherwise(text)),
        }
    }

    /// The failure of a connection that cannot be opened.
    pub(in crate::sqlite) fn of_connection(error: &rusqlite::Error) -> Self {
        Self::of(error, SourceError::Unavailable)
    }
}
