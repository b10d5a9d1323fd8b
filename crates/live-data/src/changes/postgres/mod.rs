//! The changes that are committed to a PostgreSQL database.

mod clock;
mod lsn;
mod options;
mod pgoutput;
mod published;
mod rows;
mod setup;
mod snapshot;
mod stream;
mod wire;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use intent_router::{BoxFuture, Catalogue, Coverage};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

pub use self::options::PostgresChangesOptions;
use self::published::Published;
pub use self::setup::PostgresSetup;
use self::stream::Follow;
use self::wire::Connection;
use super::event::ChangeEvent;
use super::feed::{ChangeFeed, PositionParser};
use crate::error::OpenError;
use crate::postgres::{CONNECT_TIME, PostgresAddress, runtime, wait_for};

/// A feed of the changes of a PostgreSQL database, by logical decoding.
///
/// It covers the declared tables that the publication `router_changes` holds, as a
/// [`PostgresSetup`] makes it. It reads through a temporary replication slot, which the
/// server removes when the connection ends: a feed that is gone keeps no log files. After
/// a lost connection it begins with a new slot, and reports a gap.
///
/// A change is reported once new queries see it: with synchronous replication that may be
/// later than the server sends it.
///
/// It has a thread of its own, two connections to the server, and holds at most some
/// thousand changes. The thread ends with the feed.
///
/// A [position](super::Position) is a place in the write-ahead log, such as `16/B374D848`: a
/// writer finds that of its change by `SELECT pg_current_wal_insert_lsn()` after the
/// commit.
#[derive(Debug)]
pub struct PostgresChanges {
    coverage: Coverage,
    uncovered: Vec<String>,
    lacks: Vec<String>,
    catalogue: Arc<Mutex<Arc<Catalogue>>>,
    received: mpsc::Receiver<Vec<ChangeEvent>>,
    /// Events that were received and not returned yet.
    due: VecDeque<ChangeEvent>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a server must offer.
struct Begun {
    covered: BTreeSet<String>,
    uncovered: Vec<String>,
    lacks: Vec<String>,
}

impl PostgresChanges {
    /// Watches a database. Waits for the first answers of the server.
    ///
    /// # Errors
    /// [`OpenError::Database`] if the server cannot be reached or its changes cannot be
    /// read; the reason names the remedy. [`OpenError::Threads`] if the thread cannot be
    /// started.
    pub fn open(
        address: &PostgresAddress,
        catalogue: Arc<Catalogue>,
        options: &PostgresChangesOptions,
    ) -> Result<Self, OpenError> {
        let address = address.clone();
        let heartbeat = options.heartbeat.max(Duration::from_millis(1));
        let begun = wait_for(async || begin(&address, &catalogue).await)?;
        let Begun {
            covered,
            uncovered,
            lacks,
        } = begun.map_err(|reason| OpenError::Database {
            name: address.to_string(),
            reason,
        })?;
        let catalogue = Arc::new(Mutex::new(catalogue));
        // One list waits for the reader while the thread makes the next.
        let (sender, received) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&catalogue);
        let follow = Follow::new(address, heartbeat, covered.clone(), shared, sender);
        let runtime = runtime()?;
        let thread = thread::Builder::new()
            .name("live-data-changes".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = follow.run() => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(|error| OpenError::Threads(error.to_string()))?;
        Ok(Self {
            coverage: Coverage::Tables(covered),
            uncovered,
            lacks,
            catalogue,
            received,
            due: VecDeque::new(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Declared tables whose changes are not reported. Answers made of them are cached by
    /// their TTL alone.
    pub fn uncovered(&self) -> &[String] {
        &self.uncovered
    }

    /// Tables whose changes reach the answers of all members, each with the statement
    /// that mends it.
    pub fn lacks(&self) -> &[String] {
        &self.lacks
    }
}

/// Checks what the server offers. The error says what is missing, and the remedy.
async fn begin(address: &PostgresAddress, catalogue: &Catalogue) -> Result<Begun, String> {
    let asked = async {
        let mut sql = Connection::open(address, false).await?;
        let settings = sql
            .query(
                "SELECT current_setting('wal_level'), pg_is_in_recovery(), current_user, \
                 (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles \
                 WHERE rolname = current_user)",
            )
            .await?;
        let published = Published::read(&mut sql, catalogue).await?;
        Ok((settings, published))
    };
    let (settings, published) = wire::within(CONNECT_TIME * 2, asked)
        .await
        .map_err(|error| error.to_string())?;
    let row = settings.first().map_or(&[][..], Vec::as_slice);
    let is = |column: usize, value| row.get(column).and_then(Option::as_deref) == Some(value);
    if is(1, "t") {
        return Err(
            "it is a standby, which cannot report its changes; follow its primary".to_owned(),
        );
    }
    if !is(0, "logical") {
        return Err(
            "its changes cannot be read: set `wal_level = logical` in postgresql.conf and restart \
             the server"
                .to_owned(),
        );
    }
    if !is(3, "t") {
        let user = row.get(2).and_then(Option::as_deref).unwrap_or("the user");
        return Err(format!(
            "its changes cannot be read: run `ALTER ROLE \"{user}\" REPLICATION` as an \
             administrator"
        ));
    }
    if !published.exists {
        return Err(
            "it has no publication `router_changes`: run `router changes setup --apply`, or in \
             Rust `PostgresSetup::apply`"
                .to_owned(),
        );
    }
    let covered = published.covered();
    let all = catalogue.tables().keys();
    Ok(Begun {
        uncovered: all
            .filter(|name| !covered.contains(*name))
            .cloned()
            .collect(),
        lacks: published.lacks(catalogue),
        covered,
    })
}

impl ChangeFeed for PostgresChanges {
    fn coverage(&self) -> Coverage {
        self.coverage.clone()
    }

    fn positions(&self) -> Option<PositionParser> {
        Some(lsn::position)
    }

    fn next(&mut self) -> BoxFuture<'_, ChangeEvent> {
        Box::pin(async move {
            loop {
                if let Some(event) = self.due.pop_front() {
                    return event;
                }
                match self.received.recv().await {
                    Some(events) => self.due.extend(events),
                    // The thread ends before the feed only by a panic.
                    None => std::future::pending().await,
                }
            }
        })
    }

    fn set_catalogue(&mut self, catalogue: Arc<Catalogue>) {
        *self.catalogue.lock() = catalogue;
    }
}

impl Drop for PostgresChanges {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, there is nothing left to stop.
            let _ = thread.join();
        }
    }
}
