//! The demo data in a PostgreSQL database.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::SinkExt;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tokio_postgres::{Client, Transaction};

use super::error::DemoError;
use super::memory::MemoryDemo;
use super::options::DemoOptions;
use crate::error::OpenError;
use crate::postgres::{PostgresAddress, error_text, wait_for};

/// How many bytes of rows are sent at once.
const CHUNK: usize = 1 << 20;

/// Writes the demo data to a PostgreSQL database: the rows that
/// [`write_demo`](super::write_demo) writes, in the schema that comes first in the search
/// path. Everything is written in one transaction, or nothing. Blocks meanwhile.
///
/// The user must be allowed to create tables and functions.
///
/// # Errors
/// [`DemoError`] when a table or function of the demo exists, when the server refuses, or
/// when the number of members is out of range.
pub fn write_postgres_demo(address: &PostgresAddress, demo: &DemoOptions) -> Result<(), DemoError> {
    let source = MemoryDemo::generate(demo)?;
    let written = wait_for(async move || {
        let mut client = address.connect().await?;
        Ok(copy(&source, &mut client).await)
    });
    let written = written.and_then(|connected: Result<_, OpenError>| connected);
    written.unwrap_or_else(|error| Err(DemoError::Database(error.to_string())))
}

fn refused(error: tokio_postgres::Error) -> DemoError {
    DemoError::Database(error_text(&error))
}

async fn copy(source: &MemoryDemo, client: &mut Client) -> Result<(), DemoError> {
    let unreadable = |error: rusqlite::Error| DemoError::write("in memory", error);
    let rows = Connection::open(&source.uri).map_err(unreadable)?;
    let transaction = client.transaction().await.map_err(refused)?;
    let schema = format!("{}{}", tables(), include_str!("postgres.sql"));
    transaction.batch_execute(&schema).await.map_err(refused)?;
    let names = rows
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'articles_fts%'
             ORDER BY rowid",
        )
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect());
    let names: Vec<String> = names.map_err(unreadable)?;
    for name in names {
        copy_table(&rows, &transaction, &name).await?;
    }
    transaction
        .batch_execute(
            "INSERT INTO articles_fts
             SELECT article_id, to_tsvector('english', title || ' ' || body) FROM articles",
        )
        .await
        .map_err(refused)?;
    transaction.commit().await.map_err(refused)
}

async fn copy_table(
    rows: &Connection,
    transaction: &Transaction<'_>,
    name: &str,
) -> Result<(), DemoError> {
    let unreadable = |error: rusqlite::Error| DemoError::write("in memory", error);
    let sql = format!("COPY {name} FROM STDIN");
    let sink = transaction.copy_in(&sql).await.map_err(refused)?;
    let mut sink = std::pin::pin!(sink);
    let mut statement = rows
        .prepare(&format!("SELECT * FROM {name}"))
        .map_err(unreadable)?;
    let columns = statement.column_count();
    let mut found = statement.raw_query();
    let mut chunk = String::new();
    while let Some(row) = found.next().map_err(unreadable)? {
        for column in 0..columns {
            if column > 0 {
                chunk.push('\t');
            }
            field(row.get_ref(column).map_err(unreadable)?, &mut chunk);
        }
        chunk.push('\n');
        if chunk.len() >= CHUNK {
            let full = Bytes::from(std::mem::take(&mut chunk));
            sink.send(full).await.map_err(refused)?;
        }
    }
    sink.send(Bytes::from(chunk)).await.map_err(refused)?;
    sink.finish().await.map_err(refused).map(drop)
}

/// Adds a value in the text format of `COPY`.
fn field(value: ValueRef<'_>, line: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = match value {
        ValueRef::Null | ValueRef::Blob(_) => write!(line, "\\N"),
        ValueRef::Integer(number) => write!(line, "{number}"),
        ValueRef::Real(number) => write!(line, "{number}"),
        ValueRef::Text(text) => {
            for c in String::from_utf8_lossy(text).chars() {
                match c {
                    '\\' => line.push_str("\\\\"),
                    '\t' => line.push_str("\\t"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    c => line.push(c),
                }
            }
            Ok(())
        }
    };
}

/// The tables of the demo database in PostgreSQL's dialect.
fn tables() -> String {
    let schema = include_str!("schema.sql");
    let begin = schema.find("CREATE VIRTUAL TABLE").unwrap_or(schema.len());
    let (before, fts) = schema.split_at(begin);
    let after = fts.split_once(");").map_or("", |(_, after)| after);
    [before, after]
        .concat()
        .replace(") STRICT, WITHOUT ROWID;", ");")
        .replace(") STRICT;", ");")
        .replace(" INTEGER", " bigint")
        // Ordered by bytes, as in SQLite.
        .replace(" TEXT", " text COLLATE \"C\"")
}
