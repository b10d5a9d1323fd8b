//! Answers over a database that another process changes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use support::{Reply, Server, eventually};

const QUESTION: &str = "show my payment history";

#[test]
fn a_change_of_another_process_is_seen_at_once_with_and_without_triggers() {
    for with_triggers in [false, true] {
        let folder = format!("changes-{with_triggers}");
        let (server, writer) = followed(&folder, with_triggers, &[]);
        let ask = |user| server.ask(QUESTION, user, "beneficiary");
        let mut other = ask("BEN-000002").text();
        for amount in 1..20 {
            let before = ask("BEN-000001").text();
            assert!(ask("BEN-000001").is_hit());
            let sql = "UPDATE payments SET amount_cents = ?1 WHERE member_id = 'BEN-000001'";
            assert!(writer.execute(sql, [777_000 + amount]).unwrap() > 0);
            eventually("the change is seen", || ask("BEN-000001").text() != before);
            let after = ask("BEN-000001");
            assert!(after.text().contains(&(777_000 + amount).to_string()));
            // Single records leave the answers of others.
            let again = ask("BEN-000002");
            assert_eq!(again.text() == other, with_triggers);
            other = again.text();
        }
        let metrics = server.get("/metrics").text();
        assert!(
            metrics.contains("router_changes_live{} 1")
                || metrics.contains("router_changes_live 1")
        );
        assert!(
            metrics.contains("router_changes_total{table=\"payments\"}"),
            "{metrics}"
        );
        assert!(metrics.contains("router_invalidation_lag_seconds_bucket"));
    }
}

/// The demo data in a file, and a service that follows its changes.
fn followed(folder: &str, with_triggers: bool, settings: &[(&str, &str)]) -> (Server, Connection) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("crm.db");
    let name = path.to_str().unwrap();
    program::router(&["demo-db", name, "--users", "20"], "").output();
    let url = format!("sqlite://{name}");
    let source = ("ROUTER_SOURCE__URL", url.as_str());
    if with_triggers {
        let setup = |how| program::router_with(&["changes", "setup", how], &[source], b"");
        assert!(setup("--print").output().contains("CREATE TRIGGER"));
        assert!(setup("--apply").output().contains("applied"));
        assert!(setup("--apply").output().contains("nothing to do"));
    }
    let mut all = vec![
        source,
        ("ROUTER_CHANGES__ENABLED", "true"),
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1h"),
    ];
    all.extend(settings);
    let server = Server::start_with(&all);
    eventually("the feed is live", || {
        server.stats()["changes"]["live"] == true
    });
    (server, Connection::open(&path).unwrap())
}

/// Asks with a header `X-Read-After` for each position.
fn read_after(server: &Server, positions: &[&str]) -> Reply {
    let body = r#"{"message": "show my payment history",
        "user_context": {"user_id": "BEN-000001", "user_role": "beneficiary"}}"#;
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(positions.iter().map(|position| ("X-Read-After", *position)));
    server.send("POST", "/v1/route", &headers, body.as_bytes())
}

#[test]
fn a_client_that_has_written_reads_its_write() {
    let (server, mut writer) = followed("read-after", true, &[("ROUTER_CHANGES__POLL", "60ms")]);
    let mut hits = 0;
    for amount in 600_001..600_041 {
        server.ask(QUESTION, "BEN-000001", "beneficiary");
        let transaction = writer.transaction().unwrap();
        let sql = "UPDATE payments SET amount_cents = ?1 WHERE member_id = 'BEN-000001'";
        transaction.execute(sql, [amount]).unwrap();
        let seq: i64 = transaction
            .query_row("SELECT max(seq) FROM router_changes", [], |row| row.get(0))
            .unwrap();
        transaction.commit().unwrap();
        let first = read_after(&server, &[&seq.to_string()]);
        assert_eq!(first.status, 200, "{}", first.text());
        assert!(
            first.text().contains(&amount.to_string()),
            "{}",
            first.text()
        );
        let second = read_after(&server, &[&seq.to_string()]);
        assert!(second.text().contains(&amount.to_string()));
        hits += usize::from(second.is_hit());
    }
    assert_eq!(hits, 40, "the cache serves what it has applied");
    // A position that is not reached.
    let never = read_after(&server, &["999999999"]);
    assert!(
        never.cache_status().contains("detail=read-after"),
        "{}",
        never.cache_status()
    );
    for malformed in ["", "16/B374D848", "-1", "7, 8"] {
        read_after(&server, &[malformed]).is_problem(400, "not a position");
    }
    read_after(&server, &["1", "1"]).is_problem(400, "more than once");
}

#[test]
fn without_positions_a_client_that_has_written_reads_the_database() {
    let bypasses = |server: &Server| {
        server.ask(QUESTION, "BEN-000001", "beneficiary");
        assert!(server.ask(QUESTION, "BEN-000001", "beneficiary").is_hit());
        let reply = read_after(server, &["1"]);
        assert!(
            reply.cache_status().contains("detail=read-after"),
            "{}",
            reply.cache_status()
        );
    };
    bypasses(&followed("read-after-coarse", false, &[]).0);
    // Nothing is followed.
    bypasses(&Server::start(&[]));
}

#[test]
fn the_bench_commits_changes_and_finds_no_stale_answer() {
    let bench = ["bench", "--changes", "--trials", "24", "--json"];
    let ran = program::router(&bench, "");
    let summary: serde_json::Value = serde_json::from_str(ran.output()).unwrap();
    for way in summary["ways"].as_array().unwrap() {
        assert_eq!(
            (&way["trials"], &way["stale"]),
            (&24.into(), &0.into()),
            "{way}"
        );
        assert!(way["hits"].as_u64().unwrap() > 0, "{way}");
        assert!(way["visible_ms"]["p50"].as_f64().unwrap() > 0.0, "{way}");
    }
    let refused = program::router(&["bench", "--changes", "--users", "5"], "");
    refused.fails(64, "cannot be used with");
}

#[test]
fn an_invalidation_is_answered_once_it_holds() {
    let server = Server::start(&[]);
    let by_user = serde_json::json!({ "user_id": "BEN-000001" });
    for _ in 0..200 {
        server.ask(QUESTION, "BEN-000001", "beneficiary");
        assert!(server.ask(QUESTION, "BEN-000001", "beneficiary").is_hit());
        assert_eq!(server.invalidate(&by_user), 1);
        assert!(!server.ask(QUESTION, "BEN-000001", "beneficiary").is_hit());
    }
}

#[test]
fn demo_data_has_no_changes_to_follow() {
    let on = [("ROUTER_CHANGES__ENABLED", "true")];
    let checked = program::router_with(&["config", "check"], &on, b"");
    checked.fails(78, "embedded demo data does not change");
}
