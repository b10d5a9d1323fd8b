//! `router mcp` on standard input and output.

use serde_json::{Value, json};

use super::agent::{Agent, cache, error};
use super::program::{file, router};

const USER: [&str; 2] = ["--user-id", "BEN-000001"];

/// The number of the user's first claim.
fn claim(agent: &mut Agent) -> String {
    let all = agent.call("claim_status", json!({}));
    let claims = &all["structuredContent"]["data"]["claims"];
    claims[0]["claim_number"]
        .as_str()
        .expect("a claim")
        .to_owned()
}

#[test]
fn each_intent_is_a_tool() {
    let mut agent = Agent::start(&USER, &[]);
    let listed = agent.ask("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().expect("tools");
    assert_eq!(tools.len(), 12);
    let claims = &tools[0];
    assert_eq!(claims["name"], "claim_status");
    let pattern = &claims["inputSchema"]["properties"]["claim_number"]["pattern"];
    let digits = |count| "[0-9]".repeat(count);
    let expected = format!("^CLM-{}-{}$", digits(4), digits(6));
    assert_eq!(pattern.as_str(), Some(&*expected));
    assert_eq!(claims["annotations"]["readOnlyHint"], true);
    for tool in tools {
        let told = tool["description"].as_str().expect("a description");
        assert!(!told.starts_with("Answers questions"), "{tool}");
    }
}

#[test]
fn a_second_call_is_answered_by_the_cache() {
    let mut agent = Agent::start(&USER, &[]);
    let number = claim(&mut agent);
    let narrow = json!({ "claim_number": number });
    let first = agent.call("claim_status", narrow.clone());
    assert_eq!(first["isError"], false);
    assert_eq!(cache(&first)["status"], "fwd=miss; stored");
    assert_eq!(cache(&first)["ttlMs"], 300_000);
    assert_eq!(cache(&first)["cacheScope"], "private");
    let claims = &first["structuredContent"]["data"]["claims"];
    assert_eq!(claims.as_array().map(Vec::len), Some(1), "{claims}");
    let second = agent.call("claim_status", narrow);
    let status = cache(&second)["status"].as_str().expect("a status");
    assert!(status.starts_with("hit; ttl="), "{status}");
    assert!(cache(&second)["ttlMs"].as_u64() <= Some(300_000));
    assert_eq!(second["structuredContent"], first["structuredContent"]);
    let text = second["content"][0]["text"].as_str().expect("a text");
    let parsed: Value = serde_json::from_str(text).expect("the text is JSON");
    assert_eq!(parsed, second["structuredContent"]);
    let (code, log) = agent.end();
    assert_eq!((code, log.as_str()), (0, ""));
}

#[test]
fn nobody_else_gets_the_answer() {
    let number = claim(&mut Agent::start(&USER, &[]));
    let as_other = [("ROUTER_MCP_USER_ID", "BEN-000002")];
    let mut other = Agent::start(&[], &as_other);
    let answer = other.call("claim_status", json!({ "claim_number": number }));
    assert_eq!(answer["structuredContent"]["data"]["claims"], json!([]));
    let mut guest = Agent::start(&[], &[]);
    let refused = guest.call("claim_status", json!({}));
    assert!(error(&refused).contains("\"unidentified\""));
    let mut stranger = Agent::start(&["--user-id", "BEN-999999"], &[]);
    let refused = stranger.call("claim_status", json!({}));
    assert!(error(&refused).contains("\"no_such_member\""));
}

#[test]
fn wrong_arguments_are_errors_that_the_agent_reads() {
    let mut agent = Agent::start(&USER, &[]);
    for (arguments, told) in [
        (
            json!({ "claim_number": "the last" }),
            "slot `claim_number` cannot be read: \"the last\" is not an identifier of the form CLM-####-######",
        ),
        (
            json!({ "claim_number": "CLM-2025-000001 and more" }),
            "cannot be read",
        ),
        (
            json!({ "claim_number": 7 }),
            "`claim_number` must be a string",
        ),
        // A slot of the intent that none of its queries reads.
        (
            json!({ "outcome": "approved" }),
            "unknown argument `outcome`; known are claim_number",
        ),
        (
            json!({ "message": "all of them" }),
            "unknown argument `message`",
        ),
        (
            json!({ "claim_number": "9".repeat(5000) }),
            "at most 4096 are allowed",
        ),
    ] {
        let refused = agent.call("claim_status", arguments);
        assert!(error(&refused).contains(told), "{refused}");
    }
    let refused = agent.call("account_info", json!({ "period": "2025" }));
    assert_eq!(
        error(&refused),
        "unknown argument `period`; this tool takes none"
    );
    let unknown = agent.ask(
        "tools/call",
        json!({ "name": "delete_all", "arguments": {} }),
    );
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    // An absent value.
    let all = agent.call("claim_status", json!({ "claim_number": null }));
    assert_eq!(all["isError"], false);
}

const BY_WORDS: &str = r#"
[slots.ticket_number]
kind = "pattern"
pattern = "TKT-######"
[[intent]]
name = "tickets"
kind = "live_data"
phrases = ["ticket"]
slots = ["ticket_number"]
query = [{ name = "asked", sql = "SELECT :message AS message, :ticket_number AS number" }]
"#;

/// Without other arguments the message is read for them, as any message is.
#[test]
fn a_message_that_names_a_record_is_not_answered_more_widely() {
    file("mcp-words", "intents.toml", BY_WORDS);
    let config = file(
        "mcp-words",
        "router.toml",
        "catalogue.file = 'intents.toml'",
    );
    let config = config.to_str().expect("a path of text");
    let mut agent = Agent::start(&["--config", config, USER[0], USER[1]], &[]);
    let mut asked = |arguments| {
        let mut answer = agent.call("tickets", arguments);
        answer["structuredContent"]["data"]["asked"][0].take()
    };
    let message = "my ticket TKT-000001";
    let number = "TKT-000001";
    let alone = asked(json!({ "message": message }));
    assert_eq!(alone, json!({ "message": message, "number": number }));
    let both = asked(json!({ "message": "my ticket", "ticket_number": number }));
    assert_eq!(both, json!({ "message": "my ticket", "number": number }));
    let neither = asked(json!({}));
    assert_eq!(neither, json!({ "message": "", "number": null }));
}

#[test]
fn what_is_no_message_is_survived() {
    let mut agent = Agent::start(&USER, &[("ROUTER_SERVER__MAX_BODY", "2KiB")]);
    agent.write("{");
    agent.write(&format!("\"{}\"", "x".repeat(10_000)));
    let answer = agent.call("greeting", json!({}));
    assert_eq!(answer["isError"], false);
}

#[test]
fn a_client_that_does_not_begin_is_told_so() {
    let run = router(&["mcp"], "");
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "")
    );
    let early = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    let run = router(&["mcp"], format!("{early}\n"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.contains("-32602"), "{}", run.stdout);
}
