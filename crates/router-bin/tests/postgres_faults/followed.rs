//! A service behind a proxy, and what its client sees of committed changes.

use serde_json::json;

use crate::demo_postgres::{
    PostgresServer, QUESTION, follow, is_live, run, set_amounts, with_demo_data_and,
};
use crate::proxy::Proxy;
use crate::support::{Reply, Server, eventually};

pub(crate) const USER: &str = "BEN-000001";

/// Settings with which changes may be late as long as none is missed: a gap alone is a
/// reason to bypass the cache.
pub(crate) const AT_GAPS: [(&str, &str); 2] = [
    ("ROUTER_CHANGES__MAX_LAG", "1h"),
    ("ROUTER_SERVER__REQUEST_TIMEOUT", "2s"),
];

/// A service that follows a database through a proxy, and the last change.
pub(crate) struct Followed {
    pub(crate) database: PostgresServer,
    pub(crate) proxy: Proxy,
    pub(crate) server: Server,
    /// What the payments of [`USER`] amount to.
    amount: u32,
    /// Where that was committed.
    position: String,
}

impl Followed {
    /// A service with these settings, and an answer of [`USER`] in its cache.
    pub(crate) fn start(of_database: &[&str], of_service: &[(&str, &str)]) -> Option<Self> {
        let database = with_demo_data_and(of_database)?;
        let proxy = Proxy::start(database.port());
        run(&database.url(), &["changes", "setup", "--apply"], &[]).output();
        let soon = [
            ("ROUTER_CHANGES__MAX_LAG", "500ms"),
            ("ROUTER_SOURCE__DEADLINE", "1s"),
        ];
        let server = follow(&proxy.url(), &[&soon, of_service].concat());
        let mut followed = Self {
            database,
            proxy,
            server,
            amount: 0,
            position: String::new(),
        };
        followed.commit();
        followed.is_followed_again();
        Some(followed)
    }

    /// Commits another amount.
    pub(crate) fn commit(&mut self) {
        self.amount = if self.amount == 0 {
            700_001
        } else {
            self.amount + 1
        };
        set_amounts(&self.database, USER, self.amount);
        self.position = self.database.execute("SELECT pg_current_wal_insert_lsn()");
    }

    /// Asks, whatever the status.
    pub(crate) fn ask(&self) -> Reply {
        self.send(&[])
    }

    /// Asks as a client that knows of the last commit. An answer shows it, whatever
    /// fails.
    pub(crate) fn ask_after(&self) -> Reply {
        let reply = self.send(&[("X-Read-After", &self.position)]);
        self.shows_the_commit(&reply);
        reply
    }

    fn send(&self, headers: &[(&str, &str)]) -> Reply {
        let user = json!({ "user_id": USER, "user_role": "beneficiary" });
        let body = json!({ "message": QUESTION, "user_context": user }).to_string();
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.server
            .send("POST", "/v1/route", &headers, body.as_bytes())
    }

    /// Asserts that this is an answer with the last commit, or none.
    #[track_caller]
    pub(crate) fn shows_the_commit(&self, reply: &Reply) {
        let shows = reply.text().contains(&self.amount.to_string());
        assert!(reply.status != 200 || shows, "stale: {}", reply.text());
    }

    pub(crate) fn is_live(&self) -> bool {
        is_live(&self.server)
    }

    pub(crate) fn gaps(&self) -> u64 {
        self.server.stats()["changes"]["gaps"].as_u64().unwrap()
    }

    /// Waits until the cache is not trusted any more.
    pub(crate) fn is_noticed(&self) {
        eventually("the fault is noticed", || {
            self.ask_after();
            !self.is_live()
        });
    }

    /// Waits until the last commit is applied. From then on, all answers show it.
    pub(crate) fn is_followed_again(&self) {
        eventually("the changes are followed", || {
            let reply = self.ask_after();
            reply.status == 200 && reply.is_hit()
        });
        for _ in 0..3 {
            let reply = self.ask();
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.shows_the_commit(&reply);
        }
        eventually("the feed is live", || self.is_live());
    }

    /// What a client gets while a fault of the feed alone lasts: answers of the source.
    pub(crate) fn bypasses(&self) {
        for _ in 0..5 {
            let reply = self.ask();
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.shows_the_commit(&reply);
            let how = reply.cache_status();
            assert!(how.contains("detail=changes-behind"), "{how}");
        }
        assert!(!self.is_live());
    }

    /// What a client gets while the database fails: no answer, not even a stored one.
    pub(crate) fn refuses(&self, expected: &[u16]) {
        for _ in 0..5 {
            let reply = self.ask();
            assert!(expected.contains(&reply.status), "{}", reply.text());
            reply.is_problem(reply.status, "the source of records");
        }
        assert!(!self.is_live());
    }
}
