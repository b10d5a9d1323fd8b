//! A fixed number of threads, each with one connection, fed by a bounded queue.

mod job;
mod worker;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use intent_router::{Deadline, SourceError};
use parking_lot::Mutex;
use rusqlite::Connection;

use self::job::{Job, Watch};
use self::worker::Worker;
use super::connect::{Location, Opened};
use crate::plan::Failure;

/// The worker threads. Dropping the pool ends and joins them.
#[derive(Debug)]
pub(super) struct Pool {
    /// `None` only while the pool is being dropped.
    queue: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    deadline: Duration,
    reopened: Arc<AtomicU64>,
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

impl Pool {
    /// One worker for each of the connections, which are to that location.
    pub(super) fn start(
        location: &Location,
        connections: Vec<Opened>,
        queue: NonZeroUsize,
        deadline: Duration,
    ) -> Result<Self, String> {
        let (sender, receiver) = sync_channel(queue.get());
        let receiver = Arc::new(Mutex::new(receiver));
        let mut pool = Self {
            queue: Some(sender),
            workers: Vec::with_capacity(connections.len()),
            deadline,
            reopened: Arc::default(),
        };
        for (number, opened) in connections.into_iter().enumerate() {
            let receiver = Arc::clone(&receiver);
            let worker = Worker::new(location.clone(), opened, Arc::clone(&pool.reopened))
                .map_err(|error| error.to_string())?;
            let worker = thread::Builder::new()
                .name(format!("live-data-{number}"))
                .spawn(move || worker.serve(&receiver))
                .map_err(|error| error.to_string())?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    /// How long a job may take, including the wait for a connection.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Runs the job on one of the connections, within the given deadline and that of
    /// the pool.
    pub(super) async fn run<T, F>(&self, asked: Deadline, work: F) -> Result<T, SourceError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let deadline = asked.min(Deadline::after(Instant::now(), self.deadline));
        let (reply, answer) = oneshot::channel();
        let asker = Asker::default();
        let job = Job {
            watch: Watch {
                deadline,
                abandoned: Arc::clone(&asker.gone),
            },
            work: Box::new(move |connection| {
                let answer = connection.and_then(work);
                let is_suspect = matches!(answer, Err(Failure::Connection(_)));
                // Fails only if the caller is gone.
                let _ = reply.send(answer);
                is_suspect
            }),
        };
        self.submit(job)?;
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Connection(error) | Failure::Source(error))) => Err(error),
            Ok(Err(Failure::TimedOut)) => Err(deadline.error()),
            Err(oneshot::Canceled) => Err(SourceError::Unavailable(
                "the work panicked, which is a bug of this program".to_owned(),
            )),
        }
    }

    /// How many connections were reopened.
    pub(super) fn reopened(&self) -> u64 {
        self.reopened.load(Ordering::Relaxed)
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
                // A worker does not panic: it catches those of its work.
                let _ = worker.join();
            }
        }
    }
}

#[cfg(test)]
mod tests;
