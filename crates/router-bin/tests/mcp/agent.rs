//! An agent that runs `router mcp` and speaks to it, one message a line.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub(crate) struct Agent {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    id: u64,
}

impl Agent {
    /// Starts the program with these arguments and settings, and initialises it.
    pub(crate) fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_router"))
            .arg("mcp")
            .args(arguments)
            .env_clear()
            .env("ROUTER_SOURCE__DEMO_USERS", "50")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("stdout is a pipe");
        let mut agent = Self {
            input: child.stdin.take(),
            output: BufReader::new(output).lines(),
            child,
            id: 0,
        };
        let client = json!({ "name": "test", "version": "1" });
        let started = agent.ask(
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client }),
        );
        assert_eq!(started["result"]["protocolVersion"], "2025-06-18");
        assert_eq!(started["result"]["serverInfo"]["name"], "router");
        agent
            .write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        agent
    }

    pub(crate) fn write(&mut self, line: &str) {
        let input = self.input.as_mut().expect("not ended yet");
        writeln!(input, "{line}").expect("the program reads");
    }

    /// The response to a request.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let request = json!({
            "jsonrpc": "2.0", "id": self.id, "method": method, "params": params,
        });
        self.write(&request.to_string());
        let line = self.output.next().expect("a line").expect("a line of text");
        let response: Value = serde_json::from_str(&line).expect("each line is a message");
        assert_eq!(response["id"], self.id, "{response}");
        response
    }

    /// The result of a call.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let mut response = self.ask("tools/call", params);
        response["result"].take()
    }

    /// Closes the program's input; returns its exit code and what it logged.
    pub(crate) fn end(mut self) -> (i32, String) {
        drop(self.input.take());
        let ended = self.child.wait_with_output().expect("the program ends");
        let log = String::from_utf8(ended.stderr).expect("the log is UTF-8");
        (ended.status.code().expect("no signal ended it"), log)
    }
}

/// What the cache did for a call.
pub(crate) fn cache(result: &Value) -> &Value {
    &result["_meta"]["org.example.response-cache/cache"]
}

/// The text of a tool's error.
#[track_caller]
pub(crate) fn error(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().expect("a text")
}
