//! The router service: answers questions from a database, caches the answers by
//! intent and user, and shows what that saves.

mod auth;
mod changes;
mod cli;
mod config;
mod dashboard;
mod detector;
mod exit;
mod mcp;
mod serve;
mod setup;
mod snapshot;
mod source;
mod timer;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;

use cli::Cli;
use exit::Code;

/// A cache replaces its entries all the time, which leaves the memory of the system's
/// allocator in fragments: with glibc's, a full cache takes twice its capacity.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // If the streams are closed, there is nowhere to report it.
            let _ = error.print();
            return if error.use_stderr() {
                Code::Usage.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    // The panic hook has printed the panic; the exit code says that it is a bug.
    match catch_unwind(AssertUnwindSafe(|| cli.run())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            failure.code().into()
        }
        Err(_) => Code::Internal.into(),
    }
}
