//! Windows of freshness as a client sees them. Nothing waits here: the TTL is
//! the shortest there is, and questions are repeated until it has passed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::path::PathBuf;

use serde_json::json;
use support::{Reply, Server};

const QUESTION: &str = "what is my claim status?";

/// Many times what it takes for a millisecond to pass, and for a refresh to end.
const TRIES: usize = 20_000;

fn ask(server: &Server) -> Reply {
    server.ask(QUESTION, "BEN-000001", "beneficiary")
}

fn ask_with(server: &Server, directive: &str) -> Reply {
    let body = json!({
        "message": QUESTION,
        "user_context": { "user_id": "BEN-000001", "user_role": "beneficiary" },
    })
    .to_string();
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", directive),
    ];
    server.send("POST", "/v1/route", &headers, body.as_bytes())
}

fn is_stale(reply: &Reply) -> bool {
    reply.cache_status().contains("; ttl=-")
}

/// The first of many replies that is as wanted.
fn until(mut reply: impl FnMut() -> Reply, wanted: impl Fn(&Reply) -> bool) -> Reply {
    let mut replies = (0..TRIES).map(|_| reply());
    let found = replies.find(|reply| wanted(reply));
    found.expect("what is waited for comes in time")
}

#[test]
fn a_stale_answer_is_served_at_once_and_refreshed_in_the_background() {
    let server = Server::start(&[
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1ms"),
        (
            "ROUTER_CACHE__CLASSES__LIVE_DATA__STALE_WHILE_REVALIDATE",
            "1h",
        ),
    ]);
    let first = ask(&server);
    let whole = server.stats()["database_queries"]["made"].as_u64().unwrap();
    let stale = until(|| ask(&server), is_stale);
    assert!(
        stale.cache_status().starts_with("router; hit; ttl=-"),
        "{}",
        stale.cache_status()
    );
    assert!(stale.header("age").is_some());
    assert_eq!(stale.header("cache-control"), Some("private"));
    assert!(stale.header("etag").is_some());
    let newer = until(|| ask(&server), |reply| reply.text() != first.text());
    assert!(newer.is_hit(), "{}", newer.cache_status());
    let stats = server.stats();
    let refreshed = stats["refreshes"]["stored"].as_u64().unwrap();
    assert!(refreshed > 0);
    // All used the profile that the first one had looked up.
    let made = whole + refreshed * (whole - 1);
    assert_eq!(stats["database_queries"]["made"], made);
    let whoever_names_an_age = ask_with(&server, "max-age=3600");
    assert!(!is_stale(&whoever_names_an_age));

    assert!(stats["stale"].as_u64() > Some(0));
    assert!(stats["classes"]["live_data"]["stale"].as_u64() > Some(0));
    let metrics = server.get("/metrics").text();
    for family in [
        "router_cache_stale_total{class=\"live_data\"} ",
        "router_refreshes_total{result=\"stored\"} ",
    ] {
        let value = metrics.lines().find_map(|line| line.strip_prefix(family));
        assert!(
            value.is_some_and(|value| value != "0.0"),
            "{family} in\n{metrics}"
        );
    }

    // Switched off, nothing is stored, stale or fresh.
    server.json("PUT", "/v1/caching", r#"{"enabled": false}"#);
    let off = ask(&server);
    assert_eq!(off.cache_status(), "router; fwd=bypass; detail=caching-off");
}

/// A database of the test's own, as a URL and a path.
fn database(test: &str) -> (String, PathBuf) {
    let path = program::file(test, "crm.db", "");
    std::fs::remove_file(&path).unwrap();
    let run = program::router(&["demo-db", path.to_str().unwrap(), "--users", "20"], "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    (format!("sqlite://{}", path.display()), path)
}

#[test]
fn a_stale_answer_stands_in_for_a_failing_source_and_says_so() {
    let (url, path) = database("stands-in");
    let server = Server::start_with(&[
        ("ROUTER_SOURCE__URL", &url),
        // The breaker stays out of this.
        ("ROUTER_SOURCE__BREAKER__FAILURES", "1000"),
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1ms"),
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__STALE_IF_ERROR", "1h"),
    ]);
    let fresh = ask(&server);
    let database = std::fs::read(&path).unwrap();
    std::fs::write(&path, "no database any more").unwrap();
    let stale = until(|| ask(&server), is_stale);
    assert!(
        stale.cache_status().starts_with("router; fwd=stale; ttl=-")
            && stale
                .cache_status()
                .contains("; detail=stale-if-error; key=\""),
        "{}",
        stale.cache_status()
    );
    assert_eq!(stale.text(), fresh.text());
    assert_eq!(stale.header("etag"), fresh.header("etag"));
    assert!(stale.header("age").is_some());
    assert_eq!(stale.header("cache-control"), Some("private"));
    let saved = || server.stats()["database_queries"]["saved"].clone();
    let before = saved();
    assert!(is_stale(&ask(&server)));
    assert_eq!(saved(), before, "the source was asked");
    for directive in [
        "max-age=3600",
        "max-age=99999999999999999999",
        "no-cache",
        "no-store",
    ] {
        let reply = ask_with(&server, directive);
        assert!(
            (502..=504).contains(&reply.status),
            "{directive}: {}",
            reply.status
        );
    }
    let stats = server.stats();
    assert!(stats["failed_fills"].as_u64() > Some(0));
    assert_eq!(stats["requests"]["failed"], 4);
    let metrics = server.get("/metrics").text();
    assert!(!metrics.contains("router_cache_failed_fills_total{} 0.0"));
    assert!(metrics.contains("router_cache_failed_fills_total{} "));

    // An invalidated entry does not replace a failed fill.
    assert_eq!(server.invalidate(&json!({ "user_id": "BEN-000001" })), 1);
    let reply = server.post(
        "/v1/route",
        &json!({
            "message": QUESTION,
            "user_context": { "user_id": "BEN-000001", "user_role": "beneficiary" },
        }),
    );
    assert!((502..=504).contains(&reply.status));
    std::fs::write(&path, database).unwrap();
    assert!(
        ask(&server)
            .cache_status()
            .starts_with("router; fwd=miss; stored")
    );
}

#[test]
fn that_there_is_no_such_member_is_kept_where_the_class_says_so() {
    let server = Server::start(&[("ROUTER_CACHE__CLASSES__LIVE_DATA__NEGATIVE_TTL", "1h")]);
    let ask = || server.ask(QUESTION, "BEN-999999", "beneficiary");
    let first = ask();
    assert_eq!(first.value()["data"]["reason"], "no_such_member");
    assert!(first.cache_status().starts_with("router; fwd=miss; stored"));
    let second = ask();
    assert!(second.is_hit());
    assert_eq!(second.text(), first.text());
    let stats = server.stats();
    assert_eq!(
        (&stats["negative"], &stats["cache_size"]),
        (&json!(1), &json!(1))
    );
    let line = "router_cache_negative_total{class=\"live_data\"} 1.0";
    assert!(server.get("/metrics").text().contains(line));
    assert_eq!(server.invalidate(&json!({ "user_id": "BEN-999999" })), 1);
    assert!(!ask().is_hit());
}
