//! Counts the schedules or executions that a test explored, and prints the count.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A counter that the explored code does not see, so it is not a point to switch threads at.
/// Prints the count on drop, also after a failure.
pub(crate) struct Explored {
    unit: &'static str,
    count: Arc<AtomicU64>,
}

impl Explored {
    pub(crate) fn new(unit: &'static str) -> Self {
        Self {
            unit,
            count: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Wraps `test` to count its runs.
    pub(crate) fn counting<T: Fn()>(&self, test: T) -> impl Fn() + use<T> {
        let count = Arc::clone(&self.count);
        move || {
            count.fetch_add(1, Ordering::Relaxed);
            test();
        }
    }
}

impl Drop for Explored {
    #[allow(clippy::print_stdout, reason = "`cargo xtask deep` adds them up")]
    fn drop(&mut self) {
        println!(
            "explored {} {}",
            self.count.load(Ordering::Relaxed),
            self.unit
        );
    }
}
