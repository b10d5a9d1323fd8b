//! A stop loses no request: what a client has sent is answered.

mod support;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use support::{Reply, Server, eventually};

const BODY: &str = r#"{"message": "what is my claim status?", "user_context": {"user_id": "BEN-000001", "user_role": "beneficiary"}}"#;

fn question(headers: &str) -> Vec<u8> {
    let length = BODY.len();
    format!(
        "POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{BODY}"
    )
    .into_bytes()
}

/// What became of a request all of whose bytes were sent.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Answered { closes: bool },
    Lost(String),
}

/// Reads an answer to its end.
fn answer(reader: &mut BufReader<TcpStream>) -> Fate {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match reader.read_line(&mut head) {
            Ok(0) => return Fate::Lost(format!("the stream ended after {head:?}")),
            Ok(_) => {}
            Err(error) => return Fate::Lost(format!("{error} after {head:?}")),
        }
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| {
        let length = line.strip_prefix("content-length: ")?;
        length.parse().ok()
    });
    let mut body = vec![0; length.expect("a length")];
    match reader.read_exact(&mut body) {
        Ok(()) => Fate::Answered {
            closes: head.contains("\r\nconnection: close\r\n"),
        },
        Err(error) => Fate::Lost(format!("{error} in the body")),
    }
}

/// Asks again and again, on one connection after another, until the service accepts no
/// more. Returns the requests that were lost.
fn ask_until_refused(address: &str, keeps_alive: bool, answered: &AtomicUsize) -> Vec<String> {
    let headers = if keeps_alive {
        ""
    } else {
        "connection: close\r\n"
    };
    let question = question(headers);
    let mut lost = Vec::new();
    // Nothing is lost where no connection is made.
    while let Ok(stream) = TcpStream::connect(address) {
        let mut reader = BufReader::new(stream);
        // Nor where the request was not sent as a whole.
        while reader.get_mut().write_all(&question).is_ok() {
            match answer(&mut reader) {
                Fate::Answered { closes } => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    if closes {
                        break;
                    }
                }
                Fate::Lost(how) => {
                    lost.push(how);
                    break;
                }
            }
        }
    }
    lost
}

#[test]
fn no_request_is_lost_in_twenty_stops_under_load() {
    for round in 0..20 {
        let server = Server::start(&[]);
        let answered = AtomicUsize::new(0);
        let lost: Vec<String> = thread::scope(|scope| {
            let address = server.address();
            let clients: Vec<_> = (0..12)
                .map(|client| {
                    let answered = &answered;
                    let keeps_alive = client % 2 == 0;
                    scope.spawn(move || ask_until_refused(address, keeps_alive, answered))
                })
                .collect();
            while answered.load(Ordering::Relaxed) < 100 {
                thread::yield_now();
            }
            server.terminate();
            let lost = clients.into_iter().map(|client| client.join().unwrap());
            lost.flatten().collect()
        });
        let answered = answered.into_inner();
        assert!(
            lost.is_empty(),
            "round {round}: {} of {} requests lost: {lost:?}",
            lost.len(),
            lost.len() + answered
        );
        assert!(server.wait().success());
    }
}

#[test]
fn connections_made_just_before_a_stop_are_answered() {
    for _ in 0..5 {
        let server = Server::start(&[]);
        let mut streams: Vec<_> = (0..50).map(|_| server.connect()).collect();
        server.terminate();
        for stream in &mut streams {
            stream.write_all(&question("")).unwrap();
        }
        for stream in streams {
            let fate = answer(&mut BufReader::new(stream));
            assert!(matches!(fate, Fate::Answered { .. }), "{fate:?}");
        }
        assert!(server.wait().success());
    }
}

#[test]
fn a_lame_duck_is_not_ready_and_answers() {
    let server = Server::start(&[("ROUTER_SERVER__LAME_DUCK", "1h")]);
    assert_eq!(server.get("/readyz").status, 200);
    let mut kept = server.connect();
    server.terminate();
    eventually("the service is not ready", || {
        server.get("/readyz").status == 503
    });
    let reply = server.get("/readyz");
    reply.is_problem(503, "stopping");
    assert_eq!(reply.value()["code"], "stopping");
    assert_eq!(server.get("/livez").status, 200);
    kept.write_all(&question("")).unwrap();
    let closes = Fate::Answered { closes: true };
    assert_eq!(answer(&mut BufReader::new(kept)), closes);
    let mut new = server.connect();
    new.write_all(&question("")).unwrap();
    assert_eq!(answer(&mut BufReader::new(new)), closes);
    // The second signal ends it.
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn after_the_lame_duck_the_service_ends() {
    let server = Server::start(&[("ROUTER_SERVER__LAME_DUCK", "10ms")]);
    // Nothing comes on this connection, which its client keeps open.
    let idle = server.connect();
    server.terminate();
    assert!(server.wait().success());
    drop(idle);
}

#[test]
fn a_client_that_closes_its_half_gets_its_answer() {
    // The query is still running when the service sees the half closed.
    let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
                SELECT :user_id AS member_id FROM n WHERE i = 200000";
    let server = Server::start(&[
        ("ROUTER_SOURCE__PROFILE_SQL", slow),
        ("ROUTER_SOURCE__DEADLINE", "1m"),
    ]);
    let mut stream = server.connect();
    stream.write_all(&question("")).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Reply::read(stream).status, 200);
}

#[test]
fn a_body_cut_short_is_refused() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let question = question("");
    stream.write_all(&question[..question.len() - 1]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => assert!(!rest.starts_with(b"HTTP/1.1 200")),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert_eq!(server.get("/livez").status, 200);
}
