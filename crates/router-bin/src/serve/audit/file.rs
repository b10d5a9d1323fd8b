//! The audit log's file, written by a thread of its own: a file system can block.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::exit::{Code, Failure};

/// The most entries that wait to be written; further ones are counted as failures.
const MOST_WAITING: usize = 1024;

/// What the thread is told to do.
enum Task {
    Append(String),
    Reopen,
    /// Report that the tasks before this one are done.
    Report(SyncSender<()>),
}

/// The sender of tasks to the thread, which ends with the last sender.
#[derive(Clone)]
pub(crate) struct AuditFile {
    tasks: SyncSender<Task>,
    failures: Arc<AtomicU64>,
}

impl AuditFile {
    /// Opens the file and starts its thread.
    pub(super) fn open(path: PathBuf) -> Result<Self, Failure> {
        let fail = |error: io::Error| {
            let path = path.display();
            let remedy = "choose a file in a directory that this user may write to";
            Failure::new(
                Code::Unavailable,
                format_args!("audit.file: {path}: cannot be opened: {error}; {remedy}"),
            )
        };
        let file = open(&path).map_err(fail)?;
        let (tasks, received) = sync_channel(MOST_WAITING);
        let failures = Arc::<AtomicU64>::default();
        let writer = Writer {
            path: path.clone(),
            file,
            failures: Arc::clone(&failures),
            is_torn: false,
        };
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&received))
            .map_err(fail)?;
        Ok(Self { tasks, failures })
    }

    /// Has a line added. A line that finds too many waiting is lost and counted.
    pub(super) fn append(&self, line: String) {
        if self.tasks.try_send(Task::Append(line)).is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!("an entry of the audit log is lost: too many wait to be written");
        }
    }

    pub(super) fn reopen(&self) {
        if self.tasks.try_send(Task::Reopen).is_err() {
            tracing::error!("the audit log was not reopened: too many entries wait to be written");
        }
    }

    pub(super) fn flush(&self, time: Duration) {
        let (report, done) = sync_channel(1);
        if self.tasks.try_send(Task::Report(report)).is_err() || done.recv_timeout(time).is_err() {
            tracing::error!("entries of the audit log may be lost: the file takes too long");
        }
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// Opens the file for appending; only its owner can read it.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// The thread's part.
struct Writer {
    path: PathBuf,
    file: File,
    failures: Arc<AtomicU64>,
    /// Whether the last write failed, so that the file may end in part of a line.
    is_torn: bool,
}

impl Writer {
    fn run(mut self, tasks: &Receiver<Task>) {
        for task in tasks {
            match task {
                Task::Append(line) => self.append(line),
                Task::Reopen => match open(&self.path) {
                    Ok(file) => {
                        self.file = file;
                        self.is_torn = false;
                    }
                    Err(error) => {
                        let file = self.path.display();
                        tracing::error!(
                            %file, %error,
                            "the audit log was not reopened; the file so far is written on"
                        );
                    }
                },
                // The one who asked may have stopped waiting.
                Task::Report(done) => drop(done.send(())),
            }
        }
    }

    /// Adds a line in one write, so that it is whole even if another process appends to
    /// the file.
    fn append(&mut self, mut line: String) {
        if self.is_torn {
            line.insert(0, '\n');
        }
        let written = self.file.write_all(line.as_bytes());
        self.is_torn = written.is_err();
        if let Err(error) = written {
            self.failures.fetch_add(1, Ordering::Relaxed);
            let file = self.path.display();
            tracing::error!(%file, %error, "an entry of the audit log is lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn flush(audit: &AuditFile) {
        audit.flush(Duration::from_secs(60));
    }

    #[test]
    fn lines_are_appended_and_a_moved_file_is_reopened() {
        let folder = std::env::temp_dir().join(format!("router-audit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (path, moved) = (folder.join("audit.log"), folder.join("audit.log.1"));
        let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
        std::fs::write(&path, "before\n").expect("written");
        let audit = AuditFile::open(path.clone()).expect("opened");
        audit.append("one\n".to_owned());
        flush(&audit);
        std::fs::rename(&path, &moved).expect("moved");
        audit.append("two\n".to_owned());
        audit.reopen();
        audit.append("three\n".to_owned());
        flush(&audit);
        assert_eq!(read(&moved), "before\none\ntwo\n");
        assert_eq!(read(&path), "three\n");
        assert_eq!(audit.failures(), 0);
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        // Every write to it fails for lack of space.
        let audit = AuditFile::open(PathBuf::from("/dev/full")).expect("opened");
        audit.append("lost\n".to_owned());
        flush(&audit);
        assert_eq!(audit.failures(), 1);
    }

    #[test]
    fn a_line_after_a_torn_one_stands_alone() {
        let (mut reader, file) = UnixStream::pair().expect("a pair of sockets");
        for socket in [&reader, &file] {
            socket.set_nonblocking(true).expect("set");
        }
        let mut writer = Writer {
            path: PathBuf::from("audit.log"),
            file: File::from(OwnedFd::from(file)),
            failures: Arc::default(),
            is_torn: false,
        };
        let mut read = || {
            let mut text = Vec::new();
            // It ends with the error that there is no more.
            let _ = reader.read_to_end(&mut text);
            text
        };
        // The socket takes a part of it.
        writer.append("x".repeat(8 << 20) + "\n");
        assert_eq!(writer.failures.load(Ordering::Relaxed), 1);
        assert!(read().ends_with(b"x"));
        writer.append("whole\n".to_owned());
        writer.append("next\n".to_owned());
        assert_eq!(read(), b"\nwhole\nnext\n");
    }

    #[test]
    fn a_writer_that_is_stuck_blocks_nobody() {
        let (tasks, stuck) = sync_channel(MOST_WAITING);
        let failures = Arc::default();
        let audit = AuditFile { tasks, failures };
        for _ in 0..MOST_WAITING + 3 {
            audit.append("waits\n".to_owned());
        }
        assert_eq!(audit.failures(), 3);
        drop(stuck);
    }
}
