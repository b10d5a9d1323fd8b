//! One worker thread: its connection, when that is opened again, and its jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use intent_router::SourceError;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::super::connect::{FileId, Location, Opened};
use super::job::{Job, Watch};
use crate::plan::Failure;

/// How many steps of SQLite's virtual machine pass between two looks at the
/// clock: some ten microseconds of work.
const STEPS_PER_LOOK: i32 = 1_000;

/// SQLite counts milliseconds in 32 bits.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The least time between two attempts of a worker to open its connection again,
/// so that a database that stays broken costs little.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(100);

/// The watch of the work that a connection is doing. It is shared between a
/// worker and its connection's progress handler, which run on one thread: the
/// lock is never contended and only makes the sharing safe.
type Current = Arc<Mutex<Option<Watch>>>;

/// What a worker thread works with.
pub(super) struct Worker {
    location: Location,
    connection: Connection,
    file: Option<FileId>,
    current: Current,
    /// Whether the last job's failure may be the connection's fault.
    is_suspect: bool,
    /// When the connection was last opened again, or could not be.
    attempted: Option<Instant>,
    /// Counts the connections that were opened again.
    reopened: Arc<AtomicU64>,
}

impl Worker {
    pub(super) fn new(
        location: Location,
        opened: Opened,
        reopened: Arc<AtomicU64>,
    ) -> rusqlite::Result<Self> {
        let current = Current::default();
        let Opened {
            mut connection,
            file,
        } = opened;
        watch(&mut connection, &current)?;
        Ok(Self {
            location,
            connection,
            file,
            current,
            is_suspect: false,
            attempted: None,
            reopened,
        })
    }

    /// Does one job after the other, until the queue ends.
    pub(super) fn serve(mut self, queue: &Mutex<Receiver<Job>>) {
        loop {
            // The lock is held while waiting: one idle worker waits for the
            // queue, the others for the lock.
            let Ok(job) = queue.lock().recv() else {
                return;
            };
            if !job.watch.is_abandoned() {
                self.run(job);
            }
        }
    }

    fn run(&mut self, Job { watch, work }: Job) {
        let ready = self.prepare(&watch);
        *self.current.lock() = Some(watch);
        let connection = ready.map(|()| &self.connection);
        // Its caller gets an error if it panics. The statements that it used are
        // finished by their destructors; the connection is opened again all the same.
        let suspicion = catch_unwind(AssertUnwindSafe(|| work(connection)));
        *self.current.lock() = None;
        self.is_suspect |= suspicion.unwrap_or(true);
    }

    /// Makes the connection ready for a job.
    fn prepare(&mut self, watch: &Watch) -> Result<(), Failure> {
        let remaining = || match watch.remaining().min(LONGEST_WAIT) {
            Duration::ZERO => Err(Failure::TimedOut),
            remaining => Ok(remaining),
        };
        self.reopen_if_due(remaining()?)?;
        // Waiting for another process's lock counts against the deadline, and so does
        // the reopening.
        self.connection
            .busy_timeout(remaining()?)
            .map_err(|error| Failure::Source(SourceError::Unavailable(error.to_string())))
    }

    /// Opens the connection again if a failure may be its fault, or if another
    /// file took the place of the one that it reads.
    ///
    /// # Errors
    /// The other file cannot be opened. What is merely suspect is used as it is.
    fn reopen_if_due(&mut self, remaining: Duration) -> Result<(), Failure> {
        // While there is no file, the one that was opened still answers.
        let now_there = self.location.file();
        let is_replaced = now_there.is_some() && now_there != self.file;
        if !self.is_suspect && !is_replaced {
            return Ok(());
        }
        let is_soon = |at: Instant| at.elapsed() < BETWEEN_ATTEMPTS;
        if self.attempted.is_some_and(is_soon) {
            return if is_replaced {
                let reason = "another file took the database's place and cannot be opened";
                Err(Failure::Source(SourceError::Unavailable(reason.to_owned())))
            } else {
                Ok(())
            };
        }
        self.attempted = Some(Instant::now());
        match self.open(remaining) {
            Ok(()) => {
                self.is_suspect = false;
                self.reopened.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) if is_replaced => Err(Failure::of_connection(&error)),
            Err(_) => Ok(()),
        }
    }

    fn open(&mut self, patience: Duration) -> rusqlite::Result<()> {
        let Opened {
            mut connection,
            file,
        } = self.location.open(patience)?;
        watch(&mut connection, &self.current)?;
        // A database in memory lives as long as it has a connection, so the old one
        // is closed after the new one was opened.
        self.connection = connection;
        self.file = file;
        Ok(())
    }
}

/// Lets the connection look at the watch of its work while it runs.
fn watch(connection: &mut Connection, current: &Current) -> rusqlite::Result<()> {
    let watched = Arc::clone(current);
    let is_over = move || watched.lock().as_ref().is_some_and(Watch::is_over);
    connection.progress_handler(STEPS_PER_LOOK, Some(is_over))
}
