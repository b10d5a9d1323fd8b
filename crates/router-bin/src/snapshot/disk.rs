//! Files that take the place of others, and that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file beside another one, named like it with an ending more.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Removes a file if it is there.
pub(super) fn removed(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Waits until all of a file is on the disk.
pub(super) fn sync(file: &File) -> io::Result<()> {
    file.sync_all()?;
    #[cfg(test)]
    synced::note(file)?;
    Ok(())
}

/// Waits until the names in a file's folder are on the disk.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// A new file that only its owner may read.
pub(super) fn private(path: &Path) -> io::Result<File> {
    // One that is left over may have another mode.
    removed(path)?;
    OpenOptions::new()
        .read(true)
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// How much of each file is on the disk for certain, for tests that cut the power.
#[cfg(test)]
pub(super) mod synced {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::MetadataExt;

    thread_local! {
        /// By device and inode: the name of a file changes.
        static SYNCED: RefCell<HashMap<(u64, u64), u64>> = RefCell::default();
    }

    pub(super) fn note(file: &File) -> io::Result<()> {
        let data = file.metadata()?;
        SYNCED.with_borrow_mut(|synced| synced.insert((data.dev(), data.ino()), data.len()));
        Ok(())
    }

    /// The length of the file when this thread last synced it.
    pub(in crate::snapshot) fn length(file: &File) -> io::Result<u64> {
        let data = file.metadata()?;
        let key = (data.dev(), data.ino());
        Ok(SYNCED.with_borrow(|synced| synced.get(&key).copied().unwrap_or(0)))
    }
}
