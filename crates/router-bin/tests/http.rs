//! The service as a client sees it.

mod program;
mod support;

use serde_json::{Value, json};
use support::Server;

/// The questions of the README, one for each live-data intent.
const QUESTIONS: [(&str, &str); 8] = [
    ("claim_status", "what is my claim status?"),
    ("payment_status", "has my payment been made yet?"),
    ("pension_inquiry", "how much is my pension?"),
    ("claim_submission", "how do I submit a new claim?"),
    ("account_info", "show me my account details"),
    ("payment_history", "show my payment history"),
    ("document_status", "did you receive my documents?"),
    ("technical_help", "I cannot log in to the portal"),
];

#[test]
fn each_live_question_is_a_miss_then_an_identical_hit() {
    let server = Server::start(&[]);
    for (intent, question) in QUESTIONS {
        let first = server.ask(question, "BEN-000001", "beneficiary");
        let second = server.ask(question, "BEN-000001", "beneficiary");
        assert_eq!(first.value()["intent"], intent, "{question}");
        assert_eq!(first.value()["source"], "live_data", "{question}");
        assert!(
            first.cache_status().starts_with("router; fwd=miss; stored"),
            "{question}: {}",
            first.cache_status()
        );
        assert!(second.is_hit(), "{question}: {}", second.cache_status());
        assert_eq!(first.text(), second.text());
        assert_eq!(first.header("age"), None);
        assert_eq!(second.header("age"), Some("0"));
        assert_eq!(first.header("etag"), second.header("etag"));
        assert!(first.header("etag").is_some_and(|tag| tag.starts_with('"')));
        assert_eq!(second.header("cache-control"), Some("private"));
    }
    let stats = server.stats();
    assert_eq!(
        stats["cache_stats"],
        json!({ "hits": 8, "misses": 8, "invalidations": 0, "total_requests": 16 })
    );
    assert_eq!(stats["hit_rate"], 50.0);
    assert_eq!(stats["cache_size"], 8);
    assert_eq!(stats["requests"]["total"], 16);
    assert_eq!(stats["recent"].as_array().map(Vec::len), Some(16));
    assert_eq!(stats["latency_us"]["hit"]["count"], 8);
    let made = stats["database_queries"]["made"].as_u64().unwrap();
    let saved = stats["database_queries"]["saved"].as_u64().unwrap();
    assert!(made >= 9 && saved >= 8, "{made} made, {saved} saved");
}

#[test]
fn another_user_role_or_guest_never_hits() {
    let server = Server::start(&[]);
    for (_, question) in QUESTIONS {
        server.ask(question, "BEN-000001", "beneficiary");
        for (user, role) in [
            ("BEN-000002", "beneficiary"),
            ("BEN-000001", "employer"),
            ("EMP-0001", "employer"),
            ("", "beneficiary"),
        ] {
            let reply = server.ask(question, user, role);
            assert!(!reply.is_hit(), "{question} as {user} {role}");
        }
        let guest = json!({ "message": question, "user_context": {} });
        let reply = server.post("/v1/route", &guest);
        assert!(!reply.is_hit());
        assert_eq!(reply.value()["source"], "fallback");
    }
}

/// Asks both of two messages whose keys are equal.
fn check_collision(server: &Server, a: &str, b: &str) {
    let first = server.ask(a, "BEN-000001", "beneficiary");
    let second = server.ask(b, "BEN-000001", "beneficiary");
    let key = |reply: &support::Reply| {
        let status = reply.cache_status();
        status.rsplit("key=").next().map(str::to_owned)
    };
    assert_eq!(key(&first), key(&second));
    assert!(!second.is_hit());
    assert!(server.ask(a, "BEN-000001", "beneficiary").is_hit());
    assert!(server.ask(b, "BEN-000001", "beneficiary").is_hit());
}

#[test]
fn messages_whose_truncated_hashes_collide_do_not_share() {
    // The slots `claim_number=CLM-2025-…` replace both messages. Both MD5s of
    // them begin with 6bf1a083, so the keys are equal.
    check_collision(
        &Server::start(&[]),
        "What is the status of claim CLM-2025-027596?",
        "What is the status of claim CLM-2025-028978?",
    );
    // Of an intent whose keys are made of the message itself: both MD5s begin
    // with e1b72ef7, so the seed's Python keys are equal.
    let catalogue = program::file(
        "collisions",
        "intents.toml",
        "[[intent]]\nname = 'claim_status'\nkind = 'live_data'\nphrases = ['claim']\n\
         query = [{ name = 'claims', sql = 'SELECT claim_number FROM claims WHERE member_id = :user_id' }]\n",
    );
    check_collision(
        &Server::start(&[("ROUTER_CATALOGUE__FILE", catalogue.to_str().unwrap())]),
        "What is the status of claim CLM-2025-028687?",
        "What is the status of claim CLM-2025-091407?",
    );
}

