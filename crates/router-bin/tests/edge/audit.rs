//! The audit log.

use std::fs::File;
use std::io::Read;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{self, argument};
use crate::support::{Server, eventually};
use crate::{QUESTION, ROLE, USER, empty_file, log_of, logged};

/// Administrative acts of each kind, and one that is refused.
fn administer(server: &Server) {
    server.ask(QUESTION, USER, ROLE);
    server.invalidate(&json!({ "user_id": USER }));
    server.post("/v1/invalidate", &json!({ "intent": "claims" }));
    server.json("PUT", "/v1/caching", r#"{"enabled": false}"#);
    server.post("/v1/reload", &json!({}));
    server.post("/v1/erase", &json!({ "user_id": USER }));
}

fn entries(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_act_has_a_line_in_the_file() {
    let file = empty_file("audit-file", "audit.log");
    std::fs::write(&file, "{\"kept\": true}\n").unwrap();
    let (server, log) = logged("audit-file", &[("ROUTER_AUDIT__FILE", argument(&file))]);
    administer(&server);
    let log = log_of(server, &log);
    assert!(!log.contains("invalidate"), "{log}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(USER), "{text}");
    let entries = entries(&text);
    assert_eq!(entries[0], json!({ "kept": true }));
    let outcomes: Vec<_> = entries[1..]
        .iter()
        .map(|entry| {
            assert_eq!(entry["actor"], "anonymous");
            assert!(entry["time"].as_str().unwrap().ends_with('Z'));
            assert!(entry["request_id"].is_string());
            (&entry["act"], &entry["outcome"], &entry["count"])
        })
        .map(|(act, outcome, count)| json!([act, outcome, count]))
        .collect();
    assert_eq!(
        Value::from(outcomes),
        json!([
            ["invalidate", "done", 1],
            ["invalidate", "unknown_intent", null],
            ["caching", "done", null],
            ["reload", "done", null],
            ["erase", "done", 1],
        ])
    );
    let selector = |entry: &Value| entry["selector"].as_str().unwrap().to_owned();
    assert!(selector(&entries[1]).starts_with("user_id=#"));
    assert_eq!(selector(&entries[1]), selector(&entries[5]));
}

#[test]
fn reloads_without_a_request_have_entries() {
    let file = empty_file("audit-reloads", "audit.log");
    let catalogue = file.with_file_name("intents.toml");
    // In one step, so that a reload never meets part of the text.
    let replace = |text: &str| {
        let draft = file.with_file_name("draft.toml");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(&draft, &catalogue).unwrap();
    };
    let intents = |name: &str| {
        let text = format!(
            "[[intent]]\nname = \"{name}\"\nkind = \"knowledge_base\"\nphrases = [\"{name}\"]\n\
             [[intent.query]]\nname = \"one\"\nsql = \"SELECT 1 AS one\"\n"
        );
        replace(&text);
    };
    let entries = || entries(&std::fs::read_to_string(&file).unwrap());
    let settings = |watch: &'static str| {
        [
            ("ROUTER_AUDIT__FILE", argument(&file).to_owned()),
            ("ROUTER_CATALOGUE__FILE", argument(&catalogue).to_owned()),
            ("ROUTER_SERVER__WATCH_FILES", watch.to_owned()),
        ]
    };
    for (watch, actor) in [("0s", "SIGHUP"), ("10ms", "file change")] {
        std::fs::write(&file, "").unwrap();
        intents("before");
        let settings = settings(watch);
        let settings = settings
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let server = Server::start(&settings);
        if actor == "SIGHUP" {
            // Nothing has changed: no act.
            server.signal("HUP");
        }
        intents("after");
        if actor == "SIGHUP" {
            server.signal("HUP");
        }
        eventually("the reload is recorded", || !entries().is_empty());
        replace("damaged");
        if actor == "SIGHUP" {
            server.signal("HUP");
        }
        eventually("the failure is recorded", || entries().len() > 1);
        let seen: Vec<_> = entries()
            .iter()
            .map(|entry| json!([entry["actor"], entry["act"], entry["outcome"]]))
            .collect();
        let expected = ["done", "reload_failed"].map(|outcome| json!([actor, "reload", outcome]));
        assert_eq!(seen, expected);
    }
}

#[test]
fn without_a_file_the_log_has_them() {
    let (server, path) = logged("audit-log", &[("ROUTER_LOG", "off,audit=info")]);
    administer(&server);
    let log = log_of(server, &path);
    assert_eq!(log.lines().count(), 5, "{log}");
    for act in ["invalidate", "caching", "reload", "erase"] {
        assert!(log.contains(&format!("act=\"{act}\"")), "{log}");
    }
    assert!(!log.contains(USER), "{log}");
}

#[test]
fn a_moved_file_is_reopened_on_sighup() {
    let file = empty_file("audit-rotate", "audit.log");
    let server = Server::start(&[("ROUTER_AUDIT__FILE", argument(&file))]);
    server.invalidate(&json!({ "all": true }));
    let moved = file.with_extension("1");
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    assert!((0..1_000_000).any(|_| !read(&file).is_empty()));
    std::fs::rename(&file, &moved).unwrap();
    server.signal("HUP");
    assert!((0..1_000_000).any(|_| file.exists()));
    server.invalidate(&json!({ "intent": "claim_status" }));
    server.terminate();
    assert!(server.wait().success());
    assert_eq!(entries(&read(&moved)).len(), 1);
    let new = entries(&read(&file));
    let acts: Vec<_> = new.iter().map(|entry| entry["selector"].clone()).collect();
    assert_eq!(acts, [json!("intent=claim_status")]);
}

#[test]
fn a_reload_that_outlasts_its_request_is_recorded() {
    // Reading this takes longer than the time for an answer, as a rule.
    let phrase = "phrases = ['hours']\n";
    let intents = (0..500)
        .map(|n| format!("[[intent]]\nname = 'hours{n}'\nkind = 'knowledge_base'\n{phrase}"));
    let catalogue = program::file("audit-slow", "intents.toml", intents.collect::<String>());
    let file = empty_file("audit-slow", "audit.log");
    let server = Server::start(&[
        ("ROUTER_CATALOGUE__FILE", argument(&catalogue)),
        ("ROUTER_AUDIT__FILE", argument(&file)),
        ("ROUTER_SERVER__REQUEST_TIMEOUT", "1ms"),
        ("ROUTER_SERVER__WATCH_FILES", "0s"),
    ]);
    let mut reloads = (0..100).map(|_| server.post("/v1/reload", &json!({})).value());
    // A reload may end in time if this test gets little of the processor.
    let reply = reloads.find(|reply| reply["code"] == "request_timeout");
    let id = reply.unwrap()["request_id"].clone();
    server.terminate();
    assert!(server.wait().success());
    let entries = entries(&std::fs::read_to_string(&file).unwrap());
    let entry = entries.iter().find(|entry| entry["request_id"] == id);
    assert_eq!(entry.unwrap()["outcome"], "unfinished");
}

#[test]
fn a_stop_waits_for_what_is_not_written_yet() {
    let path = empty_file("audit-pipe", "x").with_file_name("pipe");
    let _ = std::fs::remove_file(&path);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()));
    // Opening either end waits for the other.
    let pipe = path.clone();
    let reader = std::thread::spawn(move || File::open(pipe).unwrap());
    let mut server = Server::start(&[("ROUTER_AUDIT__FILE", argument(&path))]);
    let mut reader = reader.join().unwrap();
    // More than the pipe holds, and fewer than may wait.
    for _ in 0..800 {
        server.invalidate(&json!({ "user_id": USER }));
    }
    server.terminate();
    // Time enough for a service to end that does not wait.
    server.ends_within(Duration::from_millis(300));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(server.wait().success());
    assert_eq!(entries(&text).len(), 800);
}

#[test]
fn a_file_that_cannot_be_opened_is_told_at_the_start() {
    let path = empty_file("audit-none", "x").join("audit.log");
    let environment = [
        ("ROUTER_SOURCE__DEMO_USERS", "50"),
        ("ROUTER_AUDIT__FILE", argument(&path)),
    ];
    let run = program::router_with(&["serve", "--listen", "127.0.0.1:0"], &environment, b"");
    run.fails(69, "audit.file");
}

#[test]
fn an_entry_that_cannot_be_written_is_counted() {
    let (server, log) = logged("audit-full", &[("ROUTER_AUDIT__FILE", "/dev/full")]);
    assert_eq!(server.invalidate(&json!({ "all": true })), 0);
    let is_counted = || {
        let metrics = server.get("/metrics").text();
        metrics.contains("router_audit_failures_total{} 1.0")
    };
    assert!((0..10_000).any(|_| is_counted()));
    let log = log_of(server, &log);
    assert!(log.contains("an entry of the audit log is lost"), "{log}");
}
