//! Looks at files for changes, and has them reloaded.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::app::App;

/// What tells the state of a file from others: which file it is, how long, and
/// when it was written and given its place. `None` if there is none.
///
/// Links are followed, so a link that is made to lead elsewhere shows, as does a
/// file that is put in the place of another.
type Stamp = Option<(u64, u64, u64, [i64; 4])>;

fn stamp(file: &Path) -> Stamp {
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

/// What was seen of the files.
#[derive(Default)]
struct Watch {
    last: Option<Vec<Stamp>>,
    loaded: Option<Vec<Stamp>>,
}

impl Watch {
    /// Whether the files are to be loaded: they are not what was loaded last,
    /// and have not changed between two looks. So a file that is being written
    /// is left alone, and one that is written twice within what its time tells
    /// apart, which is some milliseconds, is not taken for the first of the two.
    ///
    /// At the start they are loaded once: they may have changed since the
    /// configuration was read.
    fn is_due(&mut self, now: Vec<Stamp>) -> bool {
        let is_still = self.last.as_ref() == Some(&now);
        let is_due = is_still && self.loaded.as_ref() != Some(&now);
        if is_due {
            self.loaded = Some(now.clone());
        }
        self.last = Some(now);
        is_due
    }
}

/// Looks at the files every `period`, for as long as it is polled. A file that
/// cannot be loaded is tried again when it has changed.
pub(crate) async fn watch(app: App, files: Vec<PathBuf>, period: Duration) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    loop {
        ticks.tick().await;
        let files = files.clone();
        // A file system that is far away may take its time.
        let looked = move || files.iter().map(|file| stamp(file)).collect();
        let Ok(now) = tokio::task::spawn_blocking(looked).await else {
            continue;
        };
        if watch.is_due(now) {
            // Both outcomes have been logged.
            let _ = app.reload().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(n: u64) -> Vec<Stamp> {
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
        let mut stamps = vec![stamp(&file)];
        let mut note = || {
            let now = stamp(&file);
            let is_new = !stamps.contains(&now);
            stamps.push(now);
            is_new
        };
        write(&file, "a");
        assert!(note());
        write(&file, "ab");
        assert!(note());
        // An editor that writes another file and puts it in place.
        write(&draft, "ba");
        std::fs::rename(&draft, &file).expect("renamed");
        assert!(note());
        // A folder that a link leads to, exchanged as a whole.
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
        assert_eq!(stamp(&file), None);
    }
}
