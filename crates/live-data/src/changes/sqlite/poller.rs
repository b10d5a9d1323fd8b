//! The thread that looks at a database again and again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::mpsc;
use intent_router::Catalogue;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};
use serde_json::Value;

use super::setup::SetupPlan;
use super::shared::Shared;
use super::triggers::{self, TABLE};
use crate::changes::event::{ChangeEvent, ColumnValue, Columns, Gap, Position, RowChange};
use crate::sqlite::connect::{FileId, Location, Opened};

/// How long a look waits for another process's lock, at most. A writer that holds it
/// has not committed yet.
const PATIENCE: Duration = Duration::from_millis(10);

/// The least time between two attempts to open the database.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(100);

/// The longest image of a row that is read, in bytes. A longer one counts as unknown.
const LONGEST_IMAGE: usize = 16 << 10;

/// Looks at a database, and sends what changed.
pub(super) struct Poller {
    location: Location,
    poll: Duration,
    shared: Arc<Shared>,
    sender: mpsc::Sender<Vec<ChangeEvent>>,
    catalogue: Arc<Catalogue>,
    reading: Option<Reading>,
    /// Whether a gap was reported that no position has ended.
    in_gap: bool,
    attempted: Option<Instant>,
}

/// An open connection, and up to where it was read.
struct Reading {
    connection: Connection,
    file: Option<FileId>,
    /// SQLite's number for the state of the database that was read last.
    version: i64,
    schema: i64,
    /// The last row of the change table that was read; `None` without one.
    last: Option<u64>,
    /// The declared tables that the triggers do not report.
    untracked: Vec<String>,
}

/// Why a look failed.
enum Failed {
    /// Another process holds the lock: the next look finds out more.
    Locked,
    Gap(Gap, String),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            _ => Self::Gap(Gap::Disconnected, error.to_string()),
        }
    }
}

impl Poller {
    pub(super) fn new(
        path: &Path,
        poll: Duration,
        shared: Arc<Shared>,
        sender: mpsc::Sender<Vec<ChangeEvent>>,
    ) -> Self {
        let catalogue = Arc::clone(&shared.catalogue.lock().0);
        Self {
            location: Location::new(path),
            poll,
            shared,
            sender,
            catalogue,
            reading: None,
            in_gap: false,
            attempted: None,
        }
    }

    /// Looks until the feed is dropped.
    pub(super) fn run(mut self) {
        while !self.shared.stops.load(Ordering::Acquire) {
            let events = self.look();
            self.send(events);
            thread::park_timeout(self.poll);
        }
    }

    /// Waits until the reader takes the events: nothing is read before.
    fn send(&mut self, mut events: Vec<ChangeEvent>) {
        while !events.is_empty() && !self.shared.stops.load(Ordering::Acquire) {
            match self.sender.try_send(events) {
                Ok(()) => return,
                Err(error) if error.is_full() => events = error.into_inner(),
                Err(_) => return,
            }
            thread::park_timeout(self.poll);
        }
    }

    /// What happened since the last look, ending in a position.
    fn look(&mut self) -> Vec<ChangeEvent> {
        // Taken first: what is committed later may or may not be seen.
        let as_of = Instant::now();
        let mut events = Vec::new();
        let outcome = self.changes(&mut events);
        match outcome {
            Ok(last) => {
                self.in_gap = false;
                let at = last.map(Position);
                events.push(ChangeEvent::Position { at, as_of });
                events
            }
            // Nothing was read; the next look reports it.
            Err(Failed::Locked) => Vec::new(),
            Err(Failed::Gap(reason, detail)) => {
                self.reading = None;
                if std::mem::replace(&mut self.in_gap, true) {
                    return Vec::new();
                }
                vec![ChangeEvent::Gap { reason, detail }]
            }
        }
    }

    /// Adds the changes since the last look, and returns up to where the change table
    /// was read.
    fn changes(&mut self, events: &mut Vec<ChangeEvent>) -> Result<Option<u64>, Failed> {
        let is_other_catalogue = {
            let mut catalogue = self.shared.catalogue.lock();
            self.catalogue = Arc::clone(&catalogue.0);
            std::mem::replace(&mut catalogue.1, false)
        };
        let there = self.location.file();
        let is_replaced = |reading: &Reading| there.is_some() && there != reading.file;
        if self.reading.as_ref().is_some_and(is_replaced) {
            self.attempted = None;
            let detail = "another file took the place of the database".to_owned();
            return Err(Failed::Gap(Gap::Replaced, detail));
        }
        let Some(reading) = &mut self.reading else {
            let is_soon = |at: Instant| at.elapsed() < BETWEEN_ATTEMPTS;
            if self.attempted.is_some_and(is_soon) {
                return Err(Failed::Locked);
            }
            self.attempted = Some(Instant::now());
            let reading = Reading::begin(&self.location, &self.catalogue)?;
            let last = reading.last;
            self.reading = Some(reading);
            return Ok(last);
        };
        // Before the changes are read: a commit between the two is found again.
        let version = data_version(&reading.connection)?;
        if version != reading.version || is_other_catalogue {
            if let Err(failed) = reading.read(&self.catalogue, is_other_catalogue, events) {
                // Asks for the catalogue again.
                self.shared.catalogue.lock().1 |= is_other_catalogue;
                events.clear();
                return Err(failed);
            }
            reading.version = version;
        }
        Ok(reading.last)
    }
}

