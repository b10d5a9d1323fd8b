//! What is wrong with a database or a catalogue shows when it is opened.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use live_data::{DemoError, OpenError, QueryFault, write_demo};
use rusqlite::Connection;

use super::*;

fn open_demo(catalogue: &Catalogue) -> Result<SqliteSource, OpenError> {
    let demo = DemoOptions {
        members: 1,
        ..DemoOptions::default()
    };
    SqliteSource::demo(catalogue, &demo, &SqliteOptions::default())
}

/// The fault of a catalogue of one query, after checking that the error says
/// where to look.
#[track_caller]
fn fault(sql: &str) -> QueryFault {
    let error = open_demo(&catalogue_of(&[("it", sql)], "")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`it`") && text.contains("`test`"), "{text}");
    match error {
        OpenError::Query { fault, .. } => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statements_that_are_no_queries_are_refused() {
    for sql in [
        "DELETE FROM claims",
        "DELETE FROM claims RETURNING claim_number",
        "INSERT INTO tickets SELECT * FROM tickets RETURNING ticket_number",
        "UPDATE claims SET status = 'approved'",
        "DROP TABLE claims",
        "CREATE TABLE t (x)",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = WAL",
        "PRAGMA query_only = 0",
        "ATTACH 'other.db' AS other",
        "BEGIN",
        "VACUUM",
        "SELECT 1 AS one; SELECT 2 AS two",
        "SELECT 1 AS one; DELETE FROM claims",
        "-- nothing",
    ] {
        assert_eq!(fault(sql), QueryFault::NotAQuery, "{sql}");
    }
}

#[test]
fn mistakes_in_a_query_are_named() {
    assert!(matches!(fault("SELEKT 1"), QueryFault::Sql(text) if text.contains("SELEKT")));
    assert!(
        matches!(fault("SELECT x FROM clams"), QueryFault::Sql(text) if text.contains("clams"))
    );
    let twice = "SELECT 1 AS n, 2 AS n";
    assert_eq!(fault(twice), QueryFault::DuplicateColumn("n".to_owned()));
}

#[test]
fn no_parameter_that_sqlite_finds_stays_empty() {
    // Each is accepted by the catalogue, which sees none of them, or another.
    for (sql, parameter) in [
        ("SELECT @user_id AS it", "@user_id"),
        ("SELECT $user_id AS it", "$user_id"),
        ("SELECT ? AS it", "?"),
        ("SELECT ?1 AS it", "?1"),
        ("SELECT :1 AS it", ":1"),
        ("SELECT :é AS it", ":é"),
        ("SELECT :user_idé AS it", ":user_idé"),
        ("SELECT :user_id$ AS it", ":user_id$"),
        ("SELECT :user_id::text AS it", ":user_id::text"),
        ("SELECT :user_id(message) AS it", ":user_id(message)"),
        ("SELECT :user_id AS one, @user_id AS two", "@user_id"),
        // Names in brackets are of SQLite's dialect.
        ("SELECT 1 AS [it's], :user_id AS it", ":user_id"),
        ("SELECT 1 AS [--], :user_id AS it", ":user_id"),
        ("SELECT 1 AS [/*], :user_id AS it", ":user_id"),
    ] {
        let expected = QueryFault::UnknownParameter(parameter.to_owned());
        assert_eq!(fault(sql), expected, "{sql}");
    }
    // Those that neither of them takes for parameters.
    let sql = "SELECT ':a @b $c ?' AS \":d's\", 1 AS `:e`, 'it''s :f' AS g -- :h\n/* :i */";
    assert!(open_demo(&catalogue_of(&[("it", sql)], "")).is_ok());
}

#[test]
fn no_hidden_parameter_makes_an_answer_that_its_key_does_not_tell() {
    for (settings, parameter) in [
        ("kind = \"knowledge_base\"", ":user_id"),
        ("kind = \"knowledge_base\"", ":user_role"),
        ("kind = \"live_data\"\nkey = \"slots\"", ":message"),
        ("kind = \"live_data\"\nkey = \"slots\"", ":terms"),
    ] {
        let text = format!(
            "[[intent]]\nname = \"test\"\n{settings}\nphrases = [\"test\"]\n\
             [[intent.query]]\nname = \"it\"\nsql = \"SELECT 1 AS [it's], {parameter} AS what\"\n"
        );
        let error = open_demo(&Catalogue::parse(&text).unwrap()).unwrap_err();
        let OpenError::Query { fault, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(fault, QueryFault::UnknownParameter(parameter.to_owned()));
    }
}

/// The example of `docs/data.md` and the error that it shows.
#[test]
fn the_example_of_the_page_holds() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data.md");
    let Ok(page) = fs::read_to_string(page) else {
        println!("skipped: there is no docs/data.md here");
        return;
    };
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, rest) = rest.split_once("```").unwrap();
    assert!(open_demo(&Catalogue::parse(example).unwrap()).is_ok());
    let mistaken = example.replace("SELECT claim_number, status", "SELECT claim_number, staus");
    let error = open_demo(&Catalogue::parse(&mistaken).unwrap()).unwrap_err();
    assert!(rest.contains(&format!("\n    {error}\n")), "{error}");
}

#[test]
fn a_query_cannot_have_the_name_of_a_part_of_answers() {
    let catalogue = catalogue_of(&[("truncated", "SELECT 1 AS one")], "");
    let error = open_demo(&catalogue).unwrap_err();
    let OpenError::Query { fault, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(fault, QueryFault::ReservedName);
}

#[test]
fn a_tag_that_no_row_fills_is_refused() {
    let queries = [("it", "SELECT 1 AS one")];
    assert!(open_demo(&catalogue_of(&queries, "tags = [\"n:{one}\"]")).is_ok());
    let error = open_demo(&catalogue_of(&queries, "tags = [\"n:{two}\"]")).unwrap_err();
    assert!(matches!(error, OpenError::Tag { .. }), "{error}");
}

#[test]
fn the_profile_lookup_is_checked_too() {
    for (sql, expected) in [
        (
            "SELECT 1 AS id, 2 AS kind",
            QueryFault::MissingColumn("member_id"),
        ),
        ("DELETE FROM members", QueryFault::NotAQuery),
        (
            "SELECT member_id, kind, display_name FROM members WHERE member_id = :terms",
            QueryFault::UnknownParameter(":terms".to_owned()),
        ),
        (
            "SELECT member_id, kind, display_name FROM members WHERE member_id = ?1",
            QueryFault::UnknownParameter("?1".to_owned()),
        ),
    ] {
        let options = SqliteOptions {
            profile_sql: sql.to_owned(),
            ..SqliteOptions::default()
        };
        let demo = DemoOptions::default();
        let error = SqliteSource::demo(&catalogue(), &demo, &options).unwrap_err();
        let OpenError::Profile(fault) = error else {
            panic!("{error:?}");
        };
        assert_eq!(fault, expected, "{sql}");
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &PathBuf| {
        SqliteSource::open(path, &catalogue(), &SqliteOptions::default())
            .unwrap_err()
            .to_string()
    };
    let missing = folder.path().join("missing.db");
    assert!(open(&missing).contains("missing.db"));
    assert!(!missing.exists(), "opening creates nothing");
    let text = folder.path().join("text.db");
    fs::write(
        &text,
        "This is not a database, but a text of some length.".repeat(40),
    )
    .unwrap();
    assert!(open(&text).contains("not a database"));
    // A database with other tables: the first that is declared and not there.
    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(open(&other).contains("is not in the database"));
}

#[test]
fn ones_own_database_needs_only_queries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
             CREATE TABLE orders (number INTEGER, customer INTEGER, total REAL, note TEXT);
             INSERT INTO customers VALUES (42, 'Ada');
             INSERT INTO orders VALUES (1, 42, 9.5, NULL), (2, 43, 1.0, 'x');",
        )
        .unwrap();
    let catalogue = catalogue_of(
        &[(
            "orders",
            "SELECT number, total, note FROM orders WHERE customer = :user_id",
        )],
        "tags = [\"order:{number}\"]",
    );
    let options = SqliteOptions {
        profile_sql: "SELECT id AS member_id, 'customer' AS kind, name AS display_name
                      FROM customers WHERE id = :user_id"
            .to_owned(),
        ..SqliteOptions::default()
    };
    let source = SqliteSource::open(&path, &catalogue, &options).unwrap();
    let knows = |id| {
        block_on(source.is_member(&person(id), Deadline::NEVER))
            .unwrap()
            .value
    };
    assert!(knows("42") && !knows("042") && !knows("43"));
    let desk = Desk { catalogue, source };
    let found = desk
        .ask("test", Some(&person("42")), &Slots::default(), "")
        .unwrap();
    let expected = serde_json::json!({"orders": [{"number": 1, "total": 9.5, "note": null}]});
    assert_eq!(found.value.data, expected);
    assert_eq!(found.value.tags, ["order:1"]);
}

#[test]
fn demo_files_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let options = DemoOptions {
        members: 3,
        ..DemoOptions::default()
    };
    write_demo(&path, &options).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(matches!(
        write_demo(&path, &options),
        Err(DemoError::Exists(_))
    ));
    assert_eq!(fs::read(&path).unwrap(), bytes, "left as it was");
    let nowhere = folder.path().join("no such folder").join("crm.db");
    assert!(matches!(
        write_demo(nowhere, &options),
        Err(DemoError::Write { .. })
    ));
    for members in [0, 1_000_000] {
        let options = DemoOptions { members, seed: 1 };
        let error = write_demo(folder.path().join("other.db"), &options).unwrap_err();
        assert!(matches!(error, DemoError::Members(_)), "{error}");
    }
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "no draft is left: {files:?}");
}

