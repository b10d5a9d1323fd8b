//! `router changes setup`: prepares a database to report its changes.

use std::io::Write;

use clap::{Args, Subcommand};
use live_data::{PostgresSetup, SqliteSetup};

use crate::config::{Config, SourceUrl};
use crate::exit::{Code, Failure, written};
use crate::source;

/// Prepares a database to report its changes.
#[derive(Debug, Subcommand)]
pub(crate) enum ChangesCommand {
    /// Print or run the statements that make the configured database report its changes.
    ///
    /// PostgreSQL: a publication, and the replica identity of tables whose changes would not say
    /// whose rows they were. SQLite: a change table, and triggers on the tables that the catalogue
    /// declares; without them, each commit by another process removes all answers.
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

/// The setup of one kind of database.
struct Setup {
    statements: Vec<String>,
    /// Warnings, such as tables that are not reported.
    warnings: Vec<String>,
    is_applied: bool,
    /// What is told after the statements have run.
    applied: &'static str,
    apply: Box<dyn Fn() -> Result<(), live_data::OpenError>>,
}

/// Runs the command.
pub(super) fn run(config: &Config, command: &ChangesCommand) -> Result<(), Failure> {
    let ChangesCommand::Setup(args) = command;
    let unavailable = |error| Failure::new(Code::Unavailable, error);
    let setup = match &config.source.url {
        Some(SourceUrl::Sqlite(path)) => {
            sqlite(SqliteSetup::of(path, config.intents()).map_err(unavailable)?)
        }
        Some(SourceUrl::Postgres(url)) => {
            let address = source::postgres(config, url);
            let address = address.map_err(|error| Failure::new(Code::Config, error))?;
            postgres(PostgresSetup::of(&address, config.intents()).map_err(unavailable)?)
        }
        Some(SourceUrl::Http(_)) | None => {
            return Err(Failure::new(
                Code::Config,
                "only a database reports changes; set `source.url` to one",
            ));
        }
    };
    for warning in &setup.warnings {
        // If the stream is closed, there is nowhere to report it.
        let _ = writeln!(std::io::stderr(), "warning: {warning}");
    }
    let told = if args.print {
        setup
            .statements
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    } else if setup.is_applied {
        "nothing to do: the database is set up already\n".to_owned()
    } else {
        (setup.apply)().map_err(unavailable)?;
        format!("applied: {}\n", setup.applied)
    };
    written(std::io::stdout().lock().write_all(told.as_bytes()))
}

fn sqlite(setup: SqliteSetup) -> Setup {
    let untracked = setup.untracked().iter().map(|(table, reason)| {
        format!("`{table}` {reason}; every commit counts as a change of all its rows")
    });
    Setup {
        statements: setup.statements().to_vec(),
        warnings: untracked.collect(),
        is_applied: setup.is_applied(),
        applied: "the database reports single records",
        apply: Box::new(move || setup.apply()),
    }
}

fn postgres(setup: PostgresSetup) -> Setup {
    let untracked = setup.untracked();
    Setup {
        warnings: untracked
            .map(|(table, reason)| {
                format!("`{table}` {reason}; answers made of it are cached by their TTL alone")
            })
            .collect(),
        statements: setup.statements().to_vec(),
        is_applied: setup.statements().is_empty(),
        applied: "the database reports its changes",
        apply: Box::new(move || setup.apply()),
    }
}
