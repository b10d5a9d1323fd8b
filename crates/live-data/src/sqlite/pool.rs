//! A fixed number of threads, each with one connection, fed by a bounded queue.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use intent_router::SourceError;
use parking_lot::Mutex;
use rusqlite::Connection;

/// The number of steps of SQLite's virtual machine between two checks of the
/// clock: about ten microseconds of work.
const STEPS_PER_LOOK: i32 = 1_000;

/// Why work on a connection failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite was interrupted because the deadline had passed.
    TimedOut,
    /// Anything else.
    Source(SourceError),
}

/// The worker threads. Dropping the pool ends and joins them.
#[derive(Debug)]
pub(super) struct Pool {
    /// `None` only while the pool is being dropped.
    queue: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    deadline: Duration,
}

/// A job, and how long it is wanted.
struct Job {
    watch: Watch,
    work: Work,
}

/// Called without a connection if the deadline passed in the queue.
type Work = Box<dyn FnOnce(Option<&Connection>) + Send>;

/// When the current job is no longer wanted.
struct Watch {
    /// `None` for a deadline beyond the clock's range.
    deadline: Option<Instant>,
    abandoned: Arc<AtomicBool>,
}

/// Held by the future that waits for an answer: dropping it abandons the job.
#[derive(Default)]
struct Asker {
    gone: Arc<AtomicBool>,
}

impl Drop for Asker {
    fn drop(&mut self) {
        // The flag guards no other data, so no ordering is needed.
        self.gone.store(true, Ordering::Relaxed);
    }
}

impl Watch {
    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// How long the work may still take; zero when the deadline has passed.
    fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        })
    }

    fn is_over(&self) -> bool {
        self.is_abandoned() || self.remaining().is_zero()
    }
}

/// The watch of a connection's current job. A worker and its connection's progress
/// handler share it on one thread: the lock is never contended, and only makes the
/// sharing safe.
type Current = Arc<Mutex<Option<Watch>>>;

impl Pool {
    /// One worker for each connection.
    pub(super) fn start(
        connections: Vec<Connection>,
        queue: NonZeroUsize,
        deadline: Duration,
    ) -> Result<Self, String> {
        let (sender, receiver) = sync_channel(queue.get());
        let receiver = Arc::new(Mutex::new(receiver));
        let mut pool = Self {
            queue: Some(sender),
            workers: Vec::with_capacity(connections.len()),
            deadline,
        };
        for (number, mut connection) in connections.into_iter().enumerate() {
            let receiver = Arc::clone(&receiver);
            let current = Current::default();
            let watched = Arc::clone(&current);
            let is_over = move || watched.lock().as_ref().is_some_and(Watch::is_over);
            connection
                .progress_handler(STEPS_PER_LOOK, Some(is_over))
                .map_err(|error| error.to_string())?;
            let worker = thread::Builder::new()
                .name(format!("live-data-{number}"))
                .spawn(move || serve(&connection, &current, &receiver))
                .map_err(|error| error.to_string())?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    /// Runs the job on one of the connections, within the deadline from now.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, SourceError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let asker = Asker::default();
        let job = Job {
            watch: Watch {
                deadline: Instant::now().checked_add(self.deadline),
                abandoned: Arc::clone(&asker.gone),
            },
            work: Box::new(move |connection| {
                // Fails only if the caller is gone.
                let _ = reply.send(connection.map_or(Err(Failure::TimedOut), work));
            }),
        };
        self.submit(job)?;
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Source(error))) => Err(error),
            Ok(Err(Failure::TimedOut)) => Err(SourceError::Timeout(self.deadline)),
            Err(oneshot::Canceled) => Err(SourceError::Unavailable(
                "a worker thread ended before it answered".to_owned(),
            )),
        }
    }

    fn submit(&self, job: Job) -> Result<(), SourceError> {
        let sent = match &self.queue {
            Some(queue) => queue.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        };
        sent.map_err(|error| {
            SourceError::Unavailable(match error {
                TrySendError::Full(_) => {
                    "too many requests are waiting for a connection".to_owned()
                }
                TrySendError::Disconnected(_) => "its worker threads have ended".to_owned(),
            })
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Closing the queue ends the workers. Callers borrow the pool, so
        // any job still queued is abandoned.
        self.queue = None;
        for worker in self.workers.drain(..) {
            // A waker on a worker may drop the last owner there; a thread
            // cannot join itself, and ends right after.
            if worker.thread().id() != thread::current().id() {
                // The worker's thread has already reported a panic.
                let _ = worker.join();
            }
        }
    }
}

/// Runs one job after the other, until the queue is closed.
fn serve(connection: &Connection, current: &Current, queue: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting: one idle worker waits for the
        // queue, the others for the lock.
        let Ok(Job { watch, work }) = queue.lock().recv() else {
            return;
        };
        if watch.is_abandoned() {
            continue;
        }
        // Waiting for another process's lock counts against the deadline.
        let remaining = watch.remaining().min(LONGEST_WAIT);
        let is_ready = !remaining.is_zero() && connection.busy_timeout(remaining).is_ok();
        *current.lock() = Some(watch);
        work(is_ready.then_some(connection));
        *current.lock() = None;
    }
}

/// SQLite counts milliseconds in 32 bits.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests;
