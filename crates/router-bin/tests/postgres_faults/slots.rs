//! Slots that are lost, and what they leave on the server.

use crate::demo_postgres::PostgresServer;
use crate::followed::{AT_GAPS, Followed};
use crate::proxy::{Fault, Purpose};
use crate::support::eventually;

/// A checkpoint leaves 32 MiB of the server's log, and what a slot needs.
const SMALL_LOG: [&str; 2] = ["min_wal_size=32MB", "max_wal_size=32MB"];
const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";

/// Writes 96 MiB to the server's log.
fn write_much(database: &PostgresServer) {
    database.execute(
        "CREATE TABLE IF NOT EXISTS bulk (what text);
         ALTER TABLE bulk ALTER what SET STORAGE EXTERNAL;",
    );
    for _ in 0..6 {
        database.execute(
            "INSERT INTO bulk SELECT repeat('x', 1024 * 1024) FROM generate_series(1, 16);
             TRUNCATE bulk; CHECKPOINT;",
        );
    }
}

/// Waits until the server has removed the log that nobody needs.
fn log_is_small(database: &PostgresServer) {
    eventually("the log is small", || {
        let small = "CHECKPOINT; SELECT sum(size) <= 32 * 1048576 FROM pg_ls_waldir()";
        database.execute(small) == "t"
    });
}

#[test]
fn a_slot_that_the_server_gives_up_is_a_gap() {
    let limit = ["max_slot_wal_keep_size=16MB"];
    let Some(mut followed) = Followed::start(&[&SMALL_LOG[..], &limit].concat(), &[]) else {
        return;
    };
    // The server cannot send, so the slot keeps the log.
    followed.proxy.set(Purpose::Changes, Fault::Stall);
    followed.commit();
    let database = &followed.database;
    write_much(database);
    log_is_small(database);
    eventually("the slot is lost", || {
        let kept = "SELECT count(*) FROM pg_replication_slots WHERE wal_status <> 'lost'";
        database.execute(kept) == "0"
    });
    followed.is_noticed();
    followed.bypasses();
    followed.proxy.set(Purpose::Changes, Fault::None);
    followed.is_followed_again();
    assert_eq!(followed.gaps(), 1);
}

#[test]
fn a_terminated_sender_is_a_gap() {
    let Some(mut followed) = Followed::start(&[], &AT_GAPS) else {
        return;
    };
    for gaps in 1..4 {
        followed
            .database
            .execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
        followed.commit();
        eventually("the gap is noticed", || {
            followed.ask_after();
            followed.gaps() == gaps
        });
        followed.is_followed_again();
    }
}

#[test]
fn a_killed_service_leaves_no_slot_and_no_log_behind() {
    let Some(followed) = Followed::start(&SMALL_LOG, &[]) else {
        return;
    };
    let Followed {
        database, server, ..
    } = followed;
    assert_eq!(database.execute(SLOTS), "1");
    write_much(&database);
    log_is_small(&database);
    server.signal("KILL");
    server.wait();
    eventually("the slot is gone", || database.execute(SLOTS) == "0");
    write_much(&database);
    log_is_small(&database);
}
