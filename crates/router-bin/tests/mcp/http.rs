//! `POST /mcp`: each request stands alone.

use serde_json::{Value, json};

use super::agent::{cache, error};
use super::program::{argument, file};
use super::support::{Reply, Server};

const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

/// The secret of a user's token.
fn secret(user: &str) -> String {
    format!("{user}-{}", "0123456789abcdef".repeat(2))
}

/// A service with a token for each of two users.
fn service(folder: &str, settings: &[(&str, &str)]) -> Server {
    let tokens = ["BEN-000001", "BEN-000002"].map(|user| {
        file(folder, user, secret(user) + "\n");
        format!(
            "[[auth.tokens]]\nname = '{user}'\nfile = '{user}'\nscopes = ['ask']\n\
             user_id = '{user}'\nuser_role = 'beneficiary'\n"
        )
    });
    let text = format!(
        "[mcp]\nenabled = true\n[auth]\nmode = 'token'\n{}\
         [[auth.tokens]]\nname = 'operator'\nfile = 'operator'\nscopes = ['invalidate', 'metrics']\n",
        tokens.concat()
    );
    file(folder, "operator", secret("operator") + "\n");
    let config = file(folder, "router.toml", text);
    let config = [("ROUTER_CONFIG", argument(&config))];
    Server::start(&[&config, settings].concat())
}

/// Sends a body as the bearer of a user's token.
fn send(server: &Server, user: &str, more: &[(&str, &str)], body: &str) -> Reply {
    let bearer = format!("Bearer {}", secret(user));
    let headers = [&[JSON, ("authorization", &*bearer)], more].concat();
    server.send("POST", "/mcp", &headers, body.as_bytes())
}

fn call_with(
    server: &Server,
    user: &str,
    more: &[(&str, &str)],
    tool: &str,
    arguments: Value,
) -> Value {
    let body = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments },
    });
    let reply = send(server, user, &[&[ACCEPT], more].concat(), &body.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let mut reply = reply.value();
    assert_eq!(reply["id"], 7, "{reply}");
    reply["result"].take()
}

fn call(server: &Server, user: &str, tool: &str, arguments: Value) -> Value {
    call_with(server, user, &[], tool, arguments)
}

#[test]
fn tools_answer_as_the_user_of_the_credential() {
    let server = service("mcp-users", &[]);
    let mine = call(&server, "BEN-000001", "claim_status", json!({}));
    assert_eq!(cache(&mine)["status"], "fwd=miss; stored");
    let again = call(&server, "BEN-000001", "claim_status", json!({}));
    let status = cache(&again)["status"].as_str().expect("a status");
    assert!(status.starts_with("hit"), "{status}");
    assert_eq!(again["structuredContent"], mine["structuredContent"]);
    let other = call(&server, "BEN-000002", "claim_status", json!({}));
    assert_eq!(cache(&other)["status"], "fwd=miss; stored");
    assert_ne!(other["structuredContent"], mine["structuredContent"]);
    let named = call(
        &server,
        "BEN-000002",
        "claim_status",
        json!({ "user_id": "BEN-000001" }),
    );
    assert!(error(&named).contains("unknown argument `user_id`"));
    // Another tool's answer is the same as that of a message.
    let bearer = format!("Bearer {}", secret("BEN-000001"));
    let body = json!({ "message": "what is my claim status?", "user_context": {} });
    let asked = server.send(
        "POST",
        "/v1/route",
        &[JSON, ("authorization", &bearer)],
        body.to_string().as_bytes(),
    );
    let status = asked.header("cache-status").expect("a status");
    assert!(status.contains("; hit;"), "{status}");
}

#[test]
fn calls_are_counted_and_invalidations_reach_them() {
    let server = service("mcp-counted", &[]);
    let operator = format!("Bearer {}", secret("operator"));
    let headers = [JSON, ("authorization", &*operator)];
    for _ in 0..2 {
        call(&server, "BEN-000001", "claim_status", json!({}));
    }
    let stats = server.send("GET", "/v1/stats", &headers, b"").value();
    assert_eq!(stats["cache_stats"]["hits"], 1, "{stats}");
    assert_eq!(stats["recent"].as_array().map(Vec::len), Some(2), "{stats}");
    let removed = server.send(
        "POST",
        "/v1/invalidate",
        &headers,
        br#"{"user_id": "BEN-000001"}"#,
    );
    assert_eq!(removed.value()["invalidated"], 1);
    let after = call(&server, "BEN-000001", "claim_status", json!({}));
    assert_eq!(cache(&after)["status"], "fwd=miss; stored");
    let forced = [("cache-control", "no-store")];
    let forced = call_with(&server, "BEN-000001", &forced, "claim_status", json!({}));
    assert_eq!(cache(&forced)["status"], "fwd=bypass; detail=no-store");
}

#[test]
fn what_is_wrong_with_a_request_is_told() {
    let server = service("mcp-wrong", &[("ROUTER_SERVER__MAX_BODY", "2KiB")]);
    let list = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    let user = "BEN-000001";
    send(&server, user, &[], list).is_problem(406, "");
    let large = format!("{list}{}", " ".repeat(3000));
    send(&server, user, &[ACCEPT], &large).is_problem(413, "2048");
    let deep = "[".repeat(2000);
    for body in ["", "{", "[]", "7", &deep] {
        let reply = send(&server, user, &[ACCEPT], body);
        assert!(
            (400..500).contains(&reply.status),
            "{body}: {}",
            reply.status
        );
    }
    let site = ("origin", "https://elsewhere.example");
    send(&server, user, &[ACCEPT, site], list).is_problem(403, "");
    server
        .send("GET", "/mcp", &[ACCEPT], b"")
        .is_problem(405, "/mcp");
    let version = ("mcp-protocol-version", "1999-01-01");
    send(&server, user, &[ACCEPT, version], list).is_problem(400, "1999-01-01");
    assert_eq!(send(&server, user, &[ACCEPT], list).status, 200);
    let note = r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#;
    assert_eq!(send(&server, user, &[ACCEPT], note).status, 202);
}

#[test]
fn it_is_off_by_default() {
    let server = Server::start(&[]);
    let list = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    let reply = server.send("POST", "/mcp", &[JSON, ACCEPT], list.as_bytes());
    reply.is_problem(404, "[mcp] enabled");
}
