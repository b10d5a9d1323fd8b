//! What a question gets while the server fails, and that the next one is answered.

use std::time::{Duration, Instant};

use intent_router::{Catalogue, Deadline, LiveData, Slots, SourceError};
use live_data::PostgresSource;
use pollster::block_on;

use super::{ask, catalogue_of, open, options, person};
use crate::support::PostgresServer;

fn one(source: &PostgresSource, catalogue: &Catalogue) -> Result<String, SourceError> {
    let who = person("A");
    let found = ask(
        source,
        catalogue,
        "test",
        Some(&who),
        &Slots::default(),
        "m",
    );
    found.map(|found| found.value.data.to_string())
}

/// Asks again, for at most half a minute, while the answer is a time-out.
fn until_in_time<T>(mut ask: impl FnMut() -> Result<T, SourceError>) -> Result<T, SourceError> {
    let began = Instant::now();
    loop {
        match ask() {
            Err(SourceError::Timeout(_)) if began.elapsed() < Duration::from_secs(30) => {}
            other => return other,
        }
    }
}

#[test]
fn after_a_restart_the_next_question_is_answered() {
    let Some(mut server) = PostgresServer::start() else {
        return;
    };
    let catalogue = catalogue_of(&[("q", "SELECT 1 AS x")], "");
    let source = open(&server, &catalogue).unwrap();
    assert!(one(&source, &catalogue).is_ok());
    server.restart();
    assert_eq!(one(&source, &catalogue).unwrap(), r#"{"q":[{"x":1}]}"#);
    server.kill();
    let error = one(&source, &catalogue).unwrap_err();
    assert!(matches!(error, SourceError::Unavailable(_)), "{error:?}");
    assert!(block_on(source.ready()).is_err());
    server.restart();
    assert!(one(&source, &catalogue).is_ok());
    assert!(block_on(source.ready()).is_ok());
}

#[test]
fn a_frozen_server_costs_a_question_its_deadline() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let catalogue = catalogue_of(&[("q", "SELECT 1 AS x")], "");
    let mut options = options(&server);
    options.deadline = Duration::from_millis(300);
    let source = PostgresSource::open(&catalogue, &options).unwrap();
    assert!(one(&source, &catalogue).is_ok());
    server.freeze();
    for _ in 0..2 {
        let began = Instant::now();
        let error = one(&source, &catalogue).unwrap_err();
        assert!(matches!(error, SourceError::Timeout(_)), "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    server.thaw();
    // A connection opened while the server was frozen may still be starting.
    assert!(until_in_time(|| one(&source, &catalogue)).is_ok());
}

#[test]
fn a_query_ends_with_its_deadline_on_the_server_too() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let catalogue = catalogue_of(&[("q", "SELECT pg_sleep(600)::text AS x")], "");
    let mut options = options(&server);
    options.deadline = Duration::from_millis(200);
    options.connections = 1.try_into().unwrap();
    let source = PostgresSource::open(&catalogue, &options).unwrap();
    let error = one(&source, &catalogue).unwrap_err();
    assert!(
        matches!(error, SourceError::Timeout(allowed) if allowed == Duration::from_millis(200)),
        "{error:?}"
    );
    // The only connection is soon free again, or replaced.
    let again = until_in_time(|| block_on(source.is_member(&person("A"), Deadline::NEVER)));
    assert!(again.unwrap().value);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%'
                   AND state = 'active' AND pid <> pg_backend_pid()";
    assert_eq!(server.execute(running), "0");
}

#[test]
fn a_statement_prepared_before_the_schema_changed_fails_once() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    server.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    let catalogue = catalogue_of(&[("q", "SELECT * FROM t")], "");
    let source = open(&server, &catalogue).unwrap();
    assert_eq!(one(&source, &catalogue).unwrap(), r#"{"q":[{"a":1}]}"#);
    server.execute("ALTER TABLE t ALTER a TYPE text");
    let error = one(&source, &catalogue).unwrap_err();
    assert!(matches!(error, SourceError::Query { .. }), "{error:?}");
    assert_eq!(one(&source, &catalogue).unwrap(), r#"{"q":[{"a":"1"}]}"#);
}

#[test]
fn too_many_questions_are_refused_at_once() {
    let Some(server) = PostgresServer::start() else {
        return;
    };
    let catalogue = catalogue_of(&[("q", "SELECT pg_sleep(600)::text AS x")], "");
    let mut options = options(&server);
    options.connections = 1.try_into().unwrap();
    options.queue = 1.try_into().unwrap();
    let source = PostgresSource::open(&catalogue, &options).unwrap();
    let intent = catalogue.get("test").unwrap();
    let who = person("A");
    let context = intent_router::RequestContext::new(intent, Some(&who), Slots::default(), "m");
    let mut waiting: Vec<_> = (0..2).map(|_| source.records(context.ask())).collect();
    let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
    for future in &mut waiting {
        assert!(future.as_mut().poll(&mut noop).is_pending());
    }
    let error = block_on(source.records(context.ask())).unwrap_err();
    assert!(matches!(error, SourceError::Unavailable(_)), "{error:?}");
}
