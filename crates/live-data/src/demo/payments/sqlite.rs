//! The payments of a SQLite demo database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::statements::{MEMBERS, SET_AMOUNTS, no_payments, not_demo};
use crate::changes::CHANGE_TABLE;
use crate::demo::DemoError;

/// How long a write waits for another writer.
const BUSY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct SqlitePayments {
    path: PathBuf,
    connection: Connection,
}

impl SqlitePayments {
    pub(super) fn open(path: &Path) -> Result<Self, DemoError> {
        let open = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(BUSY)?;
            connection.query_row("SELECT count(*) FROM demo_origin", [], |_| Ok(()))?;
            Ok(connection)
        };
        let opened = open().map_err(|error: rusqlite::Error| not_demo(path.display(), error));
        Ok(Self {
            connection: opened?,
            path: path.to_owned(),
        })
    }

    pub(super) fn members(&self, most: u32) -> Result<Vec<String>, DemoError> {
        let read = || {
            let mut statement = self.connection.prepare(MEMBERS)?;
            let found = statement.query_map([most], |row| row.get(0))?;
            found.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| DemoError::write(self.path.display(), error))
    }

    pub(super) fn set_amounts(
        &mut self,
        member: &str,
        amount_cents: i64,
    ) -> Result<Option<String>, DemoError> {
        let written = write(&mut self.connection, member, amount_cents);
        match written.map_err(|error| DemoError::write(self.path.display(), error))? {
            (0, _) => Err(no_payments(self.path.display(), member)),
            (_, position) => Ok(position.map(|position| position.to_string())),
        }
    }
}

/// Returns how many rows were changed, and the change's number in the change table.
fn write(
    connection: &mut Connection,
    member: &str,
    amount_cents: i64,
) -> rusqlite::Result<(usize, Option<i64>)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rows = transaction.execute(SET_AMOUNTS, (amount_cents, member))?;
    let is_there = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
    let has_table = transaction.query_row(is_there, [CHANGE_TABLE], |_| Ok(()));
    let position = match has_table.optional()? {
        Some(()) => {
            let last = format!("SELECT max(seq) FROM {CHANGE_TABLE}");
            transaction.query_row(&last, [], |row| row.get(0))?
        }
        None => None,
    };
    transaction.commit()?;
    Ok((rows, position))
}
