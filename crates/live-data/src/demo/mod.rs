//! Demo data: a scheme's members, claims and payments, made up from a seed.

mod calendar;
mod claims;
mod generate;
mod money;
mod names;
mod new_file;
mod paperwork;
mod random;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use new_file::write_new;

/// How much demo data to make, and from which seed.
///
/// The same options give the same rows on every platform, dated relative to
/// 2025-11-20 whatever the clock says. The first *n* members are the same
/// whatever the total is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    /// How many beneficiaries, from 1 to 999,999; `BEN-000001` and on. There
    /// is one employer (`EMP-0001` and on) for every twenty. Default: 2,000,
    /// which take about 10 MB.
    pub members: u32,
    /// What the random numbers start from. Default: 1.
    pub seed: u64,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            members: 2_000,
            seed: 1,
        }
    }
}

impl DemoOptions {
    /// The identifiers have six digits.
    const MOST_MEMBERS: u32 = 999_999;

    fn check(&self) -> Result<(), DemoError> {
        if (1..=Self::MOST_MEMBERS).contains(&self.members) {
            Ok(())
        } else {
            Err(DemoError::Members(self.members))
        }
    }
}

/// Why demo data could not be made.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The number of members is out of range.
    #[error(
        "demo data has from 1 to {} members, not {_0}",
        DemoOptions::MOST_MEMBERS
    )]
    Members(u32),
    /// Something stands at the path already; it was left as it is.
    #[error("{} exists already and is not overwritten: choose another path or remove it", .0.display())]
    Exists(PathBuf),
    /// The database could not be written.
    #[error("the database {name} cannot be written: {reason}")]
    Write {
        /// The path, or what stands for it in memory.
        name: String,
        /// What the file system or SQLite said.
        reason: String,
    },
    /// SQLite refused the script; nothing was written.
    #[error("the script is refused by SQLite: {0}")]
    Script(String),
}

impl DemoError {
    fn write(name: impl ToString, reason: impl ToString) -> Self {
        Self::Write {
            name: name.to_string(),
            reason: reason.to_string(),
        }
    }
}

/// Writes a demo database to a new file.
///
/// The data is written to a temporary file beside `path` and renamed, so that
/// a half-written database is never found there. For 2,000 members this takes
/// a fraction of a second.
///
/// # Errors
/// [`DemoError::Exists`] when there is something at `path`,
/// [`DemoError::Members`] for a number of members that is out of range,
/// [`DemoError::Write`] when the file cannot be written.
///
/// ```
/// use live_data::{DemoError, DemoOptions, write_demo};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("crm.db");
/// let options = DemoOptions { members: 20, ..DemoOptions::default() };
/// write_demo(&path, &options)?;
/// assert!(matches!(write_demo(&path, &options), Err(DemoError::Exists(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_demo(path: impl AsRef<Path>, options: &DemoOptions) -> Result<(), DemoError> {
    options.check()?;
    let path = path.as_ref();
    write_new(path, |connection| {
        generate::populate(connection, options)
            .map_err(|error| DemoError::write(path.display(), error))
    })
}

/// Writes a new database with what a script of SQL makes: tables and rows of
/// a business of one's own, for an example or a trial.
///
/// The script runs in one transaction, so it holds none of its own. The file
/// comes into being as that of [`write_demo`] does: whole or not at all.
///
/// # Errors
/// [`DemoError::Exists`] when there is something at `path`,
/// [`DemoError::Script`] when SQLite refuses the script, [`DemoError::Write`]
/// when the file cannot be written.
///
/// ```
/// use live_data::{DemoError, write_script};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("library.db");
/// let refused = write_script(&path, "CREATE TABLE loans (title").unwrap_err();
/// assert!(matches!(refused, DemoError::Script(_)) && !path.exists());
/// write_script(&path, "CREATE TABLE loans (title TEXT); INSERT INTO loans VALUES ('Emma')")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_script(path: impl AsRef<Path>, script: &str) -> Result<(), DemoError> {
    write_new(path.as_ref(), |connection| {
        let run = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            transaction.execute_batch(script)?;
            transaction.commit()
        };
        run(connection).map_err(|error: rusqlite::Error| DemoError::Script(error.to_string()))
    })
}

/// A demo database in memory. It lives as long as any connection to its URI.
pub(crate) struct MemoryDemo {
    /// What further connections open.
    pub(crate) uri: String,
    /// Keeps the data until they have.
    _anchor: Connection,
}

impl MemoryDemo {
    /// Generates the data under a name of its own.
    pub(crate) fn generate(options: &DemoOptions) -> Result<Self, DemoError> {
        static DATABASES: AtomicU64 = AtomicU64::new(0);
        options.check()?;
        let count = DATABASES.fetch_add(1, Ordering::Relaxed);
        // A name that begins with a slash is shared within the process by
        // this VFS; unlike SQLite's shared cache, readers do not lock tables.
        let uri = format!("file:/live-data-demo-{count}?vfs=memdb");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let filled = Connection::open_with_flags(&uri, flags).and_then(|mut connection| {
            connection.pragma_update(None, "journal_mode", "OFF")?;
            generate::populate(&mut connection, options)?;
            Ok(connection)
        });
        match filled {
            Ok(_anchor) => Ok(Self { uri, _anchor }),
            Err(error) => Err(DemoError::write("in memory", error)),
        }
    }
}
