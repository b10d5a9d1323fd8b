//! The service over a database file that breaks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use support::{Reply, Server, eventually};

const QUESTION: &str = "what is my claim status?";

/// A folder with a demo database `live.db`, a copy of it `good.db`, and a service
/// over the former.
struct Files {
    folder: PathBuf,
    server: Server,
}

impl Files {
    fn new(name: &str, settings: &[(&str, &str)]) -> Self {
        Self::logging_to(Stdio::null(), name, settings)
    }

    fn logging_to(log: Stdio, name: &str, settings: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("source")
            .join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let live = folder.join("live.db");
        let path = live.to_str().expect("a path in UTF-8");
        let made = program::router(&["demo-db", path, "--users", "20"], "");
        made.output();
        fs::copy(&live, folder.join("good.db")).unwrap();
        let url = format!("sqlite://{path}");
        let settings = [&[("ROUTER_SOURCE__URL", url.as_str())], settings].concat();
        let server = Server::start_logging_with(log, &settings);
        Self { folder, server }
    }

    fn damage(&self) {
        fs::write(self.folder.join("live.db"), vec![0xa5; 100_000]).unwrap();
    }

    fn restore(&self) {
        fs::rename(self.folder.join("good.db"), self.folder.join("live.db")).unwrap();
    }

    /// Asks for what is not stored.
    fn miss(&self) -> Reply {
        let context = json!({ "user_id": "BEN-000001", "user_role": "beneficiary" });
        let body = json!({ "message": QUESTION, "user_context": context });
        let headers = [
            ("content-type", "application/json"),
            ("cache-control", "no-cache"),
        ];
        let body = body.to_string();
        self.server
            .send("POST", "/v1/route", &headers, body.as_bytes())
    }

    fn metric(&self, name: &str) -> f64 {
        let metrics = self.server.get("/metrics").text();
        // A counter without labels is written with empty ones.
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let rest = rest.strip_prefix("{}").unwrap_or(rest);
            rest.strip_prefix(' ').map(str::to_owned)
        };
        let line = metrics.lines().find_map(value);
        let value = line.unwrap_or_else(|| panic!("no {name} in\n{metrics}"));
        value.parse().unwrap()
    }
}

#[test]
fn a_damaged_database_is_not_ready_until_it_is_restored() {
    // The breaker stays out of this.
    let files = Files::new("damaged", &[("ROUTER_SOURCE__BREAKER__FAILURES", "1000")]);
    assert_eq!(files.server.get("/readyz").status, 200);
    assert_eq!(files.miss().status, 200);
    let before = files.metric("router_database_queries_total");
    files.damage();
    let reply = files.server.get("/readyz");
    reply.is_problem(503, "the source of records is damaged");
    assert!(!reply.text().contains("live.db"), "{}", reply.text());
    for failures in 1..=3 {
        assert_eq!(files.miss().status, 503);
        let made = files.metric("router_database_queries_total");
        assert_eq!(made, before + f64::from(failures), "failed calls count");
    }
    files.restore();
    // A connection is opened again at a bounded rate.
    while files.server.get("/readyz").status != 200 {}
    while files.miss().status != 200 {}
    assert!(files.metric("router_source_reopenings_total") >= 1.0);
}

#[test]
fn a_source_that_fails_repeatedly_is_not_asked_for_a_while() {
    let files = Files::new(
        "breaker",
        &[
            ("ROUTER_SOURCE__BREAKER__FAILURES", "3"),
            ("ROUTER_SOURCE__BREAKER__OPEN_FOR", "1h"),
            ("ROUTER_SOURCE__BREAKER__LONGEST_OPEN", "1h"),
            ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1ms"),
            ("ROUTER_CACHE__CLASSES__LIVE_DATA__STALE_IF_ERROR", "1h"),
        ],
    );
    let ask = || files.server.ask(QUESTION, "BEN-000001", "beneficiary");
    ask();
    assert_eq!(files.metric("router_source_breaker_state"), 0.0);
    files.damage();
    for _ in 0..3 {
        let reply = files.miss();
        assert_eq!(reply.value()["code"], "source_unavailable");
    }
    files.restore();
    let made = files.metric("router_database_queries_total");
    let reply = files.miss();
    reply.is_problem(503, "the circuit breaker is open");
    assert_eq!(reply.value()["code"], "source_circuit_open");
    let wait = reply
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    assert!(wait.is_some_and(|seconds: u32| (1_800..=3_600).contains(&seconds)));
    files
        .server
        .get("/readyz")
        .is_problem(503, "the circuit breaker is open");
    assert_eq!(files.metric("router_database_queries_total"), made);
    assert_eq!(files.metric("router_source_breaker_state"), 2.0);
    // A stale answer stands in, without a call.
    let reply = ask();
    assert!(reply.cache_status().contains("stale-if-error"));
    assert_eq!(files.metric("router_database_queries_total"), made);
    let refused = "router_source_refusals_total{reason=\"breaker_open\"}";
    assert_eq!(files.metric(refused), 2.0);
}

#[test]
fn the_log_tells_when_the_breaker_opens_and_closes() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("breaker.log");
    let log = fs::File::create(&path).unwrap();
    let settings = [
        ("ROUTER_SOURCE__BREAKER__FAILURES", "3"),
        ("ROUTER_SOURCE__BREAKER__OPEN_FOR", "300ms"),
        ("ROUTER_SOURCE__BREAKER__LONGEST_OPEN", "300ms"),
    ];
    let files = Files::logging_to(log.into(), "breaker-log", &settings);
    let lines = |text: &str| {
        let log = fs::read_to_string(&path).unwrap();
        log.matches(text).count()
    };
    files.damage();
    eventually("the breaker opens", || {
        files.miss();
        lines("circuit breaker is open") == 1
    });
    // A probe that fails is no news.
    eventually("a probe fails", || {
        files.miss();
        files.metric("router_source_breaker_openings_total{of=\"source\"}") > 1.0
    });
    files.restore();
    eventually("the breaker closes", || {
        files.miss();
        lines("circuit breaker is closed") == 1
    });
    assert_eq!(lines("circuit breaker is open"), 1);
}
