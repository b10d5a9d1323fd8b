//! The intents as tools of agents.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

#[path = "../program/mod.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

mod agent;
mod http;
mod stdio;
