//! Faults put into a running service, and what its clients saw: the table of
//! docs/operations.md.

mod client;
mod load;
mod process;
mod source;
mod stored;
mod tested;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::tested::Tested;
use super::service;
use crate::shell::Shell;

/// A fault: what is done, and how its figures are found.
type Fault = (&'static str, fn(&Tested<'_>) -> Result<Vec<String>>);

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

/// Puts the faults whose names contain `named` into the service of this workspace, as it
/// is released, or into another `router`.
pub(super) fn run(
    shell: &Shell,
    router: Option<PathBuf>,
    named: &str,
    overload: u32,
) -> Result<String> {
    let program = match router {
        Some(program) => program,
        None => service::build(shell, true)?,
    };
    let program = std::path::absolute(program)?;
    let tested = Tested {
        shell,
        program,
        overload: Duration::from_secs(overload.into()),
    };
    let mut count = 0;
    for (fault, measure) in FAULTS.iter().filter(|(fault, _)| fault.contains(named)) {
        count += 1;
        println!("\n{fault}");
        for figure in measure(&tested).with_context(|| (*fault).to_owned())? {
            println!("  {figure}");
        }
    }
    if count == 0 {
        let names: Vec<_> = FAULTS.iter().map(|(fault, _)| *fault).collect();
        bail!(
            "no fault is named `{named}`; they are: {}",
            names.join("; ")
        );
    }
    Ok(format!("{count} faults"))
}