/// A catalogue of live-data intents, each with one query.
fn intents(queries: &[(&str, &str)]) -> Catalogue {
    let intent = |(name, sql): &(&str, &str)| {
        format!(
            "[[intent]]\nname = \"{name}\"\nkind = \"live_data\"\nphrases = [\"{name}\"]\n\
             [[intent.query]]\nname = \"it\"\nsql = \"{sql}\"\n"
        )
    };
    let text: String = queries.iter().map(intent).collect();
    Catalogue::parse(&text).unwrap()
}

#[test]
fn another_catalogue_is_asked_of_the_same_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .unwrap();
    let one = NonZeroUsize::new(1).unwrap();
    let options = SqliteOptions {
        connections: one,
        profile_sql: "SELECT 1 AS member_id, 2 AS kind, 3 AS display_name".to_owned(),
        ..SqliteOptions::default()
    };
    let before = intents(&[("a", "SELECT x FROM t")]);
    let source = SqliteSource::open(&path, &before, &options).unwrap();
    let after = intents(&[
        ("a", "SELECT x + 1 AS x FROM t"),
        ("b", "SELECT x + 2 AS x FROM t"),
    ]);
    let next = source.with_catalogue(&after).unwrap();
    let (before, after) = (
        Desk {
            catalogue: before,
            source,
        },
        Desk {
            catalogue: after,
            source: next,
        },
    );
    // They take turns on the one connection.
    for _ in 0..2 {
        assert_eq!(rows(&before.data("a", "BEN-1"), "it")[0]["x"], 1);
        assert_eq!(rows(&after.data("a", "BEN-1"), "it")[0]["x"], 2);
        assert_eq!(rows(&after.data("b", "BEN-1"), "it")[0]["x"], 3);
    }
    // A column that came later is there for a catalogue that comes later.
    other
        .execute_batch("ALTER TABLE t ADD COLUMN y; UPDATE t SET y = 7")
        .unwrap();
    // Without a file, the one that was opened is read on.
    fs::remove_file(&path).unwrap();
    let latest = intents(&[("a", "SELECT y AS x FROM t")]);
    let source = after.source.with_catalogue(&latest).unwrap();
    drop(before);
    let latest = Desk {
        catalogue: latest,
        source,
    };
    assert_eq!(rows(&latest.data("a", "BEN-1"), "it")[0]["x"], 7);
}

#[test]
fn every_intent_that_does_not_fit_is_told_and_the_source_stays() {
    let good = intents(&[("a", "SELECT 1 AS x")]);
    let source = open_demo(&good).unwrap();
    let bad = intents(&[
        ("a", "SELECT x FROM nowhere"),
        ("b", "SELECT 1 AS x"),
        ("c", "SELECT 1 AS x, 2 AS x"),
    ]);
    let errors = source.with_catalogue(&bad).unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`a`") && told[0].contains("nowhere"));
    assert!(told[1].contains("`c`") && told[1].contains("two columns"));
    let desk = Desk {
        catalogue: good,
        source,
    };
    assert_eq!(rows(&desk.data("a", "BEN-1"), "it")[0]["x"], 1);
}
