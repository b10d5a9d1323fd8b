//! Waits for a future.

use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::error::OpenError;

/// A runtime for connections, on the thread that runs it.
pub(crate) fn runtime() -> Result<Runtime, OpenError> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| OpenError::Threads(error.to_string()))
}

/// Blocks until the work has ended. It runs on a thread of its own, as the caller may be
/// a task of another runtime, where waiting is not allowed.
pub(crate) fn wait_for<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> Result<T, OpenError> {
    // The thread drops the runtime too, which a task of another may not.
    let run = || Ok(runtime()?.block_on(work()));
    let ended = thread::scope(|scope| scope.spawn(run).join());
    let panicked = || OpenError::Threads("the work panicked, which is a bug".to_owned());
    ended.unwrap_or_else(|_| Err(panicked()))
}
