//! Demo data: members, claims and payments of a fund, generated from a seed.

mod calendar;
mod claim;
mod claims;
mod error;
mod generate;
mod memory;
mod money;
mod names;
mod new_file;
mod options;
mod paperwork;
mod payments;
#[cfg(feature = "postgres")]
mod postgres;
mod random;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;

use rusqlite::Connection;

use new_file::write_new;

pub use error::DemoError;
pub(crate) use memory::MemoryDemo;
pub use options::DemoOptions;
pub use payments::DemoPayments;
#[cfg(feature = "postgres")]
pub use postgres::write_postgres_demo;

/// Writes a demo database to a new file.
///
/// The data is written to a temporary file in the same folder and renamed, so that
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

/// Writes a new database by running an SQL script: tables and rows of your own
/// business, for an example or a trial.
///
/// The script runs in one transaction, so it must not contain any. Like
/// [`write_demo`], this writes the whole file or none.
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
