//! Checks the Python package: form, types, and tests against the real service.
//!
//! The tools are installed in a virtual environment in the target folder, in the
//! versions that the package's `constraints.txt` pins. Once they are there, the step
//! needs no network.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::step::{Context, Outcome};
use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// The package, from the root.
const PACKAGE: &str = "docs/clients/python";

/// Succeeds where Python is new enough and can make virtual environments with pip.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let shell = context.shell;
    let target = Metadata::load(shell)?.target_directory;
    let python = Python {
        shell,
        folder: target.join("python-client"),
    };
    if let Err(error) = python.prepare() {
        let reason = format!(
            "{:#}; it needs Python 3.11 or later with venv and pip (Debian: python3-venv), and \
             the packages of {PACKAGE}/constraints.txt",
            error
        );
        // Continuous integration installs what is needed, and skips nothing.
        if env::var_os("CI").is_some() {
            bail!(reason);
        }
        return Ok(Outcome::Skipped(reason));
    }
    shell::run(&mut shell.cargo(["build", "--locked", "--package", "router-bin"]))?;
    let program = target.join("debug").join("router");
    python.install()?;
    shell::run(&mut python.module("ruff", ["format", "--no-cache", "--check", "."]))?;
    shell::run(&mut python.module("ruff", ["check", "--no-cache", "."]))?;
    let mypy = ["--cache-dir", "/dev/null", "src", "tests", "examples"];
    shell::run(&mut python.module("mypy", mypy))?;
    shell::run(
        python
            .module("pytest", ["-q"])
            .env("ROUTER_PROGRAM", program),
    )?;
    Ok(Outcome::Passed(String::new()))
}

/// A virtual environment.
struct Python<'a> {
    shell: &'a Shell,
    folder: PathBuf,
}

impl Python<'_> {
    /// Makes the environment, and installs the tools that are missing.
    fn prepare(&self) -> Result<()> {
        if !self.interpreter().is_file() {
            shell::output(&mut self.shell.program("python3", ["-c", PROBE]))?;
            let mut make = self.shell.program("python3", ["-m", "venv", "--clear"]);
            shell::run(make.arg(&self.folder))?;
        }
        let pip = ["install", "--quiet", "--requirement", "constraints.txt"];
        shell::run(&mut self.module("pip", pip))
    }

    /// Installs the package as users do, with nothing but the pinned versions.
    fn install(&self) -> Result<()> {
        let pip = ["install", "--quiet", "--no-index", "--no-build-isolation"];
        let mut install = self.module("pip", pip);
        install.args(["--constraint", "constraints.txt", ".[test]"]);
        shell::run(&mut install)
    }

    /// A Python module with arguments, run at the package.
    fn module<const N: usize>(&self, module: &str, args: [&str; N]) -> Command {
        let mut command = self.shell.program(self.interpreter(), ["-m", module]);
        command.args(args);
        command.current_dir(Path::new(self.shell.root()).join(PACKAGE));
        // Nothing is written into the checkout.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn interpreter(&self) -> PathBuf {
        self.folder.join("bin").join("python")
    }
}
