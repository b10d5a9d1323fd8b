//! Who may call which endpoint.

use serde_json::{Value, json};

use crate::setup::{SCOPES, bearer, jwt, proxy, server, signed, token};
use crate::support::{Reply, Server};

/// Every endpoint that is not open: method, path, body, and the tokens that may call it.
const GUARDED: [(&str, &str, &str, &[&str]); 15] = [
    (
        "POST",
        "/v1/route",
        r#"{"message": "hello", "user_context": {}}"#,
        &["ask", "ask-for-anyone", "fill"],
    ),
    (
        "POST",
        "/mcp",
        r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#,
        &["ask", "ask-for-anyone", "fill"],
    ),
    (
        "POST",
        "/v1/cache/lookup",
        r#"{"intent": "claim_status", "user_context": {}}"#,
        &["fill"],
    ),
    (
        "POST",
        "/v1/cache/fill",
        r#"{"permit": "none", "data": {}}"#,
        &["fill"],
    ),
    (
        "POST",
        "/v1/cache/fail",
        r#"{"permit": "none", "reason": "none"}"#,
        &["fill"],
    ),
    (
        "POST",
        "/v1/cache/release",
        r#"{"permit": "none"}"#,
        &["fill"],
    ),
    ("GET", "/v1/stats", "", &["admin", "metrics"]),
    ("GET", "/v1/stats/stream", "", &["admin", "metrics"]),
    (
        "POST",
        "/v1/invalidate",
        r#"{"tag": "claim:1"}"#,
        &["invalidate", "admin"],
    ),
    ("GET", "/v1/caching", "", &["admin", "metrics"]),
    ("PUT", "/v1/caching", r#"{"enabled": true}"#, &["admin"]),
    ("POST", "/v1/reload", "", &["admin"]),
    ("POST", "/v1/erase", r#"{"user_id": "nobody"}"#, &["admin"]),
    ("GET", "/v1/session", "", &["admin", "metrics"]),
    ("GET", "/metrics", "", &["admin", "metrics"]),
];

/// Every endpoint that is open.
const OPEN: [(&str, &str); 7] = [
    ("POST", "/v1/changes"),
    ("POST", "/v1/session"),
    ("DELETE", "/v1/session"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/"),
];

/// The status of the request above, from one who may send it: there is no such permit.
fn opened(path: &str) -> u16 {
    match path {
        "/v1/cache/fill" | "/v1/cache/fail" | "/v1/cache/release" => 404,
        _ => 200,
    }
}

fn call(server: &Server, method: &str, path: &str, body: &str, token: Option<&str>) -> Reply {
    let credential = token.map(bearer);
    let mut headers = vec![
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    headers.extend(
        credential
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    if path != "/v1/stats/stream" {
        return server.send(method, path, &headers, body.as_bytes());
    }
    // A stream has no end; its first event is enough.
    use std::io::Write;
    let lines: String = headers
        .iter()
        .map(|(n, v)| format!("{n}: {v}\r\n"))
        .collect();
    let mut stream = server.connect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n"
    )
    .expect("sent");
    Reply::read_head(stream)
}

#[test]
fn the_lists_above_are_all_endpoints() {
    let server = server("access/all", "[auth]\nmode = 'token'");
    let description = server.get("/openapi.json").value();
    let mut described = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let scope = operation["security"][0]["bearer"][0].as_str();
            described.push((
                method.to_uppercase(),
                path.clone(),
                scope.map(str::to_owned),
            ));
        }
    }
    let mut listed: Vec<_> = OPEN
        .iter()
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned(), None))
        .collect();
    listed.extend(GUARDED.iter().map(|(method, path, _, tokens)| {
        // The scope itself, among those that include it.
        let scope = match tokens {
            ["admin", other] => other,
            [scope, ..] => scope,
            [] => unreachable!("every endpoint has a scope"),
        };
        (
            (*method).to_owned(),
            (*path).to_owned(),
            Some((*scope).to_owned()),
        )
    }));
    described.sort();
    listed.sort();
    assert_eq!(described, listed);
}

