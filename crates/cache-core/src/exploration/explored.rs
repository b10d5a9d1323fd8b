//! How many schedules, or executions, a test explored: what it did is not told
//! by its name.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A counter outside the explored world, where it is no point to switch at.
/// Says at its end, be it a failure, how far it came.
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

    /// `test`, counted.
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
