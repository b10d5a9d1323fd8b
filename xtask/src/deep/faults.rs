//! Faults put into a running service, and what its clients saw: the table of
//! docs/operations.md.

mod client;
mod load;
mod process;
mod source;
mod stored;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::service::{self, Service};
use crate::shell::{self, Shell};

/// What is put to the test.
struct Target<'a> {
    shell: &'a Shell,
    program: PathBuf,
    /// How long the overload lasts.
    overload: Duration,
}

impl Target<'_> {
    /// Starts the service with these variables.
    fn serve(&self, environment: &[(&str, &str)]) -> Result<Service> {
        Service::launch(self.shell, &self.program, environment, None)
    }

    /// The same, with this standard error.
    fn serve_logging_to(&self, log: Stdio, environment: &[(&str, &str)]) -> Result<Service> {
        Service::launch(self.shell, &self.program, environment, Some(log))
    }

    /// A folder with a demo database of so many members, `live.db`.
    fn database(&self, members: u32) -> Result<Database> {
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
struct Database {
    folder: TempDir,
    path: PathBuf,
    /// What `ROUTER_SOURCE__URL` is set to.
    url: String,
}

/// A fault: what is done, and how its figures are found.
type Fault = (&'static str, fn(&Target<'_>) -> Result<Vec<String>>);

const FAULTS: [Fault; 11] = [
    (
        "the log goes to a pipe that nobody reads",
        process::unread_log,
    ),
    (
        "400 clients stall in bodies of 1 MiB",
        process::stalled_bodies,
    ),
    ("1,100 clients open streams of statistics", process::streams),
    (
        "75 requests are in flight at a SIGTERM, 20 times",
        process::stops,
    ),
    (
        "the database file is damaged, then restored by `cp`",
        source::damaged,
    ),
    ("the database is locked", source::locked),
    (
        "4 clients ask a slow intent without a pause",
        source::slow_intent,
    ),
    (
        "twice the source's capacity, then half of it",
        source::overload,
    ),
    (
        "a pattern is looked for in 60,000 entries, 20 times",
        stored::pattern,
    ),
    ("a cache of 16 MiB is filled", stored::memory),
    (
        "a client closes its half; a head of 100 kB",
        process::half_closed,
    ),
];

/// Puts each fault into the service of this workspace, as it is released, or into
/// another `router`.
pub(super) fn run(shell: &Shell, router: Option<PathBuf>, overload: u32) -> Result<String> {
    let program = match router {
        Some(program) => program,
        None => service::build(shell, true)?,
    };
    let program = std::path::absolute(program)?;
    let target = Target {
        shell,
        program,
        overload: Duration::from_secs(overload.into()),
    };
    for (fault, measure) in FAULTS {
        println!("\n{fault}");
        for figure in measure(&target).with_context(|| fault)? {
            println!("  {figure}");
        }
    }
    Ok(format!("{} faults", FAULTS.len()))
}
