//! No question reads a whole table of records.

use live_data::write_demo;
use rusqlite::Connection;

use super::*;

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

fn scans(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explain = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    // Nothing is bound: a plan does not depend on the values.
    let mut steps = explain.raw_query();
    let mut scans = Vec::new();
    while let Some(step) = steps.next().unwrap() {
        let step: String = step.get("detail").unwrap();
        // "SCAN c", or "SCAN c USING INDEX …": each reads all there is.
        if step.starts_with("SCAN") {
            scans.push(step);
        }
    }
    scans
}

/// The tables that a query's names and aliases stand for.
fn table<'a>(sql: &'a str, alias: &'a str) -> &'a str {
    let words: Vec<&str> = sql.split_whitespace().collect();
    words
        .windows(3)
        .find(|window| matches!(window[0], "FROM" | "JOIN") && window[2] == alias)
        .map_or(alias, |window| window[1])
}

#[test]
fn no_query_scans_a_large_table() {
    let folder = Folder::new();
    let path = folder.file("crm.db");
    let demo = DemoOptions {
        members: 40,
        ..DemoOptions::default()
    };
    write_demo(&path, &demo).unwrap();
    let connection = Connection::open(&path).unwrap();
    let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("in_ranges", 2, flags, |_| Ok(true))
        .unwrap();
    let catalogue = catalogue();
    let profile = SqliteOptions::default().profile_sql;
    let queries = catalogue.intents().iter().flat_map(|intent| {
        let of_intent = |query: &intent_router::QuerySpec| {
            (format!("{}/{}", intent.name, query.name), query.sql.clone())
        };
        intent.queries.iter().map(of_intent).collect::<Vec<_>>()
    });
    for (name, sql) in queries.chain([("profile".to_owned(), profile)]) {
        for scan in scans(&connection, &sql) {
            let alias = scan.split_whitespace().nth(1).unwrap();
            let table = table(&sql, alias);
            assert!(
                !LARGE.contains(&table),
                "{name}: {scan} reads all of {table}"
            );
        }
    }
    // The check itself sees a scan.
    let whole = "SELECT c.claim_number FROM claims c WHERE c.status = 'denied'";
    let seen = scans(&connection, whole);
    assert_eq!(seen.len(), 1);
    assert_eq!(
        table(whole, seen[0].split_whitespace().nth(1).unwrap()),
        "claims"
    );
}
