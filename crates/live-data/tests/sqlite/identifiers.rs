//! An identifier is compared as it is written, whatever type its column has.

use std::sync::Arc;

use intent_router::{
    CacheService, CanonicalJson, KeywordDetector, Request, Routed, Router, Selector,
};
use rusqlite::Connection;

use super::*;

const TABLES: &str = "
    [tables]
    people = { record = 'person', member = ['id'], by_member = true }
    loans = { record = 'loan', member = ['member'] }
";

/// A router over a library in which this is member 42 of two.
fn router(path: &std::path::Path, column: &str, tables: &str) -> Router {
    let connection = Connection::open(path).unwrap();
    let schema = format!(
        "DROP TABLE IF EXISTS people; DROP TABLE IF EXISTS loans;
         CREATE TABLE people (id {column}, kind TEXT, name TEXT);
         CREATE TABLE loans (loan INTEGER, member {column});
         INSERT INTO people VALUES (42, 'reader', 'A. Reader'), (43, 'reader', 'B. Reader');
         INSERT INTO loans VALUES (1, 42), (2, 43);"
    );
    connection.execute_batch(&schema).unwrap();
    let sql = "SELECT loan FROM loans WHERE member = :user_id";
    let catalogue = catalogue_of(&[("loans", sql)], "tags = ['loan:{loan}']");
    let parts = Catalogue::parse(&format!(
        "{tables}\n[[intent]]\nname = 'test'\nkind = 'live_data'\nphrases = ['test']\ntags = ['loan:{{loan}}']\n\
         [[intent.query]]\nname = 'loans'\nsql = '{sql}'"
    ));
    assert_eq!(parts.as_ref().unwrap().intents(), catalogue.intents());
    let catalogue = parts.unwrap();
    let options = SqliteOptions {
        profile_sql: "SELECT id AS member_id, kind, name AS display_name FROM people \
                      WHERE id = :user_id"
            .to_owned(),
        ..SqliteOptions::default()
    };
    let source = Arc::new(SqliteSource::open(path, &catalogue, &options).unwrap());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    Router::new(Arc::new(catalogue), detector, source, cache).unwrap()
}

fn ask(router: &Router, id: &str) -> Routed {
    let context = format!(r#"{{"user_id": {id}, "user_role": "reader"}}"#);
    let context: UserContext = serde_json::from_str(&context).unwrap();
    block_on(router.route(&Request::new("test", context))).unwrap()
}

/// The loans in an answer; none if there is no such member.
fn loans(routed: &Routed) -> Option<Value> {
    let data = routed.answer.response().unwrap().data;
    data.get("loans").cloned()
}

#[test]
fn only_what_is_written_as_in_the_database_is_that_member() {
    let folder = tempfile::tempdir().unwrap();
    for column in ["INTEGER", "TEXT", "ANY", "", "TEXT COLLATE NOCASE"] {
        for tables in [TABLES, ""] {
            let router = router(&folder.path().join("library.db"), column, tables);
            for id in ["42", "\"42\""] {
                let found = loans(&ask(&router, id));
                // A column without a type holds a number, which no text equals.
                let expect = (!column.is_empty()).then(|| serde_json::json!([{ "loan": 1 }]));
                assert_eq!(found, expect, "{id} by {column}");
            }
            for id in [
                "\" 42\"",
                "\"042\"",
                "\"42 \"",
                "\"42\\u0000\"",
                "\"+42\"",
                "\"42.0\"",
                "42.0",
                "\"4.2e1\"",
                "\"0x2a\"",
                "\"42\\n\"",
                "\"４２\"",
                "\"٤٢\"",
                "[42]",
                "\"42' OR 1=1 --\"",
                "-42",
                "true",
            ] {
                assert_eq!(loans(&ask(&router, id)), None, "{id} by {column}");
            }
        }
    }
}

/// What a change is told by reaches each form in which the member can ask.
#[test]
fn a_change_reaches_both_forms_of_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.db");
    for selector in [
        Selector::Tag("loan:1".to_owned()),
        Selector::User(CanonicalJson::string("42")),
        Selector::User(CanonicalJson::parse("42").unwrap()),
        Selector::TagOf {
            record: "loan:9".to_owned(),
            user: CanonicalJson::string("42"),
        },
    ] {
        let router = router(&path, "INTEGER", TABLES);
        for id in ["42", "\"42\""] {
            ask(&router, id);
        }
        let connection = Connection::open(&path).unwrap();
        let change = "UPDATE loans SET loan = 9 WHERE loan = 1";
        assert_eq!(connection.execute(change, []).unwrap(), 1);
        assert_eq!(router.cache().invalidate(&selector), 2, "{selector:?}");
        for id in ["42", "\"42\""] {
            let found = loans(&ask(&router, id));
            assert_eq!(found, Some(serde_json::json!([{ "loan": 9 }])), "{id}");
        }
    }
}