#[test]
fn invalidation_returns_exact_counts_and_the_next_is_a_miss() {
    let server = Server::start(&[]);
    let fill = || {
        for user in ["BEN-000001", "BEN-000002"] {
            for (_, question) in QUESTIONS {
                server.ask(question, user, "beneficiary");
            }
        }
        let reply = server.ask(QUESTIONS[0].1, "BEN-000001", "beneficiary");
        let key = reply.cache_status().rsplit("key=\"").next().unwrap();
        key.trim_end_matches('"').to_owned()
    };
    let key = fill();
    let cases = [
        (json!({ "key": key }), 1),
        (json!({ "user_id": "BEN-000001" }), 8),
        (json!({ "intent": "claim_status" }), 2),
        (json!({ "role": "beneficiary" }), 16),
        (json!({ "class": "live_data" }), 16),
        (json!({ "class": "knowledge_base" }), 0),
        // Every user's answer made of claims: a new one may enter any of them.
        (json!({ "tag": "claim:no-such-claim" }), 2),
        (
            json!({ "tag": "claim:no-such-claim", "user_id": "BEN-000002" }),
            1,
        ),
        (json!({ "tag": "nonesuch:1" }), 0),
        (
            json!([
                { "tag": "claim:no-such-claim" },
                { "user_id": "BEN-000001" },
                { "intent": "claim_status" },
            ]),
            9,
        ),
        (json!({ "pattern": "BEN-000002" }), 8),
        (json!({ "pattern": "claim_*/*/beneficiary" }), 4),
        (json!({ "pattern": &key[3..20] }), 1),
        (json!({ "all": true }), 16),
    ];
    let mut total = 0;
    for (selector, expect) in cases {
        fill();
        assert_eq!(server.invalidate(&selector), expect, "{selector}");
        assert_eq!(server.invalidate(&selector), 0, "{selector} again");
        total += expect;
    }
    assert_eq!(server.stats()["cache_stats"]["invalidations"], total);
    assert!(
        !server
            .ask(QUESTIONS[0].1, "BEN-000001", "beneficiary")
            .is_hit()
    );
}

#[test]
fn a_role_that_is_null_can_be_invalidated() {
    let server = Server::start(&[]);
    let context = json!({ "user_id": "BEN-000001", "user_role": null });
    let body = json!({ "message": QUESTIONS[0].1, "user_context": context });
    server.post("/v1/route", &body);
    server.ask(QUESTIONS[0].1, "BEN-000001", "beneficiary");
    assert_eq!(server.invalidate(&json!({ "role": null })), 1);
    assert_eq!(server.stats()["cache_size"], 1);
}

#[test]
fn a_record_named_in_an_answer_is_a_tag() {
    let server = Server::start(&[]);
    let reply = server.ask("what is my claim status?", "BEN-000001", "beneficiary");
    let data = &reply.value()["data"];
    let claim = data["claims"][0]["claim_number"].as_str().expect("a claim");
    let tag = json!({ "tag": format!("claim:{claim}") });
    assert_eq!(server.invalidate(&tag), 1);
    let again = server.ask("what is my claim status?", "BEN-000001", "beneficiary");
    assert!(!again.is_hit());
}

#[test]
fn caching_can_be_switched_off_and_on() {
    let server = Server::start(&[]);
    let question = QUESTIONS[0].1;
    server.ask(question, "BEN-000001", "beneficiary");
    let off = server.json("PUT", "/v1/caching", r#"{"enabled": false}"#);
    assert_eq!(off.value(), json!({ "enabled": false }));
    for _ in 0..2 {
        let reply = server.ask(question, "BEN-000001", "beneficiary");
        assert_eq!(
            reply.cache_status(),
            "router; fwd=bypass; detail=caching-off"
        );
    }
    assert_eq!(
        server.get("/v1/caching").value(),
        json!({ "enabled": false })
    );
    server.json("PUT", "/v1/caching", r#"{"enabled": true}"#);
    assert!(server.ask(question, "BEN-000001", "beneficiary").is_hit());
    assert_eq!(server.stats()["cache_stats"]["total_requests"], 2);
}

#[test]
fn the_off_switch_in_the_configuration_is_obeyed() {
    let server = Server::start(&[("ROUTER_CACHE__ENABLED", "false")]);
    for _ in 0..2 {
        assert!(
            !server
                .ask(QUESTIONS[0].1, "BEN-000001", "beneficiary")
                .is_hit()
        );
    }
}

#[test]
fn request_cache_control_is_honoured() {
    let server = Server::start(&[]);
    let question = QUESTIONS[0].1;
    let first = server.ask(question, "BEN-000001", "beneficiary");
    let body = json!({
        "message": question,
        "user_context": { "user_id": "BEN-000001", "user_role": "beneficiary" },
    })
    .to_string();
    let with = |directive: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("cache-control", directive),
        ];
        server.send("POST", "/v1/route", &headers, body.as_bytes())
    };
    assert!(with("max-age=60").is_hit());
    let no_store = with("no-store");
    assert_eq!(
        no_store.cache_status(),
        "router; fwd=bypass; detail=no-store"
    );
    let no_cache = with("no-cache");
    assert!(
        no_cache
            .cache_status()
            .starts_with("router; fwd=request; stored")
    );
    let hit = server.ask(question, "BEN-000001", "beneficiary");
    assert_eq!(hit.text(), no_cache.text());
    assert_ne!(hit.text(), first.text(), "the time stamp is a newer one");
}

