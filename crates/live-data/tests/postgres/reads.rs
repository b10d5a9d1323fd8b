//! What a query reads, and that it reads only the asker's rows.

use intent_router::{Catalogue, Extent, LiveData, Slots};
use serde_json::json;

use super::{ask, catalogue_of, open, person};
use crate::support::PostgresServer;

const TABLES: &str = "[tables]
    members = { record = 'member', member = ['id'], by_member = true }
    loans = { record = 'loan', member = ['member', 'payer'] }
    aaa_notes = { record = 'note', within = { column = 'loan', table = 'loans' } }
    shelves = { record = 'shelf' }
    parts = { record = 'part' }
    parts_1 = { record = 'first' }";

const SCHEMA: &str = "
    CREATE TABLE members (id text PRIMARY KEY);
    CREATE TABLE loans (loan int PRIMARY KEY, member text, payer text);
    CREATE TABLE aaa_notes (loan int, note text);
    CREATE TABLE shelves (shelf text);
    CREATE TABLE other (x int);
    CREATE TABLE parts (x int) PARTITION BY RANGE (x);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
    CREATE VIEW loaned AS SELECT loan, member FROM loans;
    CREATE FUNCTION reading() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM other';
    CREATE FUNCTION \"Odd name\"() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM other';
    CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
    CREATE VIEW calling AS SELECT reading() AS n;
    CREATE TABLE guarded (x int);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON guarded USING (x IN (SELECT x FROM other));
    INSERT INTO members VALUES ('A');
    INSERT INTO loans VALUES (1, '42', '7'), (2, '7', '42'), (3, '7', '8');
    INSERT INTO aaa_notes VALUES (1, 'x'), (3, 'y')";

#[test]
fn what_a_query_reads_is_never_too_little() {
    use Extent::{Named, Part, Whole};
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.execute(SCHEMA);
    let check = |sql: &str, expect: &[(Option<&str>, Extent)]| {
        let catalogue = catalogue_of(&[("q", sql)], TABLES);
        let source = open(&server, &catalogue).unwrap();
        let reads = source.reads(catalogue.get("test").unwrap()).unwrap();
        let mut reads: Vec<_> = reads
            .iter()
            .map(|read| (read.kind.as_deref(), read.extent))
            .collect();
        reads.sort();
        assert_eq!(reads, expect, "{sql}");
    };
    check(
        "SELECT loan FROM loans WHERE :user_id IS NOT NULL",
        &[(Some("loan"), Part)],
    );
    check(
        "SELECT loan FROM LOANS l WHERE member = :user_id",
        &[(Some("loan"), Part)],
    );
    check("SELECT loan FROM loans", &[(Some("loan"), Whole)]);
    check(
        "SELECT loan FROM public.loans WHERE member = :user_id",
        &[(Some("loan"), Whole)],
    );
    check(
        "SELECT id FROM members WHERE id = :user_id",
        &[(Some("member"), Named)],
    );
    check(
        "SELECT note FROM aaa_notes WHERE :user_id IS NOT NULL",
        &[(Some("loan"), Part), (Some("note"), Part)],
    );
    check(
        "SELECT loan FROM loaned WHERE member = :user_id",
        &[(Some("loan"), Whole)],
    );
    check("SELECT x FROM other", &[(None, Whole)]);
    check("SELECT 1 AS x", &[]);
    // What a plan leaves out.
    check(
        "SELECT loan FROM loans WHERE false",
        &[(Some("loan"), Whole)],
    );
    check(
        "SELECT s.shelf FROM shelves s LEFT JOIN members m ON m.id = s.shelf",
        &[(Some("member"), Whole), (Some("shelf"), Whole)],
    );
    check(
        "SELECT shelf FROM shelves WHERE :user_id IS NULL AND EXISTS (SELECT FROM other)",
        &[(None, Whole), (Some("shelf"), Whole)],
    );
    check(
        "SELECT x FROM parts WHERE x = 15",
        &[(Some("first"), Whole), (Some("part"), Whole)],
    );
    check("SELECT x FROM parts_2", &[(None, Whole)]);
    // Functions and policies that read by themselves.
    check("SELECT reading() AS n", &[(None, Whole)]);
    check("SELECT \"Odd name\"() AS n", &[(None, Whole)]);
    check("SELECT n FROM calling", &[(None, Whole)]);
    check(
        "SELECT twice(loan) AS n FROM loans",
        &[(Some("loan"), Whole)],
    );
    check(
        "SELECT query_to_xml('SELECT 1', true, true, '')::text AS x",
        &[(None, Whole)],
    );
    check(
        "SELECT pg_catalog.lower(shelf) AS x FROM shelves",
        &[(Some("shelf"), Whole)],
    );
    server
        .execute("CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    let catalogue = catalogue_of(&[("q", "SELECT x FROM guarded")], TABLES);
    let mut options = super::options(&server);
    options.address = super::address(&server.url().replace("postgres@", "reader@"));
    let source = live_data::PostgresSource::open(&catalogue, &options).unwrap();
    let reads = source.reads(catalogue.get("test").unwrap()).unwrap();
    assert_eq!(reads.len(), 1);
    assert_eq!((&reads[0].kind, reads[0].extent), (&None, Whole));
}

#[test]
fn a_query_sees_only_the_askers_rows() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.execute(SCHEMA);
    let rows = |catalogue: &Catalogue, user: &str| {
        let source = open(&server, catalogue).unwrap();
        let found = ask(
            &source,
            catalogue,
            "test",
            Some(&person(user)),
            &Slots::default(),
            "m",
        );
        found.unwrap().value.data["q"].clone()
    };
    for (sql, expect) in [
        ("SELECT loan FROM loans WHERE :user_id <> 'x' ORDER BY loan", json!([1, 2])),
        ("SELECT loan FROM aaa_notes WHERE :user_id <> 'x' OR true", json!([1])),
        (
            "/* a */ -- b\n WITH RECURSIVE n AS (SELECT 1 AS loan UNION SELECT loan + 1 FROM n WHERE loan < 2)
             SELECT loan FROM loans JOIN n USING (loan) WHERE :user_id <> 'x' ORDER BY loan",
            json!([1, 2]),
        ),
        ("SELECT loan FROM public.loans WHERE :user_id <> 'x' ORDER BY loan", json!([1, 2, 3])),
    ] {
        let catalogue = catalogue_of(&[("q", sql)], TABLES);
        let found = rows(&catalogue, "42");
        let found: Vec<_> = found.as_array().unwrap().iter().map(|row| row["loan"].clone()).collect();
        assert_eq!(json!(found), expect, "{sql}");
    }
}
