//! The listener for administration: its endpoints are nowhere else, and it is
//! reachable while the public one is flooded.

mod support;

use std::io::Write;

use serde_json::json;
use support::{Server, eventually};

const SETTINGS: (&str, &str) = ("ROUTER_SERVER__ADMIN__LISTEN", "127.0.0.1:0");
const ADMINISTRATION: [(&str, &str); 9] = [
    ("GET", "/v1/stats"),
    ("GET", "/v1/stats/stream"),
    ("POST", "/v1/invalidate"),
    ("GET", "/v1/caching"),
    ("PUT", "/v1/caching"),
    ("POST", "/v1/reload"),
    ("GET", "/metrics"),
    ("GET", "/"),
    ("GET", "/dashboard.js"),
];
const BOTH: [&str; 3] = ["/livez", "/readyz", "/openapi.json"];

#[test]
fn each_listener_has_its_own_endpoints() {
    let server = Server::start(&[SETTINGS]);
    server.ask("what is my claim status?", "BEN-000001", "beneficiary");
    for (method, path) in ADMINISTRATION {
        let json = [("content-type", "application/json")];
        let reply = server.send(method, path, &json, b"");
        reply.is_problem(404, path);
    }
    for path in BOTH {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let admin = server.into_admin();
    for (method, path) in ADMINISTRATION {
        if path != "/v1/stats/stream" {
            let status = admin.send(method, path, &[], b"").status;
            assert!(status != 404 && status != 405, "{method} {path}: {status}");
        }
    }
    for path in BOTH {
        assert_eq!(admin.get(path).status, 200, "{path}");
    }
    let question = json!({ "message": "m", "user_context": {} });
    admin
        .post("/v1/route", &question)
        .is_problem(404, "/v1/route");
    // The dashboard is told, and shows no panel to ask in.
    assert_eq!(admin.get("/v1/session").value()["route"], false);
    // One cache behind both.
    assert_eq!(admin.stats()["cache_size"], 1);
    assert_eq!(admin.invalidate(&json!({ "all": true })), 1);
}

#[test]
fn a_flooded_public_listener_leaves_administration_reachable() {
    let server = Server::start(&[SETTINGS, ("ROUTER_SERVER__MAX_CONNECTIONS", "2")]);
    let mut held: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for stream in &mut held {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost:").unwrap();
    }
    let question = json!({ "message": "m", "user_context": {} });
    let refused = server.post("/v1/route", &question);
    refused.is_problem(503, "[server] max_connections");
    let admin = server.into_admin();
    assert_eq!(admin.get("/metrics").status, 200);
    assert_eq!(admin.get("/v1/stats").status, 200);
}

#[test]
fn administration_has_a_limit_of_its_own() {
    let most = ("ROUTER_SERVER__ADMIN__MAX_CONNECTIONS", "1");
    let server = Server::start(&[SETTINGS, most]).into_admin();
    let mut held = server.connect();
    held.write_all(b"GET /livez HTTP/1.1\r\nhost:").unwrap();
    let refused = server.get("/metrics");
    refused.is_problem(503, "[server.admin] max_connections");
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn bodies_of_the_public_listener_leave_administration_its_memory() {
    let server = Server::start(&[
        SETTINGS,
        ("ROUTER_SERVER__MAX_BODY", "64KiB"),
        ("ROUTER_SERVER__MAX_BODIES", "64KiB"),
    ]);
    let mut held = server.connect();
    let head = "POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 65536\r\n\r\n";
    held.write_all(head.as_bytes()).unwrap();
    held.write_all(&vec![b' '; 65_535]).unwrap();
    let question = json!({ "message": "m", "user_context": {} });
    eventually("the body holds the public memory", || {
        server.post("/v1/route", &question).status == 503
    });
    let admin = server.into_admin();
    assert_eq!(admin.invalidate(&json!({ "all": true })), 0);
    drop(held);
}
