//! A database that changes at random, and a router whose answers are compared with it.
//!
//! The schema itself chooses the columns, so that none is left out. Nothing here
//! knows which query reads which table.
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use intent_router::{
    CacheOutcome, CacheService, Catalogue, KeywordDetector, ManualClock, Request, Router,
};
use live_data::{DemoOptions, SqliteSource, write_demo};
use proptest::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;

/// Tables with the kind of their records, the column that names one, and the
/// columns that say whose it is.
pub(crate) const TABLES: &[(&str, &str, &str, &[&str])] = &[
    ("members", "member", "member_id", &["member_id"]),
    ("beneficiaries", "member", "member_id", &["member_id"]),
    ("employers", "member", "employer_id", &["employer_id"]),
    (
        "claims",
        "claim",
        "claim_number",
        &["member_id", "employer_id"],
    ),
    ("claim_events", "claim", "claim_number", &[]),
    ("claim_drafts", "draft", "draft_number", &["member_id"]),
    ("payments", "payment", "payment_number", &["member_id"]),
    ("pensions", "pension", "pension_number", &["member_id"]),
    ("documents", "document", "document_number", &["member_id"]),
    ("tickets", "ticket", "ticket_number", &["member_id"]),
    ("adjusters", "adjuster", "adjuster_id", &[]),
    ("claim_types", "claim_type", "claim_type", &[]),
    (
        "required_documents",
        "required_document",
        "document_type",
        &[],
    ),
    ("submission_steps", "submission_step", "step", &[]),
    ("service_status", "service", "service", &[]),
    ("articles", "article", "slug", &[]),
];

pub(crate) const USERS: &[&str] = &[
    "BEN-000001",
    "BEN-000002",
    "BEN-000003",
    "EMP-0001",
    "BEN-900000",
];

pub(crate) const MESSAGES: &[&str] = &[
    "and now?",
    "CLM-2025-000001",
    "PAY-00000001 in October 2025",
    "payments of 2025",
    "DOC-00000001 TKT-000001",
];

/// One change of one row, picked by numbers of any size.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) table: usize,
    pub(crate) row: usize,
    pub(crate) what: What,
    /// Whether the invalidation names the users.
    pub(crate) narrowed: bool,
    /// Whether the change replaces the rows that it conflicts with.
    pub(crate) replaces: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Insert,
    Delete,
    /// A column gets another row's value, one of its own making, or nothing.
    Set(usize, usize, u8),
    /// The row goes to another member.
    Move(usize, usize),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let what = prop_oneof![
        2 => Just(What::Insert),
        2 => Just(What::Delete),
        5 => (any::<usize>(), any::<usize>(), 0u8..3).prop_map(|(c, r, h)| What::Set(c, r, h)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(c, u)| What::Move(c, u)),
    ];
    (any::<usize>(), any::<usize>(), what, any::<bool>()).prop_map(
        |(table, row, what, narrowed)| Change {
            table,
            row,
            what,
            narrowed,
            replaces: false,
        },
    )
}

/// The file that changes.
pub(crate) const DATABASE: &str = "tags.db";

pub(crate) struct Database {
    pub(crate) folder: TempDir,
    pub(crate) writer: Connection,
}

struct Column {
    name: String,
    is_key: bool,
}

