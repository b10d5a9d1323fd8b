//! Single-flight, seen from outside: concurrent misses wait for one fill, whatever happens
//! to the filler and the waiters.
//!
//! Nothing here sleeps or measures time. Tasks are polled by hand or only when they are
//! woken, so that a lost wake-up is a task that never ends. With threads, a
//! [`Gate`](support::Gate) holds the filler until all others wait.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cancelled;
#[path = "../counting_waker/mod.rs"]
mod counting_waker;
mod dropped;
mod failed;
mod fetch;
mod panicked;
mod refresh;
mod stampede;
mod support;
mod tasks;
mod wakers;
