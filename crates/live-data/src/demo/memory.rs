//! Demo data in memory.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};

use super::error::DemoError;
use super::generate;
use super::options::DemoOptions;

/// A demo database in memory. It lives as long as any connection to its URI.
pub(crate) struct MemoryDemo {
    /// The URI that further connections open.
    pub(crate) uri: String,
    /// Keeps the data alive until they are open.
    pub(super) _anchor: Connection,
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
