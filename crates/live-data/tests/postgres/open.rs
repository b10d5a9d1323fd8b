//! What is refused when a source is opened.

use live_data::{PostgresOptions, PostgresSource};

use super::{address, catalogue_of, open, options};
use crate::support::PostgresServer;

#[test]
fn queries_that_cannot_be_used_are_named() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.execute("CREATE TABLE t (a int, b inet, c int[]); CREATE VIEW v AS SELECT a FROM t");
    for (sql, expect) in [
        ("SELECT a FROM u", r#"relation "u" does not exist (line 1)"#),
        (
            "SELECT a,\n  staus FROM t WHERE a = :user_id",
            r#"column "staus" does not exist (line 2)"#,
        ),
        ("SELECT a FRM t", "syntax error"),
        ("SELECT 1; SELECT 2", "single read-only statement"),
        (
            "INSERT INTO t (a) VALUES (1) RETURNING a",
            "single read-only statement",
        ),
        (
            "WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x",
            "single read-only statement",
        ),
        ("SELECT a FROM t FOR UPDATE", "single read-only statement"),
        ("DISCARD ALL", "single read-only statement"),
        ("SELECT a, a FROM t", "two columns are named `a`"),
        (
            "SELECT b FROM t",
            "column `b` has the type inet; write `b::text AS b`",
        ),
        (
            "SELECT c FROM t",
            "column `c` has the type _int4; write `c::text AS c`",
        ),
        ("SELECT a FROM t WHERE a = $1", "unknown parameter `$1`"),
        (
            "SELECT a FROM t WHERE b = :user_id",
            "`:user_id` is used as a value of the type inet",
        ),
        (
            "SELECT :user_id ISNULL AS x",
            "the type of the parameter `:user_id` is not known; write `:user_id::text`",
        ),
        (
            "SELECT a FROM t WHERE a = :user_id::text",
            "operator does not exist: integer = text",
        ),
    ] {
        let catalogue = catalogue_of(&[("q", sql)], "");
        let error = open(&server, &catalogue).unwrap_err().to_string();
        assert!(
            error.starts_with("query `q` of intent `test`: ") && error.contains(expect),
            "{sql}: {error}"
        );
    }
    for (tables, expect) in [
        ("u = { record = 'u' }", "table `u` is not in the database"),
        ("v = { record = 'v' }", "table `v` is a view"),
        (
            "t = { record = 't', member = ['d'] }",
            "table `t` has no column `d`; its columns are a, b, c",
        ),
    ] {
        let catalogue = catalogue_of(&[], &format!("[tables]\n{tables}"));
        let error = open(&server, &catalogue).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    }
    let mut profile = options(&server);
    profile.profile_sql = "SELECT a FROM t".to_owned();
    let error = PostgresSource::open(&catalogue_of(&[], ""), &profile).unwrap_err();
    assert!(error.to_string().contains("`member_id`"), "{error}");
    // All that is wrong, one for each intent.
    let source = open(&server, &catalogue_of(&[], "")).unwrap();
    let two = catalogue_of(&[("q", "SELECT 1 AS x FROM nowhere")], "");
    assert_eq!(source.with_catalogue(&two).unwrap_err().len(), 1);
}

#[test]
fn a_server_that_does_not_take_the_connection_is_named_without_secrets() {
    let Some(mut server) = PostgresServer::start() else {
        return;
    };
    let catalogue = catalogue_of(&[], "");
    for url in [
        format!(
            "postgres://postgres:secret@127.0.0.1:{}/nowhere",
            server.port()
        ),
        format!(
            "postgres://postgres:secret@127.0.0.1:{}/postgres?sslmode=require",
            server.port()
        ),
    ] {
        let error =
            PostgresSource::open(&catalogue, &PostgresOptions::new(address(&url))).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    server.stop();
    let error = open(&server, &catalogue).unwrap_err().to_string();
    assert!(error.contains("postgres at 127.0.0.1:"), "{error}");
}
