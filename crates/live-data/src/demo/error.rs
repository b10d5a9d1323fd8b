//! Why demo data could not be made.

use std::path::PathBuf;

use thiserror::Error;

/// The maximum number of members: their identifiers have six digits.
pub(super) const MOST_MEMBERS: u32 = 999_999;

/// Why demo data could not be made.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The database server cannot be reached or refuses the data.
    #[cfg(feature = "postgres")]
    #[error("the demo data cannot be written: {0}")]
    Database(String),
    /// The number of members is out of range.
    #[error("demo data can have 1 to {MOST_MEMBERS} members, not {_0}")]
    Members(u32),
    /// The path already exists; it was left unchanged.
    #[error("{} already exists and is not overwritten: choose another path or remove it", .0.display())]
    Exists(PathBuf),
    /// The database could not be written.
    #[error("the database {name} cannot be written: {reason}")]
    Write {
        /// The path, or a name for data in memory.
        name: String,
        /// The error of the file system or of SQLite.
        reason: String,
    },
    /// SQLite refused the script; nothing was written.
    #[error("SQLite rejected the script: {0}")]
    Script(String),
}

impl DemoError {
    pub(super) fn write(name: impl ToString, reason: impl ToString) -> Self {
        Self::Write {
            name: name.to_string(),
            reason: reason.to_string(),
        }
    }
}
