//! Polls files for changes.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::MissedTickBehavior;

/// Device, inode, length, and modification and status change times of a file;
/// `None` if there is none.
///
/// Links are followed, so a changed link and a replaced file have another
/// fingerprint too.
type Fingerprint = Option<(u64, u64, u64, [i64; 4])>;

fn fingerprint(file: &Path) -> Fingerprint {
    let of = |found: Metadata| {
        let times = [
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        ];
        (found.dev(), found.ino(), found.len(), times)
    };
    file.metadata().ok().map(of)
}

/// The fingerprints at the last poll and at the last reload.
#[derive(Default)]
struct Watch {
    last: Option<Vec<Fingerprint>>,
    loaded: Option<Vec<Fingerprint>>,
}

impl Watch {
    /// Whether to reload: two consecutive polls agree, and differ from what was
    /// loaded last. So half-written files are skipped, and a file that is written
    /// twice within the resolution of its times is still reloaded.
    ///
    /// The files are reloaded once after start-up, as they may have changed since
    /// the configuration was read.
    fn is_due(&mut self, now: Vec<Fingerprint>) -> bool {
        let is_still = self.last.as_ref() == Some(&now);
        let is_due = is_still && self.loaded.as_ref() != Some(&now);
        if is_due {
            self.loaded = Some(now.clone());
        }
        self.last = Some(now);
        is_due
    }
}

/// Polls the files every `period`, calls `reload` when they have changed, and never
/// completes. After a failed reload the files are tried again once they change.
pub(crate) async fn watch<F: Future<Output = ()>>(
    files: Vec<PathBuf>,
    period: Duration,
    reload: impl Fn() -> F,
) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    loop {
        ticks.tick().await;
        let files = files.clone();
        // A network file system may block.
        let poll = move || files.iter().map(|file| fingerprint(file)).collect();
        let Ok(now) = tokio::task::spawn_blocking(poll).await else {
            continue;
        };
        if watch.is_due(now) {
            reload().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(n: u64) -> Vec<Fingerprint> {
        vec![(n > 0).then_some((1, n, 1, [0; 4]))]
    }

    #[test]
    fn files_are_loaded_once_they_are_still() {
        let mut watch = Watch::default();
        let mut due = |n| watch.is_due(seen(n));
        assert_eq!([1, 1, 1].map(&mut due), [false, true, false]);
        // Being written.
        assert_eq!([2, 3, 4].map(&mut due), [false; 3]);
        assert_eq!([4, 4].map(&mut due), [true, false]);
        // Gone for a moment, and for longer.
        assert_eq!([0, 4, 4].map(&mut due), [false; 3]);
        assert_eq!([0, 0, 0].map(&mut due), [false, true, false]);
        assert_eq!([4, 4].map(&mut due), [false, true]);
    }

    #[test]
    fn every_way_of_changing_a_file_shows() {
        let folder = std::env::temp_dir().join(format!("router-watch-{}", std::process::id()));
        let write = |path: &Path, text: &str| std::fs::write(path, text).expect("written");
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("file");
        let draft = folder.join("draft");
        let mut known = vec![fingerprint(&file)];
        let mut note = || {
            let now = fingerprint(&file);
            let is_new = !known.contains(&now);
            known.push(now);
            is_new
        };
        write(&file, "a");
        assert!(note());
        write(&file, "ab");
        assert!(note());
        // An editor that replaces the file by another.
        write(&draft, "ba");
        std::fs::rename(&draft, &file).expect("renamed");
        assert!(note());
        // A link to a folder, changed to another folder.
        for version in ["one", "two"] {
            std::fs::create_dir_all(folder.join(version)).expect("a folder");
            write(&folder.join(version).join("file"), "ab");
        }
        std::fs::remove_file(&file).expect("removed");
        let link = folder.join("current");
        std::os::unix::fs::symlink("current/file", &file).expect("a link");
        for version in ["one", "two"] {
            std::os::unix::fs::symlink(version, folder.join("next")).expect("a link");
            std::fs::rename(folder.join("next"), &link).expect("renamed");
            assert!(note(), "{version}");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(fingerprint(&file), None);
    }
}
