//! A catalogue's queries: checked once, then bound and run.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use intent_router::{
    AnsweredBy, Ask, Catalogue, Found, Intent, Principal, Read, Records, SourceError, TagTemplate,
};
use rusqlite::types::Null;
use rusqlite::{CachedStatement, Connection, ErrorCode};
use serde_json::{Map, Value};

use super::fault::fault;
use super::pool::Failure;
use super::rows::{self, Bounds};
use super::tables::{Bound, Tables, merge};
use super::terms::match_expression;
use crate::error::{OpenError, QueryFault};

/// The column that the look-up of members must return.
const MEMBER_ID: &str = "member_id";

/// A column's value as part of a tag; `None` unless it is text or a number.
fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The member of an answer that names the queries that were cut.
const TRUNCATED: &str = "truncated";

/// The value that a query parameter is bound to.
#[derive(Clone, Debug, PartialEq)]
enum Input {
    UserId,
    UserRole,
    Message,
    Terms,
    Doubtful,
    Today,
    Slot(String),
}

impl Input {
    /// The input of a parameter, by SQLite's name for it; `None` unless the
    /// name is one of the `allowed`.
    fn of(parameter: &str, allowed: &BTreeSet<&str>) -> Option<Self> {
        let name = parameter.strip_prefix(':')?;
        allowed.contains(name).then(|| match name {
            "user_id" => Self::UserId,
            "user_role" => Self::UserRole,
            "message" => Self::Message,
            "terms" => Self::Terms,
            "doubtful" => Self::Doubtful,
            "today" => Self::Today,
            slot => Self::Slot(slot.to_owned()),
        })
    }

    fn value(&self, ask: &Ask<'_>) -> Option<String> {
        match self {
            Self::UserId => ask.principal.map(|who| who.id_text().into_owned()),
            Self::UserRole => ask.principal.map(|who| who.role_text().into_owned()),
            Self::Message => Some(ask.message.to_owned()),
            Self::Terms => Some(match_expression(ask.message)),
            // Text, or nothing where the message is plain.
            Self::Doubtful => ask.doubtful.then(|| "yes".to_owned()),
            Self::Today => ask.today.map(|day| day.to_string()),
            Self::Slot(name) => ask.slots.get(name).map(str::to_owned),
        }
    }
}

/// One checked query.
#[derive(Debug)]
struct Query {
    name: String,
    sql: String,
    columns: Vec<String>,
    /// The input of each of its parameters, in order.
    parameters: Vec<usize>,
}

/// The checked queries of one intent.
#[derive(Debug)]
pub(super) struct Plan {
    intent: String,
    inputs: Vec<Input>,
    queries: Vec<Query>,
    tags: Vec<TagTemplate>,
    reads: Vec<Read>,
}

/// The values of a plan's inputs for one question.
pub(super) type Values = Vec<Option<String>>;

impl Plan {
    /// Checks an intent's queries and tags against the database for what the
    /// catalogue's own checks cannot know.
    pub(super) fn of_intent(
        connection: &mut Connection,
        tables: &Tables<'_>,
        intent: &Intent,
    ) -> Result<Self, OpenError> {
        let mut plan = Self {
            intent: intent.name.clone(),
            inputs: Vec::new(),
            queries: Vec::with_capacity(intent.queries.len()),
            tags: Vec::with_capacity(intent.tags.len()),
            reads: Vec::new(),
        };
        for spec in &intent.queries {
            let fault = |fault| OpenError::Query {
                intent: intent.name.clone(),
                query: spec.name.clone(),
                fault,
            };
            if spec.name == TRUNCATED {
                return Err(fault(QueryFault::ReservedName));
            }
            plan.add(
                connection,
                tables,
                &spec.name,
                &spec.sql,
                &spec.parameters(),
            )
            .map_err(fault)?;
        }
        // A caller or an HTTP back end names the records itself.
        let by_queries = intent.answered_by == AnsweredBy::Source && intent.http.is_none();
        for tag in intent.tags.iter().filter(|_| by_queries) {
            let fills = |query: &Query| {
                let mut columns = tag.names();
                columns.all(|column| query.columns.iter().any(|name| name == column))
            };
            if !plan.queries.iter().any(fills) {
                return Err(OpenError::Tag {
                    intent: intent.name.clone(),
                    tag: tag.to_string(),
                });
            }
            plan.tags.push(tag.clone());
        }
        Ok(plan)
    }

