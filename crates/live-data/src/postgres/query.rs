//! Checks a catalogue's queries in PostgreSQL, then binds and runs them.

use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::StreamExt;
use intent_router::{Catalogue, Found, Intent, Records, SourceError};
use tokio_postgres::{Client, Error, RowStream};

use super::fault;
use super::parameters::{Form, TextValue, numbered};
use super::rows;
use super::tables::KnownTables;
use crate::error::{OpenError, QueryFault};
use crate::plan::{Answer, Bounds, Calls, Checked, Failure, MEMBER_ID, Plan, Query, Values, words};

/// A query's text with numbered parameters, and what each parameter's text must be.
#[derive(Debug)]
pub(super) struct NumberedQuery {
    sql: String,
    forms: Vec<Form>,
}

/// A `tsquery` in text for any of the message's words; empty if there is none, which
/// matches nothing.
pub(super) fn any_word(message: &str) -> String {
    let quoted: Vec<String> = words(message)
        .iter()
        .map(|word| format!("'{word}'"))
        .collect();
    quoted.join(" | ")
}

/// What a catalogue's queries become.
pub(super) type Plans = (Vec<(String, Plan<NumberedQuery>)>, Plan<NumberedQuery>);

/// Checks all queries of a catalogue, and the look-up of members.
pub(super) async fn check_all(
    client: &Client,
    catalogue: &Catalogue,
    profile_sql: &str,
) -> Result<Plans, Vec<OpenError>> {
    let tables = KnownTables::of(client, catalogue).await;
    let tables = tables.map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut plans = Vec::new();
    let checked = check(client, &tables, profile_sql, true).await;
    let member = Plan::of_member(|_| checked);
    for intent in catalogue.intents() {
        match of_intent(client, &tables, intent).await {
            Ok(plan) => plans.push((intent.name.clone(), plan)),
            Err(error) => errors.push(error),
        }
    }
    match member {
        Ok(member) if errors.is_empty() => Ok((plans, member)),
        Ok(_) => Err(errors),
        Err(error) => {
            errors.insert(0, error);
            Err(errors)
        }
    }
}

async fn of_intent(
    client: &Client,
    tables: &KnownTables<'_>,
    intent: &Intent,
) -> Result<Plan<NumberedQuery>, OpenError> {
    let mut checked = Vec::with_capacity(intent.queries.len());
    for spec in &intent.queries {
        let sql = spec.postgres.as_deref().unwrap_or(&spec.sql);
        let asks_who = spec.parameters().contains("user_id");
        checked.push(check(client, tables, sql, asks_who).await);
    }
    let mut checked = checked.into_iter();
    // One for each query, in their order.
    Plan::of_intent(intent, |_| {
        checked.next().unwrap_or(Err(QueryFault::NotAQuery))
    })
}

async fn check(
    client: &Client,
    tables: &KnownTables<'_>,
    sql: &str,
    asks_who: bool,
) -> Result<Checked<NumberedQuery>, QueryFault> {
    let (bound, statement) = tables.bind(client, sql, asks_who).await?;
    let query = numbered(&bound.sql);
    if statement.columns().is_empty() {
        return Err(QueryFault::NotAQuery);
    }
    if let Some(column) = statement
        .columns()
        .iter()
        .find(|column| !rows::is_supported(column.type_()))
    {
        return Err(QueryFault::ColumnType {
            column: column.name().to_owned(),
            kind: column.type_().to_string(),
        });
    }
    // More than were found in the text: written as `$1`.
    if statement.params().len() != query.names.len() {
        return Err(QueryFault::UnknownParameter("$".to_owned()));
    }
    let mut forms = Vec::with_capacity(query.names.len());
    for (kind, name) in statement.params().iter().zip(&query.names) {
        let form = Form::of(kind).ok_or_else(|| QueryFault::ParameterType {
            parameter: name.clone(),
            kind: kind.to_string(),
        })?;
        forms.push(form);
    }
    let columns = statement.columns().iter();
    Ok(Checked {
        columns: columns.map(|column| column.name().to_owned()).collect(),
        statement: NumberedQuery {
            sql: query.sql,
            forms,
        },
        parameters: query.names,
        reads: bound.reads,
    })
}

impl Plan<NumberedQuery> {
    /// Runs the queries, all on the transaction's snapshot.
    pub(super) async fn records(
        &self,
        connection: &Object,
        values: &Values,
        bounds: Bounds,
        calls: &Calls,
    ) -> Result<Found<Records>, Failure> {
        let mut answer = self.answer(bounds);
        for query in &self.queries {
            calls.add_one();
            self.collect(connection, query, values, &mut answer).await?;
        }
        Ok(Found::new(answer.finish(), self.calls()))
    }

    async fn collect(
        &self,
        connection: &Object,
        query: &Query<NumberedQuery>,
        values: &Values,
        answer: &mut Answer<'_>,
    ) -> Result<(), Failure> {
        let unreadable = |reason| Failure::Source(self.query_error(&query.name, reason));
        let stream = self.start(connection, query, values).await?;
        let mut stream = pin!(stream);
        while let Some(row) = stream.next().await {
            let row = row.map_err(|error| self.failure(&query.name, &error))?;
            let weight = rows::weight(&row, &query.columns).map_err(unreadable)?;
            if !answer.has_room(&query.name, weight) {
                break;
            }
            answer.add(rows::object(&row, &query.columns).map_err(unreadable)?);
        }
        answer.end_query(&query.name);
        Ok(())
    }

    /// Whether the look-up finds the asker.
    pub(super) async fn is_member(
        &self,
        connection: &Object,
        asker: &str,
        values: &Values,
        calls: &Calls,
    ) -> Result<Found<bool>, Failure> {
        let mut found = false;
        for query in &self.queries {
            calls.add_one();
            let stream = self.start(connection, query, values).await?;
            let mut stream = pin!(stream);
            if let Some(row) = stream.next().await {
                let row = row.map_err(|error| self.failure(&query.name, &error))?;
                // The server may have compared without case; only the exact id is the
                // asker.
                let member_id = rows::text(&row, MEMBER_ID, &query.columns)
                    .map_err(|reason| Failure::Source(self.query_error(&query.name, reason)))?;
                found |= member_id == asker;
            }
        }
        Ok(Found::new(found, self.calls()))
    }

    /// Looks up a member that nobody is, to see whether members can be looked up.
    pub(super) async fn probe(&self, connection: &Object) -> Result<(), Failure> {
        // Probes are no calls for a request.
        let calls = Calls::default();
        self.is_member(connection, "", &self.nobody(), &calls)
            .await
            .map(drop)
    }

    async fn start(
        &self,
        connection: &Object,
        query: &Query<NumberedQuery>,
        values: &Values,
    ) -> Result<RowStream, Failure> {
        let failure = |error: Error| self.failure(&query.name, &error);
        let NumberedQuery { sql, forms } = &query.statement;
        let statement = connection.prepare_cached(sql).await.map_err(failure)?;
        let values: Vec<_> = query
            .bound(values)
            .zip(forms)
            .map(|(value, form)| TextValue(value.and_then(|value| form.value(value))))
            .collect();
        connection
            .query_raw(&statement, values)
            .await
            .map_err(failure)
    }

    fn failure(&self, query: &str, error: &Error) -> Failure {
        fault::failure(error, |reason| self.query_error(query, reason))
    }
}

/// The error of a source whose thread has ended.
pub(super) fn ended(error: &SourceError) -> OpenError {
    OpenError::Threads(error.to_string())
}
