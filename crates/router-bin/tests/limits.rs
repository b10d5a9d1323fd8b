//! The bounds on what all clients together may take: bodies, streams, connections.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;
use support::{Reply, Server, eventually};

const QUESTION: &str = "what is my claim status?";

fn head(length: usize) -> String {
    format!(
        "POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// A request of this many bytes of body, all sent but the last one.
fn stalled(server: &Server, length: usize) -> TcpStream {
    let mut stream = server.connect();
    stream
        .write_all(head(length).as_bytes())
        .expect("the head is sent");
    // A service that refuses the body may close before all is written.
    let _ = stream.write_all(&body(length)[..length - 1]);
    stream
}

/// A body of this many bytes that is answered with 200.
fn body(length: usize) -> Vec<u8> {
    let context = json!({ "user_id": "BEN-000001" });
    let mut body = json!({ "message": QUESTION, "user_context": context }).to_string();
    body.push_str(&" ".repeat(length - body.len()));
    body.into_bytes()
}

/// Whether the service has refused the request already.
fn is_refused(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("the stream is set");
    let refused = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).expect("the stream is set");
    refused
}

#[test]
fn bodies_in_flight_share_a_budget() {
    const BODY: usize = 256 << 10;
    let server = Server::start(&[
        ("ROUTER_SERVER__MAX_BODY", "256KiB"),
        ("ROUTER_SERVER__MAX_BODIES", "4MiB"),
    ]);
    let streams: Vec<_> = (0..300).map(|_| stalled(&server, BODY)).collect();
    // Of these 75 MiB the budget takes sixteen bodies.
    eventually("all but sixteen bodies are refused", || {
        streams.iter().filter(|stream| !is_refused(stream)).count() <= 16
    });
    // Requests without a body are answered meanwhile.
    assert_eq!(server.get("/v1/stats").status, 200);
    let (refused, held): (Vec<_>, Vec<_>) = streams.into_iter().partition(is_refused);
    for stream in refused {
        let reply = Reply::read(stream);
        reply.is_problem(503, "max_bodies");
        assert_eq!(reply.value()["code"], "body_budget");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    // Those that were held are read to their end.
    assert!(!held.is_empty());
    for mut stream in held {
        stream.write_all(b" ").unwrap();
        assert_eq!(Reply::read(stream).status, 200);
    }
    // Their memory is free again.
    assert_eq!(server.json("POST", "/v1/route", body(BODY)).status, 200);
}

#[test]
fn the_budget_comes_back_from_clients_that_vanish() {
    const BODY: usize = 256 << 10;
    let server = Server::start(&[
        ("ROUTER_SERVER__MAX_BODY", "256KiB"),
        ("ROUTER_SERVER__MAX_BODIES", "256KiB"),
    ]);
    let large = body(BODY);
    let status = || server.json("POST", "/v1/route", &large).status;
    for _ in 0..3 {
        let mut held = stalled(&server, BODY);
        eventually("a body holds the budget", || {
            // The body of an answered request may hold it a moment longer.
            if is_refused(&held) {
                held = stalled(&server, BODY);
            }
            status() == 503
        });
        drop(held);
        eventually("the budget is back", || status() == 200);
    }
}

#[test]
fn chunks_of_one_byte_count_as_what_they_take() {
    let server = Server::start(&[
        ("ROUTER_SERVER__MAX_BODY", "64KiB"),
        ("ROUTER_SERVER__MAX_BODIES", "64KiB"),
    ]);
    let mut stream = server.connect();
    let head = "POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                connection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for byte in body(64 << 10) {
        write!(stream, "1\r\n{}\r\n", char::from(byte)).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(Reply::read(stream).status, 200);
}

#[test]
fn the_largest_body_is_read_whatever_the_budget() {
    let server = Server::start(&[
        ("ROUTER_SERVER__MAX_BODY", "256KiB"),
        ("ROUTER_SERVER__MAX_BODIES", "1KiB"),
    ]);
    let reply = server.json("POST", "/v1/route", body(256 << 10));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Asks for a stream of statistics, and waits for the status.
fn stream_status(server: &Server) -> (TcpStream, u16) {
    let mut stream = server.connect();
    stream
        .write_all(b"GET /v1/stats/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .expect("the request is sent");
    let mut line = [0; 12];
    stream.read_exact(&mut line).expect("a status line");
    let status = std::str::from_utf8(&line[9..])
        .expect("a status line of text")
        .parse();
    (stream, status.expect("a status"))
}

/// Opens a stream of statistics.
fn open_stream(server: &Server) -> TcpStream {
    let (stream, status) = stream_status(server);
    assert_eq!(status, 200);
    stream
}

#[test]
fn streams_are_capped_and_places_come_back() {
    let server = Server::start(&[("ROUTER_SERVER__MAX_STREAMS", "3")]);
    let mut streams: Vec<_> = (0..3).map(|_| open_stream(&server)).collect();
    assert_eq!(stream_status(&server).1, 503);
    let refused = server.get("/v1/stats/stream");
    refused.is_problem(503, "max_streams");
    assert_eq!(refused.value()["code"], "too_many_streams");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(server.get("/v1/stats").status, 200);
    streams.pop();
    // The service notices when it sends the next event.
    eventually("a place is free", || stream_status(&server).1 == 200);
}

#[test]
fn probes_are_answered_when_all_connections_are_in_use() {
    let server = Server::start(&[("ROUTER_SERVER__MAX_CONNECTIONS", "4")]);
    let held: Vec<_> = (0..4).map(|_| open_stream(&server)).collect();
    // Idle connections beyond the limit do not keep probes out.
    let idle: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for _ in 0..20 {
        for probe in ["/livez", "/readyz"] {
            let reply = server.get(probe);
            assert_eq!((reply.status, reply.text()), (200, "ok\n".to_owned()));
        }
        let refused = server.get("/v1/stats");
        refused.is_problem(503, "max_connections");
        assert_eq!(refused.header("connection"), Some("close"));
    }
    // Such a connection ends with its first answer.
    let mut stream = server.connect();
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(
        rest.ends_with("ok\n") && rest.contains("connection: close"),
        "{rest}"
    );
    drop((held, idle));
    eventually("a connection is free", || {
        server.get("/v1/stats").status == 200
    });
}

/// A head of exactly this many bytes.
fn head_of(bytes: usize) -> String {
    let before = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: ";
    let value = "a".repeat(bytes - before.len() - 4);
    let head = format!("{before}{value}\r\n\r\n");
    assert_eq!(head.len(), bytes);
    head
}

#[test]
fn a_head_may_have_64_kibibytes_and_no_more() {
    let server = Server::start(&[]);
    for bytes in [60_000, 65_535, 65_536] {
        assert_eq!(server.raw(head_of(bytes).as_bytes()).status, 200, "{bytes}");
    }
    for bytes in [65_537, 65_600, 70_000, 100_000, 1 << 20] {
        assert_eq!(server.raw(head_of(bytes).as_bytes()).status, 431, "{bytes}");
    }
}
