//! The changes that other processes make to a SQLite database.

mod poller;
mod setup;
mod shared;
mod triggers;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::mpsc;
use futures_util::StreamExt;
use intent_router::{BoxFuture, Catalogue, Coverage};
use parking_lot::Mutex;

use self::poller::Poller;
pub use self::setup::SqliteSetup;
use self::shared::Shared;
pub(crate) use self::triggers::TABLE as CHANGE_TABLE;
use super::event::{ChangeEvent, Position};
use super::feed::{ChangeFeed, PositionParser};
use crate::error::OpenError;

/// How a SQLite database is watched.
#[derive(Clone, Debug)]
pub struct SqliteChangesOptions {
    /// The time between two looks at the database.
    pub poll: Duration,
}

impl Default for SqliteChangesOptions {
    /// A look every 25 ms.
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(25),
        }
    }
}

/// A feed of the changes of a SQLite database, made by any process.
///
/// It covers all tables. Tables with the triggers of a [`SqliteSetup`] are reported row by
/// row; each commit counts as a change of every other table. A thread looks at the
/// database every [`poll`](SqliteChangesOptions::poll), on a read-only connection of
/// its own; it ends with the feed.
///
/// A [position](Position) is a number of the change table: a writer finds that of its
/// change by `SELECT max(seq) FROM router_changes`, in the same transaction.
#[derive(Debug)]
pub struct SqliteChanges {
    shared: Arc<Shared>,
    received: mpsc::Receiver<Vec<ChangeEvent>>,
    /// Events that were received and not returned yet.
    due: VecDeque<ChangeEvent>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteChanges {
    /// Watches the database at `path`. If it cannot be read, the feed reports a gap
    /// and tries again.
    ///
    /// # Errors
    /// [`OpenError::Threads`] if the thread cannot be started,
    /// [`OpenError::Database`] if the path has no absolute form.
    pub fn open(
        path: impl AsRef<Path>,
        catalogue: Arc<Catalogue>,
        options: &SqliteChangesOptions,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let absolute = std::path::absolute(path).map_err(|error| OpenError::Database {
            name: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let shared = Arc::new(Shared {
            stops: AtomicBool::new(false),
            catalogue: Mutex::new((catalogue, true)),
        });
        // One list waits for the reader while the thread makes the next.
        let (sender, received) = mpsc::channel(0);
        let poller = Poller::new(&absolute, options.poll, Arc::clone(&shared), sender);
        let thread = thread::Builder::new()
            .name("live-data-changes".to_owned())
            .spawn(move || poller.run())
            .map_err(|error| OpenError::Threads(error.to_string()))?;
        Ok(Self {
            shared,
            received,
            due: VecDeque::new(),
            thread: Some(thread),
        })
    }
}

impl ChangeFeed for SqliteChanges {
    fn coverage(&self) -> Coverage {
        Coverage::Everything
    }

    fn positions(&self) -> Option<PositionParser> {
        Some(parse)
    }

    fn next(&mut self) -> BoxFuture<'_, ChangeEvent> {
        Box::pin(async move {
            loop {
                if let Some(event) = self.due.pop_front() {
                    return event;
                }
                match self.received.next().await {
                    Some(events) => self.due.extend(events),
                    // The thread ends before the feed only by a panic.
                    None => std::future::pending().await,
                }
            }
        })
    }

    fn set_catalogue(&mut self, catalogue: Arc<Catalogue>) {
        *self.shared.catalogue.lock() = (catalogue, true);
    }
}

/// Decimal digits only.
fn parse(text: &str) -> Option<Position> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number)?;
    Some(Position(number))
}

impl Drop for SqliteChanges {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::Release);
        self.received.close();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does not panic; if it did, there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_decimal_numbers() {
        assert_eq!(parse("0"), Some(Position(0)));
        assert_eq!(parse("18446744073709551615"), Some(Position(u64::MAX)));
        for bad in [
            "",
            "+1",
            "-1",
            "1 ",
            "0/16B3748",
            "18446744073709551616",
            "x",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
