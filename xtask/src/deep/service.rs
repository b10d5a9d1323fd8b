//! A router service as a process, to be attacked.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// A running service on a free port of 127.0.0.1. Killed on drop.
pub(super) struct Service {
    child: Child,
    address: SocketAddr,
    /// Its working directory, which holds what it wrote to standard error.
    folder: TempDir,
}

/// Builds the service: with debug assertions and overflow checks, or as it is released.
pub(super) fn build(shell: &Shell, is_release: bool) -> Result<PathBuf> {
    let mut build = shell.cargo(["build", "--locked", "--package=router-bin"]);
    if is_release {
        build.arg("--release");
    }
    shell::run(&mut build)?;
    let profile = if is_release { "release" } else { "debug" };
    let target = Metadata::load(shell)?.target_directory;
    Ok(target.join(profile).join("router"))
}

impl Service {
    /// Builds the service with debug assertions and overflow checks, and starts it with
    /// these variables.
    pub(super) fn start(shell: &Shell, environment: &[(&str, &str)]) -> Result<Self> {
        let program = build(shell, false)?;
        Self::launch(shell, &program, environment, None)
    }

    /// Starts this program as a service, with these variables and its log to `log`, or
    /// to a file that [`check`](Self::check) reads.
    pub(super) fn launch(
        shell: &Shell,
        program: &Path,
        environment: &[(&str, &str)],
        log: Option<Stdio>,
    ) -> Result<Self> {
        let folder = TempDir::new().context("no temporary folder")?;
        let file = File::create(folder.path().join("log"))?;
        let mut child = shell
            .program(program, ["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .env("RUST_BACKTRACE", "1")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log.unwrap_or_else(|| file.into()))
            .spawn()
            .context("cannot start the service")?;
        let stdout = child.stdout.take().context("no pipe from the service")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .and_then(|(address, _)| address.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("the service did not say where it listens: {line:?}");
        };
        Ok(Self {
            child,
            address,
            folder,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// An error if the process ended or logged a panic.
    pub(super) fn check(&mut self) -> Result<()> {
        let log: PathBuf = self.folder.path().join("log");
        let log = std::fs::read(log).context("the log cannot be read")?;
        let log = String::from_utf8_lossy(&log);
        if let Some(at) = log.find("panicked at") {
            let end = log.len().min(at + 4_000);
            bail!("the service panicked: {}", log.get(at..end).unwrap_or(&log));
        }
        if let Some(status) = self.child.try_wait()? {
            bail!("the service ended ({status})");
        }
        Ok(())
    }

    /// Tells the service to stop.
    pub(super) fn terminate(&self, shell: &Shell) -> Result<()> {
        let process = self.child.id().to_string();
        shell::output(&mut shell.program("kill", ["-TERM", &process])).map(drop)
    }

    /// How long the service takes to end; `None` if it is longer than `most`.
    pub(super) fn end(&mut self, most: Duration) -> Result<Option<Duration>> {
        let start = Instant::now();
        while start.elapsed() < most {
            if self.child.try_wait()?.is_some() {
                return Ok(Some(start.elapsed()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(None)
    }

    /// The standard error that was given as a pipe.
    pub(super) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// The resident memory in MiB, where the system tells it.
    pub(super) fn resident_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1024)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