    /// Checks the query that looks members up.
    pub(super) fn of_member(
        connection: &mut Connection,
        tables: &Tables<'_>,
        sql: &str,
    ) -> Result<Self, OpenError> {
        let mut plan = Self {
            intent: "member lookup".to_owned(),
            inputs: Vec::new(),
            queries: Vec::with_capacity(1),
            tags: Vec::new(),
            reads: Vec::new(),
        };
        let allowed = BTreeSet::from(["user_id", "user_role"]);
        plan.add(connection, tables, "profile", sql, &allowed)
            .map_err(OpenError::Profile)?;
        let mut columns = plan.queries.iter().flat_map(|query| &query.columns);
        if !columns.any(|column| column == MEMBER_ID) {
            return Err(OpenError::Profile(QueryFault::MissingColumn(MEMBER_ID)));
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        connection: &mut Connection,
        tables: &Tables<'_>,
        name: &str,
        sql: &str,
        allowed: &BTreeSet<&str>,
    ) -> Result<(), QueryFault> {
        let statement = connection.prepare(sql).map_err(fault)?;
        // A statement without columns (BEGIN, ATTACH) counts as read-only.
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(QueryFault::NotAQuery);
        }
        let mut seen = BTreeSet::new();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        if let Some(twice) = columns.iter().find(|column| !seen.insert(column.as_str())) {
            return Err(QueryFault::DuplicateColumn(twice.clone()));
        }
        for index in 1..=statement.parameter_count() {
            let parameter = statement.parameter_name(index).unwrap_or("?");
            if Input::of(parameter, allowed).is_none() {
                return Err(QueryFault::UnknownParameter(parameter.to_owned()));
            }
        }
        drop(statement);
        let Bound { sql: bound, reads } =
            tables.bind(connection, sql, allowed.contains("user_id"))?;
        for read in reads {
            merge(&mut self.reads, read);
        }
        let statement = connection.prepare(&bound).map_err(fault)?;
        let mut parameters = Vec::with_capacity(statement.parameter_count());
        for index in 1..=statement.parameter_count() {
            let parameter = statement.parameter_name(index).unwrap_or("?");
            let input = Input::of(parameter, allowed)
                .ok_or_else(|| QueryFault::UnknownParameter(parameter.to_owned()))?;
            let known = self.inputs.iter().position(|known| *known == input);
            parameters.push(known.unwrap_or(self.inputs.len()));
            if known.is_none() {
                self.inputs.push(input);
            }
        }
        self.queries.push(Query {
            name: name.to_owned(),
            sql: bound,
            columns,
            parameters,
        });
        Ok(())
    }

    /// What the queries read.
    pub(super) fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// The part of a question that the queries need; nothing else is copied.
    pub(super) fn values(&self, ask: &Ask<'_>) -> Values {
        self.inputs.iter().map(|input| input.value(ask)).collect()
    }

    /// The part of a principal that the look-up of members needs.
    pub(super) fn member_values(&self, who: &Principal) -> Values {
        let value = |input: &Input| match input {
            Input::UserId => Some(who.id_text().into_owned()),
            Input::UserRole => Some(who.role_text().into_owned()),
            // Others are not allowed in the look-up.
            Input::Message | Input::Terms | Input::Doubtful | Input::Today | Input::Slot(_) => None,
        };
        self.inputs.iter().map(value).collect()
    }

