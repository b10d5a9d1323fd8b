//! Which questions share an entry, through the router with the built-in
//! catalogue: questions that differ in a record, a period, a number or their
//! polarity never do, and other wordings of one question do. The first test
//! prints how many pairs it asked:
//! `cargo test -p intent-router --test entry_sharing -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]
#![allow(
    clippy::print_stdout,
    reason = "the counts are what some tests are for"
)]

mod different;
mod pairs;
mod same;
#[path = "../support/mod.rs"]
mod support;
mod values;