#[test]
fn nobody_gets_past_without_a_credential() {
    for (folder, settings) in [
        ("access/token", "[auth]\nmode = 'token'".to_owned()),
        ("access/jwt", jwt()),
        ("access/proxy", proxy("127.0.0.1")),
    ] {
        let server = server(folder, &settings);
        for (method, path, body, _) in GUARDED {
            for (token, status, error) in [
                (None, 401, "Bearer realm=\"router\""),
                (
                    Some("wrong"),
                    401,
                    "Bearer realm=\"router\", error=\"invalid_token\"",
                ),
                (
                    Some(""),
                    400,
                    "Bearer realm=\"router\", error=\"invalid_request\"",
                ),
            ] {
                let reply = call(&server, method, path, body, token);
                reply.is_problem(status, "");
                let challenge = reply.header("www-authenticate");
                assert_eq!(challenge, Some(error), "{method} {path}");
            }
        }
        for (method, path) in OPEN {
            let status = call(&server, method, path, "{}", None).status;
            assert!(![401, 403].contains(&status), "{method} {path}: {status}");
        }
        // A wrong body is not looked at before the credential.
        call(&server, "POST", "/v1/route", "{", None).is_problem(401, "credential");
    }
}

#[test]
fn each_scope_opens_its_endpoints_and_no_other() {
    let server = server("access/scopes", "[auth]\nmode = 'token'");
    for (method, path, body, allowed) in GUARDED {
        for scope in SCOPES {
            let reply = call(&server, method, path, body, Some(&token(scope)));
            if allowed.contains(&scope) {
                assert_eq!(reply.status, opened(path), "{method} {path} {scope}");
                continue;
            }
            reply.is_problem(403, "which the credential does not have");
            let challenge = reply.header("www-authenticate").expect("a challenge");
            let needed = challenge.split("scope=\"").nth(1).expect(challenge);
            let needed = needed.trim_end_matches('"');
            assert!(allowed.contains(&needed), "{challenge}");
            assert_eq!(reply.value()["code"], "missing_scope");
        }
    }
}

#[test]
fn the_scopes_of_a_json_web_token_are_those_of_its_claim() {
    let server = server("access/claims", &jwt());
    let call = |scope: &str, path: &str| {
        let token = signed("ed", "BEN-000001", scope, 60);
        call(&server, "GET", path, "", Some(&token)).status
    };
    assert_eq!(call("openid metrics", "/metrics"), 200);
    assert_eq!(call("openid metricsx", "/metrics"), 403);
    assert_eq!(call("", "/metrics"), 403);
}

#[test]
fn a_service_without_authentication_is_as_before() {
    let server = Server::start(&[
        ("ROUTER_AUTH__MODE", "none"),
        ("ROUTER_MCP__ENABLED", "true"),
    ]);
    for (method, path, body, _) in GUARDED {
        for token in [None, Some("whatever"), Some("")] {
            assert_eq!(
                call(&server, method, path, body, token).status,
                opened(path),
                "{method} {path}"
            );
        }
    }
    let odd = json!({ "message": "what is my claim status?", "user_context": {
        "user_id": ["BEN-000001"], "user_role": null, "other": 1 } });
    assert_eq!(server.post("/v1/route", &odd).status, 200);
    let who: Value = server.get("/v1/session").value();
    assert_eq!(who["name"], "anonymous");
    assert_eq!(who["scopes"].as_array().map(Vec::len), Some(SCOPES.len()));
}

#[test]
fn refused_callers_are_counted_by_reason() {
    let server = server("access/refused", "[auth]\nmode = 'token'");
    let ask = r#"{"message": "hello", "user_context": {}}"#;
    let [unknown, metrics] = ["unknown", "metrics"].map(token);
    for token in [None, None, Some(&unknown), Some(&metrics)] {
        let token = token.map(String::as_str);
        call(&server, "POST", "/v1/route", ask, token);
    }
    let metrics = call(&server, "GET", "/metrics", "", Some(&metrics)).text();
    let expected = [
        r#"router_callers_refused_total{code="invalid_credential"} 1.0"#,
        r#"router_callers_refused_total{code="missing_scope"} 1.0"#,
        r#"router_callers_refused_total{code="no_credential"} 2.0"#,
    ];
    for line in expected {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
}
