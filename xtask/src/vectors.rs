//! `cargo xtask vectors`: the keys as CPython itself computes them.

use anyhow::Result;

use crate::shell::{self, Shell, Usage};
use crate::steps::{Context, Outcome};

/// The vectors that the crate's tests are checked against.
const FILE: &str = "crates/cache-keys/tests/data/vectors.jsonl";

const SCRIPT: &str = "xtask/src/vectors.py";

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
    let mut check = false;
    let mut file = None;
    for arg in args {
        match arg.as_str() {
            "--check" => check = true,
            option if option.starts_with('-') => {
                return Err(Usage::new(format!("vectors knows no `{option}`")));
            }
            _ if file.is_some() => return Err(Usage::new("vectors takes one file")),
            _ => file = Some(arg),
        }
    }
    let file = file.as_deref().unwrap_or(FILE);
    if check {
        match compare(shell, file)? {
            Outcome::Passed(_) => {}
            Outcome::Skipped(reason) => println!("SKIPPED: vectors: {reason}"),
        }
        return Ok(());
    }
    // Only the lines themselves go to standard output, to be kept in a file.
    print!(
        "{}",
        shell::output(&mut shell.program("python3", [SCRIPT, file]))?
    );
    Ok(())
}

/// The step of `check`.
pub(crate) fn step(context: &Context<'_>) -> Result<Outcome> {
    compare(context.shell, FILE)
}

fn compare(shell: &Shell, file: &str) -> Result<Outcome> {
    let probe = "import hashlib, json, platform; print(platform.python_version())";
    let version = match shell::output(&mut shell.program("python3", ["-c", probe])) {
        Ok(version) => version,
        Err(error) => {
            let reason = format!("python3 not found: {}", error.root_cause());
            return Ok(Outcome::Skipped(reason));
        }
    };
    shell::run(&mut shell.program("python3", [SCRIPT, "--check", file]))?;
    Ok(Outcome::Passed(format!("Python {}", version.trim())))
}
