//! Questions on pooled connections, each on one snapshot and within its deadline.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use intent_router::{BoxFuture, Deadline, SourceError};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::address::PostgresAddress;
use super::fault;
use crate::error::OpenError;
use crate::plan::Failure;

/// How long a connection may take to end its work after a cancellation, before it is
/// closed instead.
const PATIENCE: Duration = Duration::from_secs(1);

/// The connections to a database, and the thread that serves them.
pub(super) struct Sessions {
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
    /// A permit for each question that has a connection or waits for one.
    room: Arc<Semaphore>,
    shared: Arc<SessionPool>,
    deadline: Duration,
}

/// What the tasks of questions share.
struct SessionPool {
    address: PostgresAddress,
    pool: Pool,
    most: usize,
    reopened: AtomicU64,
}

impl Sessions {
    /// Starts the thread; connections are opened when they are needed.
    pub(super) fn start(
        address: PostgresAddress,
        connections: NonZeroUsize,
        queue: NonZeroUsize,
        deadline: Duration,
    ) -> Result<Self, OpenError> {
        let failed = |error: &dyn std::fmt::Display| OpenError::Threads(error.to_string());
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("live-data-postgres")
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let config = address.config.clone();
        let manager = Manager::from_config(config, address.connector(), recycling);
        let pool = Pool::builder(manager)
            .max_size(connections.get())
            .build()
            .map_err(|error| failed(&error))?;
        let permits = connections.get().saturating_add(queue.get());
        Ok(Self {
            runtime: Some(runtime),
            room: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            shared: Arc::new(SessionPool {
                address,
                pool,
                most: connections.get(),
                reopened: AtomicU64::new(0),
            }),
            deadline,
        })
    }

    pub(super) fn address(&self) -> &PostgresAddress {
        &self.shared.address
    }

    /// How long a question may take, including the wait for a connection.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How many connections were closed because of a failure.
    pub(super) fn reopened(&self) -> u64 {
        self.shared.reopened.load(Ordering::Relaxed)
    }

    /// Lets connections forget their prepared statements.
    pub(super) fn forget_statements(&self) {
        self.shared.pool.manager().statement_caches.clear();
    }

    /// The runtime of the connections.
    pub(super) fn runtime(&self) -> Result<&Handle, SourceError> {
        let runtime = self.runtime.as_ref().map(Runtime::handle);
        runtime.ok_or_else(|| SourceError::Unavailable("its thread has ended".to_owned()))
    }

    /// Does the work in a read-only transaction on one snapshot, within the given
    /// deadline and that of the source. If the returned future is dropped, the work is
    /// cancelled.
    pub(super) async fn run<T, F>(&self, asked: Deadline, work: F) -> Result<T, SourceError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c Object) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        let deadline = asked.min(Deadline::after(Instant::now(), self.deadline));
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(SourceError::Unavailable(
                "too many requests are waiting for a connection".to_owned(),
            ));
        };
        let (reply, answer) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        self.runtime()?.spawn(async move {
            shared.serve(deadline, work, reply).await;
            drop(permit);
        });
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Connection(error) | Failure::Source(error))) => Err(error),
            Ok(Err(Failure::TimedOut)) => Err(deadline.error()),
            Err(_) => Err(SourceError::Unavailable(
                "the work panicked, which is a bug of this program".to_owned(),
            )),
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        // Waiting for the thread would panic where the last source is dropped by a task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How the work on a connection ended.
enum Ending<T> {
    Done(Result<T, Failure>),
    /// The deadline passed here before the server noticed.
    TooLate,
    Abandoned,
}

impl SessionPool {
    /// Does the work on one connection and sends the outcome before the connection is
    /// made ready for the next.
    async fn serve<T, F>(
        &self,
        deadline: Deadline,
        work: F,
        mut reply: oneshot::Sender<Result<T, Failure>>,
    ) where
        T: Send,
        F: for<'c> FnOnce(&'c Object) -> BoxFuture<'c, Result<T, Failure>> + Send,
    {
        let left = || deadline.left(Instant::now());
        let begun = tokio::select! {
            begun = timeout(left(), self.begin(deadline)) => begun,
            () = reply.closed() => return,
        };
        let connection = match begun.unwrap_or(Err(Failure::TimedOut)) {
            Ok(connection) => connection,
            Err(failure) => return drop(reply.send(Err(failure))),
        };
        let end = tokio::select! {
            done = timeout(left(), work(&connection)) => done.map_or(Ending::TooLate, Ending::Done),
            () = reply.closed() => Ending::Abandoned,
        };
        let is_usable = match end {
            Ending::Done(Err(failure @ Failure::Connection(_))) => {
                drop(reply.send(Err(failure)));
                false
            }
            Ending::Done(outcome) => {
                drop(reply.send(outcome));
                self.ended(&connection).await
            }
            Ending::TooLate => {
                drop(reply.send(Err(Failure::TimedOut)));
                self.cancelled(&connection).await
            }
            Ending::Abandoned => self.cancelled(&connection).await,
        };
        if !is_usable {
            self.close(connection);
        }
    }

    /// A connection in a new transaction. One that broke while nothing used it is
    /// replaced: nothing was asked yet.
    async fn begin(&self, deadline: Deadline) -> Result<Object, Failure> {
        let mut attempts = 0;
        loop {
            let connection = self.pool.get().await.map_err(|error| match error {
                PoolError::Backend(error) => {
                    Failure::Source(SourceError::Unavailable(fault::error_text(&error)))
                }
                error => Failure::Source(SourceError::Unavailable(error.to_string())),
            })?;
            // Also holds if this process stops or loses the connection.
            let left = deadline.left(Instant::now()).as_millis().max(1);
            let left = i32::try_from(left).unwrap_or(i32::MAX);
            let begin = format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
                 SET LOCAL statement_timeout = {left}"
            );
            let Err(error) = connection.batch_execute(&begin).await else {
                return Ok(connection);
            };
            self.close(connection);
            attempts += 1;
            if attempts > self.most {
                return Err(fault::failure(&error, SourceError::Unavailable));
            }
        }
    }

    /// Ends the transaction; whether the connection can be used again.
    async fn ended(&self, connection: &Object) -> bool {
        let ended = timeout(PATIENCE, connection.batch_execute("ROLLBACK")).await;
        matches!(ended, Ok(Ok(())))
    }

    /// Cancels what the server is doing, then ends the transaction.
    async fn cancelled(&self, connection: &Object) -> bool {
        let token = connection.cancel_token();
        let cancel = token.cancel_query(self.address.connector());
        let is_cancelled = matches!(timeout(PATIENCE, cancel).await, Ok(Ok(())));
        is_cancelled && self.ended(connection).await
    }

    fn close(&self, connection: Object) {
        self.reopened.fetch_add(1, Ordering::Relaxed);
        drop(Object::take(connection));
    }
}
