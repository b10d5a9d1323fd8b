//! The answers are those of SQLite for the same data.

use intent_router::{Catalogue, Deadline, Kind, LiveData, Slots};
use live_data::{
    DemoError, DemoOptions, PostgresOptions, PostgresSource, SqliteOptions, SqliteSource,
    write_postgres_demo,
};
use pollster::block_on;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::{address, answer, ask, catalogue_of, open, person};
use crate::support::PostgresServer;

fn demo() -> DemoOptions {
    DemoOptions {
        members: 40,
        ..DemoOptions::default()
    }
}

#[test]
fn prop_the_demo_data_answers_as_in_sqlite() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let catalogue = Catalogue::built_in();
    let address = address(&server.url());
    let options = PostgresOptions::new(address.clone());
    write_postgres_demo(&address, &demo()).unwrap();
    let again = write_postgres_demo(&address, &demo());
    assert!(matches!(again, Err(DemoError::Database(_))), "{again:?}");
    let postgres = PostgresSource::open(catalogue, &options).unwrap();
    let sqlite = SqliteSource::demo(catalogue, &demo(), &SqliteOptions::default()).unwrap();
    let intents: Vec<_> = catalogue.intents().iter().map(|i| i.name.clone()).collect();
    for intent in catalogue.intents() {
        let mut reads = [
            postgres.reads(intent).unwrap(),
            sqlite.reads(intent).unwrap(),
        ];
        for reads in &mut reads {
            reads.sort_by_key(|read| read.kind.clone());
        }
        assert_eq!(reads[0], reads[1], "{}", intent.name);
    }
    assert_eq!(postgres.member_reads(), sqlite.member_reads());
    let users = [
        "BEN-000001",
        "BEN-000002",
        "BEN-000003",
        "BEN-000021",
        "BEN-000040",
        "EMP-0001",
        "EMP-0002",
        "NOBODY",
        "ben-000001",
        "BEN-000001 ",
        "BEN-000001\0",
        "",
    ];
    let values = [
        ("claim_number", "CLM-2025-000001"),
        ("claim_number", "CLM-2025-000001,CLM-2025-000002"),
        ("claim_number", "CLM-2024-000003"),
        ("payment_number", "PAY-00000001"),
        ("payment_number", "PAY-00000001,PAY-00000002"),
        ("document_number", "DOC-00000001"),
        ("ticket_number", "TKT-000001"),
        ("period", "2025-01-01/2025-06-30"),
        ("period", "2024-01-01/2024-12-31,2025-03-01/2025-03-31"),
        ("period", "0001-01-01/9999-12-31"),
        ("outcome", "approved"),
    ];
    let cases = (
        select(intents),
        select(users.to_vec()),
        subsequence(values.to_vec(), 0..3),
    );
    proptest!(|((intent, user, slots) in cases)| {
        let who = person(if user.is_empty() { "BEN-000001" } else { user });
        let intent = catalogue.get(&intent).unwrap();
        let slots: Slots = slots.into_iter().filter(|(name, _)| intent.slots.iter().any(|s| s == name)).collect();
        let is_shared = intent.kind == Kind::KnowledgeBase;
        let who = (!is_shared).then_some(&who);
        // Without words, full-text queries find nothing: their ranks differ.
        let [mut here, mut there] = [&postgres as &dyn LiveData, &sqlite].map(|source| {
            ask(&source, catalogue, &intent.name, who, &slots, "?").unwrap()
        });
        here.value.tags.sort();
        there.value.tags.sort();
        prop_assert_eq!(here, there);
        if let Some(who) = who {
            let [here, there] = [&postgres as &dyn LiveData, &sqlite]
                .map(|source| block_on(source.is_member(who, Deadline::NEVER)).unwrap());
            prop_assert_eq!(here, there);
        }
    });
}

#[test]
fn words_of_the_message_rank_the_articles() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let catalogue = Catalogue::built_in();
    let address = address(&server.url());
    let options = PostgresOptions::new(address.clone());
    write_postgres_demo(&address, &demo()).unwrap();
    let source = PostgresSource::open(catalogue, &options).unwrap();
    let who = person("BEN-000001");
    for (message, expect) in [
        ("The MOBILE apps crash!", "app-problems"),
        ("'& | ! <-> :* crashing \\ (", "app-problems"),
    ] {
        let none = Slots::default();
        let found = ask(
            &source,
            catalogue,
            "technical_help",
            Some(&who),
            &none,
            message,
        );
        let data = found.unwrap().value.data;
        assert_eq!(
            data["articles"][0]["slug"],
            json!(expect),
            "{message}: {data}"
        );
    }
}

