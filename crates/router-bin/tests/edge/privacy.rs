//! What logs and statistics show of people.

use serde_json::{Value, json};

use crate::problems::FAILING;
use crate::program::{self, argument};
use crate::support::Server;
use crate::{QUESTION, ROLE, USER, log_of, logged};

/// What the session sends and a log has for no other reason.
const SECRETS: [&str; 7] = [
    "BEN-0000",
    "CLM-2025",
    "quaestor",
    "zebrafish",
    "xylophone",
    "walrus",
    "jackdaw",
];

#[test]
fn the_log_of_a_session_holds_no_identifier_and_no_message() {
    let catalogue = program::file("session", "intents.toml", FAILING);
    for catalogue in [None, Some(argument(&catalogue))] {
        let mut settings = vec![("ROUTER_LOG", "trace")];
        settings.extend(catalogue.map(|file| ("ROUTER_CATALOGUE__FILE", file)));
        let (server, path) = logged("session", &settings);
        session(&server);
        let log = log_of(server, &path);
        assert!(log.contains("invalidate"), "{log}");
        for secret in SECRETS {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
}

/// Requests of every kind, good and bad.
fn session(server: &Server) {
    let who = json!({ "user_id": "BEN-000042", "user_role": "quaestor" });
    let conversation =
        json!({ "intent": "payment_history", "slots": { "zebrafish": "xylophone" } });
    let mut continued = who.clone();
    continued["conversation"] = conversation;
    let message = "what is the status of my claim CLM-2025-000777 about the walrus?";
    for body in [
        json!({ "message": message, "user_context": who }),
        json!({ "message": message, "user_context": who }),
        json!({ "message": "and for 2024-03?", "user_context": continued }),
        json!({ "message": "jackdaw", "user_context": who, "forced_intent": "zebrafish" }),
        json!({ "message": "walrus", "user_context": { "user_id": ["BEN-000042"] } }),
        json!({ "message": 7, "user_context": who, "xylophone": "walrus" }),
    ] {
        server.post("/v1/route", &body);
    }
    for body in [
        json!({ "user_id": "BEN-000042" }),
        json!({ "role": "quaestor" }),
        json!({ "tag": "claim:CLM-2025-000777", "user_id": "BEN-000042" }),
        json!({ "pattern": "claim_status/BEN-000042/*" }),
        json!({ "intent": "walrus" }),
        json!({ "class": "zebrafish" }),
        json!({ "key": "jackdaw" }),
        json!([{ "user_id": "BEN-000042" }, { "intent": "xylophone" }]),
    ] {
        server.post("/v1/invalidate", &body);
    }
    server.post("/v1/erase", &json!({ "user_id": "BEN-000042" }));
    server.post(
        "/v1/erase",
        &json!({ "user_id": "BEN-000042", "walrus": 1 }),
    );
    server.post("/v1/reload", &json!({ "walrus": "zebrafish" }));
    server.json("POST", "/v1/route", "{\"message\": \"walrus");
    server.get("/walrus/BEN-000042");
    server.raw(b"GET /walrus zebrafish jackdaw\r\n\r\n");
    server.raw(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nwalrus BEN-000042\r\n\r\n");
    server.stats();
}

fn last(server: &Server) -> Value {
    server.stats()["recent"][0].clone()
}

#[test]
fn statistics_show_hashes_unless_told_otherwise() {
    let server = Server::start(&[]);
    server.ask(QUESTION, USER, ROLE);
    let hashed = last(&server);
    assert_eq!(server.stats()["ids_shown"], false);
    for member in ["user_id", "user_role"] {
        let hash = hashed[member].as_str().unwrap();
        assert!(hash.len() == 13 && hash.starts_with('#'), "{hash}");
    }
    assert!(!hashed["cache_status"].as_str().unwrap().contains("key"));
    server.ask(QUESTION, USER, "employer");
    let other_role = last(&server);
    assert_eq!(other_role["user_id"], hashed["user_id"]);
    assert_ne!(other_role["user_role"], hashed["user_role"]);
    server.post(
        "/v1/route",
        &json!({ "message": QUESTION, "user_context": {} }),
    );
    assert_eq!(last(&server)["user_id"], "guest");

    let another = Server::start(&[]);
    another.ask(QUESTION, USER, ROLE);
    assert_ne!(
        last(&another)["user_id"],
        hashed["user_id"],
        "a key of its own"
    );

    let shown = Server::start(&[("ROUTER_PRIVACY__SHOW_IDS", "true")]);
    let reply = shown.ask(QUESTION, USER, ROLE);
    let recent = last(&shown);
    assert_eq!(shown.stats()["ids_shown"], true);
    assert_eq!(
        (&recent["user_id"], &recent["user_role"]),
        (&json!(USER), &json!(ROLE))
    );
    assert_eq!(recent["cache_status"], reply.cache_status());
}

#[test]
fn a_key_file_keeps_hashes_over_a_restart() {
    let file = program::file("key-file", "key", "0123456789abcdef");
    let settings = [("ROUTER_PRIVACY__KEY_FILE", argument(&file))];
    let hashes = [(); 2].map(|()| {
        let server = Server::start(&settings);
        server.ask(QUESTION, USER, ROLE);
        last(&server)["user_id"].clone()
    });
    assert_eq!(hashes[0], hashes[1]);
    std::fs::write(&file, "too short").unwrap();
    let environment = [("ROUTER_SOURCE__DEMO_USERS", "50"), settings[0]];
    let run = program::router_with(&["serve", "--listen", "127.0.0.1:0"], &environment, b"");
    run.fails(78, "privacy.key_file");
    assert!(
        run.stderr.contains("16 to 4096 random bytes"),
        "{}",
        run.stderr
    );
}
