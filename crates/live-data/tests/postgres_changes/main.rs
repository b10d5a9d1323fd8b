//! The changes of a PostgreSQL database, from servers that the tests start.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

#[path = "../support/postgres.rs"]
mod server;

mod faults;
mod following;
mod model;
mod setup;
mod statements;
