//! The service that faults are put into.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::deep::service::Service;
use crate::shell::{self, Shell};

/// What is put to the test.
pub(super) struct Tested<'a> {
    pub(super) shell: &'a Shell,
    pub(super) program: PathBuf,
    /// How long the overload lasts.
    pub(super) overload: Duration,
}

impl Tested<'_> {
    /// Starts the service with these variables.
    pub(super) fn serve(&self, environment: &[(&str, &str)]) -> Result<Service> {
        Service::launch(self.shell, &self.program, environment, None)
    }

    /// The same, with this standard error.
    pub(super) fn serve_logging_to(
        &self,
        log: Stdio,
        environment: &[(&str, &str)],
    ) -> Result<Service> {
        Service::launch(self.shell, &self.program, environment, Some(log))
    }

    /// A folder with a demo database of so many members, `live.db`.
    pub(super) fn database(&self, members: u32) -> Result<Database> {
        let folder = TempDir::new().context("no temporary folder")?;
        let path = folder.path().join("live.db");
        let members = members.to_string();
        let mut write = self.shell.program(&self.program, ["demo-db"]);
        shell::output(write.arg(&path).args(["--users", &members]))?;
        let url = format!("sqlite://{}", path.display());
        Ok(Database { folder, path, url })
    }
}

/// A database file of its own folder.
pub(super) struct Database {
    pub(super) folder: TempDir,
    pub(super) path: PathBuf,
    /// What `ROUTER_SOURCE__URL` is set to.
    pub(super) url: String,
}
