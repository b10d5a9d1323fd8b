//! The dashboard's log-in.

use serde_json::json;

use crate::setup::{proxy, server, token};
use crate::support::{Reply, Server};

fn log_in(server: &Server, token: &str) -> Reply {
    server.post("/v1/session", &json!({ "token": token }))
}

/// The cookie that a browser would send back.
fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").expect("a cookie");
    set.split(';').next().expect("a pair").to_owned()
}

fn get(server: &Server, path: &str, cookie: &str) -> Reply {
    server.send("GET", path, &[("cookie", cookie)], b"")
}

#[test]
fn a_browser_logs_in_once_and_out_again() {
    let server = server("dashboard/session", "[auth]\nmode = 'token'");
    let reply = log_in(&server, &token("admin"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let who = json!({ "name": "admin", "scopes": ["invalidate", "admin", "metrics"], "log_in": true, "route": true });
    assert_eq!(reply.value(), who);
    let set = reply.header("set-cookie").expect("a cookie");
    assert!(
        set.ends_with("; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    assert!(
        !set.contains(&token("admin")),
        "the cookie is not the token"
    );
    let cookie = cookie(&reply);
    assert_eq!(get(&server, "/v1/session", &cookie).value(), who);
    assert_eq!(get(&server, "/v1/stats", &cookie).status, 200);
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/json"),
    ];
    let off = server.send("PUT", "/v1/caching", &headers, b"{\"enabled\": false}");
    assert_eq!(off.status, 200);

    let out = server.send("DELETE", "/v1/session", &headers, b"");
    assert_eq!(out.status, 204);
    let removal = out.header("set-cookie").expect("a removal");
    assert!(
        removal.starts_with("router_session=; Path=/; Max-Age=0;"),
        "{removal}"
    );
    get(&server, "/v1/stats", &cookie).is_problem(401, "credential");
}

#[test]
fn a_token_for_metrics_shows_and_changes_nothing() {
    let server = server("dashboard/metrics", "[auth]\nmode = 'token'");
    let cookie = cookie(&log_in(&server, &token("metrics")));
    assert_eq!(get(&server, "/v1/stats", &cookie).status, 200);
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/json"),
    ];
    for (method, path, body) in [
        ("PUT", "/v1/caching", r#"{"enabled": false}"#),
        ("POST", "/v1/invalidate", r#"{"all": true}"#),
        ("POST", "/v1/reload", ""),
        (
            "POST",
            "/v1/route",
            r#"{"message": "hello", "user_context": {}}"#,
        ),
    ] {
        let reply = server.send(method, path, &headers, body.as_bytes());
        reply.is_problem(403, "scope");
    }
}

#[test]
fn no_other_token_logs_in() {
    let server = server("dashboard/others", &proxy("127.0.0.1"));
    log_in(&server, "wrong").is_problem(401, "not one of auth.tokens");
    log_in(&server, "").is_problem(401, "not one of auth.tokens");
    for scope in ["ask", "ask-for-anyone", "invalidate", "BEN-000001"] {
        let reply = log_in(&server, &token(scope));
        reply.is_problem(403, "`metrics`");
        assert_eq!(reply.header("set-cookie"), None);
    }
    assert_eq!(log_in(&server, &token("metrics")).status, 200);
}

#[test]
fn the_cookie_is_for_https_where_that_is_configured() {
    let settings = "[auth]\nmode = 'token'\nsecure_cookie = true";
    let server = server("dashboard/secure", settings);
    let reply = log_in(&server, &token("admin"));
    let set = reply.header("set-cookie").expect("a cookie");
    assert!(set.ends_with("; SameSite=Strict; Secure"), "{set}");
}

#[test]
fn without_authentication_there_is_nothing_to_log_in_to() {
    let server = Server::start(&[]);
    log_in(&server, &token("admin")).is_problem(409, "nothing to log in to");
    let session = server.get("/v1/session").value();
    assert_eq!(session["log_in"], false);
    assert_eq!(session["route"], true);
}

/// Callers of the log-in are not authenticated, so its bodies are short.
#[test]
fn a_log_in_has_a_short_body() {
    let server = server("dashboard/short", "[auth]\nmode = 'token'");
    let reply = log_in(&server, &"t".repeat(5_000));
    reply.is_problem(413, "4096 bytes");
}
