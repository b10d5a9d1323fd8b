//! Cache-aside over HTTP: `/v1/cache/lookup`, `/fill`, `/fail` and `/release`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use program::{argument, file};
use serde_json::{Value, json};
use support::{Reply, Server, eventually};

const CATALOGUE: &str = r#"
    [slots.claim]
    kind = "pattern"
    pattern = "CLM-####"
    [[intent]]
    name = "claims"
    kind = "live_data"
    answered_by = "caller"
    phrases = ["claim"]
    slots = ["claim"]
    [[intent]]
    name = "hours"
    kind = "knowledge_base"
    answered_by = "caller"
    phrases = ["opening hours"]
"#;

/// A service whose intents are all answered by callers, with these settings.
fn serve(test: &str, settings: &str) -> Server {
    file(test, "intents.toml", CATALOGUE);
    let text = format!("[catalogue]\nfile = 'intents.toml'\n{settings}");
    let config = file(test, "router.toml", text);
    Server::start_with(&[("ROUTER_CONFIG", argument(&config))])
}

fn post(server: &Server, token: Option<&str>, path: &str, body: &Value) -> Reply {
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(token.map(|token| ("authorization", format!("Bearer {}", secret(token)))));
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    server.send("POST", path, &headers, body.to_string().as_bytes())
}

fn secret(name: &str) -> String {
    format!("{name}-{}", "0123456789abcdef".repeat(2))
}

/// What a call answers that is not refused.
fn call(server: &Server, path: &str, body: &Value) -> Value {
    let reply = post(server, None, path, body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.value()
}

fn asked(user: &str, more: Value) -> Value {
    let mut body = json!({
        "intent": "claims", "message": "my claim", "user_context": { "user_id": user },
    });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

fn look_up(server: &Server, user: &str, more: Value) -> Value {
    call(server, "/v1/cache/lookup", &asked(user, more))
}

fn permit(found: &Value) -> String {
    assert_eq!(found["status"], "permit", "{found}");
    found["permit"]["id"].as_str().unwrap().to_owned()
}

fn fill(server: &Server, permit: &str, data: &Value) -> Value {
    let body = json!({ "permit": permit, "data": data, "tags": ["claim:1"] });
    call(server, "/v1/cache/fill", &body)
}

/// A metric without labels, or with this one.
fn metric(server: &Server, name: &str) -> f64 {
    let text = server.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    value.trim().parse().unwrap()
}

#[test]
fn one_caller_computes_and_the_others_wait_for_it() {
    let server = serve("cache_aside/wait", "");
    let first = look_up(&server, "A", json!({}));
    assert_eq!(first["ask"]["intent"], "claims");
    assert_eq!(first["ask"]["user_id"], "A");
    assert_eq!(first["ask"]["user_role"], "guest");
    assert_eq!(first["permit"]["expires_in"], 30.0);
    let at_once = look_up(&server, "A", json!({ "wait": 0 }));
    assert_eq!(at_once, json!({ "status": "in_flight" }));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| look_up(&server, "A", json!({ "wait": 10 }))))
            .collect();
        let data = json!({ "claims": ["CLM-0001"] });
        assert_eq!(
            fill(&server, &permit(&first), &data),
            json!({ "stored": true })
        );
        for waiting in waiting {
            let found = waiting.join().unwrap();
            assert_eq!(found["status"], "fresh", "{found}");
            assert_eq!(found["answer"]["data"], data);
            assert_eq!(found["answer"]["source"], "live_data");
        }
    });
    let found = look_up(&server, "A", json!({}));
    assert!(found["age"].as_f64().unwrap() < 300.0, "{found}");
    assert!(found["ttl"].as_f64().unwrap() <= 300.0, "{found}");
    assert_eq!(look_up(&server, "B", json!({}))["status"], "permit");
    // A permit is used once.
    let body = json!({ "permit": permit(&first), "data": {} });
    let again = post(&server, None, "/v1/cache/fill", &body);
    again.is_problem(404, "look the answer up again");
    assert_eq!(again.value()["code"], "no_such_permit");
    assert_eq!(metric(&server, "router_cache_aside_permits "), 1.0);
    let stored = r#"router_cache_aside_permits_ended_total{result="stored"} "#;
    assert_eq!(metric(&server, stored), 1.0);
    let unknown = "router_cache_aside_unknown_permits_total{} ";
    assert_eq!(metric(&server, unknown), 1.0);
}