#[test]
fn members_that_are_not_known_and_nobodys_records() {
    let server = Server::start(&[]);
    for _ in 0..2 {
        let reply = server.ask(QUESTIONS[0].1, "BEN-999999", "beneficiary");
        assert_eq!(reply.value()["source"], "fallback");
        assert_eq!(reply.value()["data"]["reason"], "no_such_member");
        assert_eq!(
            reply.cache_status().split("; key").next(),
            Some("router; fwd=miss")
        );
    }
    assert_eq!(server.stats()["cache_size"], 0);
}

#[test]
fn probes_description_metrics_and_dashboard_are_served() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/livez").text(), "ok\n");
    assert_eq!(server.get("/readyz").text(), "ok\n");
    let page = server.get("/");
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .is_some_and(|t| t.starts_with("text/html"))
    );
    assert!(page.header("content-security-policy").is_some());
    for asset in ["/dashboard.css", "/dashboard.js"] {
        assert_eq!(server.get(asset).status, 200, "{asset}");
    }
    server.ask(QUESTIONS[0].1, "BEN-000001", "beneficiary");
    server.ask(QUESTIONS[0].1, "BEN-000001", "beneficiary");
    let metrics = server.get("/metrics").text();
    for line in [
        "router_requests_total{outcome=\"hit\"} 1.0",
        "router_requests_total{outcome=\"miss\"} 1.0",
        "router_cache_hits_total{class=\"live_data\"} 1.0",
        "router_cache_entries 1.0",
        "router_caching_enabled 1.0",
        "router_request_duration_seconds_count{outcome=\"hit\"} 1",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn the_description_and_the_service_agree() {
    let server = Server::start(&[]);
    let description = server.get("/openapi.json").value();
    assert_eq!(description["openapi"], "3.1.0");
    for (path, methods) in description["paths"].as_object().expect("paths") {
        let methods = methods.as_object().expect("methods");
        if path != "/v1/stats/stream" {
            for method in methods.keys() {
                let status = server.send(&method.to_uppercase(), path, &[], b"").status;
                assert!(status != 404 && status != 405, "{method} {path}: {status}");
            }
        }
        let reply = server.send("PATCH", path, &[], b"");
        reply.is_problem(405, path);
        let allowed = reply
            .header("allow")
            .expect("an Allow header")
            .to_lowercase();
        for method in methods.keys() {
            assert!(
                allowed.contains(method),
                "{path} allows {allowed}, not {method}"
            );
        }
    }
    let required = |schema: &str| -> Vec<String> {
        let names = &description["components"]["schemas"][schema]["required"];
        serde_json::from_value(names.clone()).expect("names")
    };
    let has = |schema: &str, value: &Value| {
        for name in required(schema) {
            assert!(
                value.get(&name).is_some(),
                "{schema} has no {name}: {value}"
            );
        }
    };
    has(
        "RouteResponse",
        &server.ask(QUESTIONS[0].1, "BEN-000001", "x").value(),
    );
    has("Stats", &server.stats());
    let properties = &description["components"]["schemas"]["Stats"]["properties"];
    for name in properties.as_object().expect("properties").keys() {
        assert!(server.stats().get(name).is_some(), "no {name}");
    }
    has("Caching", &server.get("/v1/caching").value());
    has("Reloaded", &server.post("/v1/reload", &json!({})).value());
    has(
        "Invalidated",
        &server
            .post("/v1/invalidate", &json!({ "all": true }))
            .value(),
    );
    has("Problem", &server.get("/no/such").value());
}

#[test]
fn statistics_are_streamed() {
    use std::io::{BufRead, BufReader, Write};
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(b"GET /v1/stats/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut event = || {
        let data = lines.find_map(|line| line.strip_prefix("data:").map(str::to_owned));
        serde_json::from_str::<Value>(&data.expect("an event")).expect("a document")
    };
    assert_eq!(event()["cache_stats"]["total_requests"], 0);
    server.ask(QUESTIONS[0].1, "BEN-000001", "beneficiary");
    let seen = (0..5).any(|_| event()["cache_stats"]["total_requests"] == 1);
    assert!(seen, "a later event tells of the request");
}

#[test]
fn a_stop_lets_the_service_end_even_while_statistics_are_streamed() {
    use std::io::{Read, Write};
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(b"GET /v1/stats/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    server.terminate();
    assert!(server.wait().success());
}
