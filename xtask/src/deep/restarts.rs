//! The service, killed at any moment and started again, far more often than in `check`.

use anyhow::Result;

use crate::shell::{self, Shell};

/// How often.
const RESTARTS: &str = "200";

/// Runs the tests of restarts.
pub(super) fn run(shell: &Shell, package: &str) -> Result<String> {
    let mut test = shell.cargo(["test", "--locked", "--package", package]);
    test.args(["--test", "restarts"]).env("RESTARTS", RESTARTS);
    let passed = shell::run_tests(&mut test)?;
    Ok(format!(
        "{passed} tests, the service killed {RESTARTS} times"
    ))
}