    /// Runs the queries, all on one state of the database.
    pub(super) fn records(
        &self,
        connection: &Connection,
        values: &Values,
        bounds: Bounds,
        calls: &Calls,
    ) -> Result<Found<Records>, Failure> {
        let begun = connection.unchecked_transaction();
        let snapshot = begun.map_err(|error| self.failure("", &error))?;
        let mut answer = Answer {
            data: Map::new(),
            tags: BTreeSet::new(),
            truncated: Vec::new(),
            bytes_left: bounds.max_bytes,
        };
        for query in &self.queries {
            calls.add_one();
            self.collect(&snapshot, query, values, bounds.max_rows, &mut answer)?;
        }
        if !answer.truncated.is_empty() {
            let names = Value::Array(answer.truncated);
            answer.data.insert(TRUNCATED.to_owned(), names);
        }
        let tags = answer.tags.into_iter().collect();
        let records = Records::new(Value::Object(answer.data), tags);
        Ok(Found::new(records, self.calls()))
    }

    fn collect(
        &self,
        connection: &Connection,
        query: &Query,
        values: &Values,
        max_rows: usize,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let failure = |error| self.failure(&query.name, &error);
        let mut statement = self.bind(connection, query, values)?;
        let mut result = statement.raw_query();
        let mut objects = Vec::new();
        while let Some(row) = result.next().map_err(failure)? {
            let weight = rows::weight(row, &query.columns).map_err(failure)?;
            if objects.len() == max_rows || weight > answer.bytes_left {
                answer.truncated.push(Value::from(query.name.as_str()));
                break;
            }
            answer.bytes_left -= weight;
            let object = rows::object(row, &query.columns)
                .map_err(|reason| Failure::Source(self.query_error(&query.name, reason)))?;
            let column = |name: &str| as_text(object.get(name)?);
            let filled = self.tags.iter().filter_map(|tag| tag.fill(column));
            answer.tags.extend(filled);
            objects.push(Value::Object(object));
        }
        answer
            .data
            .insert(query.name.clone(), Value::Array(objects));
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
        let nobody = vec![Some(String::new()); self.inputs.len()];
        // Probes are no calls for a request.
        self.is_member(connection, "", &nobody, &Calls::default())
            .map(drop)
    }

    fn bind<'c>(
        &self,
        connection: &'c Connection,
        query: &Query,
        values: &Values,
    ) -> Result<CachedStatement<'c>, Failure> {
        let failure = |error| self.failure(&query.name, &error);
        let mut statement = connection.prepare_cached(&query.sql).map_err(failure)?;
        for (index, input) in (1..).zip(&query.parameters) {
            match values.get(*input).and_then(Option::as_deref) {
                Some(text) => statement.raw_bind_parameter(index, text),
                None => statement.raw_bind_parameter(index, Null),
            }
            .map_err(failure)?;
        }
        Ok(statement)
    }

    /// The number of statements per question. No catalogue has so many queries
    /// that it does not fit.
    fn calls(&self) -> u32 {
        u32::try_from(self.queries.len()).unwrap_or(u32::MAX)
    }

    fn failure(&self, query: &str, error: &rusqlite::Error) -> Failure {
        Failure::of(error, |reason| self.query_error(query, reason))
    }

    fn query_error(&self, query: &str, reason: String) -> SourceError {
        SourceError::Query {
            intent: self.intent.clone(),
            query: query.to_owned(),
            reason,
        }
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
    pub(super) fn of_connection(error: &rusqlite::Error) -> Self {
        Self::of(error, SourceError::Unavailable)
    }
}

/// Counts the database calls of a source, whether or not they succeed.
#[derive(Debug, Default)]
pub(super) struct Calls(AtomicU64);

impl Calls {
    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An answer under construction.
struct Answer {
    data: Map<String, Value>,
    tags: BTreeSet<String>,
    truncated: Vec<Value>,
    bytes_left: usize,
}

/// How many statements a connection should keep prepared for a catalogue.
pub(super) fn statements(catalogue: &Catalogue) -> usize {
    let queries = catalogue
        .intents()
        .iter()
        .map(|intent| intent.queries.len());
    queries.sum::<usize>() + 1
}
