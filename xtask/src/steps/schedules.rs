//! Concurrency under randomised schedules: cache-core, built with `--cfg shuttle`,
//! runs its own code on a scheduler that picks the interleavings.

use anyhow::{Result, bail};

use super::{Context, Outcome};
use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// Schedules a test in `check`.
const SCHEDULES: u32 = 2_000;

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let explored = run(context.shell, SCHEDULES)?;
    Ok(Outcome::Passed(explored))
}

/// Explores so many schedules with each test, and returns what was done.
pub(crate) fn run(shell: &Shell, schedules: u32) -> Result<String> {
    // The flag would rebuild every dependency in the common folder, and again
    // without it the next time.
    let folder = Metadata::load(shell)?.target_directory.join("shuttle");
    let mut test = shell.cargo(["test", "--locked", "--package", "cache-core", "--lib"]);
    test.arg("--target-dir").arg(folder);
    test.args(["--", "interleavings"]);
    test.env("RUSTFLAGS", "--cfg shuttle");
    test.env("SCHEDULES", schedules.to_string());
    let tests = shell::run_tests(&mut test)?;
    if tests == 0 {
        bail!("no test explored schedules: they are in the module `interleavings` of cache-core");
    }
    let total = tests as u64 * u64::from(schedules);
    let explored = format!("{total} schedules, {schedules} in each of {tests} tests");
    println!("{explored}");
    Ok(explored)
}
