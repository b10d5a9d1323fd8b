//! A router service as a process, to be attacked.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// A running service on a free port of 127.0.0.1, with demo data. Killed on drop.
pub(super) struct Service {
    child: Child,
    address: SocketAddr,
    /// Holds what the service wrote to standard error.
    folder: TempDir,
}

impl Service {
    /// Builds the service with debug assertions and overflow checks, and starts it with
    /// these variables.
    pub(super) fn start(shell: &Shell, environment: &[(&str, &str)]) -> Result<Self> {
        let mut build = shell.cargo(["build", "--locked", "--package=router-bin"]);
        shell::run(&mut build)?;
        let program = Metadata::load(shell)?.target_directory.join("debug/router");
        let folder = TempDir::new().context("no temporary folder")?;
        let log = File::create(folder.path().join("log"))?;
        let mut child = shell
            .program(program, ["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .env("RUST_BACKTRACE", "1")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
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
