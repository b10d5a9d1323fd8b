//! The service as those who run it see it: its log, its limits in time, its
//! end, its metrics.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::json;
use support::{Reply, Server};

const QUESTION: &str = "what is my claim status?";

/// Reads until the server hangs up; fails if it does not.
fn until_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the connection stays open")
        }
        // A connection may also be reset.
        _ => read,
    }
}

#[test]
fn a_log_that_nobody_reads_harms_nobody() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let server = Server::start_logging_to(Stdio::from(writer), &[("ROUTER_LOG", "debug")]);
    // From here on every line of the log fails to be written.
    drop(reader);
    server.ask(QUESTION, "BEN-000001", "beneficiary");
    assert_eq!(server.invalidate(&json!({ "all": true })), 1);
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn a_second_signal_ends_the_wait_for_requests_under_way() {
    let server = Server::start(&[("ROUTER_SERVER__SHUTDOWN_DEADLINE", "1h")]);
    let mut half = server.connect();
    half.write_all(
        b"POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
          expect: 100-continue\r\ncontent-length: 50\r\n\r\n",
    )
    .unwrap();
    let mut asked_on = [0; 25];
    half.read_exact(&mut asked_on).unwrap();
    assert_eq!(&asked_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.terminate();
    // Asked until it has noticed.
    while server.accepts() {}
    server.terminate();
    assert_eq!(until_closed(half), b"");
    assert!(server.wait().success());
}

#[test]
fn idle_connections_end_in_their_own_time() {
    let server = Server::start(&[
        ("ROUTER_SERVER__HEADER_TIMEOUT", "1h"),
        ("ROUTER_SERVER__IDLE_TIMEOUT", "50ms"),
    ]);
    assert_eq!(until_closed(server.connect()), b"");
    let mut used = server.connect();
    used.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    assert!(until_closed(used).ends_with(b"ok\n"));
}

#[test]
fn a_head_that_has_begun_has_its_own_time_too() {
    let server = Server::start(&[
        ("ROUTER_SERVER__HEADER_TIMEOUT", "50ms"),
        ("ROUTER_SERVER__IDLE_TIMEOUT", "1h"),
    ]);
    for before in ["", "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
        let mut stream = server.connect();
        stream.write_all(before.as_bytes()).unwrap();
        if !before.is_empty() {
            let mut first = [0];
            stream.read_exact(&mut first).unwrap();
        }
        stream.write_all(b"GET /livez HT").unwrap();
        until_closed(stream);
    }
}

#[test]
fn an_idle_connection_outlives_the_time_for_a_head() {
    let server = Server::start(&[
        ("ROUTER_SERVER__HEADER_TIMEOUT", "50ms"),
        ("ROUTER_SERVER__IDLE_TIMEOUT", "1h"),
    ]);
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut idle = server.connect();
    // A later connection whose head takes too long: once it is closed, the first
    // has been idle for longer than a head may take.
    let mut slow = server.connect();
    slow.write_all(&request[..8]).unwrap();
    until_closed(slow);
    idle.write_all(request).unwrap();
    assert_eq!(Reply::read(idle).status, 200);
}

#[test]
fn a_client_that_does_not_read_is_closed() {
    let server = Server::start(&[("ROUTER_SERVER__IDLE_TIMEOUT", "50ms")]);
    let mut stream = server.connect();
    let requests = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
    // The responses fill the buffers, then the requests do, until the server
    // closes the connection. If it does not, a write times out.
    let error = (0..10_000).find_map(|_| stream.write_all(&requests).err());
    let kind = error.map(|error| error.kind());
    assert!(
        matches!(
            kind,
            Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
        ),
        "{kind:?}"
    );
}

#[test]
fn a_client_that_sends_on_after_a_refusal_still_gets_it() {
    let server = Server::start(&[]);
    let length = 8 << 20;
    let head = format!(
        "POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    // All of it goes through: a client that stops at the first failed write
    // would never come to read the answer.
    stream.write_all(&vec![b' '; length]).unwrap();
    Reply::read(stream).is_problem(413, "max_body");
}

#[test]
fn a_head_is_bounded() {
    let server = Server::start(&[]);
    let with = |bytes: usize| server.send("GET", "/livez", &[("x", &"a".repeat(bytes))], b"");
    assert_eq!(with(32 << 10).status, 200);
    assert_eq!(with(128 << 10).status, 431);
}

#[test]
fn the_buckets_of_the_latency_end_with_infinity() {
    let server = Server::start(&[]);
    server.ask(QUESTION, "BEN-000001", "beneficiary");
    let metrics = server.get("/metrics").text();
    for outcome in ["hit", "miss", "bypass"] {
        let count = u32::from(outcome == "miss");
        for line in [
            format!("_bucket{{le=\"+Inf\",outcome=\"{outcome}\"}} {count}\n"),
            format!("_count{{outcome=\"{outcome}\"}} {count}\n"),
        ] {
            let line = format!("router_request_duration_seconds{line}");
            assert!(metrics.contains(&line), "no {line} in\n{metrics}");
        }
    }
}
