//! A test that no query scans a whole table of records.

use rusqlite::Connection;

use super::Tables;
use crate::demo::{DemoOptions, MemoryDemo};
use crate::sqlite::{SqliteOptions, ranges};
use intent_router::Catalogue;

/// Tables with one row for each of many members, or more.
const LARGE: &[&str] = &[
    "members",
    "beneficiaries",
    "employers",
    "claims",
    "claim_events",
    "claim_drafts",
    "payments",
    "pensions",
    "documents",
    "tickets",
];

/// The tables that a query scans, by their names in SQLite's plan: table names, or
/// the aliases in the query.
fn scanned(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explain = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    // Nothing is bound: a plan does not depend on the values.
    let mut steps = explain.raw_query();
    let mut scanned = Vec::new();
    while let Some(step) = steps.next().unwrap() {
        let step: String = step.get("detail").unwrap();
        // "SCAN c" or "SCAN c USING INDEX …": both read the whole table.
        if let Some(name) = step.strip_prefix("SCAN ") {
            scanned.push(name.split_whitespace().next().unwrap().to_owned());
        }
    }
    scanned
}

/// The large table of a name in a plan, if it is one.
fn large(sql: &str, name: &str) -> Option<&'static str> {
    let words: Vec<&str> = sql
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let is_called = |table: &str| {
        let pairs = words.windows(3);
        name == table
            || pairs
                .clone()
                .any(|w| matches!(w[0], "FROM" | "JOIN") && w[1] == table && w[2] == name)
    };
    LARGE.iter().find(|table| is_called(table)).copied()
}

#[test]
fn no_query_scans_a_large_table() {
    let demo = DemoOptions {
        members: 40,
        ..DemoOptions::default()
    };
    let demo = MemoryDemo::generate(&demo).unwrap();
    let mut connection = Connection::open(&demo.uri).unwrap();
    ranges::register(&connection).unwrap();
    let catalogue = Catalogue::built_in();
    let tables = Tables::of(&connection, catalogue).unwrap();
    let profile = ("profile".to_owned(), SqliteOptions::default().profile_sql);
    let of_intents = catalogue.intents().iter().flat_map(|intent| {
        let named = |query: &intent_router::QuerySpec| {
            (format!("{}/{}", intent.name, query.name), query.sql.clone())
        };
        intent.queries.iter().map(named)
    });
    let queries: Vec<_> = of_intents.chain([profile]).collect();
    let mut kept = 0;
    for (name, sql) in queries {
        let asks_who = sql.contains(":user_id");
        let bound = tables.bind(&mut connection, &sql, asks_who).unwrap().sql;
        kept += usize::from(bound != sql);
        for sql in [&sql, &bound] {
            for scan in scanned(&connection, sql) {
                assert_eq!(large(sql, &scan), None, "{name} reads all of {scan}: {sql}");
            }
        }
    }
    assert!(kept > 8, "{kept} queries are kept to the asker's rows");
    // The check itself sees a scan, by a name and by an alias.
    for whole in [
        "SELECT c.claim_number FROM claims c WHERE c.status = 'denied'",
        "SELECT claim_number FROM claims WHERE status = 'denied'",
        "WITH claims AS MATERIALIZED (SELECT * FROM main.claims) SELECT claim_number FROM claims",
    ] {
        let seen = scanned(&connection, whole);
        assert!(
            seen.iter().any(|name| large(whole, name).is_some()),
            "{seen:?}"
        );
    }
}
