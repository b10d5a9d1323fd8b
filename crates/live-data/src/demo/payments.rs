//! Changes of demo data, as another program makes them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::DemoError;
use crate::changes::{CHANGE_TABLE, Position};

/// How long a write waits for another writer.
const BUSY: Duration = Duration::from_secs(10);

/// Writes payments of a demo database, as a program other than the router does: for
/// measurements and tests of what follows a change.
///
/// ```
/// use live_data::{DemoOptions, DemoPayments, write_demo};
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("crm.db");
/// write_demo(&path, &DemoOptions { members: 2, ..DemoOptions::default() })?;
/// let mut payments = DemoPayments::open(&path)?;
/// assert_eq!(payments.set_amounts("BEN-000001", 12_345)?, None); // no change table
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DemoPayments {
    path: PathBuf,
    connection: Connection,
}

impl DemoPayments {
    /// Opens a demo database for writing.
    ///
    /// # Errors
    /// [`DemoError::Write`] if it cannot be opened or holds other data.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DemoError> {
        let path = path.as_ref().to_owned();
        let open = || {
            let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(BUSY)?;
            connection.query_row("SELECT count(*) FROM demo_origin", [], |_| Ok(()))?;
            Ok(connection)
        };
        let opened = open().map_err(|error: rusqlite::Error| {
            let reason = format!("it is not demo data: {error}");
            DemoError::write(path.display(), reason)
        });
        Ok(Self {
            connection: opened?,
            path,
        })
    }

    /// The first members that have payments, at most `most`, in order. Blocks.
    ///
    /// # Errors
    /// [`DemoError::Write`] if the database cannot be read.
    pub fn members(&self, most: u32) -> Result<Vec<String>, DemoError> {
        let sql = "SELECT DISTINCT member_id FROM payments ORDER BY member_id LIMIT ?1";
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let found = statement.query_map([most], |row| row.get(0))?;
            found.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| DemoError::write(self.path.display(), error))
    }

    /// Sets the amounts of all payments of a member, in one transaction. Returns the
    /// position of the change if the database has a change table. Blocks.
    ///
    /// # Errors
    /// [`DemoError::Write`] if it cannot be written, or if the member has no payments.
    pub fn set_amounts(
        &mut self,
        member: &str,
        amount_cents: i64,
    ) -> Result<Option<Position>, DemoError> {
        let name = self.path.display().to_string();
        let failed = |reason: &dyn ToString| DemoError::write(&name, reason.to_string());
        let written = write(&mut self.connection, member, amount_cents);
        match written.map_err(|error| failed(&error))? {
            (0, _) => Err(failed(&format_args!("{member} has no payments"))),
            (_, position) => Ok(position),
        }
    }
}

fn write(
    connection: &mut Connection,
    member: &str,
    amount_cents: i64,
) -> rusqlite::Result<(usize, Option<Position>)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rows = transaction.execute(
        "UPDATE payments SET amount_cents = ?1 WHERE member_id = ?2",
        (amount_cents, member),
    )?;
    let is_there = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
    let has_table = transaction.query_row(is_there, [CHANGE_TABLE], |_| Ok(()));
    let position = match has_table.optional()? {
        Some(()) => {
            let last = format!("SELECT max(seq) FROM {CHANGE_TABLE}");
            let last: Option<i64> = transaction.query_row(&last, [], |row| row.get(0))?;
            last.and_then(|last| u64::try_from(last).ok()).map(Position)
        }
        None => None,
    };
    transaction.commit()?;
    Ok((rows, position))
}
