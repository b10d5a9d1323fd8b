//! A log that nobody reads, and the identifiers of requests in it.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::support::Server;
use crate::{QUESTION, ROLE, USER, log_of, logged};

/// More lines than a pipe holds: some 400.
const INVALIDATIONS: usize = 2_000;

/// Sends so many invalidations on one connection and reads all answers.
fn invalidate(server: &Server, times: usize) {
    let body = json!({ "user_id": USER }).to_string();
    let request = |connection: &str| {
        format!(
            "POST /v1/invalidate HTTP/1.1\r\nhost: localhost\r\nconnection: {connection}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let requests = request("keep-alive").repeat(times - 1) + &request("close");
    let mut stream = server.connect();
    stream.write_all(requests.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), times);
}

fn dropped_lines(server: &Server) -> f64 {
    let metrics = server.get("/metrics").text();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("router_log_lines_dropped_total{} "));
    line.unwrap().parse().unwrap()
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    // Neither end is closed: the pipe fills up, and writing to it blocks.
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut server = Server::start_logging_to(Stdio::from(writer), &[]);
    for _ in 0..20 {
        invalidate(&server, INVALIDATIONS / 20);
    }
    let long = json!({ "tag": "x".repeat(70_000) });
    let reply = server.post("/v1/invalidate", &long);
    reply.is_problem(422, "`tag` has 70000 bytes; at most 4096 are allowed");
    assert_eq!(reply.value()["code"], "selector_too_long");
    assert!(!server.ask(QUESTION, USER, ROLE).is_hit());
    // 8,192 lines wait at most.
    let more = || invalidate(&server, 1_000);
    let is_dropped = (0..20).any(|_| {
        more();
        dropped_lines(&server) > 0.0
    });
    assert!(is_dropped, "lines are kept without bound");
    server.terminate();
    assert!(
        server.ends_within(Duration::from_secs(30)),
        "the stop hangs"
    );
    assert!(server.wait().success());
}

#[test]
fn selectors_are_short_in_the_log() {
    let (server, path) = logged("short", &[("ROUTER_PRIVACY__SHOW_IDS", "true")]);
    let longest = "x".repeat(4096);
    for member in ["tag", "pattern"] {
        server.invalidate(&json!({ member: longest }));
    }
    server.invalidate(&json!({ "user_id": &longest[2..] }));
    server.invalidate(&json!([{ "role": &longest[2..] }, { "all": true }]));
    let many: Vec<_> = (0..256)
        .map(|n| json!({ "tag": format!("t:{n}") }))
        .collect();
    server.invalidate(&json!(many));
    for (member, length) in [
        ("key", 4097),
        ("intent", 4097),
        ("class", 4097),
        ("tag", 4097),
        ("pattern", 4097),
        ("user_id", 4095),
        ("role", 4095),
    ] {
        let reply = server.post("/v1/invalidate", &json!({ member: "x".repeat(length) }));
        assert_eq!(reply.value()["code"], "selector_too_long", "{member}");
    }
    let log = log_of(server, &path);
    let longest = log.lines().map(str::len).max();
    assert!(longest < Some(1_000), "{longest:?}");
    assert!(log.contains("tag=t:7, and 248 more"), "{log}");
}

#[test]
fn every_line_of_a_request_has_its_identifier() {
    let (server, path) = logged("identifier", &[]);
    let invalidate_as = |id: &str| {
        let headers = [("content-type", "application/json"), ("x-request-id", id)];
        let reply = server.send("POST", "/v1/invalidate", &headers, br#"{"all": true}"#);
        reply.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(invalidate_as("from-the-proxy-17"), "from-the-proxy-17");
    let made = invalidate_as("not well-formed");
    assert_ne!(made, invalidate_as("not well-formed"));
    let headers = [("x-request-id", "of-the-problem")];
    let problem = server.send("GET", "/no-such", &headers, b"").value();
    assert_eq!(problem["request_id"], "of-the-problem");
    // The outermost rules are answered under it, too.
    let refused = server.send("POST", "/v1/reload", &headers, b"");
    assert_eq!(refused.header("x-request-id"), Some("of-the-problem"));
    assert_eq!(refused.value()["request_id"], "of-the-problem");
    let log = log_of(server, &path);
    for id in ["from-the-proxy-17", &made] {
        let of_request = format!("request{{id={id}}}");
        let line = log.lines().find(|line| line.contains(&of_request));
        assert!(
            line.is_some_and(|line| line.contains("invalidate")),
            "{log}"
        );
    }
}