#[test]
fn a_permit_passes_on_when_it_is_released_or_its_holder_vanishes() {
    let server = serve("cache_aside/passes", "");
    let held = permit(&look_up(&server, "A", json!({})));
    thread::scope(|scope| {
        let next = scope.spawn(|| look_up(&server, "A", json!({ "deadline": 0.2 })));
        let body = json!({ "permit": held });
        let released = call(&server, "/v1/cache/release", &body);
        assert_eq!(released, json!({ "released": true }));
        // Its holder never comes back.
        assert_eq!(next.join().unwrap()["status"], "permit");
        let third = scope.spawn(|| look_up(&server, "A", json!({})));
        let third = permit(&third.join().unwrap());
        assert_eq!(fill(&server, &third, &json!({})), json!({ "stored": true }));
    });
    let expired = r#"router_cache_aside_permits_ended_total{result="expired"} "#;
    assert_eq!(metric(&server, expired), 1.0);
}

/// A time of a caller only shortens the configured one, so none is too long.
#[test]
fn a_time_beyond_all_bounds_is_the_configured_one() {
    let server = serve("cache_aside/times", "");
    let found = look_up(&server, "A", json!({ "wait": 1e300, "deadline": 1.7e308 }));
    assert_eq!(found["permit"]["expires_in"], 30.0);
    let body = json!({ "permit": permit(&found), "data": {}, "ttl": 1e300 });
    call(&server, "/v1/cache/fill", &body);
    let found = look_up(&server, "A", json!({}));
    assert_eq!(found["status"], "fresh", "{found}");
    assert!(found["ttl"].as_f64().unwrap() <= 300.0, "{found}");
}

/// A holder that vanishes costs a request of `/v1/route` half of its deadline, and not its
/// answer.
#[test]
fn the_source_is_asked_in_time_when_the_holder_of_a_permit_vanishes() {
    let server = Server::start_with(&[("ROUTER_SOURCE__DEADLINE", "8s")]);
    let question = json!({
        "message": "what is my claim status?",
        "user_context": { "user_id": "BEN-000001", "user_role": "beneficiary" },
    });
    let found = call(&server, "/v1/cache/lookup", &question);
    assert_eq!(found["permit"]["expires_in"], 4.0, "{found}");
    let reply = post(&server, None, "/v1/route", &question);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.value()["source"], "live_data");
    // What a holder asks for is bounded in the same way.
    let mut longer = question.clone();
    longer["deadline"] = json!(20);
    longer["user_context"]["user_id"] = json!("BEN-000002");
    let found = call(&server, "/v1/cache/lookup", &longer);
    assert_eq!(found["permit"]["expires_in"], 4.0, "{found}");
}

#[test]
fn those_who_wait_get_the_failure() {
    let server = serve("cache_aside/fails", "");
    let held = permit(&look_up(&server, "A", json!({})));
    thread::scope(|scope| {
        let waits = scope.spawn(|| look_up(&server, "A", json!({})));
        // The request has arrived once it is counted as a miss.
        eventually("the look-up waits", || {
            server.stats()["cache_stats"]["misses"] == 2
        });
        let body = json!({ "permit": held, "reason": "the back end is away" });
        let failed = json!({ "status": "failed", "reason": "the back end is away" });
        assert_eq!(call(&server, "/v1/cache/fail", &body), failed);
        assert_eq!(waits.join().unwrap(), failed);
    });
    // Nothing of it is stored.
    permit(&look_up(&server, "A", json!({})));
}

#[test]
fn an_invalidation_beats_a_fill() {
    let server = serve("cache_aside/invalidated", "");
    for selector in [
        json!({ "user_id": "A" }),
        json!({ "tag": "claim:1" }),
        json!({ "tag": "claim:2", "user_id": "A" }),
        json!({ "intent": "claims" }),
        json!({ "all": true }),
    ] {
        let held = permit(&look_up(&server, "A", json!({})));
        server.invalidate(&selector);
        let refused = json!({ "stored": false, "reason": "invalidated" });
        assert_eq!(fill(&server, &held, &json!({})), refused, "{selector}");
        let next = permit(&look_up(&server, "A", json!({})));
        assert_eq!(fill(&server, &next, &json!({})), json!({ "stored": true }));
        assert_eq!(server.invalidate(&selector), 1, "{selector}");
    }
}

