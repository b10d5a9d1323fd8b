//! What clients should not send: always a problem that says what and where,
//! the service alive, nothing cached, nothing lost.

mod support;

use std::io::Write;

use serde_json::json;
use support::{Reply, Server};

const QUESTION: &str = "what is my claim status?";

/// After anything bad: the service answers, and what was stored still is.
fn is_unharmed(server: &Server) {
    assert!(server.ask(QUESTION, "BEN-000001", "beneficiary").is_hit());
    assert_eq!(server.stats()["cache_size"], 1);
}

fn route(server: &Server, body: impl AsRef<[u8]>) -> Reply {
    server.json("POST", "/v1/route", body)
}

#[test]
fn bodies_that_mean_nothing_are_refused_with_a_reason() {
    let server = Server::start(&[]);
    server.ask(QUESTION, "BEN-000001", "beneficiary");
    let deep = |open: &str, close: &str| {
        format!(
            r#"{{"message": "m", "user_context": {{"user_id": {}1{}}}}}"#,
            open.repeat(100_000),
            close.repeat(100_000)
        )
    };
    let user = |json: &str| format!(r#"{{"message": "m", "user_context": {{"user_id": {json}}}}}"#);
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (b"".to_vec(), 400, "EOF"),
        (b"{".to_vec(), 400, "EOF"),
        (b"nonsense".to_vec(), 400, "line 1"),
        (b"[]".to_vec(), 422, "an object with `message`"),
        (
            br#"["m", {}, null]"#.to_vec(),
            422,
            "an object with `message`",
        ),
        (
            br#"{"message": "m", "user_context": ["BEN-000001", null]}"#.to_vec(),
            422,
            "user_context",
        ),
        (b"\"text\"".to_vec(), 422, "an object with `message`"),
        (b"{}".to_vec(), 422, "missing field `message`"),
        (
            br#"{"message": "m"}"#.to_vec(),
            422,
            "missing field `user_context`",
        ),
        (
            br#"{"message": 5, "user_context": {}}"#.to_vec(),
            422,
            "expected a string",
        ),
        (
            br#"{"message": null, "user_context": {}}"#.to_vec(),
            422,
            "expected a string",
        ),
        (
            br#"{"message": "m", "user_context": null}"#.to_vec(),
            422,
            "user_context",
        ),
        (
            br#"{"message": "m", "user_context": "u"}"#.to_vec(),
            422,
            "user_context",
        ),
        (
            br#"{"message": "m", "user_context": {}, "forced_intent": 1}"#.to_vec(),
            422,
            "string",
        ),
        (
            br#"{"message": "a", "message": "b", "user_context": {}}"#.to_vec(),
            422,
            "duplicate",
        ),
        (
            b"{\"message\": \"\xff\", \"user_context\": {}}".to_vec(),
            400,
            "byte 13",
        ),
        (
            br#"{"message": "\ud800", "user_context": {}}"#.to_vec(),
            400,
            "column",
        ),
        (user("NaN").into(), 400, "column"),
        (user("Infinity").into(), 400, "column"),
        (user(r#""\ud800""#).into(), 422, "user_id"),
        (user("1e999").into(), 422, "user_id"),
        (deep("[", "]").into(), 422, "user_id"),
        (deep("{\"a\":", "}").into(), 422, "user_id"),
    ];
    for (body, status, says) in cases {
        let reply = route(&server, &body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        eprintln!("{shown}: {}", reply.text());
        reply.is_problem(status, says);
    }
    is_unharmed(&server);
}

#[test]
fn ignored_members_may_be_anything_but_too_deep() {
    let server = Server::start(&[]);
    let body = format!(
        r#"{{"message": "m", "extra": {}{}, "user_context": {{}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let reply = route(&server, body);
    assert!(matches!(reply.status, 200 | 400), "{}", reply.text());
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn a_body_over_the_limit_is_refused_whether_declared_or_not() {
    let server = Server::start(&[]);
    server.ask(QUESTION, "BEN-000001", "beneficiary");
    let big = json!({ "message": "x".repeat(5 << 20), "user_context": {} }).to_string();
    route(&server, &big).is_problem(413, "max_body");

    let mut stream = server.connect();
    stream
        .write_all(
            b"POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
              transfer-encoding: chunked\r\n\r\n",
        )
        .unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..80 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    Reply::read(stream).is_problem(413, "max_body");
    is_unharmed(&server);
}

#[test]
fn a_message_over_its_limit_is_refused_and_one_at_it_is_not() {
    let server = Server::start(&[("ROUTER_SERVER__MAX_MESSAGE", "1KiB")]);
    let of = |length| json!({ "message": "x".repeat(length), "user_context": {} });
    assert_eq!(server.post("/v1/route", &of(1_024)).status, 200);
    let reply = server.post("/v1/route", &of(1_025));
    reply.is_problem(422, "max_message");
}

#[test]
fn an_identity_is_no_place_to_store_things() {
    let server = Server::start(&[]);
    let text = |length| "x".repeat(length);
    for (member, other) in [("user_id", "user_role"), ("user_role", "user_id")] {
        let of = |length| {
            let context = json!({ member: text(length), other: "BEN-000001" });
            let body = json!({ "message": QUESTION, "user_context": context });
            server.post("/v1/route", &body)
        };
        // The quotes around a string count.
        assert_eq!(of(1_022).status, 200);
        of(1_023).is_problem(422, &format!("`user_context.{member}` has 1025 bytes"));
    }
}

#[test]
fn a_conversation_is_read_or_refused_with_a_reason() {
    let server = Server::start(&[]);
    server.ask(QUESTION, "BEN-000001", "beneficiary");
    let ask = |conversation: &str, message: &str| {
        let user = format!(r#"{{"user_id": "BEN-000001", "conversation": {conversation}}}"#);
        route(
            &server,
            format!(r#"{{"message": "{message}", "user_context": {user}}}"#),
        )
    };
    let history = r#"{"intent": "payment_history", "slots": {"claim_number": "CLM-2025-000001"}}"#;
    for (conversation, why) in [
        (r#""payment_history""#, "it is not an object"),
        (r#"["payment_history", {}]"#, "it is not an object"),
        ("{}", "missing field `intent`"),
        (r#"{"intent": "a", "slot": {}}"#, "unknown field `slot`"),
        (
            r#"{"intent": "a", "slots": {"period": 5}}"#,
            "expected a string",
        ),
        (
            r#"{"intent": "payment_history", "slots": {"colour": "red"}}"#,
            "has no slot `colour`",
        ),
        (
            r#"{"intent": "payment_history", "slots": {"claim_number": "x"}}"#,
            "\"x\" is not an identifier of the form CLM-####-######",
        ),
    ] {
        let reply = ask(conversation, "and for 2024-03?");
        reply.is_problem(422, why);
    }
    let many: Vec<_> = (0..33).map(|n| format!(r#""slot{n}": """#)).collect();
    let long = format!(r#""period": "{}""#, "x".repeat(4 << 10));
    for slots in [many.join(","), long] {
        let reply = ask(
            &format!(r#"{{"intent": "a", "slots": {{{slots}}}}}"#),
            QUESTION,
        );
        assert_eq!(reply.value()["code"], "conversation_too_long");
    }
    let reason = |reply: Reply| reply.value()["data"]["reason"].clone();
    assert_eq!(reason(ask("null", "and for 2024-03?")), "needs_context");
    is_unharmed(&server);
    let answer = ask(history, "and for 2024-03?").value();
    assert_eq!(
        (&answer["intent"], &answer["source"]),
        (&json!("payment_history"), &json!("live_data"))
    );
}

#[test]
fn wrong_paths_methods_and_types_are_problems() {
    let server = Server::start(&[]);
    server.get("/nowhere").is_problem(404, "/nowhere");
    server.get("/v1/route").is_problem(405, "GET");
    server
        .send("DELETE", "/v1/caching", &[], b"")
        .is_problem(405, "DELETE");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let reply = server.send("POST", "/v1/route", &form, b"{}");
    reply.is_problem(415, "application/json");
    server
        .send("POST", "/v1/route", &[], b"{}")
        .is_problem(415, "but has none");
    let json = ("content-type", "application/json");
    let twice = [json, ("content-type", "text/plain")];
    let reply = server.send("POST", "/v1/route", &twice, b"{}");
    reply.is_problem(415, "more than one");
    let unreadable = [("content-type", "application/json; x=\u{e9}")];
    let reply = server.send("POST", "/v1/route", &unreadable, b"{}");
    reply.is_problem(415, "not readable");
    let packed = [json, ("content-encoding", "gzip")];
    let reply = server.send("POST", "/v1/route", &packed, b"{}");
    reply.is_problem(415, "Content-Encoding");
}

#[test]
fn invalidations_that_name_nothing_or_too_much_are_refused() {
    let server = Server::start(&[]);
    server.ask(QUESTION, "BEN-000001", "beneficiary");
    for (body, says) in [
        (json!({}), "exactly one"),
        (
            json!({ "all": true, "intent": "claim_status" }),
            "exactly one",
        ),
        (json!({ "all": false }), "all"),
        (json!({ "all": "yes" }), "boolean"),
        (json!({ "pattern": "" }), "empty pattern"),
        (json!({ "pattern": "x".repeat(4_097) }), "4096"),
        (json!({ "key": "xyz" }), "key"),
        (json!({ "class": "live-data" }), "live_data"),
        (json!({ "intent": "claims" }), "claim_status"),
        (json!({ "users": "BEN-000001" }), "users"),
        (json!({ "tag": 5 }), "string"),
        (json!({ "all": true, "pattern": null }), "null"),
        (json!([]), "the list is empty"),
        (
            json!([null, null, null, null, null, null, null, true]),
            "an object with one of",
        ),
    ] {
        let reply = server.post("/v1/invalidate", &body);
        eprintln!("{body}: {}", reply.text());
        reply.is_problem(422, says);
    }
    let reply = server.json("PUT", "/v1/caching", r#"{"enabled": "no"}"#);
    reply.is_problem(422, "boolean");
    let reply = server.json("PUT", "/v1/caching", "[false]");
    reply.is_problem(422, "an object such as");
    is_unharmed(&server);
}

#[test]
fn half_sent_requests_end_in_time_and_take_no_place() {
    let server = Server::start(&[
        ("ROUTER_SERVER__HEADER_TIMEOUT", "300ms"),
        ("ROUTER_SERVER__BODY_TIMEOUT", "300ms"),
        ("ROUTER_SERVER__IDLE_TIMEOUT", "300ms"),
    ]);
    let mut body = server.connect();
    body.write_all(
        b"POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
          content-length: 50\r\n\r\n{\"mess",
    )
    .unwrap();
    Reply::read(body).is_problem(408, "did not arrive");

    for half in ["", "GET /livez HT", "GET /livez HTTP/1.1\r\nhost:"] {
        use std::io::Read;
        let mut stream = server.connect();
        stream.write_all(half.as_bytes()).unwrap();
        let mut rest = Vec::new();
        // The server hangs up; what it says before does not matter here.
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{half:?}");
    }
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn connections_past_the_limit_are_told_so_and_places_come_back() {
    let server = Server::start(&[
        ("ROUTER_SERVER__MAX_CONNECTIONS", "2"),
        ("ROUTER_SERVER__HEADER_TIMEOUT", "20s"),
    ]);
    let mut held: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for stream in &mut held {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost:").unwrap();
    }
    server.get("/metrics").is_problem(503, "max_connections");
    for stream in &mut held {
        stream
            .write_all(b" localhost\r\nconnection: close\r\n\r\n")
            .unwrap();
    }
    for stream in held {
        assert_eq!(Reply::read(stream).status, 200);
    }
    let free = (0..200).any(|_| server.get("/metrics").status == 200);
    assert!(free, "a place is free again");
}
