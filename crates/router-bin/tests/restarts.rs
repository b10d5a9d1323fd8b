//! The program over restarts with a snapshot: killed at any moment, stopped in order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use support::Server;
use tempfile::TempDir;

const QUESTION: &str = "what is my claim status?";
const ROLE: &str = "beneficiary";

/// How often the process is killed: `RESTARTS` in the environment, or 20.
fn restarts() -> u32 {
    let told = std::env::var("RESTARTS").ok();
    told.and_then(|number| number.parse().ok()).unwrap_or(20)
}

fn start(file: &Path, every: &str) -> Server {
    Server::start(&[
        ("ROUTER_CACHE__SNAPSHOT__FILE", file.to_str().unwrap()),
        ("ROUTER_CACHE__SNAPSHOT__EVERY", every),
    ])
}

fn user(number: usize) -> String {
    format!("BEN-{number:06}")
}

/// When the answer was made, as the service writes it: these texts sort by time.
fn asked(server: &Server, user: &str) -> (String, bool) {
    let reply = server.ask(QUESTION, user, ROLE);
    let made = reply.value()["timestamp"].as_str().unwrap().to_owned();
    (made, reply.is_hit())
}

/// A generator of numbers that only vary.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % most
    }
}

/// No answer that was made before an answered invalidation is ever served after it,
/// whenever the process is killed.
#[test]
fn killed_at_any_moment_it_never_serves_what_was_invalidated() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("snapshot");
    let mut dice = Dice(1);
    // The answer that each user had at the last invalidation.
    let mut gone: HashMap<usize, String> = HashMap::new();
    let mut last: HashMap<usize, String> = HashMap::new();
    let mut kept = 0;
    for _ in 0..restarts() {
        let server = start(&file, "30ms");
        for number in 1..8 {
            let (made, is_hit) = asked(&server, &user(number));
            kept += u32::from(is_hit);
            let before = gone.get(&number);
            assert!(
                before.is_none_or(|gone| made > *gone),
                "{number}: {made} after {before:?}"
            );
            last.insert(number, made);
        }
        for _ in 0..dice.below(12) {
            let number = 1 + dice.below(7);
            let selector = match dice.below(3) {
                0 => json!({ "user_id": user(number) }),
                1 => json!({ "pattern": format!("*/{}/*", user(number)) }),
                _ => json!([{ "user_id": user(number) }, { "tag": "claim:none" }]),
            };
            server.invalidate(&selector);
            gone.insert(number, last[&number].clone());
            // Answers of the same millisecond could not be told apart.
            std::thread::sleep(Duration::from_millis(2));
            if dice.below(2) == 0 {
                last.insert(number, asked(&server, &user(number)).0);
            }
        }
        std::thread::sleep(Duration::from_millis(dice.below(60) as u64));
        server.signal("KILL");
        server.wait();
    }
    assert!(kept > restarts(), "{kept} answers outlived a restart");
}

#[test]
fn an_orderly_stop_keeps_the_answers() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("snapshot");
    let server = start(&file, "0s");
    let (made, _) = asked(&server, &user(1));
    asked(&server, &user(2));
    server.invalidate(&json!({ "user_id": user(2) }));
    server.terminate();
    assert!(server.wait().success());
    let server = start(&file, "0s");
    assert_eq!(asked(&server, &user(1)), (made, true));
    assert!(!asked(&server, &user(2)).1);
}

#[test]
fn a_damaged_file_is_told_of_and_the_service_starts() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("snapshot");
    std::fs::write(&file, "no snapshot").unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let server = Server::start_logging_to(
        writer.into(),
        &[("ROUTER_CACHE__SNAPSHOT__FILE", file.to_str().unwrap())],
    );
    assert!(!asked(&server, &user(1)).1);
    server.terminate();
    assert!(server.wait().success());
    let mut log = String::new();
    std::io::Read::read_to_string(&mut reader, &mut log).unwrap();
    assert!(log.contains("the snapshot is not used"), "{log}");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_says_so() {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_router"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env_clear()
        .env("ROUTER_CACHE__SNAPSHOT__FILE", "/no/such/folder/snapshot")
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(69));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("cannot write the snapshot"), "{said}");
}
