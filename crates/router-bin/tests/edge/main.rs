//! What the service lets in, and what it tells of requests: in answers, in its log
//! and in its audit log.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod admission;
mod audit;
mod erase;
mod log;
#[allow(dead_code, reason = "the tests record and forget only")]
#[path = "../../src/serve/metrics/mod.rs"]
mod metrics;
mod privacy;
mod problems;
#[path = "../program/mod.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use support::Server;

const QUESTION: &str = "what is my claim status?";
const USER: &str = "BEN-000001";
const ROLE: &str = "beneficiary";

/// An empty file of the test's own.
fn empty_file(test: &str, name: &str) -> PathBuf {
    program::file(test, name, "")
}

/// A service with these settings, whose log is written to a file.
fn logged(test: &str, settings: &[(&str, &str)]) -> (Server, PathBuf) {
    let path = empty_file(test, "log");
    let log = Stdio::from(File::create(&path).unwrap());
    (Server::start_logging_to(log, settings), path)
}

/// The log of a service, which is stopped so that all of it is written.
fn log_of(server: Server, path: &PathBuf) -> String {
    server.terminate();
    assert!(server.wait().success());
    std::fs::read_to_string(path).unwrap()
}
