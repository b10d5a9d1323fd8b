//! Answers over a database that another process changes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use support::{Server, eventually};

const QUESTION: &str = "show my payment history";

#[test]
fn a_change_of_another_process_is_seen_at_once_with_and_without_triggers() {
    for with_triggers in [false, true] {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("changes-{with_triggers}"));
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
        let on = ("ROUTER_CHANGES__ENABLED", "true");
        let hour = ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1h");
        let server = Server::start_with(&[source, on, hour]);
        let ask = |user| server.ask(QUESTION, user, "beneficiary");
        eventually("the feed is live", || {
            server.stats()["changes"]["live"] == true
        });
        let mut other = ask("BEN-000002").text();
        let writer = Connection::open(&path).unwrap();
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

#[test]
fn demo_data_has_no_changes_to_follow() {
    let on = [("ROUTER_CHANGES__ENABLED", "true")];
    let checked = program::router_with(&["config", "check"], &on, b"");
    checked.fails(78, "embedded demo data does not change");
}
