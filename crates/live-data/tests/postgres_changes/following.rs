//! A feed of a server, and what it reported.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use intent_router::{Catalogue, Coverage};
use live_data::{
    ChangeEvent, ChangeFeed, ColumnValue, Columns, Gap, Position, PostgresAddress, PostgresChanges,
    PostgresChangesOptions, PostgresSetup, RowChange,
};

use crate::server::PostgresServer;

/// Tables that the built-in catalogue declares, and one that it does not.
const SCHEMA: &str = "
    CREATE TABLE claims (claim_number text PRIMARY KEY, member_id text, employer_id text, notes text);
    CREATE TABLE payments (id bigint PRIMARY KEY, member_id text NOT NULL, amount int);
    CREATE TABLE claim_events (claim_number text, what text);
    CREATE TABLE adjusters (adjuster_id text PRIMARY KEY, name text);
    CREATE TABLE undeclared (id int PRIMARY KEY);";

/// A server whose log can be decoded, with the tables.
pub(crate) fn server() -> Option<PostgresServer> {
    let server = PostgresServer::start_with(&["wal_level=logical"])?;
    server.execute(SCHEMA);
    Some(server)
}

/// Such a server, whose tables are published.
pub(crate) fn published() -> Option<PostgresServer> {
    let server = server()?;
    setup(&server).apply().unwrap();
    Some(server)
}

pub(crate) fn setup(server: &PostgresServer) -> PostgresSetup {
    PostgresSetup::of(&address(&server.url()), Catalogue::built_in()).unwrap()
}

pub(crate) fn address(url: &str) -> PostgresAddress {
    PostgresAddress::new(url, None, None).unwrap()
}

pub(crate) fn options() -> PostgresChangesOptions {
    let mut options = PostgresChangesOptions::default();
    options.heartbeat = Duration::from_millis(20);
    options
}

/// A feed that is read.
pub(crate) struct Following<'s> {
    pub(crate) server: &'s PostgresServer,
    pub(crate) feed: PostgresChanges,
}

impl<'s> Following<'s> {
    /// Follows a server from now on.
    pub(crate) fn begin(server: &'s PostgresServer) -> Self {
        let catalogue = Arc::new(Catalogue::built_in().clone());
        let feed = PostgresChanges::open(&address(&server.url()), catalogue, &options()).unwrap();
        let mut following = Self { server, feed };
        let first = following.next();
        assert!(matches!(first, ChangeEvent::Position { .. }), "{first:?}");
        following
    }

    pub(crate) fn covers(&self) -> Vec<String> {
        match self.feed.coverage() {
            Coverage::Tables(tables) => tables.into_iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn next(&mut self) -> ChangeEvent {
        pollster::block_on(self.feed.next())
    }

    /// The next event, if it is there.
    pub(crate) fn ready(&mut self) -> Option<ChangeEvent> {
        let mut context = Context::from_waker(Waker::noop());
        match self.feed.next().as_mut().poll(&mut context) {
            Poll::Ready(event) => Some(event),
            Poll::Pending => None,
        }
    }

    /// What was committed before this call.
    pub(crate) fn changes(&mut self) -> Vec<ChangeEvent> {
        let at = self.server.execute("SELECT pg_current_wal_insert_lsn()");
        let parse = self.feed.positions().unwrap();
        self.changes_until(parse(&at).unwrap())
    }

    pub(crate) fn changes_until(&mut self, end: Position) -> Vec<ChangeEvent> {
        let mut changes = Vec::new();
        loop {
            match self.next() {
                ChangeEvent::Position {
                    at: Some(at),
                    as_of,
                } => {
                    assert!(as_of <= Instant::now());
                    if at >= end {
                        return changes;
                    }
                }
                gap @ ChangeEvent::Gap { .. } => panic!("{gap:?}"),
                change => changes.push(change),
            }
        }
    }

    /// Reads up to the next gap, and then to the position that ends it.
    pub(crate) fn gap(&mut self) -> Gap {
        let reason = self.gap_begins();
        self.gap_ends();
        reason
    }

    pub(crate) fn gap_begins(&mut self) -> Gap {
        loop {
            if let ChangeEvent::Gap { reason, .. } = self.next() {
                return reason;
            }
        }
    }

    pub(crate) fn gap_ends(&mut self) {
        let next = self.next();
        assert!(matches!(next, ChangeEvent::Position { .. }), "{next:?}");
    }
}

/// A row's owners; `?` is an unknown one, and `-` none.
pub(crate) fn columns(values: &[(&str, &str)]) -> Option<Columns> {
    let value = |text: &str| match text {
        "?" => ColumnValue::Unknown,
        "-" => ColumnValue::Null,
        text => ColumnValue::Text(text.to_owned()),
    };
    let values = values.iter();
    Some(
        values
            .map(|(name, text)| ((*name).to_owned(), value(text)))
            .collect(),
    )
}

pub(crate) fn row(table: &str, old: Option<Columns>, new: Option<Columns>) -> ChangeEvent {
    let table = table.to_owned();
    ChangeEvent::Row(RowChange { table, old, new })
}

pub(crate) fn table(name: &str) -> ChangeEvent {
    ChangeEvent::Table(Some(name.to_owned()))
}
