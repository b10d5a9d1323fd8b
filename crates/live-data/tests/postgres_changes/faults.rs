//! Servers and connections that fail.

use std::sync::Arc;
use std::thread;

use intent_router::Catalogue;
use live_data::{ChangeEvent, ChangeFeed, Gap};

use crate::following::{Following, columns, published, row, setup};

/// Ends the connection that reads changes, from the server's side.
const TERMINATE: &str = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots";
const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";

/// Whether a statement says so, after some tries: a server ends connections when it gets to it.
fn becomes(following: &Following<'_>, sql: &str, expected: &str) -> bool {
    (0..200).any(|_| following.server.execute(sql) == expected)
}

/// What is reported while the server answers some questions, each of which takes a new
/// process: many heartbeats, and an attempt to connect again.
fn ready(following: &mut Following<'_>) -> Vec<ChangeEvent> {
    let mut events = Vec::new();
    for _ in 0..60 {
        following.server.execute("SELECT 1");
        events.extend(std::iter::from_fn(|| following.ready()));
    }
    events
}

#[test]
fn a_lost_connection_is_a_gap() {
    let Some(mut server) = published() else {
        return;
    };
    let mut following = Following::begin(&server);
    assert_eq!(server.execute(SLOTS), "1");
    server.execute(TERMINATE);
    assert_eq!(following.gap(), Gap::Disconnected);
    server.execute("INSERT INTO payments VALUES (1, 'A', 1)");
    let of_a = row("payments", None, columns(&[("member_id", "A")]));
    assert_eq!(following.changes(), [of_a]);
    assert!(becomes(&following, SLOTS, "1"));
    let Following { mut feed, .. } = following;
    for how in ["stopped", "killed"] {
        match how {
            "stopped" => server.stop(),
            _ => server.kill(),
        }
        let mut following = Following {
            server: &server,
            feed,
        };
        assert_eq!(following.gap_begins(), Gap::Disconnected, "{how}");
        feed = following.feed;
        server.restart();
        let mut following = Following {
            server: &server,
            feed,
        };
        following.gap_ends();
        server.execute("DELETE FROM payments");
        following.changes();
        feed = following.feed;
        server.execute("INSERT INTO payments VALUES (1, 'A', 1)");
    }
    drop(feed);
    let (slots, tries) = (|| server.execute(SLOTS), 200);
    assert!((0..tries).any(|_| slots() == "0"), "a slot remains");
}

#[test]
fn a_frozen_server_is_a_gap() {
    let Some(server) = published() else { return };
    let mut following = Following::begin(&server);
    server.freeze();
    assert_eq!(following.gap_begins(), Gap::Disconnected);
    server.thaw();
    following.gap_ends();
}

#[test]
fn tables_that_are_no_longer_published_keep_the_gap_open() {
    let Some(server) = published() else { return };
    let mut following = Following::begin(&server);
    server.execute("ALTER PUBLICATION router_changes DROP TABLE payments");
    assert_eq!(following.gap_begins(), Gap::Lost);
    server.execute("INSERT INTO payments VALUES (1, 'A', 1)");
    assert_eq!(ready(&mut following), []);
    setup(&server).apply().unwrap();
    following.gap_ends();
    server.execute("DROP PUBLICATION router_changes; DELETE FROM payments");
    assert_eq!(following.gap_begins(), Gap::Lost);
    setup(&server).apply().unwrap();
    following.gap_ends();
    server
        .execute("DROP TABLE payments; CREATE TABLE payments (id int PRIMARY KEY, member_id text)");
    assert_eq!(following.gap_begins(), Gap::Lost);
    setup(&server).apply().unwrap();
    following.gap_ends();
}

#[test]
fn another_catalogue_is_a_gap() {
    let Some(server) = published() else { return };
    let mut following = Following::begin(&server);
    let catalogue = Arc::new(Catalogue::built_in().clone());
    following.feed.set_catalogue(catalogue);
    assert_eq!(following.gap(), Gap::Catalogue);
}

#[test]
fn a_commit_is_reported_once_queries_see_it() {
    let Some(server) = published() else { return };
    let mut following = Following::begin(&server);
    let (at, is_early) = thread::scope(|scope| {
        // The server sends the commit, and shows it when a standby that is not there has it.
        server.execute(
            "ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()",
        );
        let is_on = "SHOW synchronous_standby_names";
        assert!(becomes(&following, is_on, "nobody"));
        scope.spawn(|| server.execute("INSERT INTO payments VALUES (1, 'A', 1)"));
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        assert!(becomes(&following, waits, "1"));
        let sent =
            "SELECT count(*) FROM pg_stat_replication WHERE sent_lsn >= pg_current_wal_lsn()";
        assert!(becomes(&following, sent, "1"));
        let at = server.execute("SELECT pg_current_wal_insert_lsn()");
        let end = following.feed.positions().unwrap()(&at).unwrap();
        let is_early = |event: &ChangeEvent| matches!(event, ChangeEvent::Position { at: Some(at), .. } if *at >= end);
        let is_early = ready(&mut following).iter().any(is_early);
        server.execute("ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()");
        (end, is_early)
    });
    assert!(!is_early, "reported before it is seen");
    let of_a = row("payments", None, columns(&[("member_id", "A")]));
    assert_eq!(following.changes_until(at), [of_a]);
}
