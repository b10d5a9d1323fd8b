//! `router config`: check, show or describe the configuration.

use std::io::{self, Write};
use std::path::Path;

use clap::Subcommand;

use crate::config::{self, Config};
use crate::detector;
use crate::exit::{Code, Failure, written};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the configuration: prints `ok`, or everything that is wrong with it.
    ///
    /// What is allowed but deserves a second look is told on standard error: settings, and what
    /// the catalogue's file has of phrases, examples and slots that do not do what they are there for.
    Check {
        /// Count warnings as errors: exit code 78.
        #[arg(long)]
        strict: bool,
    },
    /// Print the effective settings as TOML, each with where it came from.
    Show,
    /// Print a JSON Schema of the configuration file.
    Schema,
}

/// Does what the command says with the configuration of `file` and the environment.
pub(super) fn run(command: &Command, file: Option<&Path>) -> Result<(), Failure> {
    let text = match command {
        Command::Check { strict } => {
            let config = super::configuration(file)?;
            // A model that cannot be used is found here, too.
            detector::configured(&config, config.intents())
                .map_err(|fault| Failure::new(Code::Config, fault))?;
            let count = warn(&config);
            if *strict && count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                return Err(Failure::new(
                    Code::Config,
                    format_args!("{count} warning{plural}, which --strict counts as errors"),
                ));
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

/// Tells every warning, and returns how many there are.
fn warn(config: &Config) -> usize {
    let settings = config.warnings();
    let catalogue = config.catalogue_warnings();
    let mut stderr = io::stderr().lock();
    for warning in &settings {
        // A warning that nobody can read changes nothing.
        let _ = writeln!(stderr, "warning: {warning}");
    }
    for warning in &catalogue {
        let _ = writeln!(stderr, "warning: {warning}");
    }
    settings.len() + catalogue.len()
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Code::Internal,
        format_args!("the configuration cannot be written: {error}"),
    )
}
