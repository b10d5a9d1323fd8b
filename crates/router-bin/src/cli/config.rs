//! `router config`: check, show or describe the configuration.

use std::io::{self, Write};
use std::path::Path;

use clap::Subcommand;

use crate::config;
use crate::detector;
use crate::exit::{Code, Failure, written};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the configuration: prints `ok`, or everything that is wrong with it.
    Check,
    /// Print the effective settings as TOML, each with where it came from.
    Show,
    /// Print a JSON Schema of the configuration file.
    Schema,
}

/// Does what the command says with the configuration of `file` and the environment.
pub(super) fn run(command: &Command, file: Option<&Path>) -> Result<(), Failure> {
    let text = match command {
        Command::Check => {
            let config = super::configuration(file)?;
            // A model that cannot be used is found here, too.
            detector::configured(&config, config.intents())?;
            for warning in config.warnings() {
                // A warning that nobody can read changes nothing.
                let _ = writeln!(io::stderr(), "warning: {warning}");
            }
            "ok\n".to_owned()
        }
        Command::Show => super::configuration(file)?.show().map_err(internal)?,
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&config::schema()).map_err(internal)?;
            schema + "\n"
        }
    };
    let mut output = io::stdout().lock();
    written(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    )
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Code::Internal,
        format_args!("the configuration cannot be written: {error}"),
    )
}
