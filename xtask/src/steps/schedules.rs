//! Explores the concurrency of cache-core: random schedules, and a memory model.
//!
//! Built with `--cfg shuttle`, cache-core runs its code on a scheduler that picks
//! interleavings at random; built with `--cfg memory_model`, it runs its small atomics
//! under a memory model that goes through all executions that their orderings allow.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::step::{Context, Outcome};
use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// The crate that is explored.
pub(crate) const PACKAGE: &str = "cache-core";

/// The amount of exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    /// The total number of schedules, spread evenly over the tests.
    pub(crate) schedules: u32,
    /// How often the model preempts a thread.
    pub(crate) preemptions: u32,
}

/// The amount in `check`.
const EFFORT: Effort = Effort {
    schedules: 10_000,
    preemptions: 3,
};

/// A way to explore: the `cfg` of the build, and the tests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Explorer {
    /// The `cfg` that replaces the real locks and atomics.
    pub(crate) cfg: &'static str,
    /// The tests' module.
    pub(crate) module: &'static str,
    /// The unit that the tests count.
    pub(crate) unit: &'static str,
}

pub(crate) const SHUTTLE: Explorer = Explorer {
    cfg: "shuttle",
    module: "interleavings",
    unit: "schedules",
};

pub(crate) const LOOM: Explorer = Explorer {
    cfg: "memory_model",
    module: "memory_models",
    unit: "executions",
};

impl Explorer {
    /// A separate target folder: in the common one, the flag would rebuild every
    /// dependency, and the next build without it again.
    pub(crate) fn folder(&self, shell: &Shell) -> Result<PathBuf> {
        Ok(Metadata::load(shell)?.target_directory.join(self.cfg))
    }

    /// The flag that chooses it, for `RUSTFLAGS`.
    pub(crate) fn flag(&self) -> String {
        format!("--cfg {}", self.cfg)
    }

    fn tests(&self, shell: &Shell) -> Result<Command> {
        let mut test = shell.cargo(["test", "--locked", "--package", PACKAGE, "--lib"]);
        test.arg("--target-dir").arg(self.folder(shell)?);
        test.env("RUSTFLAGS", self.flag());
        test.args(["--", self.module]);
        Ok(test)
    }

    /// The number of exploring tests.
    fn count(&self, shell: &Shell) -> Result<u32> {
        let list = shell::output(self.tests(shell)?.arg("--list"))?;
        let tests = list.lines().filter(|line| line.ends_with(": test"));
        match u32::try_from(tests.count())? {
            0 => bail!(
                "no test explores {}: they are in the module `{}` of {PACKAGE}",
                self.unit,
                self.module
            ),
            tests => Ok(tests),
        }
    }

    /// Runs the tests and adds up the counts that they report.
    fn explore(&self, shell: &Shell, settings: &[(&str, u32)]) -> Result<u64> {
        let mut test = self.tests(shell)?;
        test.arg("--show-output");
        for (variable, value) in settings {
            test.env(variable, value.to_string());
        }
        let (mut told, mut explored) = (0, 0);
        let passed = shell::watch_tests(&mut test, |line| {
            if let Some(number) = explored_in(line) {
                told += 1;
                explored += number;
            }
        })?;
        if told != passed {
            bail!("{passed} tests passed, but {told} told how far they went");
        }
        Ok(explored)
    }
}

/// The number in a test's `explored 2000 schedules`.
pub(crate) fn explored_in(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("explored ")?;
    rest.split_once(' ')?.0.parse().ok()
}

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let explored = run(context.shell, EFFORT)?;
    Ok(Outcome::Passed(explored))
}

/// Explores this amount, and returns a summary.
pub(crate) fn run(shell: &Shell, effort: Effort) -> Result<String> {
    let tests = SHUTTLE.count(shell)?;
    let each = effort.schedules.div_ceil(tests);
    let schedules = SHUTTLE.explore(shell, &[("SCHEDULES", each)])?;
    let models = LOOM.count(shell)?;
    let preemptions = [("LOOM_MAX_PREEMPTIONS", effort.preemptions)];
    let executions = LOOM.explore(shell, &preemptions)?;
    let explored = format!(
        "{schedules} schedules in {tests} tests, {executions} executions of {models} models"
    );
    println!("{explored}");
    Ok(explored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_explored_is_read_from_the_tests_output() {
        assert_eq!(explored_in("explored 2000 schedules"), Some(2_000));
        assert_eq!(explored_in("explored 116 executions"), Some(116));
        assert_eq!(explored_in("explored: 2000 schedules"), None);
        assert_eq!(explored_in("test it_explored 5 schedules ... ok"), None);
    }
}
