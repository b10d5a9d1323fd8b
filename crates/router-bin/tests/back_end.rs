//! The service over an HTTP back end that works and fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::json;
use support::{Reply, Server, eventually};

const CATALOGUE: &str = r#"
[slots.loan]
kind = "pattern"
pattern = "L-#"
[[intent]]
name = "loans"
kind = "live_data"
key = "slots"
phrases = ["my loans"]
slots = ["loan"]
tags = ["loan:{loan}"]
[intent.http]
path = "/members/{user_id}/loans/{loan}"
reads = ["loan"]
"#;

const SECRET: &str = "top-secret-token";

/// How the back end answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Good,
    /// With an entity tag, and 304 for who knows it.
    Tagged,
    /// With this status, and a secret in the body.
    Status(&'static str),
    HalfABody,
    Silent,
    Endless,
}

/// A back end whose answers name the user, the role and the path of the request.
struct BackEnd {
    url: String,
    mode: Arc<Mutex<Mode>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl BackEnd {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let mode = Arc::new(Mutex::new(Mode::Good));
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (now, seen) = (Arc::clone(&mode), Arc::clone(&heads));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (now, seen) = (Arc::clone(&now), Arc::clone(&seen));
                std::thread::spawn(move || answer(stream.unwrap(), &now, &seen));
            }
        });
        Self { url, mode, heads }
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    fn asked(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

fn answer(mut stream: TcpStream, mode: &Mutex<Mode>, seen: &Mutex<Vec<String>>) {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or_else(String::new, |(_, value)| value.to_owned())
    };
    let path = head.split(' ').nth(1).unwrap();
    let body = json!({ "user": header("x-user-id"), "role": header("x-user-role"), "path": path });
    let body = body.to_string();
    seen.lock().unwrap().push(head.clone());
    let of = |status: &str, more: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    };
    let mode = *mode.lock().unwrap();
    let text = match mode {
        Mode::Tagged if !header("if-none-match").is_empty() => of("304 Not Modified", "", ""),
        Mode::Tagged => of("200 OK", "etag: \"1\"\r\n", &body),
        Mode::Good => of("200 OK", "cache-control: max-age=60\r\n", &body),
        Mode::Status(status) => of(status, "location: http://127.0.0.1:1/\r\n", SECRET),
        Mode::HalfABody => format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{body}"),
        Mode::Silent => {
            // Until the client leaves.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
        Mode::Endless => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
    };
    let _ = stream.write_all(text.as_bytes());
    while mode == Mode::Endless && stream.write_all(&[b' '; 65_536]).is_ok() {}
}

/// A configuration file with these settings of `[source.http]` and of other tables.
fn configuration(name: &str, url: &str, more: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("back_end")
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("intents.toml"), CATALOGUE).unwrap();
    let file = folder.join("router.toml");
    let text = format!(
        "catalogue.file = 'intents.toml'\nsource.url = '{url}'\nsource.deadline = '300ms'\n{more}\n\
         [source.http]\nuser_header = 'X-User-Id'\nrole_header = 'X-User-Role'\n\
         headers = {{ authorization = 'Bearer ${{BACKEND_TOKEN}}', x-key = '{SECRET}' }}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn start(name: &str, back_end: &BackEnd, more: &str) -> Server {
    let file = configuration(name, &back_end.url, more);
    let settings = [
        ("ROUTER_CONFIG", file.to_str().unwrap()),
        ("BACKEND_TOKEN", SECRET),
    ];
    Server::start_with(&settings)
}

/// Asks without the expectation of an answer.
fn ask(server: &Server, user: &str) -> Reply {
    let context = json!({ "user_id": user, "user_role": "member" });
    server.post(
        "/v1/route",
        &json!({ "message": "my loans", "user_context": context }),
    )
}

#[test]
fn each_user_in_each_role_gets_their_own_answer() {
    let back_end = BackEnd::start();
    let server = start("own", &back_end, "");
    for round in 0..3 {
        for user in ["A-1", "B-2"] {
            for role in ["member", "clerk"] {
                for (message, path) in [
                    ("my loans", format!("/api/members/{user}/loans")),
                    ("my loans L-7", format!("/api/members/{user}/loans/L-7")),
                ] {
                    let reply = server.ask(message, user, role);
                    let expect = json!({ "user": user, "role": role, "path": path });
                    assert_eq!(reply.value()["data"], expect);
                    assert_eq!(reply.is_hit(), round > 0, "{message} {user} {role} {round}");
                }
            }
        }
    }
    assert_eq!(back_end.asked(), 8);
    let head = &back_end.heads.lock().unwrap()[0];
    assert!(
        head.contains(&format!("authorization: Bearer {SECRET}\r\n")),
        "{head}"
    );
    let ttl = server.ask("my loans", "A-1", "member");
    let ttl = ttl.cache_status().split("ttl=").nth(1).unwrap();
    let ttl: u32 = ttl.split(';').next().unwrap().parse().unwrap();
    assert!(
        ttl < 60,
        "the back end allows 60 s, not the 300 s of the class"
    );
    // The record is in no answer, but its kind is read.
    assert_eq!(
        server.invalidate(&json!({ "tag": "loan:9", "user_id": "B-2" })),
        4
    );
    assert!(server.ask("my loans", "A-1", "member").is_hit());
}

