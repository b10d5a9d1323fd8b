//! What a user of a PostgreSQL server can do and rely on.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod server;
#[path = "../support/postgres.rs"]
mod support;
