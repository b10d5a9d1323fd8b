//! The service while its PostgreSQL database, or the way to it, fails: what clients get,
//! and that no answer hides a committed change. Each test starts a server of its own, and
//! is skipped where its programs are missing.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

#[path = "../support/demo_postgres.rs"]
mod demo_postgres;
mod followed;
#[path = "../program/mod.rs"]
mod program;
#[path = "../../../live-data/tests/support/proxy.rs"]
mod proxy;
#[path = "../support/mod.rs"]
mod support;

mod connections;
mod servers;
mod slots;
