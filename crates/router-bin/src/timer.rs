//! The runtime's timer.

use std::time::Instant;

use intent_router::{BoxFuture, Timer};
use tokio::time::sleep_until;

/// The timer of the runtime that it is used in.
pub(crate) struct TokioTimer;

impl Timer for TokioTimer {
    fn now(&self) -> Instant {
        // The runtime's clock, which tests can pause.
        tokio::time::Instant::now().into_std()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(sleep_until(at.into()))
    }
}
