//! A job for a connection, and how long it is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use intent_router::Deadline;
use rusqlite::Connection;

use crate::plan::Failure;

/// A job, and how long it is wanted.
pub(super) struct Job {
    pub(super) watch: Watch,
    pub(super) work: Work,
}

/// Called with the reason if there is no connection, such as a deadline that passed
/// in the queue. Returns whether the connection may be at fault for a failure.
pub(super) type Work = Box<dyn FnOnce(Result<&Connection, Failure>) -> bool + Send>;

/// When the current job is no longer wanted.
pub(super) struct Watch {
    pub(super) deadline: Deadline,
    pub(super) abandoned: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// How long the work may still take; zero when the deadline has passed.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.left(Instant::now())
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_abandoned() || self.remaining().is_zero()
    }
}
