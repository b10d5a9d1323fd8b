//! `router changes setup`: prepares a database to report single records.

use std::io::Write;

use clap::{Args, Subcommand};
use live_data::SqliteSetup;

use crate::config::{Config, SourceUrl};
use crate::exit::{Code, Failure, written};

/// Prepares a database to report its changes.
#[derive(Debug, Subcommand)]
pub(crate) enum ChangesCommand {
    /// Print or run the statements that make the configured database report single records.
    ///
    /// SQLite: a change table, and triggers on the tables that the catalogue declares. Without
    /// them, each commit by another process removes all answers.
    Setup(SetupArgs),
}

/// What is done with the statements.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct SetupArgs {
    /// Print the statements.
    #[arg(long)]
    print: bool,
    /// Run the statements, in one transaction. Needs write access to the database.
    #[arg(long)]
    apply: bool,
}

/// Runs the command.
pub(super) fn run(config: &Config, command: &ChangesCommand) -> Result<(), Failure> {
    let ChangesCommand::Setup(args) = command;
    match &config.source.url {
        Some(SourceUrl::Sqlite(path)) => {
            let unavailable = |error| Failure::new(Code::Unavailable, error);
            let setup = SqliteSetup::of(path, config.intents()).map_err(unavailable)?;
            for (table, reason) in setup.untracked() {
                let told = format_args!(
                    "warning: `{table}` {reason}; every commit counts as a change of all its rows"
                );
                // If the stream is closed, there is nowhere to report it.
                let _ = writeln!(std::io::stderr(), "{told}");
            }
            let told = if args.print {
                setup.statements().join("\n") + "\n"
            } else if setup.is_applied() {
                "nothing to do: the database has the change table and its triggers\n".to_owned()
            } else {
                setup.apply().map_err(unavailable)?;
                "applied: the database reports single records\n".to_owned()
            };
            written(std::io::stdout().lock().write_all(told.as_bytes()))
        }
        Some(SourceUrl::Http(_)) | None => Err(Failure::new(
            Code::Config,
            "only a database reports changes; set `source.url` to one",
        )),
    }
}