impl Database {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE);
        let pristine = folder.path().join("pristine.db");
        let demo = DemoOptions {
            members: 3,
            ..DemoOptions::default()
        };
        for file in [&path, &pristine] {
            write_demo(file, &demo).unwrap();
        }
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch(
                "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
                 PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;",
            )
            .unwrap();
        let attach = "ATTACH ?1 AS pristine";
        writer
            .execute(attach, [pristine.to_str().unwrap()])
            .unwrap();
        Self { folder, writer }
    }

    pub(crate) fn restore(&self) {
        let mut sql = String::from("BEGIN;");
        for (table, ..) in TABLES {
            sql += &format!(
                "DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM pristine.{table};"
            );
        }
        sql += "INSERT INTO articles_fts (articles_fts) VALUES ('rebuild'); COMMIT;";
        self.writer.execute_batch(&sql).unwrap();
    }

    fn columns(&self, table: &str) -> Vec<Column> {
        let sql = "SELECT name, pk > 0 FROM pragma_table_info(?1)";
        let mut statement = self.writer.prepare_cached(sql).unwrap();
        let column = |row: &rusqlite::Row<'_>| {
            Ok(Column {
                name: row.get(0)?,
                is_key: row.get(1)?,
            })
        };
        statement
            .query_map([table], column)
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    fn rows(&self, table: &str, width: usize) -> Vec<Vec<Value>> {
        let mut statement = self
            .writer
            .prepare(&format!("SELECT * FROM main.{table}"))
            .unwrap();
        let row = |row: &rusqlite::Row<'_>| (0..width).map(|n| row.get(n)).collect();
        statement
            .query_map([], row)
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    /// Makes the change; the tags of the records that it touches and whose they
    /// are, before and after.
    pub(crate) fn make(&self, change: &Change) -> (Vec<String>, Vec<String>) {
        let (table, kind, name, owners) = TABLES[change.table % TABLES.len()];
        let columns = self.columns(table);
        let rows = self.rows(table, columns.len());
        if rows.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let at = |name: &str| {
            columns
                .iter()
                .position(|column| column.name == name)
                .unwrap()
        };
        let old = &rows[change.row % rows.len()];
        let mut new = old.clone();
        match &change.what {
            What::Insert => {
                for (value, column) in new.iter_mut().zip(&columns) {
                    // A new number of the same form, which a message may name.
                    if column.is_key && !owners.contains(&column.name.as_str()) {
                        *value = altered(value);
                    }
                }
                if owners == [name] {
                    new[at(name)] = Value::Text("BEN-900000".to_owned());
                }
                if let Some(slug) = columns.iter().position(|column| column.name == "slug") {
                    new[slug] = altered(&new[slug]);
                }
            }
            What::Delete => {}
            What::Set(column, other, how) => {
                let column = column % columns.len();
                new[column] = match how {
                    0 => rows[other % rows.len()][column].clone(),
                    1 => altered(&old[column]),
                    _ => Value::Null,
                };
            }
            What::Move(column, user) => {
                if let Some(owner) = owners.get(column % owners.len().max(1)) {
                    new[at(owner)] = Value::Text(USERS[user % USERS.len()].to_owned());
                }
            }
        }
        let keys: Vec<_> = columns
            .iter()
            .zip(old)
            .filter(|(column, _)| column.is_key)
            .collect();
        let matches: Vec<_> = keys
            .iter()
            .map(|(column, _)| format!("{} = ?", column.name))
            .collect();
        let matches = matches.join(" AND ");
        let marks = vec!["?"; columns.len()].join(", ");
        let key_values = keys.iter().map(|(_, value)| (*value).clone());
        // Without NULL where there may be none, and without two of a key.
        let conflict = match change.replaces {
            true => "OR REPLACE",
            false => "OR IGNORE",
        };
        let (sql, values): (String, Vec<Value>) = match change.what {
            What::Insert => (
                format!("INSERT {conflict} INTO main.{table} VALUES ({marks})"),
                new.clone(),
            ),
            What::Delete => (
                format!("DELETE FROM main.{table} WHERE {matches}"),
                key_values.collect(),
            ),
            What::Set(..) | What::Move(..) => {
                let sets: Vec<_> = columns
                    .iter()
                    .map(|column| format!("{} = ?", column.name))
                    .collect();
                let sets = sets.join(", ");
                let values = new.iter().cloned().chain(key_values).collect();
                (
                    format!("UPDATE {conflict} main.{table} SET {sets} WHERE {matches}"),
                    values,
                )
            }
        };
        let owners_of = |row: &[Value]| -> Vec<String> {
            if table == "claim_events" {
                let sql = "SELECT member_id, employer_id FROM claims WHERE claim_number = ?1";
                let both = self
                    .writer
                    .query_one(sql, [&row[0]], |row| Ok(vec![row.get(0)?, row.get(1)?]));
                return both.unwrap_or_default();
            }
            owners.iter().map(|owner| text(&row[at(owner)])).collect()
        };
        // A STRICT column refuses a value of another type: nothing has changed.
        let _ = self.writer.execute(&sql, params_from_iter(values));
        if table == "articles" {
            let sql = "INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')";
            self.writer.execute(sql, []).unwrap();
        }
        let tag = |row: &[Value]| format!("{kind}:{}", text(&row[at(name)]));
        let mut users = owners_of(old);
        users.extend(owners_of(&new));
        (vec![tag(old), tag(&new)], users)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// Another value of the same type and, where it ends in a digit, form.
fn altered(value: &Value) -> Value {
    match value {
        Value::Integer(number) => Value::Integer(number + 1_000),
        Value::Text(text) => Value::Text(match text.chars().last() {
            Some(digit) if digit.is_ascii_digit() => {
                let next = char::from(b'0' + (digit as u8 - b'0' + 5) % 10);
                format!("{}{next}", &text[..text.len() - 1])
            }
            _ => format!("{text}x"),
        }),
        other => other.clone(),
    }
}

pub(crate) fn router(
    source: &Arc<SqliteSource>,
    catalogue: &Arc<Catalogue>,
    detector: &Arc<KeywordDetector>,
) -> Router {
    let cache = CacheService::builder()
        .clock(Arc::new(ManualClock::new()))
        .build()
        .unwrap();
    // A member who is not there is kept, too.
    for class in ["live_data", "user_context"] {
        let class = cache.classes().define(class).unwrap();
        let mut freshness = cache.classes().freshness(class);
        freshness.negative_ttl = Some(Duration::from_secs(300));
        cache.classes().set_freshness(class, freshness);
    }
    Router::new(
        Arc::clone(catalogue),
        Arc::clone(detector) as _,
        Arc::clone(source) as _,
        Arc::new(cache),
    )
    .unwrap()
    .with_wall_clock(Arc::new(|| UNIX_EPOCH + Duration::from_secs(1_763_200_000)))
}

pub(crate) fn body(router: &Router, request: &Request) -> (String, bool) {
    let routed = pollster::block_on(router.route(request)).unwrap();
    let hit = matches!(routed.cache, CacheOutcome::Hit { .. });
    (routed.answer.json().to_owned(), hit)
}