#[test]
fn values_keep_their_types() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.execute("CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN cents AS bigint");
    for (sql, expect) in [
        ("'é'::text", r#""é""#),
        ("'a'::varchar(3)", r#""a""#),
        ("NULL::text", "null"),
        ("true", "true"),
        ("(-7)::int2", "-7"),
        ("2147483647", "2147483647"),
        ("9007199254740993", "9007199254740993"),
        ("0.1::float4", "0.1"),
        ("1e300::float8", "1e+300"),
        ("12.50", "12.5"),
        ("sum(3::bigint)", "3"),
        ("-0.000123", "-0.000123"),
        ("12345678901234567890.5", r#""12345678901234567890.5""#),
        ("date '2025-02-28'", r#""2025-02-28""#),
        ("date '1969-12-31'", r#""1969-12-31""#),
        (
            "timestamp '2025-02-28 10:30:00.5'",
            r#""2025-02-28 10:30:00.5""#,
        ),
        (
            "timestamptz '2025-02-28 10:30:00+02'",
            r#""2025-02-28 08:30:00+00""#,
        ),
        ("time '10:30'", r#""10:30:00""#),
        ("time '24:00'", r#""24:00:00""#),
        (
            "uuid 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            r#""a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11""#,
        ),
        (r#"'{"a":[1]}'::jsonb"#, r#"{"a":[1]}"#),
        (r#"'{"a":[1]}'::json"#, r#"{"a":[1]}"#),
        ("'glad'::mood", r#""glad""#),
        ("7::cents", "7"),
    ] {
        let found = answer(&server, &format!("SELECT {sql} AS v"), "A").unwrap();
        assert_eq!(found, format!(r#"[{{"v":{expect}}}]"#), "{sql}");
    }
    for (sql, expect) in [
        ("'NaN'::float8", "column `v` is NaN"),
        ("'infinity'::numeric", "column `v` is not a finite number"),
        ("date 'infinity'", "column `v` is no day"),
        ("timestamp 'infinity'", "column `v` is no moment"),
        ("1 / (:user_id::text = 'x')::int", "division by zero"),
    ] {
        let error = answer(&server, &format!("SELECT {sql} AS v"), "A").unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    }
}

#[test]
fn an_identifier_is_compared_byte_for_byte() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.execute(
        "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE numbers (owner bigint, x int); INSERT INTO numbers VALUES (42, 1), (7, 2);
         CREATE TABLE texts (owner text COLLATE nocase, x int);
         INSERT INTO texts VALUES ('Ann', 1), ('42', 2);
         CREATE TABLE padded (owner char(8), x int); INSERT INTO padded VALUES ('Ann', 1);
         CREATE TABLE exact (owner numeric, x int); INSERT INTO exact VALUES (42, 1);
         CREATE TABLE lines (number int, \"X\" int); INSERT INTO lines VALUES (1, 10), (2, 20);
         CREATE TABLE \"ids\" (owner uuid, x int);
         INSERT INTO ids VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1)",
    );
    let tables = "[tables]
        numbers = { record = 'n', member = ['owner'] }
        texts = { record = 't', member = ['OWNER'] }
        padded = { record = 'p', member = ['owner'] }
        exact = { record = 'e', member = ['owner'] }
        ids = { record = 'i', member = ['owner'] }";
    let sql = "SELECT 'n' AS t, x FROM numbers UNION ALL SELECT 't', x FROM texts
        UNION ALL SELECT 'p', x FROM padded UNION ALL SELECT 'e', x FROM exact
        UNION ALL SELECT 'i', x FROM ids";
    let sql = format!(
        "SELECT string_agg(t || x, ' ' ORDER BY t) AS found FROM ({sql}) q WHERE :user_id IS NOT NULL"
    );
    let catalogue = catalogue_of(&[("q", &sql)], tables);
    let source = open(&server, &catalogue).unwrap();
    for (user, expect) in [
        ("42", json!("e1 n1 t2")),
        ("7", json!("n2")),
        ("042", json!(null)),
        (" 42", json!(null)),
        ("42.0", json!(null)),
        ("42\0", json!(null)),
        ("Ann", json!("p1 t1")),
        ("ann", json!(null)),
        ("Ann ", json!(null)),
        ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", json!("i1")),
        ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", json!(null)),
    ] {
        let who = person(user);
        let found = ask(
            &source,
            &catalogue,
            "test",
            Some(&who),
            &Slots::default(),
            "m",
        );
        assert_eq!(
            found.unwrap().value.data["q"][0]["found"],
            expect,
            "{user:?}"
        );
    }
}

#[test]
fn bounds_cut_an_answer() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let catalogue = catalogue_of(
        &[
            ("a", "SELECT n FROM generate_series(1, 300000) n"),
            (
                "b",
                "SELECT repeat('x', 400) AS t FROM generate_series(1, 4)",
            ),
        ],
        "",
    );
    let mut options = super::options(&server);
    (options.max_rows, options.max_bytes) = (3, 1_000);
    let source = PostgresSource::open(&catalogue, &options).unwrap();
    for _ in 0..3 {
        let who = person("A");
        let found = ask(
            &source,
            &catalogue,
            "test",
            Some(&who),
            &Slots::default(),
            "m",
        );
        let data = found.unwrap().value.data;
        assert_eq!(data["a"], json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]));
        assert_eq!(data["b"].as_array().unwrap().len(), 2);
        assert_eq!(data["truncated"], json!(["a", "b"]));
    }
    assert_eq!((source.calls(), source.reopened()), (6, 0));
}
