//! Clocks that can wait.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::source::BoxFuture;

/// A clock that can also wait, for deadlines and bounded waits. Under tokio,
/// `sleep_until` boxes `tokio::time::sleep_until(at.into())`.
pub trait Timer: Send + Sync {
    /// The present.
    fn now(&self) -> Instant;

    /// A future that is ready from that time on.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;
}

/// A timer that is moved by hand, for tests. Clones share its time.
///
/// ```
/// use std::time::Duration;
/// use intent_router::{ManualTimer, Timer};
///
/// let timer = ManualTimer::new();
/// let began = timer.now();
/// timer.advance(Duration::from_secs(2));
/// assert_eq!(timer.now() - began, Duration::from_secs(2));
/// ```
#[derive(Clone, Debug)]
pub struct ManualTimer(Arc<Mutex<Manual>>);

#[derive(Debug)]
struct Manual {
    now: Instant,
    sleepers: Vec<(Instant, Waker)>,
}

impl ManualTimer {
    /// A timer that begins at the present and stands still.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Manual {
            now: Instant::now(),
            sleepers: Vec::new(),
        })))
    }

    /// Moves the time on, and wakes those who slept until then.
    ///
    /// # Panics
    /// If the time is beyond the range of [`Instant`].
    pub fn advance(&self, by: Duration) {
        let woken: Vec<_> = {
            let mut manual = self.lock();
            manual.now += by;
            let now = manual.now;
            manual
                .sleepers
                .extract_if(.., |(at, _)| *at <= now)
                .collect()
        };
        for (_, waker) in woken {
            waker.wake();
        }
    }

    /// No update of the data can panic halfway, so a poisoned lock guards sound data.
    fn lock(&self) -> MutexGuard<'_, Manual> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualTimer {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer for ManualTimer {
    fn now(&self) -> Instant {
        self.lock().now
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let timer = self.clone();
        let mut known: Option<Waker> = None;
        Box::pin(poll_fn(move |context| {
            let mut manual = timer.lock();
            if manual.now >= at {
                return Poll::Ready(());
            }
            let waker = context.waker();
            if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
                manual.sleepers.push((at, waker.clone()));
                known = Some(waker.clone());
            }
            Poll::Pending
        }))
    }
}
