//! The service against its own OpenAPI document: an independent validator reads
//! the document, and schemathesis looks for responses that it does not describe.

use std::path::Path;

use anyhow::Result;

use super::service::Service;
use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// The Python packages that do it, with their versions.
const PACKAGES: &[&str] = &["openapi-spec-validator==0.9.0", "schemathesis==4.32.5"];

/// An endpoint whose response never ends.
const EXCLUDED: &str = "/v1/stats/stream";

/// The one token of the service, which may do everything.
const TOKEN: &str = "a-token-for-the-tests-of-the-interface";
const TOKENS: &str =
    r#"[{ env = "API_TOKEN", name = "api", scopes = ["admin", "ask", "ask-for-anyone", "fill"] }]"#;

/// Settings of schemathesis, from the root.
const CONFIG: &str = "xtask/src/deep/schemathesis.toml";

/// Validates the document, then tries up to `examples` requests an operation.
pub(super) fn run(shell: &Shell, examples: u32) -> Result<String> {
    if shell::output(&mut shell.program("python3", ["-m", "venv", "--help"])).is_err() {
        let reason = "no python3 with venv: on Debian, apt-get install python3-venv";
        println!("SKIPPED: api: {reason}");
        return Ok(format!("SKIPPED: {reason}"));
    }
    let folder = Metadata::load(shell)?.target_directory.join("api-tools");
    let programs = folder.join("bin");
    if !programs.join("schemathesis").exists() {
        shell::run(shell.program("python3", ["-m", "venv"]).arg(&folder))?;
        let mut install = shell.program(programs.join("python"), ["-m", "pip", "install", "-q"]);
        shell::run(install.args(PACKAGES))?;
    }
    let document = Path::new("crates/router-bin/src/serve/openapi.json");
    shell::run(
        shell
            .program(programs.join("openapi-spec-validator"), ["--schema", "3.1"])
            .arg(document),
    )?;
    let mut service = Service::start(
        shell,
        &[
            ("ROUTER_AUTH__MODE", "token"),
            ("ROUTER_AUTH__TOKENS", TOKENS),
            ("API_TOKEN", TOKEN),
            ("ROUTER_MCP__ENABLED", "true"),
            // A busy machine must not look like a fault of the service.
            ("ROUTER_SOURCE__DEADLINE", "20s"),
            (
                "ROUTER_CHANGES__WEBHOOK__SECRETS",
                r#"["env:WEBHOOK_SECRET"]"#,
            ),
            ("WEBHOOK_SECRET", "a-secret-for-the-tests-of-the-interface"),
        ],
    )?;
    let url = format!("http://{}", service.address());
    let mut tests = shell.program(
        programs.join("schemathesis"),
        ["--config-file", CONFIG, "run"],
    );
    tests
        .arg(document)
        .args(["--url", &url, "--exclude-path", EXCLUDED])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &examples.to_string()])
        .args(["--suppress-health-check", "all"]);
    shell::run(&mut tests)?;
    service.check()?;
    Ok(format!(
        "{examples} examples an operation, none undocumented"
    ))
}
