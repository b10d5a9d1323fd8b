//! Changes of demo data, as another program makes them.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod statements;

use std::path::Path;

#[cfg(feature = "postgres")]
use self::postgres::PostgresPayments;
use self::sqlite::SqlitePayments;
use super::DemoError;
#[cfg(feature = "postgres")]
use crate::postgres::PostgresAddress;

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
pub struct DemoPayments(Kind);

#[derive(Debug)]
enum Kind {
    Sqlite(SqlitePayments),
    #[cfg(feature = "postgres")]
    Postgres(PostgresPayments),
}

impl DemoPayments {
    /// Opens a demo database for writing: a SQLite file.
    ///
    /// # Errors
    /// [`DemoError::Write`] if it cannot be opened or holds other data.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DemoError> {
        SqlitePayments::open(path.as_ref()).map(|it| Self(Kind::Sqlite(it)))
    }

    /// Opens a demo database for writing: one on a PostgreSQL server. Blocks, and panics
    /// in a task of a Tokio runtime, as do the other methods then.
    ///
    /// # Errors
    /// [`DemoError::Write`] if it cannot be reached or holds other data.
    #[cfg(feature = "postgres")]
    pub fn open_postgres(address: &PostgresAddress) -> Result<Self, DemoError> {
        PostgresPayments::open(address).map(|it| Self(Kind::Postgres(it)))
    }

    /// The first members that have payments, at most `most`, in order. Blocks.
    ///
    /// # Errors
    /// [`DemoError::Write`] if the database cannot be read.
    pub fn members(&mut self, most: u32) -> Result<Vec<String>, DemoError> {
        match &mut self.0 {
            Kind::Sqlite(payments) => payments.members(most),
            #[cfg(feature = "postgres")]
            Kind::Postgres(payments) => payments.members(most),
        }
    }

    /// Sets the amounts of all payments of a member, in one transaction. Returns the
    /// position of the change as the database's feed of changes reads it, if it has any:
    /// SQLite has with a change table. Blocks.
    ///
    /// # Errors
    /// [`DemoError::Write`] if it cannot be written, or if the member has no payments.
    pub fn set_amounts(
        &mut self,
        member: &str,
        amount_cents: i64,
    ) -> Result<Option<String>, DemoError> {
        match &mut self.0 {
            Kind::Sqlite(payments) => payments.set_amounts(member, amount_cents),
            #[cfg(feature = "postgres")]
            Kind::Postgres(payments) => payments.set_amounts(member, amount_cents),
        }
    }
}
