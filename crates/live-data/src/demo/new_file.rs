//! A database in a new file, written completely or not at all.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::error::DemoError;

/// Fills a database in a temporary file of the same folder, then renames it to
/// `path`.
pub(super) fn write_new(
    path: &Path,
    fill: impl FnOnce(&mut Connection) -> Result<(), DemoError>,
) -> Result<(), DemoError> {
    refuse_existing(path)?;
    let failed = |error: io::Error| DemoError::write(path.display(), error);
    let draft = DraftFile::next_to(path).map_err(failed)?;
    let mut connection = open(&draft.0).map_err(|error| DemoError::write(path.display(), error))?;
    fill(&mut connection)?;
    connection
        .close()
        .map_err(|(_, error)| DemoError::write(path.display(), error))?;
    // The file is complete on the disk before it gets its name.
    fs::File::open(&draft.0)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    refuse_existing(path)?;
    fs::rename(&draft.0, path).map_err(failed)
}

fn refuse_existing(path: &Path) -> Result<(), DemoError> {
    // A dangling link counts as existing, too.
    match fs::symlink_metadata(path) {
        Ok(_) => Err(DemoError::Exists(path.to_owned())),
        Err(_) => Ok(()),
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // No journal: nobody reads the draft, and a failed one is removed.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

/// A file that is removed when dropped, unless it was renamed before.
struct DraftFile(PathBuf);

impl DraftFile {
    fn next_to(path: &Path) -> io::Result<Self> {
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let Some(name) = path.file_name() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path does not end in a file name",
            ));
        };
        let mut draft = OsString::from(".");
        draft.push(name);
        let count = DRAFTS.fetch_add(1, Ordering::Relaxed);
        draft.push(format!(".{}-{count}.tmp", std::process::id()));
        let draft = path.with_file_name(draft);
        fs::File::create_new(&draft)?;
        // An absolute path cannot be taken for one of SQLite's `file:` URIs.
        std::path::absolute(draft).map(Self)
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        // After the rename there is nothing to remove, so the error is ignored.
        let _ = fs::remove_file(&self.0);
    }
}