#[test]
fn a_service_of_callers_needs_no_database_and_bypasses_while_caching_is_off() {
    let server = serve("cache_aside/alone", "[cache]\nenabled = false");
    assert_eq!(server.get("/readyz").status, 200);
    let off = json!({ "status": "bypass", "reason": "caching-off" });
    assert_eq!(look_up(&server, "A", json!({})), off);
    server.json("PUT", "/v1/caching", r#"{"enabled": true}"#);
    let held = permit(&look_up(&server, "A", json!({})));
    server.json("PUT", "/v1/caching", r#"{"enabled": false}"#);
    let refused = json!({ "stored": false, "reason": "caching_off" });
    assert_eq!(fill(&server, &held, &json!({})), refused);
    let reply = server.ask("my claim", "A", "beneficiary").value();
    assert_eq!(reply["data"]["reason"], "answered_by_caller");
}

#[test]
fn a_flood_of_look_ups_is_bounded_and_hits_go_on() {
    let server = serve(
        "cache_aside/flood",
        "[cache.aside]\nmax_permits = 2\nmax_memory = '64KiB'",
    );
    let stored = permit(&look_up(&server, "A", json!({})));
    fill(&server, &stored, &json!({}));
    for user in ["B", "C"] {
        permit(&look_up(&server, user, json!({})));
    }
    // A new entry, and a look-up that would wait.
    for user in ["D", "B"] {
        let reply = post(&server, None, "/v1/cache/lookup", &asked(user, json!({})));
        reply.is_problem(503, "[cache.aside]");
        assert_eq!(reply.value()["code"], "too_many_permits");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    assert_eq!(look_up(&server, "A", json!({}))["status"], "fresh");
    let refused = "router_cache_aside_refused_total{} ";
    assert_eq!(metric(&server, refused), 2.0);
    // Bytes count as well as permits.
    let server = serve("cache_aside/bytes", "[cache.aside]\nmax_memory = '16KiB'");
    let long = json!({ "message": "claim ".repeat(1_000) });
    let reply = post(&server, None, "/v1/cache/lookup", &asked("A", long));
    reply.is_problem(503, "max_memory");
    permit(&look_up(&server, "A", json!({})));
}

#[test]
fn what_a_body_lacks_is_told() {
    let server = serve("cache_aside/bodies", "");
    let user = json!({ "user_id": "A" });
    for (path, body, code) in [
        ("lookup", json!({ "user_context": user }), "nothing_asked"),
        ("lookup", json!({ "message": "claim" }), "invalid_members"),
        (
            "lookup",
            json!({ "intent": "other", "user_context": user }),
            "unknown_intent",
        ),
        (
            "lookup",
            json!({ "message": "claim", "user_context": user, "slots": {} }),
            "slots_without_intent",
        ),
        (
            "lookup",
            asked("A", json!({ "slots": { "claim": "none" } })),
            "unreadable_slots",
        ),
        (
            "lookup",
            asked("A", json!({ "slots": { "no": "1" } })),
            "unreadable_slots",
        ),
        (
            "lookup",
            asked("A", json!({ "wait": -1 })),
            "invalid_members",
        ),
        (
            "lookup",
            asked("A", json!({ "waits": 1 })),
            "invalid_members",
        ),
        (
            "lookup",
            asked("A", json!({ "deadline": -1e-9 })),
            "invalid_members",
        ),
        (
            "lookup",
            asked("A", json!({ "message": "a".repeat(20_000) })),
            "message_too_long",
        ),
        (
            "lookup",
            asked(
                "A",
                json!({ "user_context": { "user_id": "A", "conversation": { "intent": "claims" } } }),
            ),
            "conversation_not_supported",
        ),
        ("fill", json!({ "permit": "x" }), "invalid_members"),
        (
            "fill",
            json!({ "permit": "x", "data": [] }),
            "invalid_members",
        ),
        (
            "fill",
            json!({ "permit": "x", "data": {}, "ttl": -1 }),
            "invalid_members",
        ),
        (
            "fill",
            json!({ "permit": "x", "data": {}, "tags": vec!["a:b"; 257] }),
            "too_many_tags",
        ),
        (
            "fill",
            json!({ "permit": "x", "data": {}, "tags": ["a".repeat(1_025)] }),
            "too_many_tags",
        ),
        (
            "fail",
            json!({ "permit": "x", "reason": "a".repeat(1_025) }),
            "reason_too_long",
        ),
        ("release", json!({}), "invalid_members"),
    ] {
        let reply = post(&server, None, &format!("/v1/cache/{path}"), &body);
        reply.is_problem(422, "");
        assert_eq!(reply.value()["code"], code, "{path} {body}");
    }
}

/// The tokens of the service below: what they may do, and whose they are.
const TOKENS: [(&str, &[&str], Option<&str>); 6] = [
    ("fill-a", &["fill"], Some("A")),
    ("fill-b", &["fill"], Some("B")),
    ("ask-a", &["ask"], Some("A")),
    ("ask-any", &["ask-for-anyone"], None),
    ("fill-any", &["fill", "ask-for-anyone"], None),
    ("fill-any-2", &["fill", "ask-for-anyone"], None),
];

fn with_tokens(test: &str) -> Server {
    let mut settings = "[auth]\nmode = 'token'\n".to_owned();
    for (name, scopes, user) in TOKENS {
        file(test, name, secret(name));
        settings +=
            &format!("[[auth.tokens]]\nname = '{name}'\nfile = '{name}'\nscopes = {scopes:?}\n");
        if let Some(user) = user {
            settings += &format!("user_id = '{user}'\n");
        }
    }
    serve(test, &settings)
}

/// Every token with every body: nobody without `fill` gets a permit or fills one; what
/// anyone finds was filled for the user that the token allows.
#[test]
fn nobody_reads_or_plants_an_answer_of_another_user() {
    let server = with_tokens("cache_aside/identity");
    let ids = [None, Some("A"), Some("B")];
    let mut counts = BTreeMap::new();
    let mut count = |what: &'static str| *counts.entry(what).or_insert(0) += 1;
    for _ in 0..4 {
        for (token, scopes, own) in TOKENS {
            for id in ids {
                for intent in ["claims", "hours"] {
                    let context = id.map_or(json!({}), |id| json!({ "user_id": id }));
                    let body = json!({ "intent": intent, "user_context": context, "wait": 0 });
                    let reply = post(&server, Some(token), "/v1/cache/lookup", &body);
                    let case = format!("{token} {body}: {}", reply.text());
                    let for_anyone = scopes.contains(&"ask-for-anyone");
                    let may = scopes.contains(&"fill") && (for_anyone || id.is_none() || id == own);
                    let owner = match intent {
                        "hours" => Some("everyone"),
                        _ => id.or(own),
                    };
                    if reply.status != 200 {
                        // One user's token gets no permit for an answer of everyone.
                        let shared = intent == "hours" && !for_anyone;
                        assert!(!may || shared, "refused for nothing: {case}");
                        reply.is_problem(403, "");
                        count("refused");
                        continue;
                    }
                    assert!(may, "answered and must not be: {case}");
                    let found = reply.value();
                    let Some(owner) = owner else {
                        assert_eq!(found["reason"], "unidentified", "{case}");
                        continue;
                    };
                    if found["status"] == "fresh" {
                        assert_eq!(found["answer"]["data"]["of"], owner, "cross read: {case}");
                        count("found");
                        continue;
                    }
                    let body = json!({ "permit": permit(&found), "data": { "of": owner } });
                    // Nobody else fills it, whatever they may do.
                    for (other, ..) in TOKENS.iter().filter(|(other, ..)| *other != token) {
                        let data = json!({ "of": "planted" });
                        let body = json!({ "permit": permit(&found), "data": data });
                        let status = post(&server, Some(other), "/v1/cache/fill", &body).status;
                        assert!([403, 404].contains(&status), "{other} {case}: {status}");
                        let body = json!({ "permit": permit(&found) });
                        let status = post(&server, Some(other), "/v1/cache/release", &body).status;
                        assert!([403, 404].contains(&status), "{other} {case}: {status}");
                        count("not planted");
                    }
                    let filled = post(&server, Some(token), "/v1/cache/fill", &body);
                    assert_eq!(filled.value(), json!({ "stored": true }), "{case}");
                    count("filled");
                }
            }
        }
    }
    eprintln!("{counts:?}, 0 cross reads");
    assert!(counts["found"] > 30, "{counts:?}");
    assert_eq!(counts["filled"], 3, "A, B and everyone: {counts:?}");
}

#[test]
fn a_client_that_goes_away_while_it_waits_leaves_nothing_behind() {
    let server = serve("cache_aside/leaves", "[cache.aside]\nmax_permits = 2");
    let held = permit(&look_up(&server, "A", json!({})));
    for _ in 0..3 {
        let body = asked("A", json!({})).to_string();
        let request = format!(
            "POST /v1/cache/lookup HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        use std::io::Write;
        let mut gone = server.connect();
        gone.write_all(request.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(50));
        drop(gone);
    }
    // Their places are free again, and the permit is nobody else's.
    eventually("a place is free", || {
        let body = asked("A", json!({ "wait": 0 }));
        post(&server, None, "/v1/cache/lookup", &body).status == 200
    });
    assert_eq!(fill(&server, &held, &json!({})), json!({ "stored": true }));
}
