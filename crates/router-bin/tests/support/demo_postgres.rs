//! A PostgreSQL server with demo data, and a service that follows its changes.
//!
//! Test files include this file by `#[path]`, beside the modules `program` and `support`.
#![allow(dead_code, reason = "each test file uses its own part of this")]

#[path = "../../../live-data/tests/support/postgres.rs"]
mod database;

pub(crate) use database::PostgresServer;

use crate::program::{self, router_with};
use crate::support::{Server, eventually};

/// A question that payments answer.
pub(crate) const QUESTION: &str = "show my payment history";
/// The setting to follow changes.
pub(crate) const CHANGES: (&str, &str) = ("ROUTER_CHANGES__ENABLED", "true");

/// A server with the demo data of twenty members.
pub(crate) fn with_demo_data() -> Option<PostgresServer> {
    with_demo_data_and(&[])
}

/// The same, with settings of the server such as `max_wal_size=32MB`.
pub(crate) fn with_demo_data_and(settings: &[&str]) -> Option<PostgresServer> {
    let server = PostgresServer::start_with(&[&["wal_level=logical"], settings].concat())?;
    let url = server.url();
    let written = router_with(&["demo-db", &url, "--users", "20"], &[], b"");
    let told =
        format!("wrote 20 members to {url}; serve from it with ROUTER_SOURCE__URL={url} router\n");
    assert_eq!(written.output(), told);
    let again = router_with(&["demo-db", &url], &[], b"");
    again.fails(69, "already exists");
    Some(server)
}

/// Runs a command on the database.
pub(crate) fn run(url: &str, arguments: &[&str], settings: &[(&str, &str)]) -> program::Run {
    let mut all = vec![("ROUTER_SOURCE__URL", url)];
    all.extend(settings);
    router_with(arguments, &all, b"")
}

/// A service that follows the changes of a database which is set up for it.
pub(crate) fn follow(url: &str, settings: &[(&str, &str)]) -> Server {
    let mut all = vec![
        ("ROUTER_SOURCE__URL", url),
        CHANGES,
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1h"),
        ("ROUTER_SOURCE__BREAKER__OPEN_FOR", "10ms"),
        ("ROUTER_SOURCE__BREAKER__LONGEST_OPEN", "100ms"),
    ];
    all.extend(settings);
    let server = Server::start_with(&all);
    eventually("the feed is live", || is_live(&server));
    server
}

/// Whether changes are applied in time.
pub(crate) fn is_live(server: &Server) -> bool {
    server.stats()["changes"]["live"] == true
}

/// Sets the amounts of all payments of a member, in cents.
pub(crate) fn set_amounts(database: &PostgresServer, user: &str, amount: u32) {
    let sql = format!("UPDATE payments SET amount_cents = {amount} WHERE member_id = '{user}'");
    database.execute(&sql);
}
