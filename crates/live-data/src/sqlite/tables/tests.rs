use intent_router::{Catalogue, Extent};
use rusqlite::Connection;

use super::Tables;

const TABLES: &str = r#"
    [tables]
    members = { record = "member", member = ["id"], by_member = true }
    loans = { record = "loan", member = ["member", "payer"] }
    notes = { record = "loan", within = { column = "loan", table = "loans" } }
    shelves = { record = "shelf" }
    [[intent]]
    name = "a"
    kind = "live_data"
    phrases = ["a"]
"#;

fn library() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE members (id TEXT COLLATE NOCASE PRIMARY KEY);
             CREATE TABLE loans (loan INTEGER PRIMARY KEY, member INTEGER, payer INTEGER);
             CREATE TABLE notes (loan INTEGER, note TEXT);
             CREATE TABLE shelves (shelf TEXT);
             CREATE TABLE other (x);
             CREATE VIEW loaned AS SELECT loan, member FROM loans;
             INSERT INTO members VALUES ('A');
             INSERT INTO loans VALUES (1, 42, 7), (2, 7, 42), (3, 7, 8);
             INSERT INTO notes VALUES (1, 'x'), (3, 'y');",
        )
        .unwrap();
    connection
}

#[track_caller]
fn check(sql: &str, asks_who: bool, expect: &[(Option<&str>, Extent)]) {
    let mut connection = library();
    let catalogue = Catalogue::parse(TABLES).unwrap();
    let tables = Tables::of(&connection, &catalogue).unwrap();
    let reads = tables.bind(&mut connection, sql, asks_who).unwrap().reads;
    let reads: Vec<_> = reads
        .iter()
        .map(|read| (read.kind.as_deref(), read.extent))
        .collect();
    assert_eq!(reads, expect, "{sql}");
}

#[test]
fn what_a_query_reads_is_what_sqlite_says() {
    use Extent::{Named, Part, Whole};
    check("SELECT loan FROM loans", true, &[(Some("loan"), Part)]);
    check("SELECT loan FROM LOANS l", true, &[(Some("loan"), Part)]);
    check("SELECT loan FROM loans", false, &[(Some("loan"), Whole)]);
    check(
        "SELECT loan FROM main.loans",
        true,
        &[(Some("loan"), Whole)],
    );
    check("SELECT count(*) FROM loans", true, &[(Some("loan"), Part)]);
    check(
        "SELECT count(*) FROM main.loans",
        true,
        &[(Some("loan"), Whole)],
    );
    check("SELECT loan FROM loaned", true, &[(Some("loan"), Whole)]);
    check(
        "SELECT count(*) FROM loaned",
        true,
        &[(Some("loan"), Whole)],
    );
    check("SELECT note FROM notes", true, &[(Some("loan"), Part)]);
    check(
        "SELECT note, (SELECT max(loan) FROM main.loans) FROM notes",
        true,
        &[(Some("loan"), Whole)],
    );
    check("SELECT id FROM members", true, &[(Some("member"), Named)]);
    check(
        "SELECT m.id FROM members m JOIN main.members o",
        true,
        &[(Some("member"), Whole)],
    );
    check("SELECT 1 FROM other", true, &[(None, Whole)]);
    check(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM shelves)",
        true,
        &[(Some("shelf"), Whole)],
    );
    check(
        "/* with */ wItH r AS (SELECT loan FROM loans) SELECT * FROM r",
        true,
        &[(Some("loan"), Part)],
    );
    check(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n, loans LIMIT 3) SELECT x FROM n",
        true,
        &[(Some("loan"), Part)],
    );
    check("SELECT value FROM json_each('[1]')", true, &[]);
}

#[track_caller]
fn found(sql: &str, user: &str, expect: &[i64]) {
    let mut connection = library();
    let catalogue = Catalogue::parse(TABLES).unwrap();
    let tables = Tables::of(&connection, &catalogue).unwrap();
    let bound = tables.bind(&mut connection, sql, true).unwrap();
    let mut statement = connection.prepare(&bound.sql).unwrap();
    let rows = statement.query_map([user], |row| row.get(0)).unwrap();
    let rows: Vec<i64> = rows.map(Result::unwrap).collect();
    assert_eq!(rows, expect, "{sql} for {user:?}");
}

#[test]
fn only_the_exact_member_has_a_part() {
    found("SELECT loan FROM loans", "42", &[1, 2]);
    found("SELECT loan FROM notes", "42", &[1]);
    for other in [" 42", "042", "42\0", "42.0", "4.2e1", "+42", "42 "] {
        found("SELECT loan FROM loans", other, &[]);
    }
    found("SELECT count(*) FROM members", "A", &[1]);
    found("SELECT count(*) FROM members", "a", &[0]);
}

#[test]
fn tables_must_fit_the_database() {
    let connection = library();
    for (from, to, expect) in [
        (
            "shelves =",
            "shelfs =",
            "table `shelfs` is not in the database",
        ),
        ("shelves =", "loaned =", "table `loaned` is a view; declare"),
        (
            "\"payer\"",
            "\"buyer\"",
            "table `loans` has no column `buyer`; its columns are loan, member, payer",
        ),
        (
            "column = \"loan\"",
            "column = \"note\"",
            "table `loans` has no column `note`",
        ),
    ] {
        let text = TABLES.replace(from, to);
        assert_ne!(text, TABLES);
        let catalogue = Catalogue::parse(&text).unwrap();
        let error = Tables::of(&connection, &catalogue)
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with(expect), "{error}");
    }
}