impl Reading {
    /// Opens the database. What was committed before is not reported.
    fn begin(location: &Location, catalogue: &Catalogue) -> Result<Self, Failed> {
        let Opened { connection, file } = location.open(PATIENCE)?;
        let version = data_version(&connection)?;
        let snapshot = connection.unchecked_transaction()?;
        let schema = schema_version(&snapshot)?;
        let (last, untracked) = (head(&snapshot)?, untracked(&snapshot, catalogue)?);
        drop(snapshot);
        Ok(Self {
            connection,
            file,
            version,
            schema,
            last,
            untracked,
        })
    }

    /// Reads what one or more transactions changed, all in one state of the database.
    fn read(
        &mut self,
        catalogue: &Catalogue,
        is_other_catalogue: bool,
        events: &mut Vec<ChangeEvent>,
    ) -> Result<(), Failed> {
        let snapshot = self.connection.unchecked_transaction()?;
        let schema = schema_version(&snapshot)?;
        let is_other_schema = schema != self.schema;
        let mut untracked_now = None;
        if is_other_schema || is_other_catalogue {
            untracked_now = Some(untracked(&snapshot, catalogue)?);
        }
        let last = head(&snapshot)?;
        if let Some(after) = self.last {
            rows(&snapshot, after, last, events)?;
        }
        drop(snapshot);
        if is_other_schema {
            // A table may have been dropped and made again, with other rows.
            let all = catalogue.tables().keys();
            events.extend(all.map(|table| ChangeEvent::Table(Some(table.clone()))));
        } else {
            let tables = self.untracked.iter().cloned();
            events.extend(tables.map(|table| ChangeEvent::Table(Some(table))));
        }
        events.push(ChangeEvent::Table(None));
        self.untracked = untracked_now.unwrap_or_else(|| std::mem::take(&mut self.untracked));
        (self.schema, self.last) = (schema, last);
        Ok(())
    }
}

/// Adds the rows of the change table after one number, up to the last.
fn rows(
    connection: &Connection,
    after: u64,
    last: Option<u64>,
    events: &mut Vec<ChangeEvent>,
) -> Result<(), Failed> {
    let lost = |detail: &str| Failed::Gap(Gap::Lost, detail.to_owned());
    let Some(last) = last.filter(|last| *last >= after) else {
        return Err(lost("the change table was removed or begun again"));
    };
    let sql = format!("SELECT seq, tbl, old, new FROM main.{TABLE} WHERE seq > ?1 ORDER BY seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query([i64::try_from(after).unwrap_or(i64::MAX)])?;
    let mut expected = after;
    while let Some(row) = found.next()? {
        expected += 1;
        if row.get::<_, i64>(0)? != i64::try_from(expected).unwrap_or(i64::MAX) {
            return Err(lost("the change table was pruned before it was read"));
        }
        let Ok(table) = row.get::<_, String>(1) else {
            let detail = "a row of the change table names no table".to_owned();
            return Err(Failed::Gap(Gap::Undecodable, detail));
        };
        let (old, new) = (image(row, 2)?, image(row, 3)?);
        events.push(ChangeEvent::Row(RowChange { table, old, new }));
    }
    match expected == last {
        true => Ok(()),
        false => Err(lost(
            "rows of the change table were removed before they were read",
        )),
    }
}

/// A row's columns as the triggers write them; no columns if they cannot be read.
fn image(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Columns>> {
    let bytes = match row.get_ref(index)?.as_bytes_or_null() {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) if bytes.len() <= LONGEST_IMAGE => bytes,
        _ => return Ok(Some(Columns::new())),
    };
    let Ok(Value::Object(members)) = serde_json::from_slice(bytes) else {
        return Ok(Some(Columns::new()));
    };
    let column = |(name, value)| {
        let value = match value {
            Value::String(text) => ColumnValue::Text(text),
            Value::Null => ColumnValue::Null,
            _ => ColumnValue::Unknown,
        };
        (name, value)
    };
    Ok(Some(members.into_iter().map(column).collect()))
}

/// A number that differs from the last one if another connection has committed.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA main.data_version")?;
    statement.query_one([], |row| row.get(0))
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA main.schema_version")?;
    statement.query_one([], |row| row.get(0))
}

/// The number of the last change; `None` without a change table.
fn head(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let [(name, table), _] = triggers::common();
    let sql = "SELECT count(*) FROM main.sqlite_schema WHERE name = ?1 AND sql = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    if !statement.query_one([name, table], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    // This table exists, as the change table is AUTOINCREMENT.
    let sql = "SELECT seq FROM main.sqlite_sequence WHERE name = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let last: Option<i64> = statement.query_one([TABLE], |row| row.get(0)).optional()?;
    Ok(Some(
        last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0),
    ))
}

/// The declared tables whose rows the triggers do not report.
fn untracked(connection: &Connection, catalogue: &Catalogue) -> rusqlite::Result<Vec<String>> {
    let plan = SetupPlan::of(connection, catalogue)?;
    let tracked: BTreeSet<&str> = plan.tracked();
    let declared = catalogue.tables().keys();
    Ok(declared
        .filter(|table| !tracked.contains(table.as_str()))
        .cloned()
        .collect())
}
