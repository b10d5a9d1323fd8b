//! A timer that can be armed and disarmed.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that can be armed and disarmed.
pub(super) struct Timer {
    timeout: Duration,
    armed: Option<Armed>,
    reason: &'static str,
}

struct Armed {
    since: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    /// A timer that, once armed, expires after `timeout` with this reason.
    pub(super) fn new(timeout: Duration, reason: &'static str) -> Self {
        Self {
            timeout,
            armed: None,
            reason,
        }
    }

    /// Starts the timer; one that is running goes on.
    pub(super) fn arm(&mut self) {
        if self.armed.is_none() {
            let since = Instant::now();
            self.armed = Some(Armed {
                since,
                sleep: Box::pin(sleep_until(since + self.timeout)),
            });
        }
    }

    /// Stops the timer.
    pub(super) fn disarm(&mut self) {
        self.armed = None;
    }

    /// Whether the timer runs.
    pub(super) fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// Expires after `timeout` from now on, if that is earlier, counted from when the
    /// timer was started.
    pub(super) fn shorten(&mut self, timeout: Duration) {
        if timeout < self.timeout {
            self.timeout = timeout;
            if let Some(armed) = &mut self.armed {
                armed.sleep.as_mut().reset(armed.since + timeout);
            }
        }
    }

    /// Ready with an error once the running timer has expired.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        match &mut self.armed {
            Some(armed) => {
                ready!(armed.sleep.as_mut().poll(cx));
                Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, self.reason))
            }
            None => Poll::Pending,
        }
    }
}
