//! Opens connections to one database, and tells when another file took its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::ranges;

/// Where a database is: a file, or demo data in memory.
#[derive(Clone, Debug)]
pub(crate) struct Location(PathBuf);

/// Identifies a file by its device and inode. A file that replaces another by
/// renaming has another identity; one that is overwritten keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

/// A connection that can only read, and the file that it reads.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// `None` in memory.
    pub(crate) file: Option<FileId>,
}

impl Location {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Opens a connection, which waits for another process's lock for at most
    /// `patience`.
    pub(crate) fn open(&self, patience: Duration) -> rusqlite::Result<Opened> {
        // Taken first: if the file is replaced meanwhile, this one's identity is
        // outdated and the connection is opened again.
        let file = self.file();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.0, flags)?;
        connection.busy_timeout(patience)?;
        connection.pragma_update(None, "query_only", true)?;
        // Sorting needs no writable folder.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        ranges::register(&connection)?;
        // Opening alone reads nothing: this finds a file that is no database.
        connection.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Opened { connection, file })
    }

    /// The file that is there now; `None` if there is none.
    #[cfg(unix)]
    pub(crate) fn file(&self) -> Option<FileId> {
        use std::os::unix::fs::MetadataExt;
        let found = self.0.metadata().ok()?;
        Some(FileId(found.dev(), found.ino()))
    }

    /// Files have no identity here: only a failed query shows a replaced file.
    #[cfg(not(unix))]
    pub(crate) fn file(&self) -> Option<FileId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{DemoOptions, MemoryDemo};

    #[test]
    fn connections_only_read() {
        let database = MemoryDemo::generate(&DemoOptions {
            members: 1,
            seed: 1,
        })
        .unwrap();
        let location = Location::new(Path::new(&database.uri));
        let Opened { connection, file } = location.open(Duration::ZERO).unwrap();
        assert_eq!(file, None);
        for sql in [
            "DELETE FROM claims",
            "UPDATE members SET display_name = ''",
            "CREATE TABLE t (x)",
        ] {
            assert!(connection.execute(sql, []).is_err(), "{sql}");
        }
        let guard = connection.query_one("PRAGMA query_only", [], |row| row.get::<_, bool>(0));
        assert!(guard.unwrap());
        // Without its own guard the file's mode still forbids it.
        connection.pragma_update(None, "query_only", false).unwrap();
        assert!(connection.execute("DELETE FROM tickets", []).is_err());
    }
}