#[test]
fn a_known_response_is_confirmed_until_the_user_is_erased() {
    let back_end = BackEnd::start();
    back_end.set(Mode::Tagged);
    let server = start("tagged", &back_end, "");
    let asked = |user: &str, is_known: bool| {
        let reply = server.ask("my loans", user, "member");
        assert!(!reply.is_hit());
        assert_eq!(reply.value()["data"]["user"], user);
        let heads = back_end.heads.lock().unwrap();
        let last = heads.last().unwrap();
        assert_eq!(
            last.contains("if-none-match: \"1\"\r\n"),
            is_known,
            "{last}"
        );
    };
    asked("A-1", false);
    asked("B-2", false);
    assert_eq!(server.invalidate(&json!({ "tag": "loan:9" })), 2);
    asked("A-1", true);
    let receipt = server.post("/v1/erase", &json!({ "user_id": "A-1" }));
    assert_eq!(receipt.value()["erased"]["responses"], 1);
    asked("A-1", false);
    asked("B-2", true);
}

#[test]
fn what_a_client_gets_of_each_fault() {
    let back_end = BackEnd::start();
    let server = start("faults", &back_end, "source.breaker.failures = 1000");
    for (mode, status) in [
        (Mode::Status("500 Internal Server Error"), 503),
        (Mode::Status("503 Service Unavailable"), 503),
        (Mode::Status("429 Too Many Requests"), 503),
        (Mode::Status("302 Found"), 502),
        (Mode::Status("403 Forbidden"), 502),
        (Mode::Status("404 Not Found"), 502),
        (Mode::Status("200 OK"), 502),
        (Mode::HalfABody, 503),
        (Mode::Endless, 502),
        (Mode::Silent, 504),
    ] {
        back_end.set(mode);
        let reply = ask(&server, "A-1");
        reply.is_problem(status, "the source of records");
        for secret in [SECRET, "127.0.0.1", "L-", "members"] {
            assert!(!reply.text().contains(secret), "{mode:?}: {}", reply.text());
        }
    }
    back_end.set(Mode::Good);
    let reply = ask(&server, "A-1");
    assert_eq!(reply.status, 200);
    assert!(!reply.is_hit(), "no failure is stored");
    // Nothing is sent of a user who cannot be in a path, and no breaker opens for others.
    for _ in 0..40 {
        ask(&server, "../B-2").is_problem(422, "cannot be given a value");
    }
    assert_eq!(ask(&server, "C-3").status, 200);
}

#[test]
fn a_back_end_that_recovers_is_asked_again() {
    for mode in [
        Mode::Status("500 Internal Server Error"),
        Mode::Status("302 Found"),
        Mode::HalfABody,
        Mode::Silent,
    ] {
        let back_end = BackEnd::start();
        let server = start("recovers", &back_end, "");
        back_end.set(mode);
        let mut statuses: Vec<_> = (0..8).map(|_| ask(&server, "A-1").status).collect();
        statuses.dedup();
        back_end.set(Mode::Good);
        let healed = Instant::now();
        eventually("an answer", || ask(&server, "A-1").status == 200);
        let after = healed.elapsed().as_millis();
        println!("{mode:?}: clients got {statuses:?}; answers again after {after} ms");
    }
}

#[test]
fn no_secret_is_shown_and_what_is_missing_is_said() {
    let file = configuration("shown", "https://crm.example.org/api", "");
    let file = file.to_str().unwrap();
    let token = [("BACKEND_TOKEN", SECRET)];
    let shown = program::router_with(&["config", "show", "--config", file], &token, b"");
    let text = shown.output();
    assert!(text.contains("Bearer ${BACKEND_TOKEN}"), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    let check = |settings: &[(&str, &str)]| {
        program::router_with(&["config", "check", "--config", file], settings, b"")
    };
    check(&token).output();
    check(&[]).fails(
        78,
        "`source.http.headers.authorization`: the environment variable BACKEND_TOKEN",
    );
    check(&[("BACKEND_TOKEN", "a\nb")]).fails(78, "control characters");
}

#[test]
fn a_catalogue_of_requests_needs_a_back_end() {
    let file = configuration("missing", "https://crm.example.org", "");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("source.url = 'https://crm.example.org'\n", "");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let asked = ["ask", "my loans", "--user-id", "A-1", "--config", file];
    let run = program::router_with(&asked, &[("BACKEND_TOKEN", SECRET)], b"");
    run.fails(
        78,
        "intent `loans` is answered by an HTTP back end, and none is configured",
    );
}
