//! Signed invalidations by `POST /v1/changes`.

mod program;
mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use support::{Reply, Server};

const QUESTION: &str = "what is my claim status?";
const OLD: &str = "an-old-secret-of-32-characters--";
const NEW: &str = "a-new-secret-of-32-characters---";

fn start(audit: Option<&str>) -> Server {
    let audit = audit.map(|file| ("ROUTER_AUDIT__FILE", file));
    let mut settings = vec![
        (
            "ROUTER_CHANGES__WEBHOOK__SECRETS",
            r#"["env:HOOK_OLD", "env:HOOK_NEW"]"#,
        ),
        ("HOOK_OLD", OLD),
        ("HOOK_NEW", NEW),
        // The endpoint needs no token where the others do.
        ("ROUTER_AUTH__MODE", "token"),
        (
            "ROUTER_AUTH__TOKENS",
            r#"[{ env = "ASK_TOKEN", name = "app", scopes = ["ask", "ask-for-anyone"] }]"#,
        ),
        ("ASK_TOKEN", "0123456789abcdef0123456789abcdef"),
    ];
    settings.extend(audit);
    Server::start(&settings)
}

fn is_hit(server: &Server) -> bool {
    let context = json!({ "user_id": "BEN-000001", "user_role": "beneficiary" });
    let body = json!({ "message": QUESTION, "user_context": context }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer 0123456789abcdef0123456789abcdef"),
    ];
    let reply = server.send("POST", "/v1/route", &headers, body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.is_hit()
}

/// A time of its own for each request, `offset` seconds from now.
fn time(offset: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let seconds = now.as_secs().checked_add_signed(offset).expect("a time");
    format!("{seconds}.{:09}", now.subsec_nanos())
}

fn send(server: &Server, secret: &str, time: &str, body: &str) -> Reply {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{time}.{body}").as_bytes());
    let tag = mac.finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("sha256={hex}");
    let headers = [
        ("content-type", "application/json"),
        ("x-timestamp", time),
        ("x-signature", &signature),
    ];
    server.send("POST", "/v1/changes", &headers, body.as_bytes())
}

#[test]
fn a_signed_change_removes_the_answers_at_once() {
    let server = start(None);
    let body = json!([{ "tag": "claim:CLM-2025-000001", "user_id": "BEN-000001" }]).to_string();
    for secret in [OLD, NEW] {
        assert!(!is_hit(&server));
        assert!(is_hit(&server));
        let reply = send(&server, secret, &time(0), &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.value(), json!({ "invalidated": 1 }));
    }
    assert!(!is_hit(&server));
}

#[test]
fn what_is_not_signed_now_by_a_secret_removes_nothing_and_is_audited() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("webhook-audit.log");
    let _ = std::fs::remove_file(&file);
    let server = start(file.to_str());
    is_hit(&server);
    let body = json!({ "all": true }).to_string();
    send(&server, "another", &time(0), &body).is_problem(401, "not that of the request");
    send(&server, NEW, &time(-400), &body).is_problem(401, "within the window");
    send(&server, NEW, &time(400), &body).is_problem(401, "within the window");
    server
        .json("POST", "/v1/changes", &body)
        .is_problem(401, "send X-Timestamp");
    assert!(is_hit(&server));
    // A body that is signed and wrong may be sent again, and so may a correct one be.
    let once = time(0);
    send(&server, NEW, &once, "{}").is_problem(422, "give exactly one");
    send(&server, NEW, &once, "{}").is_problem(422, "give exactly one");
    assert_eq!(send(&server, NEW, &once, &body).status, 200);
    is_hit(&server);
    send(&server, NEW, &once, &body).is_problem(401, "received already");
    assert!(is_hit(&server));
    server.terminate();
    assert!(server.wait().success());
    let audit = std::fs::read_to_string(&file).expect("the audit log");
    let outcomes: Vec<_> = audit
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|entry| {
            assert_eq!(entry["actor"], "webhook");
            entry["outcome"].as_str().expect("an outcome").to_owned()
        })
        .collect();
    let (refused, wrong) = ("invalid_signature", "invalid_members");
    let expect = [
        refused, refused, refused, refused, wrong, wrong, "done", refused,
    ];
    assert_eq!(outcomes, expect);
}

#[test]
fn without_secrets_there_is_no_webhook() {
    let server = Server::start(&[]);
    send(&server, NEW, &time(0), "{\"all\": true}").is_problem(404, "changes.webhook.secrets");
}

#[test]
fn secrets_are_read_from_variables_and_checked() {
    let check =
        |settings: &[(&str, &str)]| program::router_with(&["config", "check"], settings, b"");
    let named = ("ROUTER_CHANGES__WEBHOOK__SECRETS", r#"["env:HOOK"]"#);
    check(&[named, ("HOOK", NEW)]).output();
    check(&[named]).fails(78, "HOOK is not set");
    check(&[named, ("HOOK", "short")]).fails(78, "too short");
    let literal = ("ROUTER_CHANGES__WEBHOOK__SECRETS", r#"["my-own-secret"]"#);
    let run = check(&[literal]);
    run.fails(78, "a secret is not written here");
}
