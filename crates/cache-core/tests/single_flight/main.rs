//! One filler a key, seen from outside: whoever misses together waits for one
//! fill, whatever becomes of the filler and of those who wait.
//!
//! Nothing here sleeps or measures time. Tasks are polled by hand or only when
//! they were woken, so that a lost wake-up shows as a task that never ends, and
//! where threads take part, a [`Gate`](support::Gate) holds the filler until
//! all others stand in line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../bell/mod.rs"]
mod bell;
mod cancelled;
mod crowd;
mod dropped;
mod failed;
mod fetch;
mod panicked;
mod refresh;
mod support;
mod tasks;
mod wakers;
